-- Benefits divided between channels: to the cent on a random book, by the terms of the day, reversals, late items, months that never change, planted errors.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'commit';
SELECT setseed(0.4);

INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) SELECT i, 's' || i, 'Staff ' || i, 1, 1 + i % 4, '2020-01-01', 'person ' || i FROM generate_series(1, 12) i;
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 120) i;
INSERT INTO crm.cycle (name, org_id, from_date, to_date) VALUES ('c', 1, '2026-01-01', '2026-06-30');
CREATE TEMP TABLE plans (n bigint, id bigint);
WITH made AS (
  INSERT INTO crm.plan (cycle_id, name, weighing, strategy, level, attribution, attribution_any_channel, state)
  SELECT (SELECT max(id) FROM crm.cycle), v.name, 'net', 'even', 'staff', v.mode, true, v.state
  FROM (VALUES ('1', 'last_holder', 'approved'), ('2', 'shared', 'carried_out'), ('3', 'first_holder', 'draft')) v (name, mode, state) RETURNING name, id)
INSERT INTO plans SELECT name::bigint, id FROM made;
INSERT INTO crm.plan_line (plan_id, line, provider_id, channel_id, customers, expected_contacts, expected_purchases, expected_premium, expected_cost)
SELECT p.id, l.line, l.provider, 1, 1, 0, 0, 0, 0 FROM plans p CROSS JOIN (VALUES (1, 1), (2, 2), (3, 5)) l (line, provider);
-- terms: of channel 1 with all others, of channel 2 with 3 only; those of plan 3 are agreed, but the plan is a draft
INSERT INTO crm.plan_terms (plan_id, provider_channel_id, user_channel_id, thing, provider_share, user_share)
SELECT p.id, t.a, t.b, g.thing, s.share, 1 - s.share
FROM plans p CROSS JOIN (VALUES (1, 2), (1, 3), (1, 4), (2, 3), (2, 4)) t (a, b) CROSS JOIN unnest('{premium,assessment,commission,cost}'::text[]) WITH ORDINALITY g (thing, n)
CROSS JOIN LATERAL (SELECT round((0.07 + 0.11 * t.b + 0.05 * g.n + 0.03 * p.n)::numeric, 3) AS share) s;
INSERT INTO crm.plan_terms_acceptance (plan_id, provider_channel_id, user_channel_id, channel_id, accepted_by)
SELECT p.id, t.a, t.b, c.id, 'person ' || c.id FROM plans p CROSS JOIN (VALUES (1, 2), (1, 3), (1, 4), (2, 3)) t (a, b) CROSS JOIN LATERAL unnest(ARRAY[t.a, t.b]) c (id);
INSERT INTO crm.plan_terms_acceptance (plan_id, provider_channel_id, user_channel_id, channel_id, accepted_by) SELECT p.id, 2, 4, 2, 'person 1' FROM plans p;

-- three holdings of each customer without a gap, the first by a plan
INSERT INTO crm.holding (customer_id, id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule, plan_id) OVERRIDING SYSTEM VALUE
SELECT c.id, c.id * 10 + k, s.channel_id, 1, s.id, '2026-01-01'::timestamptz + (k - 1) * interval '40 days', CASE WHEN k < 3 THEN '2026-01-01'::timestamptz + k * interval '40 days' END,
       'transfer', CASE WHEN k < 3 THEN 'transfer' END, CASE WHEN k < 3 THEN 'x' END, 'at most 3650 days', CASE k WHEN 1 THEN p.id END
FROM crm.customer c CROSS JOIN generate_series(1, 3) k JOIN crm.staff s ON s.id = 1 + (c.id * 7 + k * 5) % 12 JOIN plans p ON p.n = 1 + c.id % 3;
INSERT INTO crm.plan_customer (plan_id, customer_id, line, why, outcome, holding_id, done_at)
SELECT h.plan_id, h.customer_id, 1 + h.customer_id / 7 % 3, 'home', 'allocated', h.id, now() FROM crm.holding h WHERE h.plan_id IS NOT NULL;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium)
SELECT 1 + i % 120, i, 1, 1 + i % 4, '2025-12-20'::date + i * 37 % 160, (ARRAY['yearly', 'single', 'monthly'])[1 + i % 3], round((random() * 10000)::numeric, 2) FROM generate_series(1, 400) i;
INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount) SELECT customer_id, id, 1, issued_on, 1000000 FROM crm.policy;
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount)
SELECT p.customer_id, p.id, p.id * 10 + k, 1, p.issued_on + k * 13, CASE k WHEN 1 THEN 0.01 * (1 + p.id % 5) ELSE round((random() * 3000 + 0.01)::numeric, 2) END FROM crm.policy p CROSS JOIN generate_series(1, 5) k;
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason)
SELECT r.customer_id, r.policy_id, r.id + 5, 1, r.received_on + 30, r.amount, r.id, 'bounced' FROM crm.premium_receipt r WHERE r.id % 50 = 3 OR r.id % 70 = 1;
INSERT INTO crm.commission (customer_id, policy_id, id, kind, staff_id, earned_on, amount)
SELECT p.customer_id, p.id, p.id * 10 + k, CASE k WHEN 3 THEN 'clawback' WHEN 2 THEN (ARRAY['renewal', 'override', 'bonus'])[1 + p.id % 3] ELSE 'first_year' END, 1, p.issued_on + k * 20, CASE k WHEN 3 THEN -1 ELSE 1 END * round((random() * 500 + 0.01)::numeric, 2)
FROM crm.policy p CROSS JOIN generate_series(1, 3) k WHERE p.id % 3 <> 0;
INSERT INTO crm.customer_cost (customer_id, id, policy_id, kind, incurred_on, amount)
SELECT p.customer_id, p.id * 10 + k, CASE WHEN k < 3 THEN p.id END, 'visit', p.issued_on + k * 9, CASE k WHEN 2 THEN -1 ELSE 1 END * round((random() * 90 + 0.01)::numeric, 2)
FROM crm.policy p CROSS JOIN generate_series(1, 3) k WHERE p.id % 4 <> 0;

-- an independent division: shares in fractions of a million by hand, floors, then one cent to each of the largest remainders
CREATE FUNCTION pg_temp.naive(amount numeric, weights numeric[]) RETURNS numeric[] LANGUAGE sql AS $$
  SELECT array_agg(sign(amount) * (whole + CASE WHEN place <= cents - total THEN 1 ELSE 0 END) / 100 ORDER BY i)
  FROM (SELECT i, whole, cents, sum(whole) OVER () AS total, row_number() OVER (ORDER BY exact - whole DESC, i) AS place
        FROM (SELECT i, abs(amount) * 100 AS cents, abs(amount) * 100 * w / t AS exact, floor(abs(amount) * 100 * w / t) AS whole
              FROM unnest(weights) WITH ORDINALITY u (w, i), (SELECT sum(x) AS t FROM unnest(weights) x) s) e) q
$$;
CREATE FUNCTION pg_temp.share_of(of_plan bigint, a bigint, b bigint, what text, at date) RETURNS numeric LANGUAGE sql AS $$
  SELECT CASE WHEN (SELECT state FROM crm.plan WHERE id = of_plan) = 'draft' THEN 0
    ELSE coalesce((SELECT CASE what WHEN 'premium' THEN m.premium_share WHEN 'assessment' THEN m.assessment_share WHEN 'commission' THEN m.commission_share ELSE m.cost_share END
                   FROM crm.terms_amendment m WHERE (m.plan_id, m.provider_channel_id, m.user_channel_id) = (of_plan, a, b) AND m.from_date <= at
                     AND m.provider_accepted_at IS NOT NULL AND m.user_accepted_at IS NOT NULL ORDER BY m.version DESC LIMIT 1),
                  (SELECT t.provider_share FROM crm.plan_terms t WHERE (t.plan_id, t.provider_channel_id, t.user_channel_id, t.thing) = (of_plan, a, b, what)
                     AND 2 = (SELECT count(*) FROM crm.plan_terms_acceptance c WHERE (c.plan_id, c.provider_channel_id, c.user_channel_id) = (of_plan, a, b))), 0) END
