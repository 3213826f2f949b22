-- To whom policies are attributed: each mode on histories made by hand, with what voids, who comes later, several plans, and customers who turn out to be one.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'commit';

INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
INSERT INTO crm.setting (name, value) VALUES ('recycle_rule', 'at most 3650 days');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 1, h, '2020-01-01' FROM (VALUES (1, 1), (2, 1), (3, 4), (4, 1)) v (i, h);
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 40) i;
INSERT INTO crm.cycle (name, org_id, from_date, to_date) VALUES ('c', 1, '2026-01-01', '2026-06-30');

-- plans: 1 last holder, 2 first holder, 3 shared, each 30 days; 4 last holder, no day after the end; 5 shared, whoever sold
CREATE TEMP TABLE plans (n bigint, id bigint);
WITH made AS (
  INSERT INTO crm.plan (cycle_id, name, weighing, strategy, level, attribution, attribution_days, attribution_any_channel)
  SELECT (SELECT max(id) FROM crm.cycle), v.name, 'net', 'even', 'staff', v.mode, v.days, v.any_channel
  FROM (VALUES ('1', 'last_holder', 30, false), ('2', 'first_holder', 30, false), ('3', 'shared', 30, false), ('4', 'last_holder', 0, false), ('5', 'shared', 30, true)) v (name, mode, days, any_channel)
  RETURNING name, id)
INSERT INTO plans SELECT name::bigint, id FROM made;
CREATE TEMP TABLE items AS SELECT id, crm._open_item('plan', id, 1, NULL, '{}', NULL) AS item_id FROM plans;
UPDATE crm.plan p SET item_id = i.item_id FROM items i WHERE i.id = p.id;
INSERT INTO crm.plan_line (plan_id, line, provider_id, channel_id, customers, expected_contacts, expected_purchases, expected_premium, expected_cost)
SELECT p.id, l.line, l.provider, 1, 1, 0, 0, 0, 0 FROM plans p CROSS JOIN (VALUES (1, 1), (2, 5)) l (line, provider);

-- holdings: customer, key, plan, staff (NULL: channel 1), days in Shanghai, how it ended
CREATE FUNCTION pg_temp.hold(customer bigint, holding bigint, plan bigint, staff bigint, starts timestamp, ends timestamp DEFAULT NULL, cause text DEFAULT 'recycle', line integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.holding (customer_id, id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule, plan_id) OVERRIDING SYSTEM VALUE
  SELECT customer, holding, coalesce((SELECT s.channel_id FROM crm.staff s WHERE s.id = staff), 1), CASE WHEN staff IS NOT NULL THEN 1 END, staff,
         starts AT TIME ZONE 'Asia/Shanghai', ends AT TIME ZONE 'Asia/Shanghai', 'allocation', CASE WHEN ends IS NOT NULL THEN cause END, CASE WHEN ends IS NOT NULL THEN 'x' END,
         'at most 3650 days', (SELECT p.id FROM plans p WHERE p.n = plan);
  INSERT INTO crm.plan_customer (plan_id, customer_id, line, why, outcome, holding_id, done_at)
  SELECT p.id, customer, hold.line, 'home', 'allocated', holding, now() FROM plans p WHERE p.n = plan;
$$;
CREATE FUNCTION pg_temp.sell(policy bigint, customer bigint, day date, channel bigint DEFAULT 1, matures date DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, matures_on, premium) VALUES (customer, policy, 1, channel, day, matures, 1000);
$$;
CREATE FUNCTION pg_temp.told() RETURNS TABLE (policy_id bigint, told text) LANGUAGE sql AS $$
  SELECT a.policy_id, string_agg(format('plan %s: %s %s', p.n, a.holding_id, a.share), ', ' ORDER BY a.holding_id)
  FROM crm._attribution() a JOIN plans p ON p.id = a.plan_id GROUP BY a.policy_id
$$;

-- the window, and what voids a policy: one holding, by plan 1
SELECT pg_temp.hold(1, 11, 1, 1, '2026-01-10 00:00', '2026-02-10 23:59:59') \g /dev/null
SELECT pg_temp.sell(100 + i, 1, d::date) FROM unnest('{2026-01-09,2026-01-10,2026-02-10,2026-03-12,2026-03-13}'::text[]) WITH ORDINALITY v (d, i) \g /dev/null
SELECT pg_temp.sell(106, 1, '2026-01-20', 4), pg_temp.sell(107, 1, '2026-01-20'), pg_temp.sell(108, 1, '2026-01-20'), pg_temp.sell(109, 1, '2026-01-20'),
       pg_temp.sell(110, 1, '2026-01-20'), pg_temp.sell(111, 1, '2026-01-20', matures => '2026-02-20'), pg_temp.sell(112, 1, '2026-01-20'), pg_temp.sell(113, 2, '2026-01-20'), pg_temp.sell(114, 1, '2026-01-20'), pg_temp.sell(115, 1, '2026-01-20') \g /dev/null
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) VALUES
  (1, 107, 'end', '2026-02-05', 'cancellation'), (1, 108, 'end', '2026-01-20', 'other'), (1, 109, 'end', '2026-03-01', 'surrender'),
  (1, 110, 'end', '2026-03-01', 'surrender'), (1, 110, 'end', '2026-03-02', 'cancellation'), (1, 111, 'end', '2026-03-02', 'cancellation'),
  (1, 112, 'end', '2026-01-19', 'cancellation'), (1, 114, 'end', '2026-02-09', 'cancellation'), (1, 115, 'end', '2026-02-10', 'cancellation'), (1, 112, 'lapse', '2026-01-25', NULL);
