-- Careful use: contacts against caps counted one by one on a random book, boundaries, what else stands against a contact, what is refused.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\ir ../oracle/oracle.sql
\ir ../oracle/random_book.sql
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SET LOCAL timezone = 'UTC';

CALL oracle.random_book(17, 120, '2012-01-01', '2020-12-31');
CALL crm.rebuild('2020-06-20', NULL);
SET LOCAL crm.as_of = '2020-06-20';
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on) SELECT 9000 + i, 'care' || i, 'Staff ' || i, (SELECT min(id) FROM crm.organisation), i, '2010-01-01', CASE i WHEN 2 THEN date '2019-01-01' END FROM generate_series(1, 2) i;
CREATE TEMP TABLE st AS SELECT s.customer_id, s.org_id, s.tier, s.valid_from, coalesce(s.valid_to, '2300-01-01') AS until FROM crm_bi.standing s;
CREATE INDEX ON st (customer_id);

-- one contact after the other --------------------------------------------------------

INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, (SELECT min(id) FROM crm.organisation), 1, '2020-01-01' FROM generate_series(900001, 900030) i;
SELECT is(crm.record_contact(900001, 9001, 'sales', 'reached') > 0, true, 'without caps') FROM generate_series(1, 5);
INSERT INTO crm.contact_cap (kind, at_most) VALUES ('sales', '3 in 30 days') RETURNING id AS sales \gset
INSERT INTO crm.contact_cap (at_most, counts_inbound) VALUES ('2 in 1 day', true) RETURNING id AS daily \gset
SELECT results_eq('SELECT allowed, cause, cap_id FROM crm.may_contact(900001, ''sales'', 1, clock_timestamp())', format('VALUES (false, ''cap'', %s::bigint)', :sales), 'what there is counts for a new cap, and the cap that ends last is named');
SELECT results_eq('SELECT allowed, cause, cap_id FROM crm.may_contact(900001, ''survey'', 1, clock_timestamp())', format('VALUES (false, ''cap'', %s::bigint)', :daily), 'other purposes have the cap of all');
SELECT results_eq('SELECT allowed, allowed_from = timestamptz ''2026-01-01 12:00'', cause, cap_id FROM crm.may_contact(900001, ''claim'', 1, ''2026-01-01 12:00'')', 'VALUES (true, true, NULL::text, NULL::bigint)', 'service none');
SELECT is(crm.record_contact(900002, 9001, 'sales', 'reached') > 0, true, 'the first');
SELECT is(crm.record_contact(900002, 9001, 'claim', 'reached') > 0, true, 'service in between does not count');
SELECT is(crm.record_contact(900002, 9001, 'sales', 'reached', channel_id => 2) > 0, true, 'the second, in another channel');
SELECT results_eq($$SELECT t.code, t.message, t.detail ~ '^At most 2 in 1 day. Allowed from ', t.hint <> '' FROM pg_temp.told($q$SELECT crm.record_contact(900002, 9001, 'greeting', 'reached')$q$) t$$,
                  $$VALUES ('53400', 'customer "900002" may not be contacted for "greeting" again yet', true, true)$$, 'the third of any kind is refused and told from when on it is allowed');
SELECT is((SELECT substring(t.detail, 'from (.*)\.$')::timestamptz FROM pg_temp.told($q$SELECT crm.record_contact(900002, 9001, 'sales', 'reached')$q$) t),
          (SELECT min(at) + interval '24 hours' FROM crm.contact WHERE customer_id = 900002 AND purpose = 'sales'), 'which is a day after the first of the two');
SELECT is(crm.record_contact(900002, 9001, 'sales', 'called us', direction => 'inbound') > 0, true, 'who calls us is recorded');
SELECT is(crm.record_contact(900003, 9001, 'sales', 'called us', direction => 'inbound') > 0, true, 'and counts');
SELECT is(crm.record_contact(900003, 9001, 'sales', 'reached') > 0, true, 'where the cap says so');
SELECT results_eq('SELECT cause, cap_id FROM crm.may_contact(900003, ''sales'', 1, clock_timestamp())', format('VALUES (''cap'', %s::bigint)', :daily), 'not where it does not');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(900003, 9001, 'claim', 'reached')$$), '00000', 'service goes on');
SELECT is((SELECT string_agg(customer_id || ' ' || changes, ', ' ORDER BY customer_id) FROM crm.contact_account WHERE customer_id > 900000), '900002 3, 900003 2', 'contacts that a cap counts are told one after the other');