$$;
-- what everybody must have of every receipt, commission, cost and credit
CREATE FUNCTION pg_temp.wanted() RETURNS TABLE (thing text, policy_id bigint, source_id bigint, plan_id bigint, provider bigint, channel bigint, provider_amount numeric, user_amount numeric) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  s record;
  o record;
  weights numeric[];
  channels bigint[];
  got numeric[];
BEGIN
  FOR s IN
    SELECT 'premium' AS thing, r.policy_id, r.id, coalesce((SELECT x.received_on FROM crm.premium_receipt x WHERE x.id = r.reverses AND x.policy_id = r.policy_id), r.received_on) AS day,
           r.amount * CASE WHEN r.reverses IS NULL THEN 1 ELSE -1 END AS amount FROM crm.premium_receipt r
    UNION ALL SELECT 'commission', c.policy_id, c.id, c.earned_on, c.amount FROM crm.commission c WHERE c.kind NOT IN ('override', 'bonus')
    UNION ALL SELECT 'cost', c.policy_id, c.id, c.incurred_on, c.amount FROM crm.customer_cost c WHERE c.policy_id IS NOT NULL
    UNION ALL SELECT 'assessment', p.id, p.id, p.issued_on, CASE crm.setting_value('assessment_credit', p.issued_on) WHEN 'count' THEN 1 ELSE p.annual_premium END FROM crm.policy p WHERE p.annual_premium > 0
  LOOP
    SELECT min(a.plan_id) AS plan, min(a.provider_channel_id) AS provider INTO o FROM crm.policy_attribution a WHERE a.policy_id = s.policy_id;
    CONTINUE WHEN o.plan IS NULL;
    SELECT array_agg(a.channel_id ORDER BY a.channel_id), array_agg(a.share * coalesce(pg_temp.share_of(o.plan, o.provider, a.channel_id, s.thing, s.day), 0) ORDER BY a.channel_id)
           || array_agg(a.share * (1 - coalesce(pg_temp.share_of(o.plan, o.provider, a.channel_id, s.thing, s.day), 0)) ORDER BY a.channel_id)
    INTO channels, weights FROM (SELECT x.channel_id, sum(x.share) AS share FROM crm.policy_attribution x WHERE x.policy_id = s.policy_id GROUP BY 1) a;
    got := pg_temp.naive(s.amount, weights);
    FOR k IN 1 .. cardinality(channels) LOOP
      IF got[k] <> 0 OR got[cardinality(channels) + k] <> 0 THEN
        RETURN QUERY SELECT s.thing, s.policy_id, s.id, o.plan, o.provider, channels[k], got[k], got[cardinality(channels) + k];
      END IF;
    END LOOP;
  END LOOP;
END
$$;
CREATE VIEW pg_temp.account AS
SELECT s.id, s.month, a.plan_id, a.thing, a.provider_channel_id, a.user_channel_id, a.terms_version, s.lines, s.provider_amount, s.user_amount FROM crm.settlement s JOIN crm.settlement_account a ON a.id = s.account_id;
CREATE VIEW pg_temp.got AS
SELECT s.thing, l.policy_id, l.source_id, s.plan_id, s.provider_channel_id AS provider, s.user_channel_id AS channel, sum(l.provider_amount) AS provider_amount, sum(l.user_amount) AS user_amount
FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(l.provider_amount) <> 0 OR sum(l.user_amount) <> 0;

-- posting ------------------------------------------------------------------------

SELECT is_empty('SELECT * FROM crm._check_settlement()', 'nothing to check before anything is attributed');
SELECT cmp_ok(crm.post_settlement(), '>', 3000::bigint, 'lines are posted');
SELECT ok((SELECT count(*) FILTER (WHERE n > 1) > 50 FROM (SELECT count(DISTINCT channel_id) AS n FROM crm.policy_attribution GROUP BY policy_id) x), 'of policies that several channels share, too');
SELECT pg_temp.same('SELECT * FROM pg_temp.got', 'SELECT * FROM pg_temp.wanted()', 'each as divided by hand');
SELECT is_empty($$SELECT r.policy_id, r.id FROM crm.premium_receipt r WHERE EXISTS (SELECT FROM crm.policy_attribution a WHERE a.policy_id = r.policy_id)
  AND (SELECT sum(l.provider_amount + l.user_amount) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id AND s.thing = 'premium' WHERE l.policy_id = r.policy_id AND l.source_id = r.id)
      IS DISTINCT FROM CASE WHEN r.reverses IS NULL THEN r.amount ELSE -r.amount END$$, 'the parts of every receipt make it');
SELECT is_empty($$SELECT l.policy_id FROM crm.settlement_line l WHERE NOT EXISTS (SELECT FROM crm.policy_attribution a WHERE a.policy_id = l.policy_id)$$, 'nothing of other policies');
SELECT is_empty($$SELECT c.id FROM crm.customer_cost c JOIN crm.settlement_line l ON l.source_id = c.id JOIN pg_temp.account s ON s.id = l.settlement_id AND s.thing = 'cost' WHERE c.policy_id IS NULL$$, 'nor of costs that name none');
SELECT is_empty($$SELECT r.policy_id, s.plan_id, s.provider_channel_id, s.user_channel_id FROM crm.premium_receipt r JOIN crm.settlement_line l ON l.policy_id = r.policy_id AND l.source_id IN (r.id, r.reverses)
  JOIN pg_temp.account s ON s.id = l.settlement_id AND s.thing = 'premium' WHERE r.reverses IS NOT NULL GROUP BY r.policy_id, r.id, 2, 3, 4 HAVING sum(l.provider_amount) <> 0 OR sum(l.user_amount) <> 0$$, 'reversals net to zero, for each');
SELECT cmp_ok((SELECT count(*) FROM crm.premium_receipt r JOIN crm.settlement_line l ON l.policy_id = r.policy_id AND l.source_id = r.id WHERE r.reverses IS NOT NULL), '>', 20::bigint, 'and there are some');
SELECT results_eq($$SELECT DISTINCT s.terms_version FROM pg_temp.account s WHERE s.plan_id = (SELECT id FROM plans WHERE n = 3) OR s.provider_channel_id = 2 AND s.user_channel_id = 4 OR s.provider_channel_id IS NULL OR s.provider_channel_id = s.user_channel_id$$,
  'SELECT NULL::integer', 'without an approved plan, both accepting, a providing channel or another one there are no terms');
SELECT is_empty('SELECT id FROM pg_temp.account s WHERE terms_version IS NULL AND EXISTS (SELECT FROM crm.settlement_line l WHERE l.settlement_id = s.id AND l.provider_amount <> 0)', 'then all is the user''s');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'crm.check finds nothing');
SELECT is(crm.post_settlement(), 0::bigint, 'again posts nothing');
SELECT is_empty($$SELECT l.id FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.month <> date_trunc('month', l.day)$$, 'everything falls into its month');

-- corrections --------------------------------------------------------------------