SELECT pg_temp.same('SELECT policy_id, told FROM pg_temp.told() WHERE policy_id BETWEEN 100 AND 119', $$
  VALUES (102::bigint, 'plan 1: 11 1.000000'), (103, 'plan 1: 11 1.000000'), (104, 'plan 1: 11 1.000000'), (109, 'plan 1: 11 1.000000'), (110, 'plan 1: 11 1.000000'),
         (111, 'plan 1: 11 1.000000'), (112, 'plan 1: 11 1.000000'), (115, 'plan 1: 11 1.000000')$$,
  'from the first day to 30 days after the last; not by another channel, cancelled within 20 days, or ended on the day of issue; a later cancellation, a surrender, a lapse and what comes after the end void nothing');

-- the day is that of the business: 2026-01-09 17:00 in UTC is the tenth in Shanghai
SELECT pg_temp.hold(3, 31, 1, 1, '2026-01-10 01:00', '2026-01-11 00:00') \g /dev/null
SELECT pg_temp.sell(120, 3, '2026-01-09'), pg_temp.sell(121, 3, '2026-01-10'), pg_temp.sell(122, 3, '2026-02-10'), pg_temp.sell(123, 3, '2026-02-11') \g /dev/null
SELECT pg_temp.same('SELECT policy_id FROM pg_temp.told() WHERE policy_id BETWEEN 120 AND 129', 'VALUES (121::bigint), (122)', 'days begin at midnight of the business');

-- re-allocation in the window by each mode: 1 hands over to 2, who hands back to 1, then to 4; then recycled
SELECT pg_temp.hold(9 + p, 100 * p + 1, p, 1, '2026-01-10', '2026-01-20', 'transfer'), pg_temp.hold(9 + p, 100 * p + 2, NULL, 2, '2026-01-20', '2026-02-01', 'transfer'),
       pg_temp.hold(9 + p, 100 * p + 3, NULL, 1, '2026-02-01', '2026-02-10', 'transfer'), pg_temp.hold(9 + p, 100 * p + 4, NULL, 4, '2026-02-10', '2026-03-01', 'recycle'),
       pg_temp.sell(200 + 10 * p + 1, 9 + p, '2026-01-15'), pg_temp.sell(200 + 10 * p + 2, 9 + p, '2026-01-25'), pg_temp.sell(200 + 10 * p + 3, 9 + p, '2026-02-05'),
       pg_temp.sell(200 + 10 * p + 4, 9 + p, '2026-03-31'), pg_temp.sell(200 + 10 * p + 5, 9 + p, '2026-04-01')
