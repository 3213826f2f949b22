-- Persistency of the book: every rule by hand, and random books judged policy by policy in another way.
\set ON_ERROR_STOP on
\ir ../oracle/oracle.sql
\ir ../oracle/random_book.sql
SET client_min_messages = warning;
SELECT no_plan();
\ir include/helpers.sql

-- by hand ------------------------------------------------------------------------
-- all issued on 2022-01-31: the 13th policy month begins on 2023-01-31, grace ends on 2023-04-01

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
INSERT INTO crm.channel (code, name, name_zh, kind) VALUES ('postal', 'Post', '邮政', 'bancassurance');
INSERT INTO crm.product (id, code, name, guaranteed_renewable) VALUES (1, 'w', 'Whole life', false), (2, 'g', 'Renewable', true);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (1, 'person', 'One', 2, 1, '2020-01-01'), (2, 'company', 'Two', 3, 1, '2020-01-01');
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (1, '2022-01-31', 3), (1, '2022-06-01', 2);
CREATE TEMP TABLE hand (id bigint, what text, payment text DEFAULT 'yearly', payments integer, term integer, matures date, product integer DEFAULT 1,
  events text DEFAULT '', dues text DEFAULT '', receipts text DEFAULT '', left_out text, persists boolean, received numeric);
-- events: kind day reason; dues: number day amount grace waived; receipts: number day amount, with a day on which it bounces
INSERT INTO hand (id, what, payment, payments, term, matures, product, events, dues, receipts, left_out, persists, received) VALUES
  (101, 'in force, nothing booked', 'yearly', NULL, NULL, NULL, 1, '', '', '', NULL, true, 1000),
  (102, 'lapsed on the day after grace, nothing booked', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-04-02', '', '', NULL, false, 0),
  (103, 'lapsed a day later', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-04-03', '', '', NULL, true, 1000),
  (104, 'lapsed as of the due day, reinstated after grace', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31,reinstatement 2023-05-01', '', '', NULL, false, 0),
  (105, 'lapsed, reinstated within grace', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31,reinstatement 2023-04-01', '', '', NULL, true, 1000),
  (106, 'paid on the last day of grace, though lapsed', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31', '2 2023-01-31 1000 60 f', '2 2023-04-01 1000', NULL, true, 1000),
  (107, 'paid a day late', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31', '2 2023-01-31 1000 60 f', '2 2023-04-02 1000', NULL, false, 0),
  (108, 'paid in part', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31', '2 2023-01-31 1000 60 f', '2 2023-03-01 400', NULL, false, 400),
  (109, 'paid in two parts, riders added', 'yearly', NULL, NULL, NULL, 1, '', '2 2023-01-31 1300 60 f', '2 2023-01-20 1000,2 2023-03-01 300', NULL, true, 1300),
  (110, 'the receipt bounced', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31', '2 2023-01-31 1000 60 f', '2 2023-02-01 1000 2023-02-05', NULL, false, 0),
  (111, 'in force after grace, not paid', 'yearly', NULL, NULL, NULL, 1, '', '2 2023-01-31 1000 60 f', '', NULL, true, 0),
  (112, 'surrendered in the second policy month', 'yearly', NULL, NULL, NULL, 1, 'end 2022-03-15 surrender', '', '', NULL, false, 0),
  (113, 'surrendered within grace after paying', 'yearly', NULL, NULL, NULL, 1, 'end 2023-03-15 surrender', '2 2023-01-31 1000 60 f', '2 2023-02-01 1000', NULL, true, 1000),
  (114, 'single premium', 'single', NULL, NULL, NULL, 1, '', '', '', 'not listed', NULL, NULL),
  (115, 'short term', 'yearly', NULL, 12, '2023-01-31', 1, '', '', '', 'not listed', NULL, NULL),
  (116, 'a year, renewable by guarantee', 'yearly', NULL, 12, NULL, 2, '', '', '', NULL, true, 1000),
  (117, 'void', 'yearly', NULL, NULL, NULL, 1, 'end 2022-01-31 cancellation', '', '', 'not listed', NULL, NULL),
  (118, 'cancelled on the last day of cooling off', 'yearly', NULL, NULL, NULL, 1, 'end 2022-02-20 cancellation', '', '', 'cooling_off', false, 0),
  (119, 'cancelled a day later', 'yearly', NULL, NULL, NULL, 1, 'end 2022-02-21 cancellation', '', '', NULL, false, 0),
  (120, 'surrendered while cooling off was open', 'yearly', NULL, NULL, NULL, 1, 'end 2022-02-10 surrender', '', '', NULL, false, 0),
  (121, 'death', 'yearly', NULL, NULL, NULL, 1, 'end 2022-09-10 death', '', '', 'death', false, 0),
  (122, 'claim on the last day of grace', 'yearly', NULL, NULL, NULL, 1, 'end 2023-04-01 claim', '', '', 'claim', false, 0),
  (123, 'claim after grace', 'yearly', NULL, NULL, NULL, 1, 'end 2023-04-03 claim', '', '', NULL, true, 1000),
  (124, 'death while lapsed', 'yearly', NULL, NULL, NULL, 1, 'lapse 2022-08-01,end 2022-09-10 death', '', '', NULL, false, 0),
  (125, 'premium waived', 'yearly', NULL, NULL, NULL, 1, '', '2 2023-01-31 1000 60 t', '', 'waiver', false, 0),
  (126, 'waived in the year before', 'half_yearly', NULL, NULL, NULL, 1, '', '2 2022-07-31 1000 60 t', '', 'waiver', false, 1000),
  (127, 'waived after the month', 'half_yearly', NULL, NULL, NULL, 1, '', '2 2022-07-31 1000 60 f,3 2023-01-31 1000 60 f,4 2023-07-31 1000 60 t', '3 2023-01-31 1000', NULL, true, 1000),
  (128, 'payments over', 'yearly', 1, NULL, NULL, 1, '', '', '', 'paid_up', false, 1000),
  (129, 'twelve monthly payments', 'monthly', 12, NULL, NULL, 1, '', '', '', 'paid_up', false, 1000),
  (130, 'thirteen', 'monthly', 13, NULL, NULL, 1, '', '', '', NULL, true, 1000),
  (131, 'matured before', 'yearly', NULL, 36, '2023-01-31', 1, '', '', '', 'matured', false, 1000),
  (132, 'matures within grace', 'yearly', NULL, 13, '2023-02-28', 1, '', '', '', NULL, true, 1000),
  (133, 'grace of its own', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31', '2 2023-02-10 1000 0 f', '2 2023-02-10 1000', NULL, true, 1000),
  (134, 'paid after a grace of its own', 'yearly', NULL, NULL, NULL, 1, 'lapse 2023-01-31', '2 2023-02-10 1000 0 f', '2 2023-02-11 1000', NULL, false, 0),
  (135, 'only the first premium booked', 'yearly', NULL, NULL, NULL, 1, '', '1 2022-01-31 1000 60 f', '1 2022-01-31 1000', NULL, true, 1000),
  (136, 'ended by maturity before', 'yearly', NULL, NULL, NULL, 1, 'end 2023-01-31 maturity', '', '', 'matured', false, 0);
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, payments, premium, term_months, matures_on)
SELECT 1, h.id, h.product, 1, '2022-01-31', h.payment, h.payments, 1000, h.term, h.matures FROM hand h;
INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
SELECT 1, h.id, e.n, split_part(e.e, ' ', 1), split_part(e.e, ' ', 2)::date, nullif(split_part(e.e, ' ', 3), '')
FROM hand h, regexp_split_to_table(h.events, ',') WITH ORDINALITY AS e (e, n) WHERE e.e <> '';
INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount, grace_days, waived)
SELECT 1, h.id, split_part(d, ' ', 1)::integer, split_part(d, ' ', 2)::date, split_part(d, ' ', 3)::numeric, split_part(d, ' ', 4)::integer, split_part(d, ' ', 5)::boolean
FROM hand h, regexp_split_to_table(h.dues, ',') AS d WHERE d <> '';
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount)
SELECT 1, h.id, r.n * 2, split_part(r.r, ' ', 1)::integer, split_part(r.r, ' ', 2)::date, split_part(r.r, ' ', 3)::numeric
FROM hand h, regexp_split_to_table(h.receipts, ',') WITH ORDINALITY AS r (r, n) WHERE r.r <> '';
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason)
SELECT 1, h.id, r.n * 2 + 1, split_part(r.r, ' ', 1)::integer, split_part(r.r, ' ', 4)::date, split_part(r.r, ' ', 3)::numeric, r.n * 2, 'bounced'
FROM hand h, regexp_split_to_table(h.receipts, ',') WITH ORDINALITY AS r (r, n) WHERE split_part(r.r, ' ', 4) <> '';
-- one of another cell: the company's, by post
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium) SELECT 2, 200, 1, h.id, '2022-01-01', 'quarterly', 50 FROM crm.channel h WHERE h.code = 'postal';
CALL crm.rebuild('2023-12-31');
SET crm.as_of = '2023-12-31';
SELECT is((SELECT coalesce(p.left_out, CASE WHEN p.persists THEN 'persists' ELSE 'lost' END) || ' ' || p.premium_received::numeric(15, 2) || CASE WHEN p.is_final THEN '' ELSE ' provisional' END
           FROM crm_bi.persistency_policy p WHERE p.policy_id = h.id AND p.code = 'persistency_13'),
          CASE WHEN h.left_out = 'not listed' THEN NULL ELSE coalesce(h.left_out, CASE WHEN h.persists THEN 'persists' ELSE 'lost' END) || ' ' || (h.received + 0.00) END, h.what)
FROM hand h ORDER BY h.id;
SELECT results_eq($$SELECT k.basis, k.org_name, k.channel, k.channel_kind, k.kind, k.cohort_month, k.period_start, k.period_end, k.numerator, k.denominator, round(k.value, 4), k.is_final
                    FROM crm_bi.persistency k WHERE k.code = 'persistency_13' AND k.org_level < 2 ORDER BY 1, 2, 3$$,
  $$VALUES ('count', 'Company', 'individual', 'individual', 'person', date '2022-01-01', date '2023-02-01', date '2023-02-28', 14::numeric, 24::numeric, 0.5833, true),
           ('count', 'Company', 'postal', 'bancassurance', 'company', '2022-01-01', '2023-02-01', '2023-02-28', 1, 1, 1.0000, true),
           ('count', 'South', 'individual', 'individual', 'person', '2022-01-01', '2023-02-01', '2023-02-28', 14, 24, 0.5833, true),
           ('count', 'South', 'postal', 'bancassurance', 'company', '2022-01-01', '2023-02-01', '2023-02-28', 1, 1, 1.0000, true),
           ('premium', 'Company', 'individual', 'individual', 'person', '2022-01-01', '2023-02-01', '2023-02-28', 13700.00, 24000.00, 0.5708, true),
           ('premium', 'Company', 'postal', 'bancassurance', 'company', '2022-01-01', '2023-02-01', '2023-02-28', 50.00, 50.00, 1.0000, true),
           ('premium', 'South', 'individual', 'individual', 'person', '2022-01-01', '2023-02-01', '2023-02-28', 13700.00, 24000.00, 0.5708, true),
           ('premium', 'South', 'postal', 'bancassurance', 'company', '2022-01-01', '2023-02-01', '2023-02-28', 50.00, 50.00, 1.0000, true)$$,
  'the cohort by count and by premium, in the cell at issue and its subtree');
SELECT is((SELECT count(*) FROM crm_bi.persistency k WHERE k.code = 'persistency_25'), 0::bigint, 'twenty-five months are not over for anybody');

-- provisional until grace is over, and not there before its month
CREATE FUNCTION pg_temp.stands(day text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('crm.as_of', day, false);
  RETURN (SELECT string_agg(p.policy_id || CASE WHEN p.persists THEN '+' ELSE '-' END || CASE WHEN p.is_final THEN '!' ELSE '' END || p.premium_received, ' ' ORDER BY p.policy_id)
          FROM crm_bi.persistency_policy p WHERE p.policy_id IN (101, 102, 106, 109, 110, 133));
END
$$;
SELECT is(pg_temp.stands(a.day), a.want, 'as it stands on ' || a.day)
FROM (VALUES ('2023-01-31', NULL),
             ('2023-02-03', '101+1000.00 102+1000.00 106-0 109+1000.00 110+1000.00 133-0'),
             ('2023-02-10', '101+1000.00 102+1000.00 106-0 109+1000.00 110-0 133+1000.00'),
             ('2023-02-11', '101+1000.00 102+1000.00 106-0 109+1000.00 110-0 133+!1000.00'),
             ('2023-04-01', '101+1000.00 102+1000.00 106+1000.00 109+1300.00 110-0 133+!1000.00'),
             ('2023-04-02', '101+!1000.00 102-!0 106+!1000.00 109+!1300.00 110-!0 133+!1000.00')) AS a (day, want);
SET crm.as_of = '2023-04-01';
SELECT is((SELECT bool_or(k.is_final) FROM crm_bi.persistency k WHERE k.org_level = 0 AND k.channel = 'individual'), false, 'a cohort is final with the last of its policies');
-- other settings
SET crm.as_of = '2023-12-31';
INSERT INTO crm.setting (name, value) VALUES ('grace_days', '30'), ('free_look_days', '21');
SELECT is((SELECT string_agg(p.policy_id || ' ' || coalesce(p.left_out, p.persists::text), ', ' ORDER BY p.policy_id) FROM crm_bi.persistency_policy p WHERE p.policy_id IN (102, 105, 106, 119)),
  '102 true, 105 false, 106 true, 119 cooling_off', 'days of grace and of cooling off are settings, but where the premium has its own');
DELETE FROM crm.setting WHERE name IN ('grace_days', 'free_look_days');

SELECT is((SELECT string_agg(e.kind || ' ' || e.on_date || coalesce(' ' || e.reason, ''), ', ' ORDER BY e.policy_event_key) FROM crm_bi.policy_event e WHERE e.policy_id = 124), 'lapse 2022-08-01, end 2022-09-10 death',
  'events are there to be read');
SELECT is((SELECT k.state || ' ' || k.outstanding || ' ' || k.days_overdue FROM crm_bi.premium k WHERE k.policy_id = 125), 'waived 0 0', 'nothing is outstanding of a premium waived');

-- the triangle ---------------------------------------------------------------------------

SELECT results_eq($$SELECT t.policies, t.persisting, t.premium, t.premium_received, round(t.by_count, 4), round(t.by_premium, 4), t.is_final
                    FROM crm.persistency_triangle('2022-01-15', '2022-01-15', 13, channel => 'individual') t WHERE t.policy_month = 13$$,
  $$VALUES (24::bigint, 14::bigint, 24000.00, 13700.00, 0.5833, 0.5708, true)$$, 'month 13 of the triangle is the figure');
SELECT results_eq($$SELECT t.policy_month, t.policies, t.persisting FROM crm.persistency_triangle('2022-01-01', '2022-01-01', 3, 2) t$$, 'SELECT 1, 1::bigint, 1::bigint WHERE false', 'nobody at a unit without');
SELECT results_eq($$SELECT t.policy_month, t.policies, t.persisting FROM crm.persistency_triangle('2022-01-01', '2022-01-01', 3, channel => 'individual') t$$,
  $$VALUES (1, 32::bigint, 30::bigint), (2, 32, 29), (3, 32, 29)$$, 'the first months: who cancelled in cooling off is out, who cancelled late, or surrendered, is lost');

-- random books ----------------------------------------------------------------------------

DELETE FROM crm.premium_receipt WHERE reverses IS NOT NULL;
DELETE FROM crm.premium_receipt;
DELETE FROM crm.premium_due;
CALL oracle.clear_book();
CREATE FUNCTION pg_temp.fill(seed bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE crm.policy_event e SET reason = oracle.pick(seed, 'reason', e.id * 7 + e.policy_id, ARRAY['surrender', 'death', 'claim', 'cancellation', 'maturity', 'other']) WHERE e.kind = 'end';
  -- half of the ends come soon after the issue
  UPDATE crm.policy_event e SET on_date = p.issued_on + oracle.rnd(seed, 'soon', e.policy_id, 30)::integer
  FROM crm.policy p WHERE p.id = e.policy_id AND e.kind = 'end' AND oracle.rnd(seed, 'is soon', e.policy_id, 2) = 0;
  INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount, grace_days, waived)
  SELECT p.customer_id, p.id, n, (p.issued_on + make_interval(months => (n - 1) * CASE p.payment WHEN 'yearly' THEN 12 WHEN 'half_yearly' THEN 6 WHEN 'quarterly' THEN 3 ELSE 1 END))::date
           + CASE WHEN oracle.rnd(seed, 'shifted', p.id, 5) = 0 THEN oracle.rnd(seed, 'shift', p.id, 40)::integer ELSE 0 END,
         1 + p.premium + CASE WHEN n > 1 THEN oracle.rnd(seed, 'rider', p.id, 3) * 10 ELSE 0 END, oracle.pick(seed, 'grace', p.id, ARRAY[60, 60, 60, 30, 0]), oracle.rnd(seed, 'waived', p.id * 100 + n, 25) = 0
  FROM crm.policy p, generate_series(1, 27) n
  WHERE p.payment <> 'single' AND oracle.rnd(seed, 'booked', p.id, 4) > 0 AND n <= coalesce(p.payments, 27) AND oracle.rnd(seed, 'missing', p.id * 100 + n, 12) > 0
    AND p.issued_on + make_interval(months => n * 12) < '2200-01-01';
  INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount)
  SELECT d.customer_id, d.policy_id, d.number * 2, d.number, d.due_on + oracle.pick(seed, 'days', d.policy_id * 100 + d.number, ARRAY[-5, 0, 20, d.grace_days, d.grace_days + 1, 90]),
         CASE WHEN oracle.rnd(seed, 'part', d.policy_id * 100 + d.number, 6) = 0 THEN d.amount / 2 + 0.01 ELSE d.amount END
  FROM crm.premium_due d WHERE oracle.rnd(seed, 'paid', d.policy_id * 100 + d.number, 5) > 0;
  INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason)
  SELECT r.customer_id, r.policy_id, r.id + 1, r.number, r.received_on + oracle.rnd(seed, 'bounced on', r.policy_id * 100 + r.number, 60)::integer, r.amount, r.id, 'bounced'
  FROM crm.premium_receipt r WHERE oracle.rnd(seed, 'bounced', r.policy_id * 100 + r.number, 8) = 0
$$;

-- one policy in one policy month, by the definition step by step; NULL where it is not listed. Reads the intervals that oracle.build() has made, not crm.cover.
CREATE FUNCTION pg_temp.judge(p crm.policy, k integer, as_of date, OUT left_out text, OUT persists boolean, OUT received numeric, OUT is_final boolean) LANGUAGE plpgsql AS $$
DECLARE
  opens date := p.issued_on + make_interval(months => k - 1);
  closes date := p.issued_on + make_interval(months => k);
  every integer := CASE p.payment WHEN 'yearly' THEN 12 WHEN 'half_yearly' THEN 6 WHEN 'quarterly' THEN 3 WHEN 'monthly' THEN 1 END;
  due record;
  booked numeric;
  last_grace date;
  look date;
  last_interval record;
  ends record;
  in_force boolean;
BEGIN
  IF p.payment = 'single' OR NOT EXISTS (SELECT FROM o_policy o WHERE o.policy_id = p.id AND o.long_term) OR NOT EXISTS (SELECT FROM o_interval i WHERE i.policy_id = p.id) THEN
    RETURN;
  END IF;
  received := 0;
  FOR due IN SELECT * FROM crm.premium_due d WHERE d.policy_id = p.id AND d.due_on > p.issued_on AND d.due_on < closes LOOP
    IF due.waived THEN
      left_out := 'waiver';
    END IF;
    IF due.due_on >= opens THEN
      booked := coalesce(booked, 0) + due.amount;
      last_grace := greatest(last_grace, due.due_on + due.grace_days);
      received := received + coalesce((SELECT sum(r.amount) FROM crm.premium_receipt r
        WHERE r.policy_id = p.id AND r.number = due.number AND r.reverses IS NULL AND r.received_on <= due.due_on + due.grace_days AND r.received_on <= as_of
          AND r.id NOT IN (SELECT z.reverses FROM crm.premium_receipt z WHERE z.policy_id = p.id AND z.reverses IS NOT NULL AND z.received_on <= as_of)), 0);
    END IF;
  END LOOP;
  IF booked IS NULL AND k > 1 AND (k - 1) % every = 0 THEN
    last_grace := opens + 60;
  END IF;
  IF last_grace IS NULL THEN
    last_grace := closes - 1;
    look := closes - 1;
  ELSE
    look := last_grace + 1;
  END IF;
  is_final := as_of > last_grace;
  IF look > as_of THEN
    look := as_of;
  END IF;
  IF look >= p.matures_on THEN
    look := p.matures_on - 1;
  END IF;
  in_force := EXISTS (SELECT FROM o_interval i WHERE i.policy_id = p.id AND look >= i.from_date AND look < i.to_date);
  persists := in_force OR coalesce(received >= booked, false);
  IF booked IS NULL THEN
    received := CASE WHEN in_force THEN p.premium ELSE 0 END;
  END IF;
  -- the event that closed the last interval
  SELECT * INTO last_interval FROM o_interval i WHERE i.policy_id = p.id ORDER BY i.from_date DESC LIMIT 1;
  IF NOT last_interval.by_lapse AND last_interval.to_date < 'infinity' AND last_interval.to_date <= least(last_grace, as_of) THEN
    SELECT * INTO ends FROM crm.policy_event e WHERE e.policy_id = p.id AND e.kind = 'end' AND e.on_date = last_interval.to_date ORDER BY e.id LIMIT 1;
  ELSE
    SELECT NULL::text AS reason, NULL::date AS on_date INTO ends;
  END IF;
  IF ends.reason = 'cancellation' AND ends.on_date - p.issued_on <= 20 THEN
    left_out := 'cooling_off';
  ELSIF ends.reason IN ('death', 'claim') THEN
    left_out := ends.reason;
  ELSIF left_out = 'waiver' THEN
    NULL;
  ELSIF (k - 1) >= p.payments * every THEN
    left_out := 'paid_up';
  ELSIF opens >= p.matures_on OR (ends.reason = 'maturity' AND opens >= ends.on_date) THEN
    left_out := 'matured';
  END IF;
END
$$;

CREATE FUNCTION pg_temp.judged(as_of date, months integer[]) RETURNS TABLE (policy_id bigint, policy_month integer, cohort_month date, org_id bigint, channel text, kind text, left_out text, persists boolean,
  premium numeric, received numeric, is_final boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT p.id, k, date_trunc('month', p.issued_on::timestamp)::date, h.org_id, x.code, c.kind, j.left_out, j.persists, p.premium, j.received, j.is_final
  FROM crm.policy p CROSS JOIN unnest(months) k JOIN crm.channel x ON x.id = p.channel_id JOIN crm.customer c ON c.id = p.customer_id
  JOIN o_home h ON h.customer_id = p.customer_id AND p.issued_on >= h.from_date AND p.issued_on < h.to_date
  CROSS JOIN LATERAL pg_temp.judge(p, k, as_of) j
  WHERE j.persists IS NOT NULL AND date_trunc('month', p.issued_on::timestamp) + make_interval(months => k) <= as_of;
END
$$;

CREATE FUNCTION pg_temp.compare(as_of date) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM oracle.build(as_of);
  PERFORM set_config('crm.as_of', as_of::text, false);
  DROP TABLE IF EXISTS want;
  CREATE TEMP TABLE want AS SELECT * FROM pg_temp.judged(as_of, (SELECT array_agg(k) FROM generate_series(1, 27) k));
  RETURN NEXT cmp_ok((SELECT count(*) FROM want w WHERE w.policy_month IN (13, 25)), '>', 30::bigint, 'policies to judge on ' || as_of);
  RETURN NEXT pg_temp.same('SELECT policy_id, code, org_id, channel, kind, left_out, persists, premium, premium_received, is_final FROM crm_bi.persistency_policy',
    $q$SELECT policy_id, 'persistency_' || policy_month, org_id, channel, kind, left_out, left_out IS NULL AND persists, premium, received, is_final FROM want WHERE policy_month IN (13, 25)$q$,
    'policy by policy on ' || as_of);
  RETURN NEXT pg_temp.same('SELECT code, basis, cohort_month, period_start, org_id, channel, kind, numerator, denominator, value, is_final FROM crm_bi.persistency', $q$
    WITH RECURSIVE below AS (SELECT o.id AS node, o.id FROM crm.organisation o UNION ALL SELECT b.node, o.id FROM below b JOIN crm.organisation o ON o.parent_id = b.id)
    SELECT 'persistency_' || w.policy_month, x.basis, w.cohort_month, (w.cohort_month + make_interval(months => w.policy_month))::date, b.node, w.channel, w.kind,
           sum(x.n), sum(x.d), sum(x.n) / nullif(sum(x.d), 0), bool_and(w.is_final)
    FROM want w JOIN below b ON b.id = w.org_id CROSS JOIN LATERAL (VALUES ('count', w.persists::integer::numeric, 1::numeric), ('premium', w.received, w.premium)) AS x (basis, n, d)
    WHERE w.left_out IS NULL AND w.policy_month IN (13, 25) GROUP BY w.policy_month, x.basis, w.cohort_month, b.node, w.channel, w.kind$q$, 'node by node on ' || as_of);
  RETURN NEXT pg_temp.same('SELECT code, basis, cohort_month, org_id, channel, kind, numerator, denominator FROM crm_bi.persistency_own', $q$
    SELECT 'persistency_' || w.policy_month, x.basis, w.cohort_month, w.org_id, w.channel, w.kind, sum(x.n), sum(x.d)
    FROM want w CROSS JOIN LATERAL (VALUES ('count', w.persists::integer::numeric, 1::numeric), ('premium', w.received, w.premium)) AS x (basis, n, d)
    WHERE w.left_out IS NULL AND w.policy_month IN (13, 25) GROUP BY w.policy_month, x.basis, w.cohort_month, w.org_id, w.channel, w.kind$q$, 'unit by unit on ' || as_of);
  RETURN NEXT pg_temp.same($q$SELECT cohort_month, policy_month, policies, persisting, premium, premium_received, is_final FROM crm.persistency_triangle('1900-01-01', '2199-01-01', 27)$q$, $q$
    SELECT w.cohort_month, w.policy_month, count(*), count(*) FILTER (WHERE w.persists), sum(w.premium), sum(w.received), bool_and(w.is_final) FROM want w WHERE w.left_out IS NULL GROUP BY 1, 2$q$,
    'the triangle on ' || as_of);
END
$$;
CALL oracle.random_book(3, 150, '2018-06-01', '2022-12-31');
SELECT pg_temp.fill(3);
CALL crm.rebuild('2022-03-31');
SELECT * FROM pg_temp.compare('2022-03-31');
SELECT is_empty($$SELECT r FROM unnest('{cooling_off,death,claim,waiver,paid_up,matured}'::text[]) r WHERE NOT EXISTS (SELECT FROM want w WHERE w.left_out = r)$$, 'every reason to be left out is there');
SELECT * FROM pg_temp.compare('2021-02-15');
SELECT pg_temp.same(format($$SELECT cohort_month, policy_month, policies, persisting, premium_received FROM crm.persistency_triangle('2019-03-31', '2020-02-01', 14, %s, 'individual')$$, o.id), format($$
  WITH RECURSIVE below AS (SELECT o.id FROM crm.organisation o WHERE o.id = %s UNION ALL SELECT o.id FROM below b JOIN crm.organisation o ON o.parent_id = b.id)
  SELECT w.cohort_month, w.policy_month, count(*), count(*) FILTER (WHERE w.persists), sum(w.received) FROM want w JOIN below b ON b.id = w.org_id
  WHERE w.left_out IS NULL AND w.channel = 'individual' AND w.policy_month <= 14 AND w.cohort_month BETWEEN '2019-03-01' AND '2020-02-01' GROUP BY 1, 2$$, o.id), 'the triangle of unit ' || o.id)
FROM crm.organisation o WHERE o.id IN (101, 103);
RESET crm.as_of;

-- rights and bad input ----------------------------------------------------------------------

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('sales', 'crm_test_sales');
SELECT is(pg_temp.by_login('crm_test_analyst', $$SELECT count(*) > 0 FROM crm.persistency_triangle('2019-01-01', '2020-12-31')$$), 'true', 'an analyst asks for the triangle');
SELECT is(pg_temp.by_login('crm_test_analyst', 'SELECT count(*) > 0 FROM crm_bi.persistency'), 'true', 'and reads persistency');
SELECT is(pg_temp.by_login('crm_test_sales', $$SELECT count(*) FROM crm.persistency_triangle('2019-01-01', '2020-12-31')$$), '42501', 'a seller does not');
DROP OWNED BY crm_test_analyst, crm_test_sales;
DROP ROLE crm_test_analyst, crm_test_sales;
SELECT is(pg_temp.rows_of(v.name, v.key), (SELECT ARRAY[r[1], r[1]] FROM pg_temp.rows_of(v.name, v.key) r), format('%s is the key of %s', v.key, v.name))
FROM (VALUES ('persistency', 'persistency_key'), ('persistency_own', 'persistency_key'), ('persistency_policy', 'persistency_policy_key'), ('policy_event', 'policy_event_key')) AS v (name, key);
SELECT results_eq(format('SELECT t.code, t.message FROM pg_temp.told(%L) t', format('SELECT * FROM crm.persistency_triangle(%s)', b.given)), format('VALUES (%L, %L)', b.code, b.message), b.given)
FROM (VALUES
  ($$NULL, '2020-01-01'$$, '22004', 'the first and the last month of issue and the number of months must be given'),
  ($$'2020-01-01', NULL$$, '22004', 'the first and the last month of issue and the number of months must be given'),
  ($$'2020-01-01', '2020-01-01', NULL$$, '22004', 'the first and the last month of issue and the number of months must be given'),
  ($$'2020-02-01', '2020-01-31'$$, '22023', 'the last month, 2020-01-31, comes before the first, 2020-02-01'),
  ($$'-infinity', '2020-01-31'$$, '22008', 'the months from -infinity to 2020-01-31 are out of range'),
  ($$'2020-01-01', 'infinity'$$, '22008', 'the months from 2020-01-01 to infinity are out of range'),
  ($$'2020-01-01', '2020-01-31', 0$$, '22023', 'number of months "0" is out of range'),
  ($$'2020-01-01', '2020-01-31', 121$$, '22023', 'number of months "121" is out of range'),
  ($$'2020-01-01', '2020-01-31', 13, 7$$, '23503', 'there is no unit "7"'),
  ($$'2020-01-01', '2020-01-31', 13, 101, 'smoke'$$, '22023', 'there is no channel "smoke"')) AS b (given, code, message);
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('grace_days', 'sixty')$$), '22P02', 'days of grace are a number');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('grace_days', '-1')$$), '22003', 'not below 0');
SELECT is(pg_temp.code_of($$UPDATE crm.premium_due SET waived = NULL$$), '23502', 'a premium is waived or not');

SELECT is_empty('SELECT * FROM crm.check()', 'the book is in order');
SELECT * FROM finish();