CREATE TEMP TABLE posted AS SELECT * FROM crm.settlement_line;
CREATE TEMP TABLE sold AS SELECT DISTINCT a.policy_id AS id FROM crm.policy_attribution a JOIN crm.settlement_line l USING (policy_id);
UPDATE crm.commission SET amount = amount + 0.01 WHERE policy_id = (SELECT min(c.policy_id) FROM crm.commission c JOIN sold s ON s.id = c.policy_id);
DELETE FROM crm.customer_cost WHERE id = (SELECT min(c.id) FROM crm.customer_cost c JOIN sold s ON s.id = c.policy_id);
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) SELECT p.customer_id, p.id, 'end', p.issued_on + 10, 'cancellation' FROM crm.policy p WHERE p.id IN (SELECT id FROM sold ORDER BY id DESC LIMIT 3);
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason)
SELECT r.customer_id, r.policy_id, r.id + 500000, 1, '2026-09-01', r.amount, r.id, 'wrong policy' FROM crm.premium_receipt r JOIN sold s ON s.id = r.policy_id
WHERE r.reverses IS NULL AND NOT EXISTS (SELECT FROM crm.premium_receipt x WHERE x.reverses = r.id) ORDER BY r.id LIMIT 5;
SELECT ok((SELECT count(*) FROM crm._check_settlement() WHERE check_name = 'settlement_source') > 7, 'what is to be posted is told');
SELECT results_eq('SELECT state, count(*) > 0 FROM crm_bi.settlement_reconciliation GROUP BY 1 ORDER BY 1', $$VALUES ('agrees', true), ('differs', true), ('to_be_posted', true)$$, 'receipt by receipt');
SELECT cmp_ok(crm.post_settlement(), '>', 15::bigint, 'the differences are posted');
SELECT is_empty('SELECT * FROM posted EXCEPT SELECT * FROM crm.settlement_line', 'beside the lines there were');
SELECT pg_temp.same('SELECT * FROM pg_temp.got', 'SELECT * FROM pg_temp.wanted()', 'to what is right now');
SELECT is((SELECT sum(l.amount) FROM crm.settlement_line l WHERE l.policy_id IN (SELECT id FROM sold ORDER BY id DESC LIMIT 3)), 0.00, 'a policy that was cancelled comes to nothing');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'in order again');

-- a merge: what moves to another customer is not posted again
SELECT crm.merge(1, 2, 'one person') \g /dev/null
SELECT crm.post_settlement() \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.got', 'SELECT * FROM pg_temp.wanted()', 'two customers merged');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'are in order');

-- the credit by count from a day on
INSERT INTO crm.setting (name, valid_from, value) VALUES ('assessment_credit', '2026-02-15', 'count');
SELECT crm.post_settlement() \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.got', 'SELECT * FROM pg_temp.wanted()', 'policies count 1 each from a day on');
SELECT ok((SELECT bool_and(abs(x) = 1) FROM (SELECT sum(l.amount) AS x FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.thing = 'assessment' AND l.day >= '2026-02-15' GROUP BY l.policy_id) y WHERE x <> 0), 'divided in cents of one');
SELECT pg_temp.refused($$INSERT INTO crm.setting (name, value) VALUES ('assessment_credit', 'beauty')$$, '23514', 'assessment_credit', 'no other credit');

-- versions of the terms -----------------------------------------------------------

SELECT id AS plan FROM plans WHERE n = 1 \gset
SELECT id AS shared FROM plans WHERE n = 2 \gset
SELECT id AS draft FROM plans WHERE n = 3 \gset
SET LOCAL crm.actor = 'person 4';
SELECT is(crm.amend_terms(:plan, 1, 2, '2026-02-01', 0.5, 0.25, 0.125, 0.333, 'as things are'), 2, 'other terms from a day on');
SELECT pg_temp.refused(format('SELECT crm.amend_terms(%s, %s, %s, %s, %s, 0.1, 0.1, 0.1)', p, a, b, d, s), code, words, name)
FROM (VALUES ('NULL', '1', '2', '''2026-03-01''', '0.1', '22004', 'plan must be given', 'terms are of a plan'), ('999999', '1', '2', '''2026-03-01''', '0.1', '23503', 'no plan', 'that there is'),
             (:'draft', '1', '2', '''2026-03-01''', '0.1', '55000', 'is draft', 'and is approved'), (:'plan', '1', '1', '''2026-03-01''', '0.1', '23514', '', 'between two channels'),
             (:'plan', '1', '77', '''2026-03-01''', '0.1', '23503', 'no channel "77"', 'that there are'), (:'plan', 'NULL', '2', '''2026-03-01''', '0.1', '23502', 'provider_channel', 'both named'),
             (:'plan', '1', '2', 'NULL', '0.1', '23502', 'from_date', 'from a day on'), (:'plan', '1', '2', '''2026-03-01''', '0.' || repeat('3', 31), '23514', 'premium_share', 'no share that nothing can be divided by'), (:'plan', '1', '2', '''2026-03-01''', '1.01', '23514', 'premium_share', 'no share above one'),
             (:'plan', '1', '2', '''2026-03-01''', '-0.1', '23514', 'premium_share', 'nor below none'), (:'plan', '1', '2', '''2026-03-01''', '''NaN''', '23514', 'premium_share', 'nor no number'),
             (:'plan', '1', '2', '''2026-03-01''', 'NULL', '23502', 'premium_share', 'nor none'), (:'plan', '1', '2', '''infinity''', '0.1', '23514', 'day "infinity" is out of range', 'nor from never on')) v (p, a, b, d, s, code, words, name);
SELECT is(crm.post_settlement(), 0::bigint, 'proposed terms change nothing');
SELECT is(crm.accept_amendment(:plan, 1, 2, 2, 1), false, 'one channel accepts');
SELECT is(crm.accept_amendment(:plan, 1, 2, 2, 1), false, 'again changes nothing');
SELECT is(crm.post_settlement(), 0::bigint, 'which is not enough');
SELECT pg_temp.refused(format('SELECT crm.accept_amendment(%s, %s, %s, %s, %s)', p, a, b, ver, c), code, words, name)
FROM (VALUES (:'plan', '1', '2', '2', '2', '42501', 'for the other channel', 'one person does not accept for both'), (:'plan', '1', '2', '2', '3', '22023', 'not a party', 'nor a third channel'),
             (:'plan', '1', '2', '2', 'NULL', '22004', 'channel must be given', 'nor nobody'), (:'plan', '1', '2', '3', '2', '42704', 'no version 3', 'nor what was not proposed'),
             (:'plan', '1', '2', '1', '2', '42704', 'no version 1', 'nor the terms of the plan again'), (:'plan', '1', '3', '2', '3', '42704', 'no version 2', 'nor for others'),
             (:'plan', '1', '2', 'NULL', '2', '22004', 'must be given', 'nor no version')) v (p, a, b, ver, c, code, words, name);