FROM generate_series(1, 3) p \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.told() WHERE policy_id BETWEEN 210 AND 239', $$
  VALUES (211::bigint, 'plan 1: 101 1.000000'), (212, 'plan 1: 102 1.000000'), (213, 'plan 1: 103 1.000000'), (214, 'plan 1: 104 1.000000'),
         (221, 'plan 2: 201 1.000000'), (222, 'plan 2: 201 1.000000'), (223, 'plan 2: 201 1.000000'), (224, 'plan 2: 201 1.000000'),
         (231, 'plan 3: 301 1.000000'), (232, 'plan 3: 301 0.500000, plan 3: 302 0.500000'), (233, 'plan 3: 302 0.500000, plan 3: 303 0.500000'),
         (234, 'plan 3: 302 0.333334, plan 3: 303 0.333333, plan 3: 304 0.333333')$$,
  'handed on: the last, the first, or each holder once in equal parts; the window goes to 30 days after the last of them');

-- back to the pool, and claimed by somebody of another channel within the window
SELECT pg_temp.hold(13, 131, 1, 1, '2026-01-10', '2026-02-01'), pg_temp.hold(13, 132, NULL, 3, '2026-02-05'),
       pg_temp.sell(240, 13, '2026-02-10', 4), pg_temp.sell(241, 13, '2026-02-10', 1), pg_temp.sell(242, 13, '2026-02-10', 2), pg_temp.sell(243, 13, '2026-03-03', 4), pg_temp.sell(244, 13, '2026-03-04', 4) \g /dev/null
SELECT pg_temp.hold(14, 141, 5, 1, '2026-01-10', '2026-02-01'), pg_temp.hold(14, 142, NULL, 3, '2026-02-05'), pg_temp.sell(245, 14, '2026-02-10', 2), pg_temp.sell(246, 14, '2026-02-04', 4) \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.told() WHERE policy_id BETWEEN 240 AND 249', $$
  VALUES (240::bigint, 'plan 1: 132 1.000000'), (241, 'plan 1: 131 1.000000'), (243, 'plan 1: 132 1.000000'), (245, 'plan 5: 141 0.500000, plan 5: 142 0.500000'), (246, 'plan 5: 141 1.000000')$$,
  'who claims from the pool in the window is a holder too, of what their channel sells; where any channel counts, whoever sold');

-- a second plan in the window of the first: the one that began last, and in it no holder of the other
SELECT pg_temp.hold(15, 151, 1, 1, '2026-01-10', '2026-01-20'), pg_temp.hold(15, 152, 4, 2, '2026-01-25', '2026-02-05'),
       pg_temp.sell(250, 15, '2026-01-22'), pg_temp.sell(251, 15, '2026-01-25'), pg_temp.sell(252, 15, '2026-02-05'), pg_temp.sell(253, 15, '2026-02-06'), pg_temp.sell(254, 15, '2026-02-20') \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.told() WHERE policy_id BETWEEN 250 AND 259', $$
  VALUES (250::bigint, 'plan 1: 151 1.000000'), (251, 'plan 4: 152 1.000000'), (252, 'plan 4: 152 1.000000'), (253, 'plan 1: 151 1.000000')$$, 'the plan that began last, while its window lasts');
SELECT pg_temp.hold(16, 161, 1, 1, '2026-01-10', '2026-01-20'), pg_temp.hold(16, 162, 4, 3, '2026-01-25', '2026-02-05'), pg_temp.sell(255, 16, '2026-01-27'), pg_temp.sell(256, 16, '2026-01-27', 4) \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.told() WHERE policy_id IN (255, 256)', $$VALUES (255::bigint, 'plan 1: 161 1.000000'), (256, 'plan 4: 162 1.000000')$$, 'with a holder of the channel that sold');