-- boundaries: reported at exact times
SELECT count(crm.report_contact(900004, 9001, 'sales', 'reached', t::timestamptz)) FROM unnest('{2020-06-01 10:00,2020-06-03 10:00,2020-06-05 10:00}'::text[]) t \gset
SELECT results_eq(format('SELECT allowed, allowed_from FROM crm.may_contact(900004, ''sales'', 1, %L)', at), format('VALUES (%L::boolean, %L::timestamptz)', allowed, since), 'sales at ' || at)
FROM (VALUES ('2020-06-20', 'f', '2020-07-01 10:00'), ('2020-07-01 09:59:59.999999', 'f', '2020-07-01 10:00'), ('2020-07-01 10:00', 't', '2020-07-01 10:00'),
  ('2020-05-06 10:00:00.000001', 'f', '2020-07-01 10:00'), ('2020-05-06 10:00', 't', '2020-05-06 10:00')) v (at, allowed, since);
SELECT results_eq('SELECT obstacle FROM crm.contact WHERE customer_id = 900004 ORDER BY at', 'VALUES (NULL), (NULL), (NULL)', 'nothing stood against these');
SELECT crm.report_contact(900004, 9001, 'sales', 'reached', '2020-06-07 10:00') AS over \gset
SELECT is((SELECT obstacle FROM crm.contact WHERE customer_id = 900004 AND id = :over), 'cap', 'what was over the cap is kept and told');

-- what else stands against it
INSERT INTO crm.do_not_contact (customer_id, way, from_date, to_date, source) VALUES (900010, 'call', '2020-06-01', '2020-06-10', 'call'), (900010, 'any', '2020-06-10', '2020-06-12', 'call'), (900011, 'any', '2020-06-01', NULL, 'call');
INSERT INTO crm.do_not_contact (customer_id, way, channel_id, from_date, source) VALUES (900012, 'any', 2, '2020-06-01', 'call');
INSERT INTO crm.consent (customer_id, purpose, way, state, on_date, source) VALUES (900013, 'marketing', 'any', 'given', '2020-01-01', 'form'), (900013, 'marketing', 'sms', 'withdrawn', '2020-06-01', 'call'), (900014, 'survey', 'any', 'withdrawn', '2020-06-01', 'call'),
  (900016, 'service', 'any', 'withdrawn', '2020-06-01', 'call');
INSERT INTO crm.blacklist (customer_id, reason, from_date, to_date, end_reason) VALUES (900015, 'fraud', '2020-06-01', '2020-06-05', 'cleared'), (900015, 'again', '2020-06-05', '2020-07-01', 'cleared');
SELECT results_eq(format('SELECT cause, allowed_from FROM crm.may_contact(%s, %L, %s, ''2020-06-02 12:00'', %L)', c, p, h, w), format('VALUES (%L::text, %L::timestamptz)', cause, since), format('%s for %s in channel %s by %s', c, p, h, w))
FROM (VALUES (900010, 'sales', 1, 'call', 'do not contact', '2020-06-11 16:00'), (900010, 'sales', 1, 'any', NULL, '2020-06-02 12:00'), (900010, 'sales', 1, 'sms', NULL, '2020-06-02 12:00'), (900010, 'claim', 1, 'call', NULL, '2020-06-02 12:00'),
  (900010, 'greeting', 1, 'call', 'do not contact', '2020-06-11 16:00'), (900011, 'sales', 1, 'any', 'do not contact', NULL), (900012, 'sales', 1, 'any', NULL, '2020-06-02 12:00'), (900012, 'sales', 2, 'any', 'do not contact', NULL),
  (900013, 'sales', 1, 'sms', 'consent withdrawn', NULL), (900013, 'activity', 1, 'sms', 'consent withdrawn', NULL), (900013, 'sales', 1, 'call', NULL, '2020-06-02 12:00'), (900013, 'survey', 1, 'sms', NULL, '2020-06-02 12:00'),
  (900014, 'survey', 1, 'any', 'consent withdrawn', NULL), (900014, 'sales', 1, 'any', NULL, '2020-06-02 12:00'), (900015, 'sales', 1, 'any', 'blacklisted', '2020-06-30 16:00'), (900015, 'complaint', 1, 'any', NULL, '2020-06-02 12:00'),
  (900016, 'greeting', 1, 'any', NULL, '2020-06-02 12:00')) v (c, p, h, w, cause, since);