SET LOCAL crm.actor = 'person 5';
SELECT is(crm.accept_amendment(:plan, 1, 2, 2, 2), true, 'the other, by another person');
SELECT pg_temp.refused(format('SELECT crm.withdraw_amendment(%s, 1, 2, 2)', :plan), '55000', 'is agreed', 'agreed terms stay');
SELECT pg_temp.refused(format($$SELECT crm.amend_terms(%s, 1, 2, '2026-01-31', 0.1, 0.1, 0.1, 0.1)$$, :plan), '55000', 'agreed from 2026-02-01', 'and are not undone from an earlier day on');
SELECT crm.amend_terms(:shared, 1, 3, '2026-03-10', 0.9, 0.9, 0.9, 0.9) AS other, crm.amend_terms(:shared, 2, 4, '2026-04-01', 1, 0, 0.5, 0.5) AS fresh \gset
-- two versions from one day on: once the later is agreed, the earlier comes too late
SELECT crm.amend_terms(:shared, 1, 4, '2026-06-30', 0.1, 0.1, 0.1, 0.1) AS overtaken, crm.amend_terms(:shared, 1, 4, '2026-06-30', 0.2, 0.2, 0.2, 0.2) AS taken \gset
SELECT crm.accept_amendment(:shared, 1, 4, :taken, 4) \g /dev/null
SELECT crm.accept_amendment(:shared, 1, 3, :other, 3), crm.accept_amendment(:shared, 2, 4, :fresh, 2) \g /dev/null
SET LOCAL crm.actor = 'person 6';
SELECT crm.accept_amendment(:shared, 1, 4, :taken, 1) \g /dev/null
SELECT pg_temp.refused(format('SELECT crm.accept_amendment(%s, 1, 4, %s, 1)', :shared, :overtaken), '55000', format('version %s is agreed from the same day', :taken), 'nobody is told of terms in force that never are');
SELECT crm.accept_amendment(:shared, 1, 3, :other, 1), crm.accept_amendment(:shared, 2, 4, :fresh, 4) \g /dev/null
SELECT crm.amend_terms(:plan, 1, 2, '2026-05-01', 0, 0, 0, 0) AS dropped \gset
SELECT lives_ok(format('SELECT crm.withdraw_amendment(%s, 1, 2, %s)', :plan, :dropped), 'proposed ones are withdrawn');
SELECT pg_temp.refused(format('SELECT crm.withdraw_amendment(%s, 1, 2, %s)', :plan, :dropped), '55000', 'was withdrawn', 'once');
SELECT pg_temp.refused(format('SELECT crm.accept_amendment(%s, 1, 2, %s, 1)', :plan, :dropped), '55000', 'was withdrawn', 'and not accepted then');
RESET crm.actor;
SELECT cmp_ok(crm.post_settlement(), '>', 50::bigint, 'what was received since goes by them');
SELECT pg_temp.same('SELECT * FROM pg_temp.got', 'SELECT * FROM pg_temp.wanted()', 'and everything before by those of its day');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'in order');
SELECT is_empty($$SELECT r.policy_id FROM crm.premium_receipt r JOIN crm.settlement_line l ON l.policy_id = r.policy_id AND l.source_id IN (r.id, r.reverses)
  JOIN pg_temp.account s ON s.id = l.settlement_id AND s.thing = 'premium' WHERE r.reverses IS NOT NULL GROUP BY r.policy_id, r.id, s.plan_id, s.provider_channel_id, s.user_channel_id
  HAVING sum(l.provider_amount) <> 0 OR sum(l.user_amount) <> 0$$, 'what was received before a change and reversed after it nets to zero');
SELECT pg_temp.same(format('SELECT version, from_date, to_date, premium_share, state FROM crm_bi.terms_version WHERE plan_id = %s AND provider_channel = ''individual'' AND user_channel = (SELECT code FROM crm.channel WHERE id = 2)', :plan),
  format($$VALUES (1, NULL::date, '2026-02-01'::date, (SELECT provider_share FROM crm.plan_terms WHERE plan_id = %s AND provider_channel_id = 1 AND user_channel_id = 2 AND thing = 'premium'), 'agreed'), (2, '2026-02-01', NULL, 0.5, 'agreed'), (3, '2026-05-01', NULL, 0, 'withdrawn')$$, :plan), 'versions and their days');

-- months --------------------------------------------------------------------------

SET LOCAL crm.as_of = '2026-03-31';
SELECT pg_temp.refused($$SELECT crm.close_settlement('2026-02-10')$$, '55000', 'of 2026-01 is open', 'months are closed in their order');
SELECT pg_temp.refused($$SELECT crm.close_settlement('2026-04-10')$$, '55000', '2026-04 is not over', 'none before it begins: all until then would be late for it');
SELECT pg_temp.refused($$SELECT crm.close_settlement('2026-03-10')$$, '55000', '2026-03 is not over', 'nor on its last day: what still comes on it would be late');
-- nor by saying that it is later than it is: by the clock no run of this test sees the end of that month
INSERT INTO crm.settlement_period (month) VALUES ('2199-11-01'), (date_trunc('month', crm._business_day(clock_timestamp())::timestamp)) ON CONFLICT DO NOTHING;
SET LOCAL crm.as_of = '2199-12-31';
SELECT pg_temp.refused($$SELECT crm.close_settlement('2199-11-30')$$, '55000', '2199-11 is not over', 'nor ahead of the clock');
SELECT pg_temp.refused($$SELECT crm.close_settlement(crm._business_day(clock_timestamp()))$$, '55000', 'is not over', 'not even the month that runs');
DELETE FROM crm.settlement_period p WHERE p.month > '2026-10-01' AND NOT EXISTS (SELECT FROM crm.settlement s WHERE s.month = p.month);
SET LOCAL crm.as_of = '2026-03-31';
SELECT pg_temp.refused('SELECT crm.close_settlement(NULL)', '22004', 'month must be given', 'each by a day of it');
SELECT pg_temp.refused($$SELECT crm.close_settlement('2019-01-01')$$, '42704', 'nothing is posted to 2019-01', 'where there is something');
SELECT pg_temp.refused($$SELECT crm.close_settlement('infinity')$$, '22023', 'out of range', 'and not for ever');
SELECT pg_temp.refused($$SELECT crm.confirm_settlement('2026-01-01')$$, '55000', 'of 2026-01 is open', 'what is open is not settled');
SELECT pg_temp.refused($$SELECT crm.reopen_settlement('2026-01-01', 'x')$$, '55000', 'of 2026-01 is open', 'nor opened again');
SET LOCAL crm.actor = 'li';
SELECT is(crm.close_settlement('2026-01-15'), (SELECT count(*) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.month = '2026-01-01'), 'January is closed');
SELECT pg_temp.refused($$SELECT crm.close_settlement('2026-01-15')$$, '55000', 'of 2026-01 is closed', 'once');
SELECT pg_temp.refused($$SELECT crm.confirm_settlement('2026-01-15')$$, '42501', '"li" has closed 2026-01', 'who closed it does not settle it');
SELECT pg_temp.refused(format($$SELECT crm.amend_terms(%s, 1, 4, '2026-01-31', 0.1, 0.1, 0.1, 0.1)$$, :plan), '55000', 'would change what is closed', 'terms of a closed month stay');
SELECT crm.close_settlement('2026-02-01') \g /dev/null
SELECT pg_temp.refused($$SELECT crm.reopen_settlement('2026-01-01', 'x')$$, '55000', 'later month', 'nor is it opened before the later one');
SELECT pg_temp.refused($$SELECT crm.reopen_settlement('2026-02-01', ' ')$$, '23502', 'needs a reason', 'nor without a reason');
SELECT lives_ok($$SELECT crm.reopen_settlement('2026-02-01', 'too early')$$, 'February is open again');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'in order');
SET LOCAL crm.actor = 'wang';
SELECT crm.close_settlement('2026-02-01') \g /dev/null
SELECT lives_ok($$SELECT crm.confirm_settlement('2026-01-31')$$, 'another person settles January');
SET LOCAL crm.actor = 'li';
SELECT lives_ok($$SELECT crm.confirm_settlement('2026-02-01')$$, 'and the one February, which the other closed');
SELECT pg_temp.refused($$SELECT crm.reopen_settlement('2026-02-01', 'again')$$, '55000', 'is settled', 'settled is settled');
CREATE TEMP TABLE settled AS SELECT s.*, p.state, l.id AS line_id, l.policy_id, l.amount FROM pg_temp.account s JOIN crm.settlement_period p USING (month) JOIN crm.settlement_line l ON l.settlement_id = s.id WHERE s.month < '2026-03-01';
SELECT is_empty($$SELECT settlement_id FROM crm_bi.settlement WHERE state = 'settled' AND (provider_amount, user_amount) IS DISTINCT FROM (closed_provider_amount, closed_user_amount)$$, 'what was written down are its lines');