-- a channel that hands on to its staff is no second holder; its own before that
SELECT pg_temp.hold(17, 171, 3, NULL, '2026-01-10', '2026-01-20', 'narrowing'), pg_temp.hold(17, 172, NULL, 2, '2026-01-20'), pg_temp.sell(260, 17, '2026-01-19'), pg_temp.sell(261, 17, '2026-01-20'), pg_temp.sell(262, 17, '2031-01-01') \g /dev/null
SELECT pg_temp.same('SELECT * FROM pg_temp.told() WHERE policy_id BETWEEN 260 AND 269', $$
  VALUES (260::bigint, 'plan 3: 171 1.000000'), (261, 'plan 3: 172 1.000000'), (262, 'plan 3: 172 1.000000')$$, 'narrowed: the narrower holder; without an end as long as it lasts');

-- who provided: a channel, or a centre that has none
SELECT pg_temp.hold(18, 181, 1, 1, '2026-01-10', line => 2), pg_temp.sell(270, 18, '2026-01-19') \g /dev/null
SELECT results_eq('SELECT policy_id, provider_channel_id, channel_id, org_id, staff_id FROM crm._attribution() WHERE policy_id IN (102, 240, 270, 113, 999) ORDER BY 1',
  'VALUES (102::bigint, 1::bigint, 1::bigint, 1::bigint, 1::bigint), (240, 1, 4, 1, 3), (270, NULL, 1, 1, 1)', 'provider and holder of each; no row for others');

-- kept as facts ------------------------------------------------------------------

SELECT is(crm.attribute_policies(), (SELECT count(*) FROM pg_temp.told()), 'every one is attributed');
SELECT pg_temp.same('SELECT policy_id, holding_id, plan_id, provider_channel_id, channel_id, org_id, staff_id, share FROM crm.policy_attribution', 'SELECT * FROM crm._attribution()', 'as computed');
CREATE TEMP TABLE kept AS SELECT * FROM crm.policy_attribution;
SELECT is(crm.attribute_policies(), 0::bigint, 'again changes nothing');
SELECT pg_temp.same('SELECT * FROM crm.policy_attribution', 'SELECT * FROM kept', 'no row');
SELECT is_empty('SELECT policy_id FROM crm.policy_attribution GROUP BY 1 HAVING sum(share) <> 1', 'shares make 1');

UPDATE crm.policy SET issued_on = '2026-03-13' WHERE id = 102;
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) VALUES (1, 103, 'end', '2026-02-20', 'cancellation');
DELETE FROM crm.policy_event WHERE policy_id = 107;
UPDATE crm.policy SET channel_id = 4 WHERE id = 240 OR id = 241;
DELETE FROM crm.policy WHERE id = 250;
UPDATE crm.holding SET end_cause = NULL, ended_by = NULL, held_to = NULL WHERE (customer_id, id) = (3, 31);
SELECT is(crm.attribute_policies(), 5::bigint, 'policies corrected, voided, sold by another after all, and a holding opened again');
SELECT pg_temp.same('SELECT policy_id, holding_id FROM crm.policy_attribution WHERE policy_id IN (102, 103, 107, 240, 241, 250, 122, 123)',
  'VALUES (107::bigint, 11::bigint), (240, 132), (241, 132), (122, 31), (123, 31)', 'each as it stands now');
SELECT is_empty('SELECT * FROM crm._check_settlement() WHERE check_name ~ ''attribution''', 'nothing to complain of');

