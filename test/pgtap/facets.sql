-- classify: the dimensions of customers against plain SQL on a random book, on days past and to come
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
CALL crm.generate(customers => 400, seed => 11, as_of => '2025-12-31');
SET crm.as_of = '2025-12-31';
SELECT setseed(0.42);

-- what the generator does not make
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, started_by, end_cause, ended_by, rule)
SELECT c.id, s.channel_id, s.org_id, s.id, h.held_from, h.held_to, 'claim', 'test',
       CASE WHEN h.held_to IS NOT NULL THEN (ARRAY['release', 'departure', 'recycle'])[1 + floor(random() * 3)] END, CASE WHEN h.held_to IS NOT NULL THEN 'test' END,
       'at most 9000 days'
FROM crm.customer c
CROSS JOIN LATERAL (
  SELECT x.at AS held_from, x.at + interval '1 hour' * floor(random() * 400 * 24) AS held_to
  FROM (SELECT '2018-01-01 03:00+00'::timestamptz + interval '1 day' * (k * 500 + floor(random() * 90)) AS at FROM generate_series(0, 4) k WHERE random() < 0.5 AND c.id > 0) x) h
CROSS JOIN LATERAL (SELECT * FROM crm.staff s WHERE s.joined_on <= h.held_from::date ORDER BY (s.id * 7919 + c.id * 104729) % 1009 LIMIT 1) s;
-- a book in which nobody handed over
ALTER TABLE crm.holding DISABLE TRIGGER in_post_insert, DISABLE TRIGGER in_post_update;
ALTER TABLE crm.staff DISABLE TRIGGER left_holds_nobody;
UPDATE crm.holding h SET held_to = NULL, end_cause = NULL, ended_by = NULL
WHERE h.id = (SELECT max(x.id) FROM crm.holding x WHERE x.customer_id = h.customer_id) AND h.customer_id % 3 = 0;
UPDATE crm.staff SET left_on = '2024-06-15' WHERE left_on IS NULL AND id % 9 = 0 AND joined_on < '2024-01-01';
INSERT INTO crm.partner (code, name, kind, from_date) VALUES ('P1', 'Bank', 'bank', '2010-01-01');
INSERT INTO crm.prospect (customer_id, source, entered_on, partner_id, introduced_by)
SELECT c.id, s.code, '2015-01-01'::date + floor(random() * 4200)::integer, CASE WHEN s.by_partner THEN (SELECT id FROM crm.partner) END,
       CASE WHEN s.code = 'referral' THEN (SELECT x.id FROM crm.customer x WHERE x.id <> c.id LIMIT 1) END
FROM crm.customer c, crm.prospect_source s WHERE (c.id * 31 + ascii(s.code) * 17 + length(s.code)) % 11 = 0;
INSERT INTO crm.appointment (customer_id, at, result, recorded_at)
SELECT c.id, x.at, (ARRAY[NULL, 'kept', 'missed', 'moved', 'cancelled'])[1 + floor(random() * 5)], x.at + interval '1 day' * (floor(random() * 30) - 25)
FROM crm.customer c, LATERAL (SELECT '2022-01-01 02:00+00'::timestamptz + interval '1 hour' * floor(random() * 40000) AS at WHERE c.id > 0) x WHERE random() < 0.3;
INSERT INTO crm.policy_claim (customer_id, policy_id, insured_id, kind, occurred_on, reported_on)
SELECT p.customer_id, p.id, CASE WHEN random() < 0.5 THEN (SELECT n.insured_id FROM crm.policy_insured n WHERE n.policy_id = p.id LIMIT 1) END, 'illness', p.issued_on + 100, p.issued_on + 100 + floor(random() * 900)::integer
FROM crm.policy p WHERE p.issued_on < '2023-01-01' AND random() < 0.2;
UPDATE crm.contact_point SET valid_from = '2010-01-01'::date + floor(random() * 4000)::integer WHERE random() < 0.4;
UPDATE crm.contact_point SET valid_to = greatest(valid_from, '2012-01-01') + 1 + floor(random() * 4000)::integer WHERE random() < 0.5;
UPDATE crm.contact_point SET kind = 'wechat', value = 'w' || id WHERE random() < 0.2;
INSERT INTO crm.product_holding (customer_id, category_id, opened_on, closed_on)
SELECT c.id, (SELECT min(p.id) FROM crm.product_category p), x.day, CASE WHEN random() < 0.6 THEN x.day + floor(random() * 3000)::integer END
FROM crm.customer c, LATERAL (SELECT '2014-01-01'::date + floor(random() * 4000)::integer AS day WHERE c.id > 0) x WHERE random() < 0.5;
CALL crm.rebuild(batch => NULL);
SET crm.posting = 'commit';