-- what comes late
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount)
SELECT p.customer_id, p.id, 900000 + p.id, 1, '2026-01-20', 77.77 FROM crm.policy p WHERE p.id IN (SELECT a.policy_id FROM crm.policy_attribution a) AND p.issued_on < '2026-01-20';
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) SELECT p.customer_id, p.id, 'end', p.issued_on + 5, 'cancellation'
FROM crm.policy p WHERE p.id IN (SELECT policy_id FROM settled ORDER BY policy_id LIMIT 4) AND NOT EXISTS (SELECT FROM crm.policy_event e WHERE e.policy_id = p.id) ON CONFLICT DO NOTHING;
SELECT cmp_ok(crm.post_settlement(), '>', 10::bigint, 'late receipts and cancellations are posted');
SELECT is_empty($$SELECT l.id FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE l.id > (SELECT max(id) FROM posted) AND l.posted_at > (SELECT max(closed_at) FROM crm.settlement_period) AND s.month < '2026-03-01'$$, 'to no settled month');
SELECT ok((SELECT bool_and(month = '2026-03-01') FROM crm_bi.settlement_line WHERE is_late), 'but the next open one');
SELECT pg_temp.same('SELECT * FROM settled', $$SELECT s.*, p.state, l.id, l.policy_id, l.amount FROM pg_temp.account s JOIN crm.settlement_period p USING (month) JOIN crm.settlement_line l ON l.settlement_id = s.id WHERE s.month < '2026-03-01'$$, 'the settled ones are as they were');
SELECT pg_temp.same('SELECT * FROM pg_temp.got', 'SELECT * FROM pg_temp.wanted()', 'in all as it must be');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'in order');
RESET crm.actor;

-- nobody changes it, not even who owns the tables
SELECT pg_temp.refused(statement, '55000', words, name)
FROM (VALUES ($$UPDATE crm.settlement_line SET provider_amount = provider_amount + 1$$, 'do not change', 'lines are not changed'), ('DELETE FROM crm.settlement_line', 'do not change', 'nor deleted'),
             ('TRUNCATE crm.settlement_line', 'cannot be emptied', 'nor all of them'), ('TRUNCATE crm.settlement CASCADE', 'cannot be emptied', 'nor what they are posted to'), ('TRUNCATE crm.settlement_account CASCADE', 'cannot be emptied', 'nor the accounts'),
             ($$UPDATE crm.settlement_account SET terms_version = 9 WHERE id = (SELECT min(account_id) FROM crm.settlement WHERE month = '2026-01-01')$$, 'cannot be changed', 'accounts stay'),
             ($$DELETE FROM crm.settlement_account WHERE id = (SELECT min(account_id) FROM crm.settlement WHERE month = '2026-01-01')$$, 'cannot be changed', 'all of them'), ('TRUNCATE crm.settlement_period CASCADE', 'cannot be emptied', 'nor the months'),
             ($$UPDATE crm.settlement_line SET day = day WHERE false$$, 'do not change', 'not even to what they are'),
             ($$INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by) SELECT min(id), 1, 1, '2026-01-01', 1, 1, '2020-01-01', 'x' FROM crm.settlement WHERE month = '2026-01-01'$$, 'of 2026-01 takes no more lines', 'none is added to a settled month'),
             ($$UPDATE crm.settlement SET provider_amount = 0 WHERE month = '2026-01-01'$$, 'of 2026-01 cannot be changed', 'its sums stay'), ($$DELETE FROM crm.settlement WHERE month = '2026-01-01'$$, 'cannot be changed', 'and its accounts'),
             ($$UPDATE crm.settlement SET month = '2026-03-01' WHERE month = '2026-01-01'$$, 'cannot be changed', 'in their month'), ($$UPDATE crm.settlement SET month = '2026-01-01' WHERE month = '2026-03-01'$$, 'cannot be changed', 'to which none is moved'),
             ($$INSERT INTO crm.settlement (account_id, month, lines, provider_amount, user_amount) SELECT id, '2026-01-01', 1, 1, 1 FROM crm.settlement_account WHERE thing = 'cost'$$, 'of 2026-01 cannot be changed', 'nor put beside them'),
             ($$UPDATE crm.settlement_period SET state = 'open', closed_at = NULL, closed_by = NULL, settled_at = NULL, settled_by = NULL WHERE month = '2026-01-01'$$, 'cannot be changed', 'it is not opened by hand'),
             ($$DELETE FROM crm.settlement_period WHERE month = '2026-01-01'$$, 'cannot be changed', 'nor taken away'),
             ($$UPDATE crm.settlement_period SET state = 'settled', closed_at = now(), closed_by = 'a', settled_at = now(), settled_by = 'b' WHERE month = '2026-03-01'$$, 'cannot be changed', 'nor is one settled that was not closed')) v (statement, words, name);
SELECT pg_temp.refused($$INSERT INTO crm.settlement_period (month) VALUES ('2027-01-02')$$, '23514', 'month', 'a month begins on its first day');
SELECT pg_temp.refused($$INSERT INTO crm.settlement_period (month, state, closed_at, closed_by, settled_at, settled_by) VALUES ('2027-01-01', 'settled', now(), 'a', now(), 'a')$$, '23514', 'two_check', 'nobody settles what they closed');
SELECT pg_temp.refused($$INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by) SELECT max(id), 1, 1, '2026-05-01', 0, 0, now(), 'x' FROM crm.settlement WHERE month > '2026-03-01'$$, '23514', 'amount_check', 'a line is of something');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'nothing of it was done');

-- planted errors, behind the triggers
ALTER TABLE crm.settlement_line DISABLE TRIGGER USER;
ALTER TABLE crm.settlement DISABLE TRIGGER USER;
CREATE FUNCTION pg_temp.planted(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
  told text;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n = 0 THEN
    RETURN 'nothing planted';
  END IF;
  SELECT string_agg(DISTINCT c.check_name, ' ' ORDER BY c.check_name) INTO told FROM crm._check_settlement() c;
  RAISE EXCEPTION USING ERRCODE = 'P0009', MESSAGE = coalesce(told, 'nothing found');
EXCEPTION WHEN SQLSTATE 'P0009' THEN
  RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.planted(statement), told, name)
FROM (VALUES ($$UPDATE crm.settlement_line SET user_amount = user_amount + 0.01 WHERE id = (SELECT max(l.id) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.month > '2026-03-01' AND s.thing = 'cost')$$, 'settlement_division settlement_source', 'a cent too many is found'),
             ($$UPDATE crm.settlement_line SET user_amount = user_amount + 0.01, provider_amount = provider_amount - 0.01 WHERE id = (SELECT max(l.id) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.month > '2026-03-01' AND s.thing = 'cost' AND s.terms_version = 1)$$, 'settlement_division', 'a cent on the wrong side'),
             ($$UPDATE crm.settlement_line SET user_amount = user_amount + 0.01, provider_amount = provider_amount - 0.01 WHERE id = (SELECT max(l.id) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id JOIN crm.premium_receipt r ON r.policy_id = l.policy_id AND r.id = l.source_id WHERE s.month > '2026-03-01' AND s.thing = 'premium' AND s.terms_version = 1 AND r.reverses IS NOT NULL)$$, 'settlement_division settlement_reversal', 'also in a reversal'),
             ($$DELETE FROM crm.settlement_line WHERE id = (SELECT max(l.id) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.month > '2026-03-01' AND s.thing = 'commission')$$, 'settlement_division settlement_source', 'a line that is missing'),
             ($$DELETE FROM crm.settlement_line WHERE id = (SELECT max(line_id) FROM settled WHERE thing = 'commission')$$, 'settlement_closed settlement_division settlement_source', 'of a settled month'),
             ($$UPDATE crm.settlement SET user_amount = user_amount + 1 WHERE id = (SELECT max(id) FROM settled)$$, 'settlement_closed', 'a sum of a settled month'),
             ($$INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by) SELECT max(id), 4711, 1, '2026-05-01', 1, 1, now(), 'x' FROM crm.settlement WHERE month > '2026-03-01'$$, 'settlement_division settlement_source', 'a line of nothing'),
             ($$INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by) SELECT settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by FROM crm.settlement_line WHERE id = (SELECT max(l.id) FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id WHERE s.month > '2026-03-01' AND s.thing = 'cost')$$, 'settlement_division settlement_source', 'a line posted twice'),
             ($$UPDATE crm.settlement SET lines = 5, provider_amount = 0, user_amount = 0 WHERE month = '2026-04-01'$$, 'settlement_closed', 'sums of a month that is open')) v (statement, told, name);