CREATE TEMP TABLE told_before AS SELECT * FROM pg_temp.told() WHERE policy_id < 300;
-- a longer free look from a day on is of what is issued then
INSERT INTO crm.setting (name, value, valid_from) VALUES ('free_look_days', '60', '2026-03-01');
SELECT pg_temp.hold(23, 231, 1, 1, '2026-02-01'), pg_temp.sell(320, 23, '2026-02-28'), pg_temp.sell(321, 23, '2026-03-01') \g /dev/null
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) VALUES (23, 320, 'end', '2026-04-20', 'cancellation'), (23, 321, 'end', '2026-04-20', 'cancellation');
SELECT pg_temp.same('SELECT policy_id, told FROM pg_temp.told() WHERE policy_id IN (320, 321)', $$VALUES (320::bigint, 'plan 1: 231 1.000000')$$, 'the free look is that of the day of issue');
SELECT pg_temp.same('SELECT policy_id, told FROM pg_temp.told() WHERE policy_id < 300', 'SELECT policy_id, told FROM told_before', 'and takes back nothing issued before');

-- two customers who are one: histories side by side
SELECT pg_temp.hold(21, 211, 1, 1, '2026-01-10', '2026-01-31'), pg_temp.hold(22, 221, 2, 2, '2026-01-20', '2026-02-10'), pg_temp.sell(300, 21, '2026-01-25'), pg_temp.sell(301, 22, '2026-01-15'), pg_temp.sell(302, 22, '2026-02-25') \g /dev/null
SELECT crm.attribute_policies() \g /dev/null
SELECT pg_temp.same('SELECT policy_id, holding_id FROM crm.policy_attribution WHERE policy_id BETWEEN 300 AND 309', 'VALUES (300::bigint, 211::bigint), (302, 221)', 'two customers, each by itself');
SELECT crm.merge(21, 22, 'one person') AS merge \gset
SELECT is(crm.attribute_policies(), 2::bigint, 'merged');
SELECT pg_temp.same('SELECT * FROM pg_temp.told() WHERE policy_id BETWEEN 300 AND 309', $$VALUES (300::bigint, 'plan 2: 221 1.000000'), (301, 'plan 1: 211 1.000000'), (302, 'plan 2: 221 1.000000')$$,
  'the one customer bought in the windows of either');
SELECT pg_temp.same('SELECT policy_id, holding_id FROM crm.policy_attribution WHERE policy_id BETWEEN 300 AND 309', 'VALUES (300::bigint, 221::bigint), (301, 211), (302, 221)', 'kept so');
SELECT crm.unmerge(:merge, 'two after all') \g /dev/null
SELECT crm.attribute_policies() \g /dev/null
SELECT pg_temp.same('SELECT policy_id, holding_id FROM crm.policy_attribution WHERE policy_id BETWEEN 300 AND 309', 'VALUES (300::bigint, 211::bigint), (302, 221)', 'and parted again');
SELECT crm.merge(21, 12, 'both in one plan or not') \g /dev/null
SELECT pg_temp.same('SELECT policy_id, holding_id FROM crm._attribution() WHERE policy_id IN (231, 300)', 'VALUES (231::bigint, 301::bigint), (300, 301), (300, 302)', 'of plans that began at one instant the one with the later key');

-- a history of many, against one computed policy by policy
SELECT setseed(0.3);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1000, 1199) i;
DO $$
DECLARE
  t timestamp;
  u timestamp;
  handed boolean;
  hands_on boolean;
BEGIN
  FOR c IN 1000 .. 1199 LOOP
    t := '2026-01-01'::timestamp + random() * interval '20 days';
    handed := false;
    FOR k IN 1 .. 5 LOOP
      u := t + random() * interval '25 days';
      hands_on := k < 5 AND random() < 0.4;
      PERFORM pg_temp.hold(c, c * 10 + k, CASE WHEN NOT handed AND random() < 0.5 AND NOT EXISTS (SELECT FROM crm.plan_customer x JOIN plans p ON p.id = x.plan_id WHERE x.customer_id = c AND p.n = 1 + (c + k) % 5) THEN 1 + (c + k) % 5 END,
                           1 + floor(random() * 4)::bigint, t, CASE WHEN k < 5 OR random() < 0.5 THEN u END, CASE WHEN hands_on AND k % 2 = 0 THEN 'transfer' ELSE 'recycle' END);
      handed := hands_on;
      t := CASE WHEN handed THEN u ELSE u + random() * interval '20 days' END;
    END LOOP;
    FOR k IN 1 .. 4 LOOP
      PERFORM pg_temp.sell(c * 10 + k, c, '2026-01-01'::date + floor(random() * 150)::integer, CASE WHEN random() < 0.3 THEN 4 ELSE 1 END);
    END LOOP;
  END LOOP;