CREATE FUNCTION pg_temp.local(at timestamptz) RETURNS date LANGUAGE sql STABLE AS $$SELECT (at AT TIME ZONE 'Asia/Shanghai')::date$$;
CREATE FUNCTION pg_temp.held(customer bigint) RETURNS TABLE (from_date date, to_date date, departed boolean) LANGUAGE sql STABLE AS $$
  SELECT greatest(pg_temp.local(h.held_from), s.joined_on), least(coalesce(pg_temp.local(h.held_to), 'infinity'), s.left_on),
         h.end_cause IS NOT DISTINCT FROM 'departure' OR coalesce(s.left_on <= coalesce(pg_temp.local(h.held_to), 'infinity'), false)
  FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id WHERE h.customer_id = customer
$$;
-- every dimension by its definition, day by day
CREATE FUNCTION pg_temp.naive(d date) RETURNS TABLE (customer_id bigint, channels text, service text, reach text, touchpoints text, prospect_kind text) LANGUAGE sql STABLE AS $$
  SELECT c.id,
    (SELECT string_agg(DISTINCT h.code, ', ') FROM crm.cover v JOIN crm.channel h ON h.id = v.channel_id WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date),
    CASE
      WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id JOIN crm.staff s ON s.id = p.servicer_id
                   WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date AND s.joined_on <= d AND (s.left_on IS NULL OR d < s.left_on))
        OR EXISTS (SELECT FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id
                   WHERE h.customer_id = c.id AND pg_temp.local(h.held_from) <= d AND (h.held_to IS NULL OR d < pg_temp.local(h.held_to))
                     AND s.joined_on <= d AND (s.left_on IS NULL OR d < s.left_on)) THEN 'served'
      WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id JOIN crm.channel h ON h.id = p.channel_id JOIN crm.staff s ON s.id = p.servicer_id
                   WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date AND h.code = 'individual' AND s.left_on <= d) THEN 'orphan'
      WHEN (NOT EXISTS (SELECT FROM crm.cover v WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date)
            OR EXISTS (SELECT FROM crm.product_holding p WHERE p.customer_id = c.id AND p.opened_on <= d AND (p.closed_on IS NULL OR d < p.closed_on)))
        -- a holder left, and on no day since was the customer held
        AND EXISTS (SELECT FROM pg_temp.held(c.id) e WHERE e.departed AND e.to_date <= d
                      AND NOT EXISTS (SELECT FROM pg_temp.held(c.id) o WHERE o.from_date < o.to_date AND o.from_date <= d AND o.to_date > e.to_date)) THEN 'orphan'
      WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date AND p.book = 'legacy') THEN 'group_legacy'
      WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.channel h ON h.id = v.channel_id WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date AND h.code = 'bancassurance') THEN 'bancassurance'
      ELSE 'other' END,
    CASE
      WHEN EXISTS (SELECT FROM crm.contact_point p WHERE p.customer_id = c.id AND NOT p.wrong AND p.kind IN ('mobile', 'phone', 'email', 'address')
                     AND (p.valid_from IS NULL OR p.valid_from <= d) AND (p.valid_to IS NULL OR d < p.valid_to)) THEN 'reachable'
      WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id JOIN crm.customer o ON o.id = p.customer_id
                   WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date AND o.kind = 'company' AND o.id <> c.id) THEN 'corporate_insured'
      WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id WHERE v.customer_id = c.id AND v.from_date <= d AND d < v.to_date AND p.sector_line) THEN 'sector_line'
      ELSE 'other' END,
    concat_ws(', ',
      (SELECT 'maturity' WHERE EXISTS (
         SELECT FROM crm.policy p JOIN crm.cover v ON v.policy_id = p.id AND v.customer_id = p.customer_id AND v.to_date = p.matures_on AND v.ended_by = 'end' AND v.from_date < v.to_date
         WHERE p.customer_id = c.id AND abs(d - p.matures_on) <= 90 AND v.from_date <= d)),
      (SELECT 'lapse' WHERE EXISTS (
         SELECT FROM crm.policy p JOIN crm.cover v ON v.policy_id = p.id AND v.customer_id = p.customer_id AND v.ended_by = 'lapse' AND v.from_date < v.to_date
         WHERE p.customer_id = c.id AND v.to_date <= d AND d < v.to_date + interval '24 months' AND (p.matures_on IS NULL OR d < p.matures_on)
           AND NOT EXISTS (SELECT FROM crm.cover w WHERE w.policy_id = p.id AND w.customer_id = p.customer_id AND w.seq > v.seq AND w.from_date <= d)
           AND NOT EXISTS (SELECT FROM crm.policy_event e WHERE e.policy_id = p.id AND e.kind = 'end' AND e.on_date BETWEEN v.to_date AND d))),
      (SELECT 'claim' WHERE EXISTS (SELECT FROM crm.policy_claim k WHERE c.id IN (k.customer_id, k.insured_id) AND d - k.reported_on BETWEEN 0 AND 365)),
      (SELECT 'appointment' WHERE EXISTS (
         SELECT FROM crm.appointment a WHERE a.customer_id = c.id AND d >= least(pg_temp.local(a.recorded_at), pg_temp.local(a.at))
           AND (a.result IS NULL OR (a.result IN ('kept', 'missed') AND d <= pg_temp.local(a.at) + 90))))),
    coalesce((SELECT CASE WHEN p.source IN ('painting_contest', 'travel_fair', 'activity') THEN 'activity'
                          WHEN p.source IN ('merchant', 'partner_employee', 'partner_customer') THEN 'partner'
                          WHEN p.source IN ('appointment', 'hotline') THEN 'appointment'
                          WHEN p.source = 'referral' THEN 'referral' ELSE 'other' END
              FROM crm.prospect p WHERE p.customer_id = c.id AND p.entered_on <= d ORDER BY p.entered_on DESC, p.id DESC LIMIT 1), 'other')
  FROM crm.customer c