CALL crm.rebuild('2026-06-30', NULL);
SELECT is_empty('SELECT * FROM crm.check() WHERE check_name ~ ''^(settlement|attribution)''', 'crm.check() says the same as long as all is well');
UPDATE crm.settlement_line SET user_amount = user_amount + 0.01 WHERE id = (SELECT max(line_id) FROM settled WHERE thing = 'cost');
SELECT results_eq('SELECT DISTINCT check_name FROM crm.check() WHERE check_name ~ ''^(settlement|attribution)'' ORDER BY 1', $$VALUES ('settlement_closed'), ('settlement_division'), ('settlement_source')$$, 'and when it is not');
UPDATE crm.settlement_line SET user_amount = user_amount - 0.01 WHERE id = (SELECT max(line_id) FROM settled WHERE thing = 'cost');
ALTER TABLE crm.settlement_line ENABLE TRIGGER USER;
ALTER TABLE crm.settlement ENABLE TRIGGER USER;
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'and nothing where nothing is planted');

-- a policy deleted, its lines remain and are taken back
DELETE FROM crm.commission WHERE policy_id = 200;
DELETE FROM crm.customer_cost WHERE policy_id = 200;
DELETE FROM crm.premium_receipt WHERE policy_id = 200 AND reverses IS NOT NULL;
DELETE FROM crm.premium_receipt WHERE policy_id = 200;
DELETE FROM crm.policy WHERE id = 200;
SELECT crm.post_settlement() \g /dev/null
SELECT is((SELECT sum(l.amount) FROM crm.settlement_line l WHERE l.policy_id = 200), 0.00, 'of a policy deleted the lines remain and come to nothing');
SELECT is_empty('SELECT * FROM crm._check_settlement()', 'in order');
-- the largest premium that a policy takes stops nobody else's money
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium) SELECT customer_id, 99999, 1, 1, '2026-02-10', 'monthly', 9999999999999.99 FROM crm.plan_customer ORDER BY 1 LIMIT 1;
SELECT is(crm.post_settlement(), 1::bigint, 'a premium beyond all others is posted');
SELECT is((SELECT sum(l.amount) FROM crm.settlement_line l WHERE l.policy_id = 99999), 119999999999999.88, 'as it is');
DELETE FROM crm.policy WHERE id = 99999;
SELECT crm.post_settlement() \g /dev/null

-- views ---------------------------------------------------------------------------

SELECT is(pg_temp.rows_of(v, k), ARRAY[n, n], v || ' has one row for each key') FROM (SELECT v, k, (pg_temp.rows_of(v, k))[1] AS n
  FROM (VALUES ('attributed_policy'::name, 'attributed_policy_key'::name), ('terms_version', 'terms_version_key'), ('settlement_period', 'month'), ('settlement', 'settlement_id'), ('settlement_channel', 'settlement_channel_key'),
               ('my_settlement', 'settlement_id'), ('my_settlement_line', 'settlement_line_id'), ('my_settlement_reconciliation', 'my_settlement_reconciliation_key'),
               ('settlement_line', 'settlement_line_id'), ('settlement_reconciliation', 'settlement_reconciliation_key')) x (v, k)) y;
SELECT is_empty($$SELECT view FROM (SELECT 'channels' AS view, thing, sum(as_provider + as_user) AS amount FROM crm_bi.settlement_channel GROUP BY 2 UNION ALL SELECT 'accounts', thing, sum(amount) FROM crm_bi.settlement GROUP BY 2
  UNION ALL SELECT 'receipts', thing, sum(posted_amount) FROM crm_bi.settlement_reconciliation GROUP BY 2) x WHERE amount <> (SELECT sum(l.amount) FROM crm_bi.settlement_line l WHERE l.thing = x.thing)$$, 'all views come to the same');
SELECT results_eq('SELECT sum(premium), sum(assessment), sum(commission), sum(cost), sum(lines) FROM crm_bi.settlement_period',
  $$SELECT sum(amount) FILTER (WHERE thing = 'premium'), sum(amount) FILTER (WHERE thing = 'assessment'), sum(amount) FILTER (WHERE thing = 'commission'), sum(amount) FILTER (WHERE thing = 'cost'), count(*)::numeric FROM crm_bi.settlement_line$$, 'months too');
SELECT is_empty($$SELECT * FROM crm_bi.settlement_reconciliation WHERE state <> 'agrees' OR difference <> 0$$, 'every receipt agrees');
SELECT is_empty('SELECT month, thing FROM crm_bi.settlement_channel GROUP BY 1, 2 HAVING sum(as_provider) <> sum(given_away)', 'what one gives away others get');

-- who may -------------------------------------------------------------------------

CREATE ROLE crm_test_finance; CREATE ROLE crm_test_pool; CREATE ROLE crm_test_planner;
CALL crm.grant_duty('finance', 'crm_test_finance');
CALL crm.grant_duty('planner', 'crm_test_planner');
CALL crm.grant_duty('finance', 'crm_test_pool');
CALL crm.grant_duty('planner', 'crm_test_pool');
CALL crm.grant_duty('pool', 'crm_test_pool');
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (7, 1, 'finance'), (8, 1, 'finance'), (9, 1, 'planner'), (10, 1, 'planner'), (11, 1, 'planner');
SET LOCAL crm.as_of = '2026-04-01';
SELECT is(pg_temp.as('person 7', 'SELECT crm.post_settlement()'), '0', 'finance posts');
SELECT matches(pg_temp.as('person 7', $$SELECT crm.close_settlement('2026-03-01')$$), '^\d+$', 'closes');
SELECT matches(pg_temp.as('person 7', $$SELECT crm.confirm_settlement('2026-03-01')$$), '^42501 "person 7" has closed', 'does not settle the own month');
SELECT is(pg_temp.as('person 8', $$SELECT crm.confirm_settlement('2026-03-01')$$), '', 'a colleague does');
SELECT is(pg_temp.as('person 7', 'SELECT count(*) > 0 FROM crm_bi.settlement_channel'), 'true', 'and reads it');
SELECT matches(pg_temp.as('person 9', statement), '^42501 "person 9" has not the duty finance / Add', 'a planner does not: ' || statement)
FROM unnest('{SELECT crm.post_settlement(),SELECT crm.attribute_policies(),"SELECT crm.close_settlement(''2026-04-01'')","SELECT crm.reopen_settlement(''2026-04-01'', ''x'')","SELECT crm.confirm_settlement(''2026-04-01'')"}'::text[]) statement;
CREATE ROLE crm_test_provider;
CALL crm.grant_duty('provider', 'crm_test_provider');
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (4, 1, 'provider');
SET LOCAL ROLE crm_test_provider;
SELECT lives_ok('SELECT FROM crm_bi.terms_version', 'who is to accept terms for the channel that gives sees them');
SET LOCAL ROLE crm_test_planner;
SELECT lives_ok('SELECT FROM crm_bi.terms_version', 'and who is for the one that uses');
RESET ROLE;
SELECT is(pg_temp.as(person, format(statement, :plan)), answer, name)
FROM (VALUES ('person 9', $$SELECT crm.amend_terms(%s, 1, 4, '2026-07-01', 0.1, 0.1, 0.1, 0.1)$$, '2', 'a planner proposes other terms'),
             ('person 7', $$SELECT crm.amend_terms(%s, 1, 4, '2026-07-01', 0.1, 0.1, 0.1, 0.1)$$, '42501 "person 7" has not the duty planner or resource_manager at unit "co" / Add a row to crm.position, for that unit or one above it, for the member of staff in post whose login is the acting person.', 'finance does not'),
             ('person 4', 'SELECT crm.accept_amendment(%s, 1, 4, 2, 1)', 'false', 'a provider of the one channel accepts'),
             ('person 11', 'SELECT crm.accept_amendment(%s, 1, 4, 2, 4)', 'true', 'a planner of the other')) v (person, statement, answer, name);