SELECT is(pg_temp.code_of(format('SELECT crm.record_contact(%s, 9001, %L, ''reached'')', c, p)), code, format('%s for %s', c, p))
FROM (VALUES (900011, 'sales', '23514'), (900011, 'claim', '00000'), (900014, 'survey', '23514'), (900013, 'sales', '00000')) v (c, p, code);
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(900013, 9001, 'sales', 'reached', way => 'sms')$$), '23514', 'by the way that was withdrawn');
SELECT is(pg_temp.code_of($$SELECT crm.record_contact(900011, 9001, 'sales', 'called us', direction => 'inbound')$$), '00000', 'who wants to be left alone may call');
UPDATE crm.contact_kind SET needs_consent = true WHERE code = 'sales';
SELECT is((SELECT cause FROM crm.may_contact(900020, 'sales', 1, '2020-06-02')), 'no consent', 'a kind may need consent');
SELECT is((SELECT cause FROM crm.may_contact(900013, 'sales', 1, '2020-06-02', 'call')), NULL, 'that was given');
UPDATE crm.contact_kind SET needs_consent = false WHERE code = 'sales';
-- what ends gives way to a cap
SELECT count(crm.report_contact(900010, 9001, 'sales', 'reached', t::timestamptz, way => 'sms')) FROM unnest('{2020-05-25,2020-06-03,2020-06-04}'::text[]) t \gset
SELECT results_eq('SELECT cause, allowed_from FROM crm.may_contact(900010, ''sales'', 1, ''2020-06-02 12:00'', ''call'')', $$VALUES ('do not contact', timestamptz '2020-06-24')$$, 'after the request the cap');

-- a random book ------------------------------------------------------------------------

DELETE FROM crm.contact; DELETE FROM crm.contact_cap;
INSERT INTO crm.contact_purpose (code, kind, name, name_zh) VALUES ('p1', 'sales', 'one', '一'), ('p2', 'survey', 'two', '二');
SELECT setseed(0.5);
CREATE TEMP TABLE customer AS SELECT customer_id AS id FROM crm_bi.customer WHERE customer_id < 900000 AND customer_id IN (SELECT s.customer_id FROM st s WHERE s.valid_from <= '2020-01-01') ORDER BY 1 LIMIT 100;
CREATE INDEX ON customer (id);
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, direction)
SELECT c.id, 9001, 1 + floor(random() * 2)::bigint, (ARRAY['sales', 'p1', 'survey', 'p2', 'claim', 'greeting'])[1 + floor(random() * 6)::integer], timestamptz '2020-01-01' + floor(random() * 90 * 24) * interval '1 hour', 'reached',
       CASE WHEN random() < 0.2 THEN 'inbound' ELSE 'outbound' END
FROM customer c, generate_series(1, 25) g;
INSERT INTO crm.contact_cap (purpose, kind, channel_id, tier, org_id, at_most, counts_inbound, valid_from)
SELECT CASE WHEN random() < 0.2 THEN (ARRAY['sales', 'p1', 'claim'])[1 + floor(random() * 3)::integer] END, NULL, CASE WHEN random() < 0.3 THEN 1 + floor(random() * 2)::bigint END,
       CASE WHEN random() < 0.4 THEN (ARRAY['none', 'lead', 'gold', 'ungraded'])[1 + floor(random() * 4)::integer] END, CASE WHEN random() < 0.4 THEN (SELECT id FROM crm.organisation ORDER BY random() + g * 0 LIMIT 1) END,
       CASE WHEN random() < 0.1 THEN 'unlimited' ELSE format('%s in %s days; %s in %s hours', 2 + floor(random() * 6), 3 + floor(random() * 20), 1 + floor(random() * 2), 1 + floor(random() * 60)) END::crm.contact_limit,
       random() < 0.3, '2019-01-01'::date + (floor(random() * 3) * 200)::integer
FROM generate_series(1, 14) g ON CONFLICT DO NOTHING;
UPDATE crm.contact_cap SET kind = 'survey' WHERE purpose IS NULL AND channel_id IS NULL AND id % 2 = 0;

CREATE FUNCTION pg_temp.below(unit bigint) RETURNS SETOF bigint LANGUAGE sql AS $$
  WITH RECURSIVE t AS (SELECT unit AS id UNION ALL SELECT o.id FROM t JOIN crm.organisation o ON o.parent_id = t.id) SELECT t.id FROM t
$$;
-- every cap and each of its clauses by counting, in every window that begins with a contact or with this one
CREATE FUNCTION pg_temp.over(customer bigint, purpose text, channel bigint, x timestamptz) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  day date := (x AT TIME ZONE 'Asia/Shanghai')::date;
  over bigint[] := '{}';
  c crm.contact_cap;
  clause text[];
  span interval;
  times timestamptz[];
  of_kind text := (SELECT p.kind FROM crm.contact_purpose p WHERE p.code = $2);