$$;
CREATE FUNCTION pg_temp.differs(d date) RETURNS TABLE (customer_id bigint, want text, have text) LANGUAGE sql STABLE AS $$
  SELECT n.customer_id, row(n.channels, n.service, n.reach, n.touchpoints, CASE WHEN k.coverage = 'prospect' THEN n.prospect_kind END)::text,
         row(k.channels, k.service, k.reach, k.touchpoints, k.prospect_kind)::text
  FROM pg_temp.naive(d) n JOIN crm.classify(d) k USING (customer_id)
  WHERE k.coverage IS NOT NULL
    AND (coalesce(n.channels, k.channel), n.service, n.reach, n.touchpoints, CASE WHEN k.coverage = 'prospect' THEN n.prospect_kind END)
        IS DISTINCT FROM (k.channels, k.service, k.reach, k.touchpoints, k.prospect_kind)
$$;
SELECT is_empty(format('SELECT * FROM pg_temp.differs(%L) LIMIT 10', d), 'as defined on ' || d)
FROM unnest('{2014-03-05,2019-07-01,2022-02-28,2023-11-11,2024-06-14,2024-06-15,2025-01-31,2025-12-31,2026-03-31,2027-10-10}'::date[]) d;
SELECT cmp_ok((SELECT count(DISTINCT (service, reach)) FROM crm.classify('2025-01-31')), '>=', 11::bigint, 'most classes occur');
SELECT is((SELECT count(DISTINCT t) FROM crm.classify('2025-01-31') k, string_to_table(k.touchpoints, ', ') t), 4::bigint, 'every touchpoint occurs');
SELECT is((SELECT count(DISTINCT prospect_kind) FROM crm.classify('2025-01-31') k WHERE coverage = 'prospect'), 5::bigint, 'every kind of prospect occurs');
SELECT is_empty('SELECT * FROM crm.check() WHERE check_name NOT LIKE ''holding%''', 'what is stored agrees');

-- changes of class: those of a window are what differs between its days
CREATE FUNCTION pg_temp.stepwise(from_date date, to_date date) RETURNS TABLE (customer_id bigint, on_date date, dimension text, was text, became text) LANGUAGE sql AS $$
  WITH day AS MATERIALIZED (SELECT d::date AS d, k.* FROM generate_series(from_date - 1, to_date - 1, interval '1 day') d, crm.classify(d::date) k WHERE k.coverage IS NOT NULL),
  pair AS (SELECT b.d, b.customer_id, a AS old, b AS new FROM day b LEFT JOIN day a ON a.customer_id = b.customer_id AND a.d = b.d - 1 WHERE b.d >= from_date)
  SELECT p.customer_id, p.d, x.dimension, x.was, x.became
  FROM pair p, LATERAL (VALUES ('coverage', (p.old).coverage, (p.new).coverage), ('channel', (p.old).channel, (p.new).channel), ('service', (p.old).service, (p.new).service),
    ('reach', (p.old).reach, (p.new).reach), ('activity', (p.old).activity, (p.new).activity), ('tier', (p.old).tier, (p.new).tier),
    ('prospect_kind', CASE WHEN (p.new).prospect_kind IS NOT NULL THEN (p.old).prospect_kind END, (p.new).prospect_kind)) x (dimension, was, became)
  WHERE x.was IS DISTINCT FROM x.became AND ((p.old).customer_id IS NOT NULL OR x.dimension = 'coverage')
  UNION ALL
  SELECT p.customer_id, p.d, 'touchpoint', t, NULL FROM pair p, string_to_table((p.old).touchpoints, ', ') t WHERE t <> '' AND t <> ALL (string_to_array((p.new).touchpoints, ', '))
  UNION ALL
  SELECT p.customer_id, p.d, 'touchpoint', NULL, t FROM pair p, string_to_table((p.new).touchpoints, ', ') t WHERE t <> '' AND t <> ALL (coalesce(string_to_array((p.old).touchpoints, ', '), '{}'))