SELECT matches(pg_temp.as(person, format(statement, :plan)), '^42501 "' || person || '" ' || words, name)
FROM (VALUES ('person 9', 'SELECT crm.accept_amendment(%s, 1, 4, 2, 4)', 'may not act for channel', 'a planner of a third does not'),
             ('person 11', 'SELECT crm.accept_amendment(%s, 1, 4, 2, 1)', 'may not act for channel', 'nor one for the channel that gives'),
             ('person 7', 'SELECT crm.withdraw_amendment(%s, 1, 4, 2)', 'has not the duty', 'and finance withdraws none')) v (person, statement, words, name);
-- each channel sees its own: real logins, one with each of the duties, one with the duty in a branch only, one without any, one who has left
CREATE ROLE crm_test_own_1; CREATE ROLE crm_test_own_2; CREATE ROLE crm_test_own_3; CREATE ROLE crm_test_own_4; CREATE ROLE crm_test_own_5; CREATE ROLE crm_test_own_6; CREATE ROLE crm_test_own_7;
CALL crm.grant_duty('planner', 'crm_test_own_1'); CALL crm.grant_duty('provider', 'crm_test_own_2'); CALL crm.grant_duty('approver', 'crm_test_own_3'); CALL crm.grant_duty('resource_manager', 'crm_test_own_4');
CALL crm.grant_duty('planner', 'crm_test_own_5'); CALL crm.grant_duty('planner', 'crm_test_own_6'); CALL crm.grant_duty('planner', 'crm_test_own_7');
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (2, 1, 'branch', 'Branch');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login, left_on) SELECT 100 + i, 'own ' || i, 'Own ' || i, 1, 1 + i % 4, '2020-01-01', 'crm_test_own_' || i, CASE i WHEN 7 THEN '2021-01-01'::date END FROM generate_series(1, 7) i;
INSERT INTO crm.position (staff_id, org_id, duty, from_date)
SELECT 100 + v.i, v.org, v.duty, '2020-01-01' FROM (VALUES (1, 1, 'planner'), (2, 1, 'provider'), (3, 1, 'approver'), (4, 1, 'resource_manager'), (5, 2, 'planner'), (7, 1, 'planner')) v (i, org, duty);
-- what must be seen, reckoned from lines and accounts by the channel of the person
CREATE FUNCTION pg_temp.own_lines(i integer) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s %s %s %s', count(*), sum(l.amount), sum(CASE WHEN a.provider_channel_id = 1 + i % 4 THEN l.provider_amount ELSE 0 END + CASE WHEN a.user_channel_id = 1 + i % 4 THEN l.user_amount ELSE 0 END), sum(l.policy_id))
  FROM crm.settlement_line l JOIN pg_temp.account a ON a.id = l.settlement_id WHERE 1 + i % 4 IN (a.provider_channel_id, a.user_channel_id)
$$;
SELECT crm.post_settlement() \g /dev/null
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT format('%s %s %s %s', count(*), sum(amount), sum(own_amount), sum(policy_id)) FROM crm_bi.my_settlement_line$$), pg_temp.own_lines(i), 'each sees the lines of the own channel: ' || i) FROM generate_series(1, 4) i;
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT format('%s %s', count(*), string_agg(DISTINCT channel, ',')) FROM crm_bi.my_settlement_line WHERE channel NOT IN (coalesce(provider_channel, ''), user_channel)$$), '0 ', 'and no other: ' || i) FROM generate_series(1, 4) i;
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT string_agg(format('%s %s %s', month, thing, amount), ', ' ORDER BY month, thing) FROM (SELECT month, thing, sum(own_amount) AS amount FROM crm_bi.my_settlement GROUP BY 1, 2) x$$),
  (SELECT string_agg(format('%s %s %s', month, thing, amount), ', ' ORDER BY month, thing) FROM crm_bi.settlement_channel s JOIN crm.channel c ON c.code = s.channel WHERE c.id = 1 + i % 4), 'months come to what finance sees of the channel: ' || i) FROM generate_series(1, 4) i;
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT format('%s %s %s %s', count(*), sum(amount), sum(posted_amount), string_agg(DISTINCT state, ',')) FROM crm_bi.my_settlement_reconciliation WHERE amount <> 0$$),
  (SELECT format('%s %s %s agrees', count(*), sum(r.amount), sum((SELECT sum(l.amount) FROM crm_bi.settlement_line l JOIN crm.channel c ON c.code IN (l.provider_channel, l.user_channel)
     WHERE c.id = 1 + i % 4 AND l.thing = r.thing AND l.policy_id = r.policy_id AND l.source_id = r.source_id))) FROM crm_bi.settlement_reconciliation r
   WHERE r.amount <> 0 AND EXISTS (SELECT FROM crm.policy_attribution a WHERE a.policy_id = r.policy_id AND 1 + i % 4 IN (a.provider_channel_id, a.channel_id))), 'receipts agree: ' || i) FROM generate_series(1, 4) i;
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT sum(own_amount) FROM crm_bi.my_settlement_reconciliation$$), pg_temp.by_login('crm_test_own_' || i, $$SELECT sum(own_amount) FROM crm_bi.my_settlement$$), 'and make the own part: ' || i) FROM generate_series(1, 4) i;
-- policies that come to count to another channel: what each channel must have and has, by its pairs of channels, until it is posted and then
CREATE TEMP TABLE seen (thing text, policy_id bigint, source_id bigint, due numeric, posted numeric, own_due numeric, own numeric, state text);
CREATE FUNCTION pg_temp.compared(i integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE seen;
  INSERT INTO seen
  SELECT x.thing, x.policy_id, x.source_id, sum(x.due_p + x.due_u), sum(x.p + x.u), sum(x.due_p * x.gives + x.due_u * x.uses), sum(x.p * x.gives + x.u * x.uses),
         CASE WHEN NOT bool_or(x.due_p <> x.p OR x.due_u <> x.u) THEN 'agrees'
              WHEN EXISTS (SELECT FROM crm.settlement_line l JOIN pg_temp.account s ON s.id = l.settlement_id
                           WHERE s.thing = x.thing AND l.policy_id = x.policy_id AND l.source_id = x.source_id AND 1 + i % 4 IN (s.provider_channel_id, s.user_channel_id)) THEN 'differs' ELSE 'to_be_posted' END
  FROM (SELECT thing, policy_id, source_id, (provider = 1 + i % 4)::integer AS gives, (channel = 1 + i % 4)::integer AS uses, coalesce(w.provider_amount, 0) AS due_p, coalesce(w.user_amount, 0) AS due_u,
               coalesce(g.provider_amount, 0) AS p, coalesce(g.user_amount, 0) AS u
        FROM (SELECT thing, policy_id, source_id, plan_id, coalesce(provider, 0) AS provider, channel, provider_amount, user_amount FROM must) w
        FULL JOIN (SELECT thing, policy_id, source_id, plan_id, coalesce(provider, 0) AS provider, channel, provider_amount, user_amount FROM pg_temp.got) g USING (thing, policy_id, source_id, plan_id, provider, channel)) x
  WHERE x.gives + x.uses > 0 GROUP BY x.thing, x.policy_id, x.source_id;
  GRANT SELECT ON seen TO PUBLIC;
  RETURN pg_temp.by_login('crm_test_own_' || i, $q$SELECT coalesce(string_agg(key, ', '), 'none') FROM (
    SELECT coalesce(s.thing, m.thing) || '/' || coalesce(s.source_id, m.source_id) AS key
    FROM (SELECT * FROM crm_bi.my_settlement_reconciliation WHERE due_amount <> 0 OR posted_amount <> 0) m FULL JOIN seen s ON (s.thing, s.policy_id, s.source_id) = (m.thing, m.policy_id, m.source_id)
    WHERE (s.due, s.posted, s.own_due, s.own, s.own_due - s.own, s.state) IS DISTINCT FROM (m.due_amount, m.posted_amount, m.own_due_amount, m.own_amount, m.difference, m.state) ORDER BY 1 LIMIT 5) d$q$);
END
$$;
CREATE TEMP TABLE must AS SELECT * FROM pg_temp.wanted();
CREATE TEMP TABLE moved AS
SELECT a.policy_id, a.channel_id AS before, 2 + a.channel_id % 3 AS after FROM crm.policy_attribution a JOIN plans p ON p.id = a.plan_id AND p.n = 1 WHERE a.provider_channel_id = 1 AND a.channel_id > 1 ORDER BY a.policy_id LIMIT 12;
UPDATE crm.holding h SET staff_id = s.id, channel_id = s.channel_id FROM moved m JOIN crm.policy_attribution a USING (policy_id) JOIN crm.policy p ON p.id = m.policy_id JOIN crm.staff s ON s.id = m.after - 1
WHERE h.customer_id = p.customer_id AND h.id = a.holding_id;
SELECT is(pg_temp.compared(i), 'none', 'nothing is different yet: ' || i) FROM generate_series(1, 4) i;
SELECT crm.attribute_policies() \g /dev/null
DELETE FROM moved m WHERE NOT EXISTS (SELECT FROM crm.policy_attribution a WHERE a.policy_id = m.policy_id AND a.channel_id = m.after);
SELECT cmp_ok((SELECT count(*) FROM moved), '>', 5::bigint, 'policies come to count to another channel');
DELETE FROM must;
INSERT INTO must SELECT * FROM pg_temp.wanted();
SELECT is(pg_temp.compared(i), 'none', 'each sees what it must have and has, before it is posted: ' || i) FROM generate_series(1, 4) i;
SELECT results_eq(format($$SELECT DISTINCT state FROM crm_bi.settlement_reconciliation WHERE thing = 'premium' AND policy_id IN (SELECT policy_id FROM moved)$$), $$VALUES ('differs')$$, 'finance sees that it is not in order');
SELECT is_empty($$SELECT * FROM crm_bi.settlement_reconciliation r WHERE difference <> 0$$, 'though the sums of all channels are');
SELECT results_eq($$SELECT r.thing, sum(r.due_provider_amount), sum(r.due_user_amount) FROM crm_bi.settlement_reconciliation r GROUP BY 1 ORDER BY 1$$, 'SELECT thing, sum(provider_amount), sum(user_amount) FROM must GROUP BY 1 ORDER BY 1', 'and what must be');
SELECT is_empty(format($$SELECT state FROM crm_bi.settlement_reconciliation r WHERE state <> 'agrees' AND NOT EXISTS (SELECT FROM crm._settlement_due d WHERE d.policy_id = r.policy_id AND d.source_id = r.source_id)$$), 'nothing else');
SELECT crm.post_settlement() \g /dev/null
SELECT is(pg_temp.compared(i), 'none', 'and after it: ' || i) FROM generate_series(1, 4) i;
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT string_agg(DISTINCT state, ',') FROM crm_bi.my_settlement_reconciliation$$), 'agrees', 'in order again: ' || i) FROM generate_series(1, 4) i;
SELECT is_empty($$SELECT * FROM crm_bi.settlement_reconciliation WHERE state <> 'agrees'$$, 'finance too');

INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount)
SELECT p.customer_id, p.id, 777777, 1, '2026-04-20', 12.34 FROM crm.policy p WHERE p.id = (SELECT min(a.policy_id) FROM crm.policy_attribution a WHERE a.channel_id = 2 AND a.provider_channel_id = 1 AND (SELECT count(*) FROM crm.policy_attribution b WHERE b.policy_id = a.policy_id) = 1);
SELECT is(pg_temp.by_login('crm_test_own_' || i, $$SELECT string_agg(state || ' ' || amount || ' ' || posted_amount, ',') FROM crm_bi.my_settlement_reconciliation WHERE source_id = 777777$$), answer, 'a receipt not posted yet, of both channels and no other: ' || i)
FROM (VALUES (1, 'to_be_posted 12.34 0'), (2, NULL), (3, NULL), (4, 'to_be_posted 12.34 0')) v (i, answer);
SELECT crm.post_settlement() \g /dev/null
SELECT is(pg_temp.by_login('crm_test_own_' || i, 'SELECT concat_ws('' '', (SELECT count(*) FROM crm_bi.my_settlement), (SELECT count(*) FROM crm_bi.my_settlement_line), (SELECT count(*) FROM crm_bi.my_settlement_reconciliation))'), '0 0 0', 'who has no such duty at the unit of the plan, or is gone, sees nothing: ' || i) FROM generate_series(5, 7) i;
SELECT is(pg_temp.by_login('crm_test_own_' || i, statement), '42501', format('%s sees no more: %s', i, statement))
FROM generate_series(1, 4) i, unnest('{SELECT count(*) FROM crm_bi.settlement_line,SELECT count(*) FROM crm_bi.settlement,SELECT count(*) FROM crm_bi.settlement_period,SELECT count(*) FROM crm_bi.settlement_reconciliation,SELECT count(*) FROM crm_bi.customer,SELECT count(*) FROM crm.settlement_line}'::text[]) statement;
SELECT is_empty($$SELECT attname FROM pg_attribute WHERE attrelid::regclass::text IN ('crm_bi.my_settlement', 'crm_bi.my_settlement_line', 'crm_bi.my_settlement_reconciliation') AND attname ~ 'customer|staff|name'$$, 'nor a customer');
-- nor by a condition that tells what it is asked
CREATE FUNCTION pg_temp.tells(channel text, amount numeric) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN IF $1 IS DISTINCT FROM 'group' THEN RAISE EXCEPTION 'seen %', $1; END IF; RETURN true; END $$;
GRANT EXECUTE ON FUNCTION pg_temp.tells(text, numeric) TO crm_test_own_2;
SELECT matches(pg_temp.by_login('crm_test_own_2', 'SELECT count(*) FROM crm_bi.my_settlement_line WHERE pg_temp.tells(CASE WHEN ''group'' IN (provider_channel, user_channel) THEN ''group'' ELSE user_channel END, amount)'), '^\d{1,4}$', 'not even by a condition that tells what it is asked');
SELECT is((SELECT string_agg(code, ',' ORDER BY id) FROM crm.channel WHERE id = 3), 'group', 'of the channel of that person');
SET LOCAL ROLE crm_test_planner;
SELECT throws_ok(statement, '42501', NULL, 'nor by the right to it: ' || statement)
FROM unnest('{SELECT crm.post_settlement(),SELECT crm.attribute_policies(),"SELECT crm.close_settlement(''2026-04-01'')",SELECT FROM crm.settlement_line,DELETE FROM crm.settlement_line}'::text[]) statement;
SET LOCAL ROLE crm_test_finance;
SELECT throws_ok(statement, '42501', NULL, 'finance writes no table: ' || statement)
FROM unnest('{INSERT INTO crm.settlement_period (month) VALUES (''2030-01-01''),DELETE FROM crm.settlement_line,UPDATE crm.policy_attribution SET share = 1,SELECT crm._post_settlement()}'::text[]) statement;
SELECT throws_ok('SELECT FROM crm_bi.customer', '42501', NULL, 'nor reads customers');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