BEGIN
  FOR c IN SELECT * FROM crm.contact_cap ORDER BY id LOOP
    CONTINUE WHEN c.valid_from > day OR c.at_most::text = 'unlimited'
      OR EXISTS (SELECT FROM crm.contact_cap o WHERE (o.purpose, o.kind, o.channel_id, o.tier, o.org_id) IS NOT DISTINCT FROM (c.purpose, c.kind, c.channel_id, c.tier, c.org_id) AND o.valid_from > c.valid_from AND o.valid_from <= day)
      OR c.channel_id <> channel OR c.purpose <> $2 OR c.kind <> of_kind OR (c.purpose IS NULL AND c.kind IS NULL AND of_kind = 'service');
    CONTINUE WHEN c.tier IS NOT NULL AND c.tier IS DISTINCT FROM coalesce((SELECT s.tier FROM st s WHERE s.customer_id = customer AND s.valid_from <= day AND s.until > day), 'none');
    CONTINUE WHEN c.org_id IS NOT NULL AND (SELECT s.org_id FROM st s WHERE s.customer_id = customer AND s.valid_from <= day AND s.until > day) NOT IN (SELECT pg_temp.below(c.org_id));
    times := ARRAY(SELECT t.at FROM crm.contact t JOIN crm.contact_purpose p ON p.code = t.purpose
                   WHERE t.customer_id = customer AND (c.channel_id IS NULL OR t.channel_id = c.channel_id) AND (c.purpose IS NULL OR t.purpose = c.purpose) AND (c.kind IS NULL OR p.kind = c.kind)
                     AND (c.purpose IS NOT NULL OR c.kind IS NOT NULL OR p.kind <> 'service') AND (t.direction = 'outbound' OR c.counts_inbound));
    FOR clause IN SELECT m FROM regexp_matches(c.at_most::text, '(\d+) in (\d+) (day|hour)', 'g') m LOOP
      span := clause[2]::integer * CASE clause[3] WHEN 'day' THEN 24 ELSE 1 END * interval '1 hour';
      IF EXISTS (SELECT FROM unnest(times || x) w WHERE w <= x AND x < w + span AND (SELECT count(*) FROM unnest(times) t WHERE t >= w AND t < w + span) + 1 > clause[1]::integer) THEN
        over := over || c.id;
      END IF;
    END LOOP;
  END LOOP;
  RETURN over;
END
$$;
CREATE TEMP TABLE asked AS
SELECT c.id AS customer, p AS purpose, 1 + floor(random() * 2)::bigint AS channel, timestamptz '2020-01-15' + floor(random() * 80 * 24) * interval '1 hour' AS at FROM customer c, unnest('{sales,p1,survey,claim,greeting}'::text[]) p;
CREATE TEMP TABLE answered AS
SELECT a.*, pg_temp.over(a.customer, a.purpose, a.channel, a.at) AS over, m.* FROM asked a CROSS JOIN LATERAL crm.may_contact(a.customer, a.purpose, a.channel, a.at) m;
SELECT is_empty($$SELECT * FROM answered WHERE allowed <> (cardinality(over) = 0) OR (cause = 'cap') IS DISTINCT FROM (cardinality(over) > 0 OR NULL)$$, 'allowed where no cap is over by counting');
SELECT is_empty($$SELECT * FROM answered WHERE cause = 'cap' AND cap_id <> ALL (over)$$, 'the cap named is one of those');
SELECT cmp_ok((SELECT count(*) FROM answered WHERE allowed), '>', 50::bigint, 'some are allowed');
SELECT cmp_ok((SELECT count(*) FROM answered WHERE NOT allowed), '>', 50::bigint, 'some are not');
SELECT cmp_ok((SELECT count(DISTINCT cap_id) FROM answered), '>', 4::bigint, 'by several caps');
SELECT is_empty($$SELECT * FROM answered WHERE cardinality(pg_temp.over(customer, purpose, channel, allowed_from)) > 0$$, 'and none is over at the time told');
SELECT pg_temp.same(format($$SELECT m.customer_id, m.allowed, m.allowed_from, m.cause, m.cap_id FROM crm.may_contact_each(ARRAY(SELECT id FROM customer) || 77777777::bigint, %1$L, 1, '2020-03-01 11:00') m$$, p),
  format($$SELECT c.id, m.* FROM customer c CROSS JOIN LATERAL crm.may_contact(c.id, %1$L, 1, '2020-03-01 11:00') m UNION ALL SELECT 77777777, false, NULL, 'unknown', NULL$$, p), 'many at once: ' || p) FROM unnest('{sales,p2,claim}'::text[]) p;