END
$$;
CREATE FUNCTION pg_temp.naive(asked bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  p crm.policy;
  first crm.holding;
  h crm.holding;
  o crm.holding;
  plan crm.plan;
  ends timestamptz;
  owner bigint;
  found_holdings crm.holding[];
  who text[];
BEGIN
  SELECT * INTO p FROM crm.policy WHERE id = asked;
  FOR first IN SELECT * FROM crm.holding WHERE customer_id = p.customer_id AND plan_id IS NOT NULL ORDER BY held_from DESC LOOP
    SELECT * INTO plan FROM crm.plan WHERE id = first.plan_id;
    -- who follows without a gap
    o := first;
    LOOP
      ends := o.held_to;
      SELECT * INTO h FROM crm.holding WHERE customer_id = p.customer_id AND held_from = o.held_to AND plan_id IS NULL;
      EXIT WHEN NOT FOUND;
      o := h;
    END LOOP;
    CONTINUE WHEN p.issued_on < (first.held_from AT TIME ZONE 'Asia/Shanghai')::date OR p.issued_on > (ends AT TIME ZONE 'Asia/Shanghai')::date + plan.attribution_days;
    found_holdings := '{}';
    who := '{}';
    FOR h IN SELECT * FROM crm.holding WHERE customer_id = p.customer_id AND held_from >= first.held_from AND (held_from AT TIME ZONE 'Asia/Shanghai')::date <= p.issued_on ORDER BY held_from DESC LOOP
      -- the plan of a holding is its own, or that of whom it follows
      o := h;
      WHILE o.plan_id IS NULL AND EXISTS (SELECT FROM crm.holding WHERE customer_id = p.customer_id AND held_to = o.held_from) LOOP
        SELECT * INTO o FROM crm.holding WHERE customer_id = p.customer_id AND held_to = o.held_from;
      END LOOP;
      CONTINUE WHEN o.plan_id <> plan.id OR NOT plan.attribution_any_channel AND h.channel_id <> p.channel_id;
      IF plan.attribution = 'shared' THEN
        CONTINUE WHEN h.staff_id::text = ANY (who);
        who := who || h.staff_id::text;
        found_holdings := found_holdings || h;
      ELSIF plan.attribution = 'first_holder' THEN
        found_holdings := ARRAY[h];
      ELSIF cardinality(found_holdings) = 0 THEN
        found_holdings := ARRAY[h];
      END IF;
    END LOOP;
    IF cardinality(found_holdings) > 0 THEN
      RETURN plan.name || ':' || (SELECT string_agg(x.id::text, ',' ORDER BY x.id) FROM unnest(found_holdings) x);
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
SELECT pg_temp.same($$SELECT a.policy_id, min(n.name) || ':' || string_agg(a.holding_id::text, ',' ORDER BY a.holding_id) FROM crm._attribution() a JOIN crm.plan n ON n.id = a.plan_id WHERE a.policy_id >= 10000 GROUP BY 1$$,
  'SELECT * FROM (SELECT p.id, pg_temp.naive(p.id) AS told FROM crm.policy p WHERE p.id >= 10000) x WHERE told IS NOT NULL', '800 policies as one by one');
SELECT cmp_ok((SELECT count(DISTINCT policy_id) FROM crm._attribution() WHERE policy_id >= 10000), '>', 200::bigint, 'many of which are attributed');
SELECT cmp_ok((SELECT count(*) FROM (SELECT policy_id FROM crm._attribution() WHERE policy_id >= 10000 GROUP BY 1 HAVING count(*) > 1) x), '>', 20::bigint, 'some to several');
SELECT is_empty('SELECT policy_id FROM crm._attribution() GROUP BY 1 HAVING sum(share) <> 1 OR count(DISTINCT plan_id) > 1', 'by one plan, to make 1');

-- bad input ----------------------------------------------------------------------

SELECT pg_temp.refused(format('SELECT crm.set_attribution(%s, %s, %s, %s)', plan, mode, days, any_channel), code, words, name)
FROM (VALUES ('NULL', '''shared''', '30', 'false', '22004', 'plan must be given', 'an attribution is of a plan'),
             ('999999', '''shared''', '30', 'false', '23503', 'no plan', 'that there is')) v (plan, mode, days, any_channel, code, words, name);
SELECT crm.make_plan((SELECT max(id) FROM crm.cycle), 'draft') AS draft \gset
SELECT pg_temp.refused(format('SELECT crm.set_attribution(%s, %s, %s, %s)', :draft, mode, days, any_channel), code, words, name)
FROM (VALUES ('NULL', '30', 'false', '22004', 'must be given', 'a mode is given'), ('''shared''', 'NULL', 'false', '22004', 'must be given', 'days too'), ('''shared''', '30', 'NULL', '22004', 'must be given', 'and whose policies count'),
             ('''nobody''', '30', 'false', '22023', 'no attribution "nobody"', 'of the modes there are'), ('''shared''', '-1', 'false', '22023', '-1 days', 'no days before the end'),
             ('''shared''', '3661', 'false', '22023', '3661 days', 'and not for ever')) v (mode, days, any_channel, code, words, name);
SELECT lives_ok(format('SELECT crm.set_attribution(%s, ''shared'', 0, true)', :draft), 'a draft takes it');
SELECT crm.make_plan((SELECT max(id) FROM crm.cycle), 'like it', like_plan => :draft) AS alike, crm.make_plan((SELECT max(id) FROM crm.cycle), 'new') AS new \gset
SELECT results_eq(format('SELECT attribution, attribution_days, attribution_any_channel FROM crm.plan WHERE id = %s', :alike),
  $$VALUES ('shared', 0, true)$$, 'and a plan like it has it');
SELECT results_eq(format('SELECT attribution, attribution_days, attribution_any_channel FROM crm.plan WHERE id = %s', :new), $$VALUES ('last_holder', 90, false)$$, 'else the last holder, for 90 days');
UPDATE crm.plan SET state = 'approved' WHERE id = :draft;
SELECT pg_temp.refused(format('SELECT crm.set_attribution(%s, ''shared'')', :draft), '55000', 'is approved', 'an approved plan keeps it');
UPDATE crm.plan SET state = 'draft' WHERE id = :draft;
SELECT pg_temp.refused('UPDATE crm.plan SET attribution = ''x''', '23514', 'plan_attribution', 'no other word in the table');
SELECT pg_temp.refused('UPDATE crm.plan SET attribution_days = -1', '23514', 'plan_attribution_days', 'nor days');
SELECT pg_temp.refused('UPDATE crm.policy_attribution SET share = 0', '23514', 'share', 'nobody has no share');
SELECT pg_temp.refused('UPDATE crm.policy_attribution SET share = 1.5', '23514', 'share', 'nor more than all');

SELECT crm.attribute_policies() \g /dev/null
UPDATE crm.policy_attribution SET share = 0.4 WHERE (policy_id, holding_id) = (233, 302);
UPDATE crm.policy_attribution SET staff_id = 4 WHERE policy_id = 104;
SELECT pg_temp.same('SELECT check_name, detail FROM crm._check_settlement() WHERE check_name ~ ''attribution''', $$VALUES ('attribution', 'policy 104 is not attributed as its holdings say'),
  ('attribution', 'policy 233 is not attributed as its holdings say'), ('attribution_share', 'shares in policy 233 make 0.900000')$$, 'what was written by hand is found');
SELECT is(crm.attribute_policies(), 2::bigint, 'and mended');

SELECT crm.post(), crm.post_settlement() \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'everything holds');
SELECT * FROM finish();
ROLLBACK;