$$;
SELECT bag_eq('SELECT * FROM pg_temp.stepwise(''2024-06-01'', ''2024-07-15'')',
              'SELECT customer_id, on_date, dimension, was, became FROM crm.class_changes(''2024-06-01'', ''2024-07-14'')', 'changes of class, day by day');
SELECT bag_eq('SELECT customer_id, on_date, dimension, was, became FROM crm.class_changes(''2026-01-01'', ''2026-01-31'', ''activity'')',
              'SELECT * FROM pg_temp.stepwise(''2026-01-01'', ''2026-02-01'') WHERE dimension = ''activity''', 'who changes activity next month');
SELECT cmp_ok((SELECT count(DISTINCT dimension) FROM crm_bi.class_change), '=', 8::bigint, 'the view has every dimension');
SELECT is_empty('SELECT change_key FROM crm_bi.class_change GROUP BY 1 HAVING count(*) > 1', 'and a key');
SELECT bag_eq('SELECT customer_id, kind FROM crm_bi.touchpoint WHERE ''2024-06-14'' BETWEEN from_date AND coalesce(last_date, ''infinity'') GROUP BY 1, 2',
              'SELECT k.customer_id, t FROM crm.classify(''2024-06-14'') k, string_to_table(k.touchpoints, '', '') t WHERE t <> ''''', 'touchpoints with their dates are those of the customers');
SELECT is(crm.service(k.customer_id, '2024-06-14') || crm.coverage(k.customer_id, '2024-06-14') || crm.reach(k.customer_id, '2024-06-14') || crm.activity(k.customer_id, '2024-06-14')
          || crm.touchpoints(k.customer_id, '2024-06-14') || crm.tier(k.customer_id, '2024-06-14') || crm.channels(k.customer_id, '2024-06-14') || crm.channel(k.customer_id, '2024-06-14'),
          k.service || k.coverage || k.reach || k.activity || k.touchpoints || k.tier || k.channels || k.channel, 'each dimension by its function')
FROM crm.classify('2024-06-14') k WHERE k.coverage = 'insured' ORDER BY k.touchpoints DESC LIMIT 3;
SELECT is(crm.prospect_kind(k.customer_id, '2024-06-14'), k.prospect_kind, 'and the kind of prospect') FROM crm.classify('2024-06-14') k WHERE k.coverage = 'prospect' LIMIT 1;
SELECT is(crm.tier((SELECT min(id) FROM crm.customer), '1901-01-01'), NULL, 'nothing before known');
SELECT is(pg_temp.code_of('SELECT crm.tier(-1, ''2024-01-01'')'), '23503', 'nobody is nobody');
SELECT is(crm.tier(NULL, NULL), NULL, 'NULL gives NULL');
SELECT is(pg_temp.code_of('SELECT crm.class_changes(''2024-01-01'', ''2024-02-01'', ''luck'')'), '22023', 'there is no dimension luck');
SELECT is(pg_temp.code_of('SELECT crm.class_changes(NULL, ''2024-02-01'')'), '22004', 'days are needed');
SELECT is(pg_temp.code_of('SELECT crm.class_changes(''2024-02-01'', ''2024-01-31'')'), '22023', 'the last day does not lie before the first');
SELECT is_empty('SELECT * FROM crm.classify(NULL)', 'no day, nobody');

-- today is any day
PREPARE otherwise AS
  SELECT c.* FROM (SELECT customer_id, org_id, channel, coverage, role, activity, tier, amount, channels, service, reach, prospect_kind, touchpoints FROM crm_bi.customer
                   EXCEPT SELECT customer_id, org_id, channel, coverage, role, activity, tier, amount, channels, service, reach, prospect_kind, touchpoints FROM crm.classify(crm.today())) c;
SET crm.as_of = '2025-12-31';
SELECT is_empty('otherwise', 'customers of the view as of 2025-12-31');
SET crm.as_of = '2020-02-29';
SELECT is_empty('otherwise', 'customers of the view as of 2020-02-29');
SET crm.as_of = '2026-05-01';
SELECT is_empty('otherwise', 'customers of the view as of 2026-05-01');
SELECT is((SELECT count(*) FROM crm_bi.customer), (SELECT count(*) FROM crm.customer), 'one row each');
SET crm.as_of = '2026-02-01';
SELECT is((SELECT fresh FROM crm_bi.freshness WHERE item = 'customers stand on'), false, 'a day later some are computed');
CALL crm.refresh(batch => NULL);
SELECT is((SELECT fresh FROM crm_bi.freshness WHERE item = 'customers stand on'), true, 'a refresh brings them to the day');
SELECT is_empty('SELECT * FROM pg_temp.differs(''2026-02-01'')', 'and they are right');
SET crm.as_of = '2025-12-31';

SELECT is_empty($$SELECT d, v FROM crm_bi.customer c, LATERAL (VALUES ('coverage', c.coverage), ('prospect_kind', c.prospect_kind), ('service', c.service), ('reach', c.reach), ('activity', c.activity),
                  ('tier', c.tier)) x (d, v) WHERE v IS NOT NULL EXCEPT SELECT dimension, class FROM crm_bi.class$$, 'every class has its place');
-- changes follow
CREATE TEMP TABLE someone AS SELECT k.customer_id FROM crm_bi.customer k WHERE k.service = 'served' AND k.coverage = 'insured' AND k.kind = 'person' ORDER BY 1 LIMIT 1;
UPDATE crm.customer SET name = '改名' WHERE id = (TABLE someone);
SELECT crm.post();
SELECT is((SELECT name FROM crm_bi.customer WHERE customer_id = (TABLE someone)), '改名', 'a new name shows');
UPDATE crm.contact_point SET wrong = true WHERE customer_id = (TABLE someone);
SELECT crm.post();
SELECT isnt((SELECT reach FROM crm_bi.customer WHERE customer_id = (TABLE someone)), 'reachable', 'so does a wrong number');
UPDATE crm.staff s SET left_on = '2025-12-01' WHERE s.left_on IS NULL AND s.joined_on < '2025-12-01';
SELECT crm.post() > 0;
SELECT is((SELECT count(*) FROM crm_bi.customer WHERE service = 'served'), 0::bigint, 'nobody is served once all have left');
SELECT is_empty('SELECT * FROM pg_temp.differs(''2025-12-31'')', 'and the kinds of unserved are as defined');
TRUNCATE crm.prospect CASCADE;
SELECT crm.post() > 0;
SELECT is_empty('SELECT * FROM pg_temp.differs(''2025-12-31'')', 'a table may be emptied');
UPDATE crm.channel SET code = 'agents' WHERE code = 'individual';
SELECT is((SELECT count(*) FROM crm_bi.customer WHERE 'individual' = ANY (string_to_array(channels, ', ')) OR channel = 'individual' OR source_channel = 'individual'), 0::bigint, 'the code of a channel follows');
SELECT is_empty('SELECT * FROM crm.check() WHERE check_name NOT LIKE ''holding%''', 'what is stored agrees');
SELECT is(pg_temp.code_of('UPDATE crm.channel SET kind = ''other'' WHERE code = ''agents'''), '55006', 'a kind that policies go by stays');
SELECT is(pg_temp.code_of('SELECT crm._touch_customers(''{NULL}'')'), '22004', 'no customer is none');
SELECT lives_ok('INSERT INTO crm.setting (name, value) VALUES (''maturity_touch_days'', ''30'')', 'windows are settings');
SELECT isnt_empty('SELECT * FROM crm._stale_scale WHERE kind = ''touchpoint''', 'that a rebuild follows');

-- of two rolls to different days the later one goes on
SELECT crm._roll_standings('2025-12-20', 10, NULL) AS rolled \gset
SELECT is(crm._roll_standings('2025-12-20', 10, :rolled), :rolled::bigint, 'a roll goes on');
SELECT is(crm._roll_standings('2025-12-25', 10, NULL), :rolled::bigint, 'another day may be asked for meanwhile');
SELECT is(crm._roll_standings('2025-12-20', 10, :rolled), NULL::bigint, 'which ends the earlier roll');
SELECT is((SELECT shown_on FROM crm.generation WHERE state = 'current'), '2025-12-25'::date, 'and stands');
SELECT * FROM finish();
ROLLBACK;