-- the first instant, where the caps stay the same for everybody
DELETE FROM crm.contact_cap WHERE tier IS NOT NULL OR org_id IS NOT NULL OR valid_from > '2020-01-01';
SELECT is_empty($$SELECT a.*, x FROM (SELECT a.customer, a.purpose, a.channel, a.at, m.allowed_from FROM asked a CROSS JOIN LATERAL crm.may_contact(a.customer, a.purpose, a.channel, a.at) m WHERE a.customer % 3 = 0) a
  CROSS JOIN LATERAL (SELECT a.at AS x UNION SELECT t.at + h * interval '1 hour' FROM crm.contact t,
                      (SELECT DISTINCT r[1]::integer * CASE r[2] WHEN 'day' THEN 24 ELSE 1 END AS h FROM crm.contact_cap c CROSS JOIN regexp_matches(c.at_most::text, 'in (\d+) (day|hour)', 'g') r) h WHERE t.customer_id = a.customer) x
  WHERE x >= a.at AND x < a.allowed_from AND cardinality(pg_temp.over(a.customer, a.purpose, a.channel, x)) = 0$$, 'no earlier time would do');

-- what analysts see
SET LOCAL crm.as_of = '2020-02-10';
SELECT pg_temp.same('SELECT l.customer_id, l.cap_id, l.contacts::bigint, l.last_at FROM crm_bi.contact_load l',
  $$SELECT t.customer_id, c.id, count(*), max(t.at) FROM crm.contact_cap c JOIN crm.contact t ON t.at <= timestamptz '2020-02-10 16:00' AND t.at > timestamptz '2020-02-10 16:00' - crm.contact_window(c.at_most)
    JOIN crm.contact_purpose p ON p.code = t.purpose
    WHERE c.at_most::text <> 'unlimited' AND coalesce(c.channel_id = t.channel_id, true) AND coalesce(c.purpose = t.purpose, true) AND coalesce(c.kind = p.kind, true) AND (p.kind <> 'service' OR c.purpose IS NOT NULL OR c.kind IS NOT NULL)
      AND (t.direction = 'outbound' OR c.counts_inbound) GROUP BY 1, 2$$, 'the load of each customer at the end of the day');
DELETE FROM crm.contact WHERE at > '2020-02-10 16:00';
SELECT is_empty($$SELECT l.* FROM crm_bi.contact_load l JOIN crm.contact_cap c ON c.id = l.cap_id
  WHERE (l.room > 0) <> (c.id <> ALL (pg_temp.over(l.customer_id, coalesce(c.purpose, CASE c.kind WHEN 'survey' THEN 'survey' ELSE 'sales' END), coalesce(c.channel_id, 1), '2020-02-10 16:00')))$$, 'and the room it leaves');
SELECT is((SELECT count(*) FROM crm_bi.contact), (SELECT count(*) FROM crm.contact), 'all contacts are seen');
SELECT is((SELECT count(*) FROM crm_bi.contact_purpose), (SELECT count(*) FROM crm.contact_purpose), 'and purposes');
UPDATE crm.contact_cap SET valid_from = '2020-03-01' WHERE id = (SELECT max(id) FROM crm.contact_cap);
SELECT results_eq('SELECT cap_id FROM crm_bi.contact_cap WHERE in_force ORDER BY 1', $$SELECT id FROM crm.contact_cap WHERE valid_from <= '2020-02-10' AND at_most::text <> 'unlimited' ORDER BY 1$$, 'and the caps in force');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname LIKE 'contact%'
                  AND col_description(c.oid, a.attnum) !~ '[一-龥]'$$, 'in two languages');

-- a cap ends by a later row; never is for ever
DELETE FROM crm.contact_cap;
INSERT INTO crm.contact_cap (at_most, valid_from, note) VALUES ('never', '2020-01-01', 'no sales'), ('unlimited', '2020-02-01', NULL);
SELECT results_eq('SELECT allowed, allowed_from, cause FROM crm.may_contact(900025, ''sales'', 1, ''2020-01-05'')', $$VALUES (false, NULL::timestamptz, 'cap')$$, 'never');
SELECT results_eq('SELECT allowed FROM crm.may_contact(900025, ''sales'', 1, ''2020-02-01'')', 'VALUES (true)', 'a later row ends it');

-- who holds the customer, and who began -------------------------------------------------

DELETE FROM crm.contact; DELETE FROM crm.contact_cap; DELETE FROM crm.holding;
DO $$ BEGIN CREATE ROLE crm_test_pool; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CALL crm.grant_duty('sales', 'crm_test_pool');
CALL crm.grant_duty('pool', 'crm_test_pool');
INSERT INTO crm.organisation (id, parent_id, code, name) SELECT 8001, min(id), 'guard', 'Guard' FROM crm.organisation;
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES (9011, 'g1', 'Ann', 8001, 1, '2010-01-01', 'guard_ann'), (9012, 'g2', 'Bob', 8001, 1, '2010-01-01', 'guard_bob'), (9013, 'g3', 'Tel', 8001, 2, '2010-01-01', 'guard_tel');
INSERT INTO crm.contact_cap (kind, channel_id, at_most) VALUES ('sales', 1, '1 in 30 days');
SELECT is(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900001, 9011, 'sales', 'reached') > 0$$), 'true', 'a seller contacts a customer');
SELECT matches(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900001, 9011, 'sales', 'reached')$$), '^53400', 'no second time under the cap of the channel');
SELECT matches(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900001, 9011, 'sales', 'reached', channel_id => 2)$$), '^42501 login "crm_test_pool" may not record contacts of staff member "9011" in channel "2"', 'nor by naming another channel');
SELECT is(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900001, 9011, 'claim', 'reached', channel_id => 1) > 0$$), 'true', 'the own one may be named');
INSERT INTO crm.do_not_contact (customer_id, way, channel_id, from_date, source) VALUES (900002, 'any', 1, '2020-06-01', 'call');
SELECT matches(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900002, 9011, 'sales', 'reached', channel_id => 2)$$), '^42501', 'nor is do not contact evaded so');
SELECT is(crm.record_contact(900001, 9011, 'sales', 'reached', channel_id => 2) > 0, true, 'who may act for anyone may name another channel');

-- an inbound contact is a fact, tells what it would have met, and is no care unless the setting says so
SELECT crm.claim(900003, 9011), crm.claim(900004, 9012) \gset
SELECT due_at AS due FROM crm.holding WHERE customer_id = 900003 \gset
SELECT is(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900003, 9011, 'sales', 'called us', direction => 'inbound') > 0$$), 'true', 'who calls us is recorded');
SELECT results_eq('SELECT last_contact_at, due_at FROM crm.holding WHERE customer_id = 900003', format('VALUES (NULL::timestamptz, %L::timestamptz)', :'due'), 'and does not renew the holding');
SELECT is((SELECT obstacle FROM crm.contact WHERE customer_id = 900003), NULL, 'nothing stood against calling');
SELECT is(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900003, 9011, 'sales', 'reached') > 0$$), 'true', 'the holder calls');
SELECT is(pg_temp.as('guard_ann', $$SELECT crm.record_contact(900003, 9011, 'sales', 'called us', direction => 'inbound') > 0$$), 'true', 'the customer again');
SELECT results_eq('SELECT direction, obstacle FROM crm_bi.contact WHERE customer_id = 900003 ORDER BY at', $$VALUES ('inbound', NULL), ('outbound', NULL), ('inbound', 'cap')$$, 'an outbound call told as inbound shows');
INSERT INTO crm.setting (name, value, org_id) VALUES ('inbound_renews', 'true', 8001);
SELECT is(pg_temp.as('guard_bob', $$SELECT crm.record_contact(900004, 9012, 'sales', 'came in', direction => 'inbound') > 0$$), 'true', 'where the setting says so');
SELECT is((SELECT due_cause FROM crm.holding WHERE customer_id = 900004), 'contact every', 'it is care');
SELECT crm.report_contact(900004, 9011, 'sales', 'met', clock_timestamp(), direction => 'inbound') \gset
SELECT is((SELECT last_contact_at FROM crm.holding WHERE customer_id = 900004), (SELECT max(at) FROM crm.contact WHERE customer_id = 900004 AND staff_id = 9012), 'by the holder only');
DELETE FROM crm.contact_cap;

-- customers held by somebody else
INSERT INTO crm.setting (name, value) VALUES ('protection_days', '10');
SELECT crm.claim(900006, 9011) \gset
SELECT crm.entrust('{900007}', 1, 8001) \gset
SELECT protected_until AS free FROM crm.holding WHERE customer_id = 900006 \gset
SELECT is(pg_temp.as(who, format('SELECT crm.record_contact(%s, %s, %L, ''reached'') > 0', customer, staff, purpose)), answer, name) FROM (VALUES
  ('guard_ann', 900006, 9011, 'sales', 'true', 'the holder contacts'),
  ('guard_bob', 900006, 9012, 'claim', 'true', 'service is open to everybody'),
  ('guard_bob', 900003, 9012, 'sales', 'true', 'so is who is held without protection'),
  ('guard_tel', 900007, 9013, 'sales', 'true', 'or by a unit')) v (who, customer, staff, purpose, answer, name);
SELECT is(pg_temp.as('guard_bob', $$SELECT crm.record_contact(900006, 9012, 'sales', 'reached')$$), '23514 customer "900006" may not be contacted for "sales": held by another / crm.may_contact() tells beforehand; what happened all the same is recorded by crm.report_contact().', 'a colleague does not contact who is protected');
SELECT results_eq('SELECT allowed, allowed_from, cause FROM crm.may_contact(900006, ''sales'', 1, clock_timestamp(), staff_id => 9012)', 'SELECT false, protected_until, ''held by another''::text FROM crm.holding WHERE customer_id = 900006', 'before the protection ends');
SELECT results_eq('SELECT allowed, cause FROM crm.may_contact(900006, ''sales'', 1, (SELECT protected_until FROM crm.holding WHERE customer_id = 900006), staff_id => 9012)', 'VALUES (true, NULL::text)', 'then it is allowed');
SELECT results_eq('SELECT customer_id, allowed, cause FROM crm.may_contact_each(''{900006,900007}'', ''sales'', 2, clock_timestamp())', $$VALUES (900006::bigint, false, 'held by another'), (900007, true, NULL)$$, 'another channel does not plan it');
SELECT results_eq('SELECT allowed FROM crm.may_contact(900006, ''sales'', 1, clock_timestamp())', 'VALUES (true)', 'the channel of the holder does');
SELECT crm.report_contact(900006, 9013, 'sales', 'reached', clock_timestamp()) AS told \gset
SELECT is((SELECT obstacle FROM crm.contact WHERE customer_id = 900006 AND id = :told), 'held by another', 'what happened all the same is told');
INSERT INTO crm.setting (name, value, channel_id) VALUES ('guards_held', 'always', 1);
SELECT is(left(pg_temp.as(who, format('SELECT crm.record_contact(%s, %s, %L, ''reached'') > 0', customer, staff, purpose)), 5), answer, name) FROM (VALUES
  ('guard_tel', 900003, 9013, 'sales', '23514', 'always: nobody but the holder'), ('guard_tel', 900007, 9013, 'sales', '23514', 'nor but the unit that holds'),
  ('guard_bob', 900007, 9012, 'sales', 'true', 'whose staff may'), ('guard_tel', 900007, 9013, 'claim', 'true', 'service apart'), ('guard_tel', 900020, 9013, 'sales', 'true', 'and who is in the pool')) v (who, customer, staff, purpose, answer, name);
SELECT results_eq('SELECT allowed, allowed_from FROM crm.may_contact(900003, ''sales'', 2, clock_timestamp())', 'VALUES (false, NULL::timestamptz)', 'no time is known');
INSERT INTO crm.setting (name, value, org_id) VALUES ('guards_held', 'never', 8001);
SELECT is(pg_temp.as('guard_tel', $$SELECT crm.record_contact(900006, 9013, 'sales', 'reached') > 0$$), 'true', 'never: anybody');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('guards_held', 'now and then')$$), '23514', 'no other word');
DELETE FROM crm.setting WHERE name IN ('guards_held', 'protection_days', 'inbound_renews');
DELETE FROM crm.holding;
INSERT INTO crm.contact_cap (at_most, valid_from, note) VALUES ('never', '2020-01-01', 'no sales'), ('unlimited', '2020-02-01', NULL);

-- wrong input ----------------------------------------------------------------------------

SELECT is(pg_temp.code_of(q), code, q) FROM (VALUES
  ($$SELECT crm.record_contact(900001, 9001, 'nothing', 'reached')$$, '23503'), ($$SELECT crm.record_contact(900001, 9001, 'sales', 'reached', way => 'pigeon')$$, '22023'), ($$SELECT crm.record_contact(900001, 9001, 'sales', 'reached', way => NULL)$$, '22023'),
  ($$SELECT crm.record_contact(900001, 9001, 'sales', 'reached', direction => 'up')$$, '22023'), ($$SELECT crm.record_contact(900001, 9001, 'sales', 'reached', direction => NULL)$$, '22023'), ($$SELECT crm.record_contact(900001, 9001, 'sales', 'reached', channel_id => 77)$$, '23503'),
  ($$SELECT crm.report_contact(900001, 9001, 'sales', 'reached', NULL)$$, '22004'), ($$SELECT crm.report_contact(900001, 9001, 'sales', 'reached', clock_timestamp() + interval '1 hour')$$, '22023'), ($$SELECT crm.report_contact(900001, 9001, 'sales', 'reached', 'infinity')$$, '22023'),
  ($$SELECT crm.report_contact(900001, 9001, 'sales', 'reached', '-infinity')$$, '55000'), ($$SELECT crm.report_contact(900001, 9002, 'sales', 'reached', '2020-01-01')$$, '55000'), ($$SELECT crm.report_contact(900001, 9002, 'sales', 'reached', '2018-06-01')$$, '00000'),
  ($$SELECT crm.report_contact(99999999, 9001, 'sales', 'reached', '2020-01-01')$$, '23503'), ($$SELECT crm.report_contact(900001, 9001, 'sales', ' ', '2020-01-01')$$, '23514'), ($$SELECT crm.report_contact(900001, 9001, NULL, 'reached', '2020-01-01')$$, '23502'),
  ($$SELECT crm.may_contact(NULL, 'sales', 1, '2020-01-01')$$, '22004'), ($$SELECT crm.may_contact(99999999, 'sales', 1, '2020-01-01')$$, '23503'), ($$SELECT crm.may_contact(900001, 'x', 1, '2020-01-01')$$, '23503'), ($$SELECT crm.may_contact(900001, ' ', 1, '2020-01-01')$$, '23514'),
  ($$SELECT crm.may_contact(900001, NULL, 1, '2020-01-01')$$, '23502'), ($$SELECT crm.may_contact(900001, 'sales', NULL, '2020-01-01')$$, '22004'), ($$SELECT crm.may_contact(900001, 'sales', 77, '2020-01-01')$$, '23503'), ($$SELECT crm.may_contact(900001, 'sales', 1, NULL)$$, '22004'),
  ($$SELECT crm.may_contact(900001, 'sales', 1, 'infinity')$$, '22023'), ($$SELECT crm.may_contact(900001, 'sales', 1, '1800-01-01')$$, '22023'), ($$SELECT crm.may_contact(900001, 'sales', 1, '2020-01-01', 'x')$$, '22023'),
  ($$SELECT crm.may_contact_each(NULL, 'sales', 1, '2020-01-01')$$, '22004'), ($$SELECT crm.may_contact_each('{1,NULL}', 'sales', 1, '2020-01-01')$$, '22004'), ($$SELECT crm.may_contact_each('{{1},{2}}', 'sales', 1, '2020-01-01')$$, '2202E'),
  ($$SELECT crm.may_contact_each('{}', 'sales', 1, '2020-01-01')$$, '00000'), ($$SELECT crm.may_contact_each('{1,1}', 'sales', 1, '2020-01-01')$$, '00000'),
  ($$INSERT INTO crm.contact_cap (purpose, kind, at_most) VALUES ('sales', 'sales', '1 in 1 day')$$, '23514'), ($$INSERT INTO crm.contact_cap (tier, at_most) VALUES ('wood', '1 in 1 day')$$, '22023'), ($$INSERT INTO crm.contact_cap (purpose, at_most) VALUES ('x', '1 in 1 day')$$, '23503'),
  ($$INSERT INTO crm.contact_cap (at_most) VALUES (NULL)$$, '23502'), ($$INSERT INTO crm.contact_cap (at_most) VALUES ('often')$$, '22P02'), ($$INSERT INTO crm.contact_cap (at_most, valid_from) VALUES ('never', '2020-01-01')$$, '23505'), ($$INSERT INTO crm.contact_cap (at_most, valid_from) VALUES ('never', 'infinity')$$, '23514'),
  ($$INSERT INTO crm.contact_kind (code, name, name_zh, needs_consent) VALUES ('x', 'x', 'x', true)$$, '23514'), ($$INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, outcome) VALUES (900001, 9001, 1, 'x', 'reached')$$, '23503'),
  ($$DELETE FROM crm.contact_purpose WHERE code = 'sales'$$, '23503')) v (q, code);

SELECT crm.post() \gset
SELECT is_empty('SELECT * FROM crm.check()', 'the book agrees');
SELECT * FROM finish();
ROLLBACK;
