-- The cycle of resources twice on a generated branch: inventory, proposals, plan, approval, allocation, recycling, second allocation;
-- each state and figure against plain SQL, and what must be refused.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CALL crm.generate(customers => 3000, seed => 41, as_of => '2025-12-31', units => ARRAY[3, 6, 12]);
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';
SET LOCAL crm.posting = 'commit';

-- people: one with each duty, and one of each channel
UPDATE crm.staff s SET login = v.login
FROM (VALUES (1, 'head'), (2, 'planner')) v (n, login), (SELECT x.id, row_number() OVER (ORDER BY x.id) AS n FROM crm.staff x WHERE x.org_id = 1 AND x.left_on IS NULL) x
WHERE x.n = v.n AND s.id = x.id;
UPDATE crm.staff s SET login = 'of_' || h.code
FROM crm.channel h WHERE s.id = (SELECT min(x.id) FROM crm.staff x WHERE x.channel_id = h.id AND x.left_on IS NULL AND x.org_id > 10);
INSERT INTO crm.position (staff_id, org_id, duty)
SELECT s.id, 1, d.duty FROM crm.staff s JOIN (VALUES ('head', 'approver'), ('head', 'resource_manager'), ('planner', 'planner')) d (login, duty) ON s.login = d.login::name;
SELECT is((SELECT count(*) FROM crm.staff WHERE login IS NOT NULL), 6::bigint, 'six people have logins');

-- the cycle --------------------------------------------------------------------

SET LOCAL crm.actor = 'planner';
SELECT crm.open_cycle('spring', 1, '2026-01-01', '2026-06-30') AS cycle \gset
SELECT crm.open_cycle('north', 2, '2026-01-01', '2026-06-30') AS north \gset
SELECT pg_temp.refused($$SELECT crm.open_cycle('spring', 1, '2026-01-01', '2026-06-30')$$, '23505', 'cycle_name', 'a name is taken once');
SELECT pg_temp.refused($$SELECT crm.open_cycle(' ', 1, '2026-01-01', '2026-06-30')$$, '23514', '', 'a cycle has a name');
SELECT pg_temp.refused($$SELECT crm.open_cycle('x', 1, '2026-06-30', '2026-01-01')$$, '23514', '', 'and its days the right way round');
SELECT pg_temp.refused($$SELECT crm.open_cycle('x', 999, '2026-01-01', '2026-06-30')$$, '23503', '', 'and a unit');

-- step 1: inventory ------------------------------------------------------------

CREATE FUNCTION pg_temp.naive_release(provider bigint, top bigint) RETURNS TABLE (customer_id bigint, outcome text) LANGUAGE sql SET crm.as_of = '' AS $$
  SELECT c.customer_id,
         CASE WHEN NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = top AND t.descendant_id = c.org_id) THEN 'elsewhere'
              WHEN p.kind = 'channel' AND c.channel <> p.code THEN 'not_own'
              WHEN p.kind = 'unit' AND NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = p.org_id AND t.descendant_id = c.org_id) THEN 'not_own'
              WHEN c.service = 'served' THEN 'served' ELSE 'released' END
  FROM crm_bi.customer c, crm.provider p WHERE p.id = provider
$$;
INSERT INTO crm.provider (id, code, name, kind, org_id) VALUES (100, 'unit 3', 'Unit 3', 'unit', 3);
SELECT crm.save_list('agents', 'channel = ''individual''', true) \gset
CREATE TEMP TABLE r1 AS SELECT * FROM crm.release_to_inventory(:cycle, 1, condition => crm.list_condition('agents'));
SELECT pg_temp.same('SELECT * FROM r1', $$SELECT n.* FROM pg_temp.naive_release(1, 1) n JOIN crm_bi.customer c USING (customer_id) WHERE c.channel = 'individual'$$, 'a channel releases by a saved list');
CREATE TEMP TABLE r2 AS SELECT * FROM crm.release_to_inventory(:cycle, 2, ARRAY(SELECT id FROM crm.customer WHERE id % 2 = 0) || 999999999::bigint);
SELECT pg_temp.same('SELECT * FROM r2', $$SELECT n.* FROM pg_temp.naive_release(2, 1) n WHERE n.customer_id % 2 = 0 UNION ALL SELECT 999999999, 'unknown'$$, 'and by customers given');
CREATE TEMP TABLE r3 AS SELECT * FROM crm.release_to_inventory(:cycle, 100, condition => 'coverage = ''insured''');
SELECT pg_temp.same('SELECT * FROM r3', $$SELECT n.* FROM pg_temp.naive_release(100, 1) n JOIN crm_bi.customer c USING (customer_id) WHERE c.coverage = 'insured'$$, 'a unit releases those at home in it');
CREATE TEMP TABLE r4 AS SELECT * FROM crm.release_to_inventory(:cycle, 5, condition => 'coverage = ''former'' or channel = ''telesales''');
SELECT pg_temp.same('SELECT * FROM r4', $$SELECT n.* FROM pg_temp.naive_release(5, 1) n JOIN crm_bi.customer c USING (customer_id) WHERE c.coverage = 'former' OR c.channel = 'telesales'$$, 'a centre any');
CREATE TEMP TABLE r5 AS SELECT * FROM crm.release_to_inventory(:north, 5, condition => 'true');
SELECT pg_temp.same('SELECT * FROM r5', 'SELECT * FROM pg_temp.naive_release(5, 2)', 'nobody outside the unit of the cycle');
SELECT ok((SELECT count(*) FROM pg_temp.naive_release(1, 1) WHERE outcome = 'served') > 100, 'there are some who are served');
CREATE TEMP TABLE offered AS SELECT * FROM crm.cycle_offer;
SELECT results_eq(format($$SELECT DISTINCT outcome FROM crm.release_to_inventory(%s, 1, condition => 'channel = ''individual'' and service <> ''served''')$$, :cycle), $$VALUES ('already')$$, 'again changes nothing');
SELECT pg_temp.same('SELECT * FROM crm.cycle_offer', 'SELECT * FROM offered', 'no row of it');
SELECT pg_temp.refused(format('SELECT crm.release_to_inventory(%s, 1)', :cycle), '22023', 'either customers or a condition', 'what to release is said');
SELECT pg_temp.refused(format($$SELECT crm.release_to_inventory(%s, 1, '{1}', 'true')$$, :cycle), '22023', 'either customers or a condition', 'in one way');
SELECT pg_temp.refused(format($$SELECT crm.release_to_inventory(%s, 1, '{1,NULL}')$$, :cycle), '22004', '', 'without nulls');
SELECT pg_temp.refused(format($$SELECT crm.release_to_inventory(%s, 77, '{1}')$$, :cycle), '23503', 'no provider', 'by a provider');
SELECT pg_temp.refused($$SELECT crm.release_to_inventory(999, 1, '{1}')$$, '23503', 'no cycle', 'into a cycle');
SELECT pg_temp.refused(format($$SELECT crm.release_to_inventory(%s, 1, condition => 'colour = ''red''')$$, :cycle), '42703', 'colour', 'by a condition that there is');
SELECT pg_temp.refused($$INSERT INTO crm.provider (code, name, kind) VALUES ('x', 'X', 'channel')$$, '23514', 'provider_of', 'a channel that provides is named');

-- what stands in the way
CREATE TEMP TABLE trouble AS SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS n FROM crm.inventory(:cycle, '2025-12-31');
INSERT INTO crm.blacklist (customer_id, reason, from_date) SELECT customer_id, 'test', '2025-12-31' FROM trouble WHERE n BETWEEN 1 AND 3;
INSERT INTO crm.blacklist (customer_id, reason, from_date) SELECT customer_id, 'test', '2026-01-01' FROM trouble WHERE n = 4;
INSERT INTO crm.do_not_contact (customer_id, from_date, source) SELECT customer_id, '2025-01-01', 'test' FROM trouble WHERE n BETWEEN 3 AND 5;
INSERT INTO crm.do_not_contact (customer_id, from_date, source, channel_id) SELECT customer_id, '2025-01-01', 'test', 1 FROM trouble WHERE n BETWEEN 100 AND 140;
INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) SELECT customer_id, 'marketing', 'given', '2025-01-01', 'test' FROM trouble WHERE n <> 10;
INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) SELECT customer_id, 'marketing', 'withdrawn', '2025-06-01', 'test' FROM trouble WHERE n BETWEEN 11 AND 12;
INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) SELECT customer_id, 'marketing', 'given', '2025-07-01', 'test' FROM trouble WHERE n = 12;
SELECT crm.claim(customer_id, 1) FROM trouble WHERE n BETWEEN 20 AND 22 \g /dev/null
SELECT crm.entrust(ARRAY(SELECT customer_id FROM trouble WHERE n = 23), 1, 2) \g /dev/null
SELECT crm.lock_holding(customer_id) FROM trouble WHERE n = 22 \g /dev/null
-- and two who were released and then found somebody to serve them
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments, servicer_id)
SELECT customer_id, (SELECT min(id) FROM crm.product), 1, '2025-12-01', 'yearly', 500, 10, (SELECT max(id) FROM crm.staff WHERE channel_id = 1 AND left_on IS NULL) FROM trouble WHERE n IN (30, 31);
SELECT ok(crm.post() > 0, 'they are posted');
CREATE FUNCTION pg_temp.naive_conflicts(cycle bigint, consent boolean) RETURNS TABLE (customer_id bigint, conflicts text) LANGUAGE sql AS $$
  SELECT c.id, nullif(concat_ws(', ',
    (SELECT 'held' FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL),
    (SELECT 'protected' FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL AND h.locked),
    (SELECT 'served' FROM crm_bi.customer b WHERE b.customer_id = c.id AND b.service = 'served' AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL)),
    CASE WHEN crm.is_blacklisted(c.id, '2025-12-31') THEN 'blacklisted' END,
    CASE WHEN crm.contact_obstacle(c.id, '2025-12-31') = 'do not contact' THEN 'do_not_contact' END,
    (SELECT CASE WHEN s.state = 'withdrawn' THEN 'consent_withdrawn' WHEN s.state IS NULL AND consent THEN 'no_consent' END
     FROM (SELECT (SELECT x.state FROM crm.consent x WHERE x.customer_id = c.id AND x.purpose = 'marketing' ORDER BY x.on_date DESC, x.id DESC LIMIT 1)) s (state)),
    CASE WHEN EXISTS (SELECT FROM crm.cycle_offer o WHERE o.customer_id = c.id AND o.cycle_id <> cycle AND o.withdrawn_at IS NULL
                        AND o.release_id < (SELECT min(m.release_id) FROM crm.cycle_offer m WHERE m.customer_id = c.id AND m.cycle_id = cycle AND m.withdrawn_at IS NULL)) THEN 'other_cycle' END), '')
  FROM crm.customer c WHERE c.id IN (SELECT o.customer_id FROM crm.cycle_offer o WHERE o.cycle_id = cycle AND o.withdrawn_at IS NULL)
$$;
SELECT pg_temp.same(format('SELECT customer_id, conflicts FROM crm.inventory(%s, %L)', y, '2025-12-31'), format('SELECT * FROM pg_temp.naive_conflicts(%s, true)', y), 'what stands in the way, cycle ' || y)
FROM (VALUES (:cycle), (:north)) v (y);
SELECT is((SELECT count(*) FROM crm.inventory(:cycle, '2025-12-31') JOIN trouble USING (customer_id) WHERE conflicts = 'served' AND n IN (30, 31)), 2::bigint, 'also who is served by now');
SELECT ok((SELECT count(DISTINCT conflicts) FROM crm.inventory(:cycle, '2025-12-31')) >= 7, 'of many kinds');
SELECT ok((SELECT count(*) FROM crm.inventory(:north, '2025-12-31') WHERE conflicts ~ 'other_cycle') > 50, 'the earlier release counts');
SELECT pg_temp.same(format($$SELECT i.customer_id, i.provider_id, i.providers, i.tier, i.service, i.activity, i.org_id, i.line FROM crm.inventory(%s, '2025-12-31') i$$, :cycle),
  format($$SELECT c.customer_id, (SELECT o.provider_id FROM crm.cycle_offer o WHERE o.cycle_id = %1$s AND o.customer_id = c.customer_id ORDER BY o.release_id LIMIT 1),
           (SELECT count(*)::integer FROM crm.cycle_offer o WHERE o.cycle_id = %1$s AND o.customer_id = c.customer_id), c.tier, c.service, c.activity, c.org_id,
           (SELECT r.line FROM crm.cover v JOIN crm.policy p ON p.id = v.policy_id JOIN crm.product r ON r.id = p.product_id
            WHERE v.customer_id = c.customer_id AND v.from_date <= '2025-12-31' AND v.to_date > '2025-12-31' ORDER BY v.issued_on DESC, p.id DESC LIMIT 1)
           FROM crm_bi.customer c WHERE c.customer_id IN (SELECT o.customer_id FROM crm.cycle_offer o WHERE o.cycle_id = %1$s)$$, :cycle), 'provider, overlaps and classes');
INSERT INTO crm.setting (name, value) VALUES ('cycle_consent', 'false');
SELECT pg_temp.same(format('SELECT customer_id, conflicts FROM crm.inventory(%s, %L)', :cycle, '2025-12-31'), format('SELECT * FROM pg_temp.naive_conflicts(%s, false)', :cycle), 'consent need not be given where the setting says so');
DELETE FROM crm.setting WHERE name = 'cycle_consent';
SELECT pg_temp.same(format('SELECT provider, tier, customers, overlapping, in_conflict, free FROM (SELECT provider, tier, sum(customers), sum(overlapping), sum(in_conflict), sum(free) FROM crm_bi.inventory_summary WHERE cycle_id = %s GROUP BY 1, 2) x (provider, tier, customers, overlapping, in_conflict, free)', :cycle),
  format($$SELECT p.code, i.tier, count(*)::numeric, sum((i.providers > 1)::integer)::numeric, sum((i.conflicts IS NOT NULL)::integer)::numeric, sum((i.conflicts IS NULL)::integer)::numeric
           FROM crm.inventory(%s, '2025-12-31') i JOIN crm.provider p ON p.id = i.provider_id GROUP BY 1, 2$$, :cycle), 'the summary adds up');
SELECT pg_temp.refused('SELECT crm.inventory(999, ''2025-12-31'')', '23503', 'no cycle', 'an inventory is of a cycle');
SELECT pg_temp.refused(format('SELECT crm.inventory(%s, NULL)', :cycle), '22004', '', 'and of a day');

-- withdrawal
SELECT results_eq(format($$SELECT outcome, count(*) FROM crm.withdraw_from_inventory(%s, 100, ARRAY(SELECT customer_id FROM offered WHERE provider_id = 100 ORDER BY 1 LIMIT 5) || 999999999, 'wrong') GROUP BY 1 ORDER BY 1$$, :cycle),
                  $$VALUES ('not_offered', 1::bigint), ('withdrawn', 5)$$, 'some are withdrawn');
SELECT results_eq(format($$SELECT outcome, count(*) FROM crm.release_to_inventory(%s, 100, ARRAY(SELECT customer_id FROM offered WHERE provider_id = 100 ORDER BY 1 LIMIT 2)) GROUP BY 1$$, :cycle), $$VALUES ('released', 2::bigint)$$, 'two come back');
SELECT is((SELECT count(*) FROM crm.withdraw_from_inventory(:north, 5) WHERE outcome = 'withdrawn'), (SELECT count(*) FROM offered WHERE cycle_id = :north), 'all at once');
SELECT is_empty(format('SELECT * FROM crm.inventory(%s, %L)', :north, '2025-12-31'), 'then the inventory is empty');

-- step 2: proposals --------------------------------------------------------------

SELECT crm.propose(:cycle, 1, 'agents', 'coverage in (''insured'', ''former'')', 120, 100, 12, 60000, '2026-06-30', 2400) AS agents \gset
SELECT crm.propose(:cycle, 4, 'telesales', 'coverage in (''insured'', ''former'')', 60, 50, 3, 9000, '2026-06-30', 600) AS tele \gset
SELECT crm.propose(:cycle, 2, 'bank', 'tier <> ''none''', 40, 20, 2, 30000, '2026-05-31', 100, org_id => 2) AS bank \gset
SELECT crm.propose(:cycle, 3, 'group', 'amount > 1000', 10, 5, 1, 5000, '2026-05-31') AS grp \gset
SELECT is((SELECT string_agg(state, ' ') FROM crm_bi.proposal WHERE cycle_id = :cycle), 'draft draft draft draft', 'proposals begin as drafts');
SELECT pg_temp.refused(format($$SELECT crm.propose(%s, %s, %L, %L, %s, %s, %s, %s, '2026-06-30', %s, %s)$$, y, c, title, segment, volume, contacts, purchases, premium, cost, org), code, words, name)
FROM (VALUES (:cycle, 1, 'x', 'hue = 1', '10', 1, 1, '1', 1, 'NULL', '42703', 'hue', 'a segment that there is not'),
             (:cycle, 1, 'x', 'true and', '10', 1, 1, '1', 1, 'NULL', '22P02', '', 'nor half a condition'),
             (:cycle, 1, 'x', 'true', '0', 1, 1, '1', 1, 'NULL', '23514', 'volume', 'nobody asks for nobody'),
             (:cycle, 1, 'x', 'true', 'NULL', 1, 1, '1', 1, 'NULL', '23502', 'volume', 'nor without a number'),
             (:cycle, 1, 'x', 'true', '10', 1, -1, '1', 1, 'NULL', '23514', 'purchases', 'nor expects less than nothing'),
             (:cycle, 1, 'x', 'true', '10', 1, 1, '''NaN''', 1, 'NULL', '23514', 'premium', 'nor no number'),
             (:cycle, 1, ' ', 'true', '10', 1, 1, '1', 1, 'NULL', '23514', 'title', 'nor without a title'),
             (:cycle, 9, 'x', 'true', '10', 1, 1, '1', 1, 'NULL', '23503', 'channel', 'nor for no channel'),
             (:cycle, 1, 'x', 'true', '10', 1, 1, '1', 1, '999', '23514', 'outside', 'nor for a unit elsewhere'),
             (:north, 1, 'x', 'true', '10', 1, 1, '1', 1, '3', '23514', 'outside', 'nor beyond the unit of the cycle'),
             (999, 1, 'x', 'true', '10', 1, 1, '1', 1, 'NULL', '23503', 'no cycle', 'nor of no cycle')) v (y, c, title, segment, volume, contacts, purchases, premium, cost, org, code, words, name);
SELECT is(crm.revise_proposal(:grp, 1, 'amount > 1000', 20), 2, 'a second version');
SELECT pg_temp.refused(format('SELECT crm.revise_proposal(%s, 1, volume => 30)', :grp), '55000', 'not its latest', 'a stale version is not revised');
SELECT pg_temp.refused(format('SELECT crm.revise_proposal(%s, 2, volume => 0)', :grp), '23514', 'volume', 'nor to what cannot be');
SELECT results_eq(format('SELECT version, volume, expected_purchases, is_latest FROM crm_bi.proposal_version WHERE proposal_id = %s ORDER BY version', :grp),
                  'VALUES (1, 10::bigint, 1::bigint, false), (2, 20, 1, true)', 'both are kept');
SELECT is(array_agg(crm.submit_proposal(p) ORDER BY p), '{submitted,submitted,submitted,submitted}', 'submitted') FROM (VALUES (:agents), (:tele), (:bank), (:grp)) v (p);
SELECT pg_temp.refused(format('SELECT crm.submit_proposal(%s)', :grp), '55000', 'no transition', 'once');
SELECT is(crm.revise_proposal(:grp, 2, note => 'again'), 3, 'revised after all');
SELECT is((SELECT state FROM crm.proposal WHERE id = :grp), 'draft', 'it is a draft again');
SELECT pg_temp.refused(format('SELECT crm.withdraw_proposal(%s, NULL)', :grp), '23502', 'reason', 'nobody withdraws without a reason');
SELECT pg_temp.refused(format('SELECT crm.carry_over_proposal(%s, %s)', :grp, :cycle), '22023', 'already', 'nor carries over to the same cycle');
SELECT crm.carry_over_proposal(:grp, :north) AS carried \gset
SELECT results_eq(format('SELECT p.state, v.volume, v.segment::text, v.expected_by FROM crm_bi.proposal p JOIN crm_bi.proposal_version v USING (proposal_id) WHERE p.proposal_id = %s', :carried),
                  $$VALUES ('draft', 20::bigint, 'amount > 1000', '2026-05-31'::date)$$, 'carried over as it stood');
SELECT is((SELECT state FROM crm.proposal WHERE id = :grp), 'carried_over', 'which ends it here');
SELECT is(crm.withdraw_proposal(:carried, 'no need'), 'withdrawn', 'withdrawn');
SELECT pg_temp.refused(format('SELECT crm.submit_proposal(%s)', :carried), '55000', 'no transition', 'for good');
SELECT pg_temp.refused('SELECT crm.submit_proposal(999)', '23503', 'no proposal', 'one that there is');

-- step 3: the plan ---------------------------------------------------------------

SELECT pg_temp.refused(format($$SELECT crm.make_plan(%s, 'x', weighing => 'moods')$$, :cycle), '22023', 'moods', 'plans weigh something known');
SELECT pg_temp.refused(format($$SELECT crm.make_plan(%s, 'x', strategy => 'random')$$, :cycle), '22023', 'random', 'deal in a known way');
SELECT pg_temp.refused(format($$SELECT crm.make_plan(%s, 'x', level => 'moon')$$, :cycle), '22023', 'moon', 'to a known level');
SELECT pg_temp.refused(format($$SELECT crm.make_plan(%s, 'x', like_plan => 999)$$, :cycle), '23503', '', 'like one that there is');
SELECT crm.make_plan(:north, 'empty') AS empty \gset
SELECT pg_temp.refused(format($$SELECT crm.compute_plan(%s, '2025-12-31')$$, :empty), '55000', 'nobody free', 'an empty inventory makes no plan');
SELECT pg_temp.refused(format($$SELECT crm.compute_plan(%s, NULL)$$, :empty), '22004', '', 'nor does no day');
SELECT pg_temp.refused($$SELECT crm.compute_plan(999, '2025-12-31')$$, '23503', 'no plan', 'nor no plan');
SELECT crm.make_plan(:cycle, 'A', weighing => 'demand') AS plan \gset
SELECT pg_temp.refused(format($$SELECT crm.submit_plan(%s, 0)$$, :plan), '55000', 'not computed', 'a plan is computed before it is submitted');
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 1, 'computed');
SELECT is((SELECT count(*) FROM crm.holding WHERE plan_id IS NOT NULL), 0::bigint, 'nothing is held by it');

CREATE TEMP TABLE free AS SELECT i.* FROM crm.inventory(:cycle, '2025-12-31') i WHERE i.conflicts IS NULL;
CREATE TEMP TABLE listed AS SELECT * FROM crm_bi.listed_customer;
ANALYZE free, listed;
-- what every plan must keep to
CREATE FUNCTION pg_temp.faults(plan bigint) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT 'not free: ' || c.customer_id FROM crm.plan_customer c WHERE c.plan_id = plan AND c.customer_id NOT IN (SELECT customer_id FROM free)
  UNION ALL
  SELECT 'not in the segment: ' || c.customer_id FROM crm_bi.plan_customer c JOIN listed b USING (customer_id) JOIN crm_bi.proposal p USING (proposal_id)
  WHERE c.plan_id = plan AND NOT crm.matches(p.segment::crm.condition, b, '2025-12-31')
  UNION ALL
  SELECT 'too many for proposal ' || p.proposal_id FROM crm_bi.plan_proposal p WHERE p.plan_id = plan AND p.planned > p.volume
  UNION ALL
  SELECT 'outside the unit: ' || c.customer_id FROM crm_bi.plan_customer c JOIN crm_bi.proposal p USING (proposal_id) JOIN listed b USING (customer_id)
  WHERE c.plan_id = plan AND p.org_id IS NOT NULL
    AND NOT (EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = p.org_id AND t.descendant_id = b.org_id)
             AND EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = p.org_id AND t.descendant_id = c.org_id))
  UNION ALL
  SELECT 'wrong holder: ' || c.customer_id FROM crm_bi.plan_customer c JOIN crm.staff s ON s.id = c.staff_id JOIN crm.channel h ON h.id = s.channel_id
  WHERE c.plan_id = plan AND (h.code, s.org_id) IS DISTINCT FROM (c.channel, c.org_id)
  UNION ALL
  SELECT 'not in post: ' || s.id FROM crm.plan_customer c JOIN crm.staff s ON s.id = c.staff_id WHERE c.plan_id = plan AND NOT (s.joined_on <= '2025-12-31' AND coalesce(s.left_on > '2025-12-31', true))
  UNION ALL
  SELECT 'quota of ' || c.staff_id FROM crm.plan_customer c JOIN crm.staff s ON s.id = c.staff_id WHERE c.plan_id = plan
  GROUP BY c.staff_id, s.* HAVING count(*) + (SELECT count(*) FROM crm.holding h WHERE h.staff_id = c.staff_id AND h.held_to IS NULL) > crm._quota(s.*, '2025-12-31')
  UNION ALL
  SELECT 'cool-off: ' || c.customer_id FROM crm.plan_customer c JOIN crm.holding h ON h.customer_id = c.customer_id AND h.staff_id = c.staff_id
  WHERE c.plan_id = plan AND h.held_to IS NOT NULL AND h.held_to + crm.cool_off(h.rule) > '2025-12-31'
  UNION ALL
  SELECT 'wrong provider: ' || c.customer_id FROM crm_bi.plan_customer c JOIN free i USING (customer_id) JOIN crm.provider p ON p.id = i.provider_id WHERE c.plan_id = plan AND p.code <> c.provider
  UNION ALL
  SELECT 'left alone by ' || c.channel || ': ' || c.customer_id FROM crm_bi.plan_customer c JOIN crm.channel h ON h.code = c.channel JOIN crm.do_not_contact d ON d.customer_id = c.customer_id AND d.channel_id = h.id WHERE c.plan_id = plan
  UNION ALL
  SELECT 'line ' || l.line FROM crm.plan_line l WHERE l.plan_id = plan AND l.customers <> (SELECT count(*) FROM crm.plan_customer c WHERE c.plan_id = plan AND c.line = l.line)
  UNION ALL
  SELECT 'expected of line ' || l.line FROM crm.plan_line l
  WHERE l.plan_id = plan AND ROW (l.expected_purchases, l.expected_premium) IS DISTINCT FROM ROW (
    (SELECT round(coalesce(sum(x.expected_purchases), 0), 4)
    FROM crm.plan_customer c JOIN listed b USING (customer_id) JOIN crm.plan_cell x ON x.plan_id = plan AND x.proposal_id = l.proposal_id AND x.coverage = b.coverage AND x.tier = b.tier
    WHERE c.plan_id = plan AND c.line = l.line), (SELECT round(coalesce(sum(x.expected_premium), 0), 2)
    FROM crm.plan_customer c JOIN listed b USING (customer_id) JOIN crm.plan_cell x ON x.plan_id = plan AND x.proposal_id = l.proposal_id AND x.coverage = b.coverage AND x.tier = b.tier
    WHERE c.plan_id = plan AND c.line = l.line))
$$;
SELECT is_empty(format('SELECT * FROM pg_temp.faults(%s)', :plan), 'the plan keeps to inventory, segments, volumes, quotas, cool-off');
SELECT results_eq(format('SELECT proposal_id, matching, planned FROM crm_bi.plan_proposal WHERE plan_id = %s ORDER BY 1', :plan),
  format($$SELECT v.id, (SELECT count(*) FROM free f JOIN crm_bi.customer c USING (customer_id)
                         WHERE CASE v.id WHEN %1$s THEN c.coverage IN ('insured', 'former') AND NOT EXISTS (SELECT FROM crm.do_not_contact d WHERE d.customer_id = c.customer_id AND d.channel_id = 1)
                               WHEN %2$s THEN c.coverage IN ('insured', 'former')
                               ELSE c.tier <> 'none' AND c.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = 2) END), v.volume
           FROM (VALUES (%1$s::bigint, 120::bigint), (%2$s, 60), (%3$s, 40)) v (id, volume) ORDER BY 1$$, :agents, :tele, :bank), 'who matches, and each gets its volume');
CREATE TEMP TABLE first_time AS SELECT customer_id, line, staff_id, why FROM crm.plan_customer WHERE plan_id = :plan;
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 2, 'computed again');
SELECT pg_temp.same(format('SELECT customer_id, line, staff_id, why FROM crm.plan_customer WHERE plan_id = %s', :plan), 'SELECT * FROM first_time', 'it is the same');
SELECT ok((SELECT max(n) - min(n) <= 1 FROM (SELECT c.staff_id, count(*) AS n FROM crm_bi.plan_customer c WHERE c.plan_id = :plan AND c.why IN ('home', 'near')
           AND (c.channel, c.org_id) = (SELECT x.channel, x.org_id FROM crm_bi.plan_customer x WHERE x.plan_id = :plan GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 1)
           GROUP BY 1) s), 'dealt evenly within a unit');
SELECT is_empty(format($$SELECT * FROM crm_bi.plan_customer c JOIN crm_bi.customer b USING (customer_id) WHERE plan_id = %s AND why = 'near' AND EXISTS (
    SELECT FROM crm.staff s JOIN crm.channel h ON h.id = s.channel_id WHERE h.code = c.channel AND s.org_id = b.org_id AND s.left_on IS NULL AND s.joined_on <= '2025-12-31'
      AND 200 > (SELECT count(*) FROM crm.plan_customer x WHERE x.plan_id = c.plan_id AND x.staff_id = s.id) + (SELECT count(*) FROM crm.holding g WHERE g.staff_id = s.id AND g.held_to IS NULL))$$, :plan),
                'nobody goes elsewhere while there is room at home');

-- more than there is: volumes beyond inventory, and beyond what staff may hold
SELECT crm.propose(:cycle, 3, 'greedy', 'true', 1000000000, 1, 1, 1, '2026-06-30') AS greedy \gset
SELECT crm.submit_proposal(:greedy) \g /dev/null
INSERT INTO crm.holding_quota (staff_id, quota) SELECT s.id, 3 FROM crm.staff s WHERE s.channel_id = 3 ON CONFLICT (staff_id) DO UPDATE SET quota = 3;
SELECT crm.make_plan(:cycle, 'greedy', weighing => 'demand', strategy => 'least_loaded') AS greed \gset
SELECT is(crm.compute_plan(:greed, '2025-12-31'), 1, 'a volume beyond all is cut');
SELECT is_empty(format('SELECT * FROM pg_temp.faults(%s)', :greed), 'to what may be');
SELECT is((SELECT planned FROM crm_bi.plan_proposal WHERE plan_id = :greed AND proposal_id = :greedy),
          (SELECT 3 * count(*) FROM crm.staff WHERE channel_id = 3 AND joined_on <= '2025-12-31' AND coalesce(left_on > '2025-12-31', true)), 'the room of the staff');
UPDATE crm.holding_quota SET quota = 0 WHERE quota = 3;
SELECT is(crm.compute_plan(:greed, '2025-12-31'), 2, 'without any capacity');
SELECT is((SELECT planned FROM crm_bi.plan_proposal WHERE plan_id = :greed AND proposal_id = :greedy), 0::bigint, 'it gets nobody');
SELECT is(crm.withdraw_proposal(:greedy, 'too much'), 'withdrawn', 'withdrawn');
DELETE FROM crm.holding_quota;
SELECT pg_temp.refused(format($$SELECT crm.submit_plan(%s, 2)$$, :greed), '55000', 'proposal "greedy" has changed', 'a plan with a proposal since withdrawn is not submitted');
SELECT is(crm.drop_plan(:greed, 'too much'), 'dropped', 'but dropped');
SELECT pg_temp.refused(format($$SELECT crm.compute_plan(%s, '2025-12-31')$$, :greed), '55000', 'is dropped', 'and computed no more');

-- the past: holdings of two channels with known result and cost
CREATE TEMP TABLE past AS
SELECT c.customer_id, row_number() OVER (ORDER BY c.customer_id) AS n FROM crm_bi.customer c
WHERE c.coverage = 'insured' AND c.tier = 'lead' AND NOT EXISTS (SELECT FROM crm.cycle_offer o WHERE o.customer_id = c.customer_id)
  AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = c.customer_id AND p.issued_on >= '2025-01-01') ORDER BY 1 LIMIT 80;
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule, last_contact_at)
SELECT p.customer_id, s.channel_id, s.org_id, s.id, '2025-03-01', '2025-09-01', 'claim', 'release', 'x', 'at most 9999 days', CASE WHEN p.n % 2 = 0 THEN '2025-04-01'::timestamptz END
FROM past p JOIN crm.staff s ON s.id = (SELECT min(x.id) FROM crm.staff x WHERE x.channel_id = CASE WHEN p.n <= 40 THEN 1 ELSE 4 END AND x.left_on IS NULL);
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT p.customer_id, 1, 1, '2025-05-01', 'yearly', CASE WHEN p.n <= 40 THEN 1000 ELSE 3000 END, 10 FROM past p WHERE p.n % 4 = 0;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT p.customer_id, 'visit', '2025-04-01', 10 FROM past p WHERE p.n > 40;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT p.customer_id, 'visit', '2024-04-01', 99 FROM past p;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT p.customer_id, 'hotline', '2025-04-01', 99 FROM past p;
INSERT INTO crm.commission (customer_id, policy_id, kind, earned_on, amount)
SELECT p.customer_id, p.id, 'first_year', '2025-05-02', 100 FROM crm.policy p WHERE p.issued_on = '2025-05-01' AND p.customer_id IN (SELECT customer_id FROM past WHERE n <= 40);
SELECT ok(crm.post() > 0, 'the past is posted');
CREATE FUNCTION pg_temp.naive_history() RETURNS TABLE (channel_id bigint, coverage text, tier text, allocated bigint, contacted bigint, purchased bigint, premium numeric, cost numeric) LANGUAGE sql AS $$
  SELECT h.channel_id, coalesce(s.coverage, 'none'), coalesce(k.label, 'none'), count(*), count(h.last_contact_at), count(*) FILTER (WHERE b.n > 0), coalesce(sum(b.premium), 0), coalesce(sum(c.cost), 0) + coalesce(sum(b.commission), 0)
  FROM crm.holding h
  CROSS JOIN LATERAL (SELECT (h.held_from AT TIME ZONE 'Asia/Shanghai')::date AS f, least(coalesce((h.held_to AT TIME ZONE 'Asia/Shanghai')::date, '2025-12-31'), '2025-12-31') AS t) d
  JOIN crm.standing st ON st.customer_id = h.customer_id AND st.slot = crm._slot()
  CROSS JOIN LATERAL crm.at(st.timeline, d.f) s
  LEFT JOIN crm.class k ON k.id = s.tier
  CROSS JOIN LATERAL (SELECT count(*) AS n, sum(p.annual_premium) AS premium, sum((SELECT sum(x.amount) FROM crm.commission x WHERE x.policy_id = p.id AND x.earned_on <= '2025-12-31')) AS commission
                      FROM crm.policy p WHERE p.customer_id = h.customer_id AND p.issued_on BETWEEN d.f AND d.t) b
  CROSS JOIN LATERAL (SELECT sum(x.amount) AS cost FROM crm.customer_cost x JOIN crm.cost_kind q ON q.code = x.kind WHERE q.purpose = 'selling' AND x.customer_id = h.customer_id AND x.incurred_on BETWEEN d.f AND d.t) c
  WHERE d.f BETWEEN '2023-12-31' AND '2025-12-31' AND coalesce(h.end_cause <> 'narrowing', true)
  GROUP BY 1, 2, 3
$$;
SELECT pg_temp.same($$SELECT channel_id, coverage, tier, allocated, contacted, purchased, premium, cost FROM crm.allocation_history('2025-12-31')$$, 'SELECT * FROM pg_temp.naive_history()', 'what came of holdings before');
SELECT results_eq($$SELECT channel_id, sum(allocated), sum(contacted), sum(purchased), sum(premium), sum(cost) FROM crm.allocation_history('2025-12-31') GROUP BY 1 ORDER BY 1$$,
                  $$VALUES (1::bigint, 40::numeric, 20::numeric, 10::numeric, 10000::numeric, 1000::numeric), (4, 40, 20, 10, 30000, 400)$$, 'counted by hand');
SELECT pg_temp.refused('SELECT * FROM crm.allocation_history(NULL)', '22004', '', 'history is of a day');
SELECT crm.make_plan(:cycle, 'B', like_plan => :plan, weighing => 'best') AS best \gset
SELECT is(crm.compute_plan(:best, '2025-12-31'), 1, 'a variant by the best net result');
SELECT is_empty(format('SELECT * FROM pg_temp.faults(%s)', :best), 'keeps to the rules as well');
SELECT is_empty(format($$SELECT * FROM crm_bi.plan_cell c LEFT JOIN pg_temp.naive_history() h ON h.channel_id = (SELECT x.id FROM crm.channel x WHERE x.code = c.channel) AND h.coverage = c.coverage AND h.tier = c.tier
    WHERE c.plan_id = %s AND c.basis = 'class' AND (c.allocated, c.contacted, c.purchased, c.premium, c.cost) IS DISTINCT FROM (h.allocated, h.contacted, h.purchased, h.premium, h.cost)$$, :best), 'the numbers used are kept with the plan');
SELECT results_eq(format($$SELECT DISTINCT channel, basis, premium_per_allocated, cost_per_purchase FROM crm_bi.plan_cell WHERE plan_id = %s AND tier = 'iron' AND coverage = 'insured' ORDER BY 1$$, :best),
                  $$VALUES ('bancassurance', 'company', 500.0::numeric, 70::numeric), ('individual', 'channel', 250, 100), ('telesales', 'channel', 750, 40)$$, 'where a class has no past, the channel''s or the company''s');
SELECT cmp_ok((SELECT sum(expected_premium) FROM crm.plan_line WHERE plan_id = :best), '>=', (SELECT sum(x.expected_premium) FROM crm_bi.plan_customer c JOIN crm_bi.customer b USING (customer_id)
    JOIN crm.plan_cell x ON x.plan_id = :best AND x.proposal_id = c.proposal_id AND x.coverage = b.coverage AND x.tier = b.tier WHERE c.plan_id = :plan) - 1, 'and expects no less than the one by demand');

-- apportionment: two who want the same, with too little for both
SELECT crm.open_cycle('small', 1, '2026-01-01', '2026-06-30') AS small \gset
SELECT count(*) FROM crm.release_to_inventory(:small, 5, ARRAY(SELECT c.customer_id FROM crm_bi.customer c WHERE c.service <> 'served' AND c.customer_id NOT IN (SELECT customer_id FROM crm.cycle_offer) ORDER BY 1 LIMIT 30)) \g /dev/null
INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) SELECT DISTINCT customer_id, 'marketing', 'given', '2025-01-01'::date, 'test' FROM crm.cycle_offer WHERE cycle_id = :small;
SELECT crm.submit_proposal(crm.propose(:small, 1, 'two parts', 'true', 60, 1, 1, 1, '2026-06-30')), crm.submit_proposal(crm.propose(:small, 4, 'one part', 'true', 30, 1, 1, 1, '2026-06-30')) \g /dev/null
SELECT crm.make_plan(:small, 'shares', weighing => 'demand') AS shares \gset
SELECT is(crm.compute_plan(:shares, '2025-12-31'), 1, 'shared');
SELECT ok(abs(a - 20) <= n AND a + b = 30, format('two to one, but for rounding in each of %s classes: %s and %s', n, a, b))
FROM (SELECT sum(planned) FILTER (WHERE title = 'two parts') AS a, sum(planned) FILTER (WHERE title = 'one part') AS b, (SELECT count(DISTINCT (coverage, tier)) FROM crm.plan_cell WHERE plan_id = :shares) AS n
      FROM crm_bi.plan_proposal WHERE plan_id = :shares) x;
SELECT is_empty(format($$SELECT * FROM (SELECT coverage, tier, max(customers) AS n, array_agg(planned ORDER BY proposal_id) AS got FROM crm.plan_cell WHERE plan_id = %s GROUP BY 1, 2) x WHERE got <> crm.apportion(n, '{60,30}')$$, :shares),
                'each class by largest remainder');

-- by hand: pins, bars and volumes survive
SELECT customer_id AS pinned FROM crm.plan_customer WHERE plan_id = :plan AND why <> 'servicer' ORDER BY 1 LIMIT 1 \gset
SELECT customer_id AS barred, staff_id AS barred_from FROM crm.plan_customer WHERE plan_id = :plan AND why = 'home' ORDER BY 1 DESC LIMIT 1 \gset
SELECT customer_id AS unit_barred, org_id AS unit_barred_from FROM crm_bi.plan_customer WHERE plan_id = :plan AND why = 'home' ORDER BY 1 DESC OFFSET 1 LIMIT 1 \gset
SELECT customer_id AS nobody FROM crm.plan_customer WHERE plan_id = :plan ORDER BY 1 DESC OFFSET 2 LIMIT 1 \gset
SELECT max(id) AS favourite FROM crm.staff WHERE channel_id = 3 AND left_on IS NULL AND joined_on <= '2025-12-31' \gset
SELECT org_id AS unit, count(*) AS unit_has FROM crm_bi.plan_customer WHERE plan_id = :plan AND channel = 'individual' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1 \gset
SELECT crm.adjust_plan(:plan, 'pin', :pinned, staff_id => 1), crm.adjust_plan(:plan, 'pin', :pinned, staff_id => :favourite) AS pin, crm.adjust_plan(:plan, 'bar', :barred, staff_id => :barred_from),
       crm.adjust_plan(:plan, 'bar', :unit_barred, org_id => :unit_barred_from), crm.adjust_plan(:plan, 'bar', :nobody), crm.adjust_plan(:plan, 'volume', channel_id => 1, org_id => :unit, volume => 3) \gset
SELECT pg_temp.refused(format('SELECT crm.adjust_plan(%s, %s)', :plan, args), code, words, name)
FROM (VALUES ('''pin'', 1', '23514', '"pin" is not given', 'a pin needs a holder'), ('''volume'', channel_id => 1, org_id => 2', '23514', '"volume" is not given', 'a volume a number'), ('''bar''', '23514', '"bar" is not given', 'a bar a customer'),
             ('''wish'', 1', '22023', 'wish', 'there are three kinds'), ('''pin'', 1, staff_id => 99999', '23503', 'no member of staff', 'holders that there are'),
             ('''volume'', channel_id => 1, org_id => 2, volume => -1', '23514', 'volume', 'no less than nobody'), ('''pin'', 1, channel_id => 4, staff_id => 1', '22023', 'not of that channel', 'in their own channel')) v (args, code, words, name);
SELECT pg_temp.refused(format('SELECT crm.submit_plan(%s, 2)', :plan), '55000', 'not computed since', 'a change asks for a new computation');
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 3, 'computed with it');
SELECT is_empty(format($$SELECT * FROM pg_temp.faults(%s) f WHERE f !~ '^(not in the segment|too many)'$$, :plan), 'keeps to the rules');
SELECT results_eq(format('SELECT staff_id, why FROM crm.plan_customer WHERE plan_id = %s AND customer_id = %s', :plan, :pinned), format('VALUES (%s::bigint, ''pin'')', :favourite), 'the last pin holds');
SELECT isnt((SELECT staff_id FROM crm.plan_customer WHERE plan_id = :plan AND customer_id = :barred), :barred_from::bigint, 'not who was barred');
SELECT isnt((SELECT org_id FROM crm_bi.plan_customer WHERE plan_id = :plan AND customer_id = :unit_barred), :unit_barred_from::bigint, 'not the unit that was barred');
SELECT is_empty(format('SELECT * FROM crm.plan_customer WHERE plan_id = %s AND customer_id = %s', :plan, :nobody), 'nor anybody');
SELECT is((SELECT count(*) FROM crm_bi.plan_customer WHERE plan_id = :plan AND channel = 'individual' AND org_id = :unit), 3::bigint, 'the unit gets its volume');
SELECT cmp_ok(:unit_has, '>', 3, 'which is less than it had');
SELECT crm.adjust_plan(:plan, 'volume', channel_id => 1, org_id => :unit, volume => 45) AS volume \gset
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 4, 'and again');
SELECT is((SELECT count(*) FROM crm_bi.plan_customer WHERE plan_id = :plan AND channel = 'individual' AND org_id = :unit), 45::bigint, 'more, too');
SELECT lives_ok(format('SELECT crm.drop_adjustment(%s, %s)', :plan, :volume), 'taken out');
SELECT pg_temp.refused(format('SELECT crm.drop_adjustment(%s, %s)', :plan, :volume), '42704', 'no adjustment', 'once');

-- stages
SELECT crm.set_plan_stage(:plan, 1, 'pilot', '2026-01-01', '2026-02-28', org_ids => '{3}'), crm.set_plan_stage(:plan, 2, 'suburbs', '2026-03-01', '2026-04-30', area => 'suburb'),
       crm.set_plan_stage(:plan, 3, 'city', '2099-01-01', '2099-06-30', area => 'city') \g /dev/null
SELECT pg_temp.refused(format($$SELECT crm.set_plan_stage(%s, 4, 'x', '2026-03-01', '2026-02-01')$$, :plan), '23514', '', 'a stage has its days the right way round');
SELECT pg_temp.refused(format($$SELECT crm.set_plan_stage(%s, 4, 'x', '2026-03-01', '2026-04-01', org_ids => '{999}')$$, :plan), '23514', 'outside', 'and units of the cycle');
SELECT pg_temp.refused(format($$SELECT crm.set_plan_stage(%s, 0, 'x', '2026-03-01', '2026-04-01')$$, :plan), '23514', '', 'and a number');
SELECT pg_temp.refused(format($$SELECT crm.drop_plan_stage(%s, 9)$$, :plan), '42704', 'no stage', 'what is not there cannot go');
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 5, 'in stages');
SELECT is_empty(format($$SELECT c.org_id, c.stage FROM crm_bi.plan_customer c JOIN crm.organisation o ON o.id = c.org_id WHERE c.plan_id = %s
    AND c.stage IS DISTINCT FROM CASE WHEN EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = 3 AND t.descendant_id = o.id) THEN 1 WHEN o.area = 'suburb' THEN 2 WHEN o.area = 'city' THEN 3 END$$, :plan), 'each unit in its stage');
SELECT is((SELECT count(DISTINCT stage) FROM crm.plan_line WHERE plan_id = :plan), 3::bigint, 'three of them');
SELECT crm.make_plan(:cycle, 'channels', like_plan => :plan, level => 'channel') AS channels \gset
SELECT pg_temp.refused(format($$SELECT crm.compute_plan(%s, '2025-12-31')$$, :channels), '55000', 'has stages', 'channels have no stages');
SELECT crm.drop_plan_stage(:channels, s) FROM generate_series(1, 3) s \g /dev/null
SELECT is(crm.compute_plan(:channels, '2025-12-31'), 1, 'without them they have a plan');
SELECT crm.make_plan(:cycle, 'optimal', like_plan => :plan, strategy => 'optimal') AS optimal \gset
SELECT is(crm.compute_plan(:optimal, '2025-12-31'), 1, 'and an optimal one');
SELECT is_empty(format($$SELECT * FROM pg_temp.faults(%s) f WHERE f !~ '^(not in the segment|too many)'$$, :optimal), 'keeps to the rules');
SELECT is((SELECT count(*) FROM crm_bi.plan WHERE cycle_id = :cycle AND planned > 0 AND expected_premium > 0 AND state = 'draft'), 4::bigint, 'variants stand side by side with their effect');

-- terms
SELECT pg_temp.refused(format('SELECT crm.submit_plan(%s, 5)', :plan), '55000', 'terms of plan "A" between .* are not accepted', 'no plan without terms');
SELECT pg_temp.refused(format('SELECT crm.set_terms(%s, %s)', :plan, args), code, words, name)
FROM (VALUES ('1, 4, ''premium'', 0.3, 0.6', '23514', 'do not make 1', 'shares make 1'), ('1, 4, ''premium'', 0.333333333333333333333, 0.666666666666666666666', '23514', 'do not make 1', 'exactly'),
             ('1, 4, ''premium'', -0.5, 1.5', '23514', '', 'none is below 0'), ('1, 4, ''premium'', ''NaN'', ''NaN''', '23514', 'do not make 1', 'nor no number'), ('1, 4, ''premium'', NULL, 1', '23502', '', 'nor missing'),
             ('1, 1, ''premium'', 0.5, 0.5', '23514', '', 'nobody shares with themselves'), ('1, 4, ''glory'', 0.5, 0.5', '23514', 'thing', 'four things are shared'), ('1, 99, ''cost'', 0.5, 0.5', '23503', '', 'between channels')) v (args, code, words, name);
CREATE FUNCTION pg_temp.agree(plan bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  was text := current_setting('crm.actor');
  n record;
BEGIN
  FOR n IN SELECT * FROM crm._plan_terms_needed x WHERE x.plan_id = plan LOOP
    PERFORM crm.set_terms(plan, n.provider_channel_id, n.user_channel_id, t, 0.3, 0.7) FROM unnest('{premium,assessment,commission,cost}'::text[]) t;
    PERFORM set_config('crm.actor', (SELECT 'of_' || code FROM crm.channel WHERE id = n.provider_channel_id), true);
    PERFORM crm.accept_terms(plan, n.provider_channel_id, n.user_channel_id, n.provider_channel_id);
    PERFORM set_config('crm.actor', (SELECT 'of_' || code FROM crm.channel WHERE id = n.user_channel_id), true);
    PERFORM crm.accept_terms(plan, n.provider_channel_id, n.user_channel_id, n.user_channel_id);
    PERFORM set_config('crm.actor', was, true);
  END LOOP;
  RETURN (SELECT count(*) FROM crm._plan_terms_needed x WHERE x.plan_id = plan AND x.accepted AND x.complete);
END
$$;
SELECT crm.set_terms(:plan, 1, 4, 'premium', 0.3, 0.7) \g /dev/null
SELECT pg_temp.refused(format('SELECT crm.accept_terms(%s, 1, 4, 1)', :plan), '55000', 'assessment, commission, cost are missing', 'half the terms cannot be accepted');
SELECT pg_temp.refused(format('SELECT crm.accept_terms(%s, 1, 4, 2)', :plan), '22023', 'not a party', 'nor by a third');
SELECT cmp_ok(pg_temp.agree(:plan), '>', 1::bigint, 'both accept');
SELECT crm.set_terms(:plan, 1, 4, 'cost', 0, 1) \g /dev/null
SELECT is((SELECT bool_or(is_agreed) FROM crm_bi.plan_terms WHERE plan_id = :plan AND provider_channel = 'individual' AND user_channel = 'telesales'), false, 'a change takes that back');
SELECT crm.accept_terms(:plan, 1, 4, 1) \g /dev/null
SELECT pg_temp.refused(format('SELECT crm.accept_terms(%s, 1, 4, 4)', :plan), '42501', 'for the other channel', 'one person does not accept for both');
SELECT cmp_ok(pg_temp.agree(:plan), '>', 1::bigint, 'accepted anew');

-- step 4: approval -----------------------------------------------------------------

SELECT pg_temp.refused(format('SELECT crm.submit_plan(%s, 4)', :plan), '55000', 'version 4 of plan "A" is not its latest', 'a stale version is not submitted');
SELECT pg_temp.refused(format('SELECT crm.submit_plan(%s, NULL)', :plan), '23502', 'version', 'nor an unnamed one');
SELECT pg_temp.refused(format('SELECT crm.approve_plan(%s, 5)', :plan), '55000', 'no transition "approve"', 'nor is a draft approved');
SELECT pg_temp.refused(format('CALL crm.carry_out_plan(%s, batch => NULL)', :plan), '55000', 'is draft', 'nor carried out');
SELECT is(crm.submit_plan(:plan, 5), 'submitted', 'submitted');
SELECT pg_temp.refused(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), '55000', 'is submitted', 'which changes no more');
SELECT pg_temp.refused(format('SELECT crm.set_terms(%s, 1, 4, ''cost'', 0.5, 0.5)', :plan), '55000', 'is submitted', 'nor its terms');
SELECT pg_temp.refused(format('SELECT crm.approve_plan(%s, 5)', :plan), '42501', 'their own', 'nobody approves their own');
SELECT is((SELECT responsible FROM crm.workflow_item i JOIN crm.plan p ON p.item_id = i.id WHERE p.id = :plan), 'head', 'who has the duty is responsible');
SELECT results_eq(format('SELECT DISTINCT outcome FROM crm.withdraw_from_inventory(%s, 1, ARRAY(SELECT customer_id FROM crm_bi.plan_customer WHERE plan_id = %s AND provider = ''individual''))', :cycle, :plan), $$VALUES ('planned')$$, 'whom a submitted plan has cannot be withdrawn');
SELECT pg_temp.refused(format('SELECT crm.close_cycle(%s)', :cycle), '55000', 'not finished', 'nor the cycle closed');
SET LOCAL crm.actor = 'head';
SELECT pg_temp.refused(format('SELECT crm.return_plan(%s, '' '')', :plan), '23502', 'reason', 'nobody returns a plan without a reason');
SELECT is(crm.return_plan(:plan, 'the pilot first'), 'draft', 'returned');
SELECT results_eq(format('SELECT reason, decided_by, responsible IS NOT NULL, due_at FROM crm_bi.plan WHERE plan_id = %s', :plan), $$VALUES ('the pilot first' COLLATE "default", 'head', true, NULL::timestamptz)$$, 'the planner reads why, and who has it in hand');
SELECT is((SELECT reason FROM crm.workflow_log l JOIN crm.plan p ON p.item_id = l.item_id WHERE p.id = :plan AND l.transition = 'return'), 'the pilot first', 'with the reason');
SET LOCAL crm.actor = 'planner';
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 6, 'computed once more');
SELECT cmp_ok(pg_temp.agree(:plan), '>', 1::bigint, 'terms agreed');
SELECT is(crm.submit_plan(:plan, 6), 'submitted', 'submitted again');
SET LOCAL crm.actor = 'head';
SELECT pg_temp.refused(format('SELECT crm.approve_plan(%s, 5)', :plan), '55000', 'version 5 of plan "A" is not its latest', 'the approver has seen the version approved');
SELECT is(crm.approve_plan(:plan, 6, 'go'), 'approved', 'approved');
SELECT pg_temp.refused(format('SELECT crm.approve_plan(%s, 6)', :plan), '55000', 'no transition', 'once');
SELECT is((SELECT approved_plan_id FROM crm.cycle WHERE id = :cycle), :plan::bigint, 'the cycle knows it');
SELECT results_eq(format('SELECT state, count(*) FROM crm.proposal WHERE cycle_id = %s GROUP BY 1 ORDER BY 1', :cycle), $$VALUES ('carried_over', 1::bigint), ('granted', 3), ('withdrawn', 1)$$, 'its proposals are granted');
SELECT pg_temp.refused(format('SELECT crm.withdraw_proposal(%s, ''late'')', :agents), '55000', 'no transition', 'and not withdrawn any more');
SET LOCAL crm.actor = 'planner';
SELECT pg_temp.refused(format('SELECT crm.submit_plan(%s, 1)', :optimal), '55000', 'has changed since', 'another variant has lost its proposals');

-- carried out, though something happened meanwhile
CREATE TEMP TABLE fate AS SELECT customer_id, staff_id, stage, row_number() OVER (PARTITION BY stage ORDER BY customer_id) AS n, NULL::text AS cause FROM crm_bi.plan_customer WHERE plan_id = :plan AND why <> 'pin';
UPDATE fate SET cause = (ARRAY['blacklisted', 'do_not_contact', 'consent_withdrawn', 'held', 'served'])[n] WHERE n <= 5 AND stage IN (1, 2);
INSERT INTO crm.blacklist (customer_id, reason, from_date) SELECT customer_id, 'x', '2026-01-01' FROM fate WHERE cause = 'blacklisted';
INSERT INTO crm.do_not_contact (customer_id, from_date, source) SELECT customer_id, '2026-01-01', 'x' FROM fate WHERE cause = 'do_not_contact';
INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) SELECT customer_id, 'marketing', 'withdrawn', '2026-01-01', 'x' FROM fate WHERE cause = 'consent_withdrawn';
SELECT crm.claim(customer_id, (SELECT max(id) FROM crm.staff WHERE left_on IS NULL AND joined_on <= '2025-12-31')) FROM fate WHERE cause = 'held' \g /dev/null
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments, servicer_id)
SELECT customer_id, (SELECT min(id) FROM crm.product), 1, '2025-12-30', 'yearly', 500, 10, (SELECT max(id) FROM crm.staff WHERE channel_id = 1 AND left_on IS NULL) FROM fate WHERE cause = 'served';
SELECT ok(crm.post() > 0, 'who is served meanwhile is posted');
-- one who left, and one whose quota fell below what is planned
SELECT staff_id AS leaver FROM fate WHERE stage IN (1, 2) AND cause IS NULL AND staff_id NOT IN (SELECT staff_id FROM crm.holding WHERE held_to IS NULL AND staff_id IS NOT NULL)
  AND staff_id NOT IN (SELECT id FROM crm.staff WHERE login IS NOT NULL) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1 \gset
UPDATE crm.staff SET left_on = '2026-02-01' WHERE id = :leaver;
UPDATE fate SET cause = 'not_in_post' WHERE staff_id = :leaver AND cause IS NULL;
SELECT staff_id AS poor FROM fate WHERE stage IN (1, 2) AND cause IS NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1 \gset
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (:poor, (SELECT count(*) + 1 FROM crm.holding WHERE staff_id = :poor AND held_to IS NULL));
UPDATE fate f SET cause = 'quota' FROM (SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS n FROM fate WHERE staff_id = :poor AND cause IS NULL AND stage IN (1, 2)) x WHERE x.customer_id = f.customer_id AND x.n > 1;
SELECT pg_temp.refused(format('CALL crm.carry_out_plan(%s, 3, NULL)', :plan), '55000', 'begins on', 'a stage is not carried out before its time');
SELECT pg_temp.refused(format('CALL crm.carry_out_plan(%s, 7, NULL)', :plan), '42704', 'no stage', 'nor one that there is not');
SELECT pg_temp.refused(format('CALL crm.carry_out_plan(%s, batch => 0)', :plan), '22023', 'not above 0', 'nor in no batch');
SELECT pg_temp.refused('CALL crm.carry_out_plan(999, batch => NULL)', '23503', 'no plan', 'nor no plan');
SELECT pg_temp.refused(format('CALL crm.carry_out_plan(%s)', :plan), '2D000', '', 'nor committing inside a transaction');
CALL crm.carry_out_plan(:plan, 1, NULL);
SELECT is_empty(format('SELECT * FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) WHERE c.plan_id = %s AND (c.outcome IS NOT NULL) <> (l.stage = 1)', :plan), 'the first stage alone');
CALL crm.carry_out_plan(:plan, batch => NULL);
SELECT pg_temp.same(format('SELECT customer_id, coalesce(cause, ''allocated'') FROM fate WHERE stage < 3 UNION ALL SELECT customer_id, NULL FROM fate WHERE stage = 3'),
                    format('SELECT customer_id, outcome FROM crm.plan_customer WHERE plan_id = %s AND why <> ''pin''', :plan), 'the others that have begun; each difference has its cause');
SELECT pg_temp.same(format('SELECT customer_id, staff_id, plan_id FROM crm.holding WHERE plan_id IS NOT NULL'), format('SELECT customer_id, staff_id, plan_id FROM crm.plan_customer WHERE outcome = ''allocated'''), 'what is held is what the plan says');
SELECT ok(bool_and(start_cause = 'allocation' AND start_reason = format('plan %s: A', plan_id) AND started_by = 'planner'), 'and tells the plan') FROM crm.holding WHERE plan_id = :plan;
SELECT pg_temp.same('SELECT customer_id, cause FROM crm_bi.plan_difference', 'SELECT customer_id, cause FROM fate WHERE cause IS NOT NULL AND stage < 3', 'the view tells the differences');
CREATE TEMP TABLE held AS SELECT * FROM crm.holding;
CALL crm.carry_out_plan(:plan, batch => NULL);
SELECT pg_temp.same('SELECT customer_id, id, held_from, held_to, plan_id FROM crm.holding', 'SELECT customer_id, id, held_from, held_to, plan_id FROM held', 'again doubles nothing');
SELECT is((SELECT state FROM crm.plan WHERE id = :plan), 'approved', 'with a stage ahead it is not done');
UPDATE crm.plan_customer SET outcome = 'busy', done_at = now() WHERE (plan_id, customer_id) = (:plan, (SELECT min(customer_id) FROM fate WHERE stage = 3));
SELECT pg_temp.refused(format('SELECT crm.finish_plan(%s, NULL)', :plan), '23502', 'reason', 'the rest is not given up without a reason');
SELECT is(crm.finish_plan(:plan, 'the city can wait'), (SELECT count(*) FROM fate WHERE stage = 3) + (SELECT count(*) FROM crm_bi.plan_customer WHERE plan_id = :plan AND why = 'pin' AND stage = 3), 'the rest is given up');
SELECT results_eq(format('SELECT p.state, y.approved_plan_id FROM crm.plan p JOIN crm.cycle y ON y.id = p.cycle_id WHERE p.id = %s', :plan), $$VALUES ('carried_out', NULL::bigint)$$, 'that is the end of it');
SELECT pg_temp.refused(format('CALL crm.carry_out_plan(%s, batch => NULL)', :plan), '55000', 'is carried out', 'for good');
SELECT pg_temp.same(format('SELECT stage, planned, allocated, contacted, recycled FROM crm_bi.plan_stage WHERE plan_id = %s', :plan),
  format($$SELECT l.stage, count(*), count(*) FILTER (WHERE c.outcome = 'allocated'), 0::bigint, 0::bigint FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) WHERE c.plan_id = %s GROUP BY 1$$, :plan), 'stages compared');

-- tracking: contacts, purchases, recycling
SELECT crm.record_contact(customer_id, staff_id, 'sales', 'reached') FROM crm.holding WHERE plan_id = :plan AND customer_id % 3 = 0 \g /dev/null
SELECT set_config('crm.as_of', ((now() AT TIME ZONE 'Asia/Shanghai')::date + 60)::text, true) \g /dev/null
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT h.customer_id, 1, 1, ((h.held_from AT TIME ZONE 'Asia/Shanghai')::date + CASE WHEN h.customer_id % 2 = 0 THEN 30 ELSE 31 END), 'yearly', 500, 10 FROM crm.holding h WHERE h.plan_id = :plan AND h.customer_id % 5 = 0;
SELECT ok(crm.post() > 0, 'purchases are posted');
CREATE FUNCTION pg_temp.naive_stages(plan bigint, until date, ends boolean) RETURNS TABLE (stage integer, allocated bigint, contacted bigint, purchased_30 bigint, purchased bigint, recycled bigint) LANGUAGE sql AS $$
  SELECT l.stage, count(*), count(*) FILTER (WHERE c.customer_id % 3 = 0 AND f.day <= until), count(*) FILTER (WHERE c.customer_id % 10 = 0 AND f.day + 30 <= until AND NOT ends),
         count(*) FILTER (WHERE c.customer_id % 5 = 0 AND f.day + CASE WHEN c.customer_id % 2 = 0 THEN 30 ELSE 31 END <= until AND NOT ends), count(*) FILTER (WHERE ends AND f.day <= until)
  FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line)
  CROSS JOIN LATERAL (SELECT (h.held_from AT TIME ZONE 'Asia/Shanghai')::date AS day FROM crm.holding h WHERE h.customer_id = c.customer_id AND h.id = c.holding_id) f
  WHERE c.plan_id = naive_stages.plan AND c.outcome = 'allocated' GROUP BY 1
$$;
SELECT (min(held_from) AT TIME ZONE 'Asia/Shanghai')::date AS carried FROM crm.holding WHERE plan_id = :plan \gset
CREATE FUNCTION pg_temp.stages(plan bigint) RETURNS TABLE (stage integer, allocated bigint, contacted bigint, purchased_30 bigint, purchased bigint, recycled bigint) LANGUAGE sql AS $$
  SELECT x.stage, x.allocated, x.contacted, x.purchased_30, x.purchased, x.recycled FROM crm_bi.plan_stage x WHERE x.plan_id = stages.plan AND x.stage < 3
$$;
CREATE FUNCTION pg_temp.compared(plan bigint, until date, ends boolean, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE crm.plan_stage s SET to_date = until, from_date = least(s.from_date, until) WHERE s.plan_id = compared.plan AND s.stage < 3;
  RETURN pg_temp.same(format('SELECT * FROM pg_temp.stages(%s)', plan), format('SELECT * FROM pg_temp.naive_stages(%s, %L, %L)', plan, until, ends), name);
END
$$;
SELECT pg_temp.compared(:plan, '2099-01-01', false, 'what came of the stages');
SELECT cmp_ok((SELECT sum(purchased) FROM pg_temp.stages(:plan)), '>', (SELECT sum(purchased_30) FROM pg_temp.stages(:plan)), 'some of it after 30 days');
SELECT pg_temp.compared(:plan, :'carried'::date + 30, false, 'up to their last day');
SELECT pg_temp.compared(:plan, :'carried'::date + 29, false, 'and no further');
SELECT pg_temp.compared(:plan, :'carried'::date - 1, false, 'before they were carried out nothing came of them');
-- a purchase on the day on which a customer passes on to somebody else counts for the later holding, in stages and history
SELECT pg_temp.compared(:plan, '2099-01-01', false, 'as before');
SELECT customer_id AS passed FROM crm.holding WHERE plan_id = :plan AND customer_id % 10 = 0 ORDER BY 1 LIMIT 1 \gset
CREATE TEMP TABLE before_it AS SELECT sum(purchased) AS n FROM pg_temp.stages(:plan);
CREATE TEMP TABLE history_before AS SELECT sum(purchased) AS n, sum(premium) AS premium FROM crm.allocation_history(crm.today());
UPDATE crm.holding SET held_to = held_from + interval '30 days', end_cause = 'transfer', ended_by = 'x' WHERE plan_id = :plan AND customer_id = :passed;
SELECT is((SELECT sum(purchased) FROM pg_temp.stages(:plan)), (SELECT n FROM before_it), 'on the last day a purchase counts');
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
SELECT h.customer_id, s.channel_id, s.org_id, s.id, h.held_to, 'transfer', h.rule FROM crm.holding h, crm.staff s WHERE h.plan_id = :plan AND h.customer_id = :passed AND s.id = (SELECT max(id) FROM crm.staff WHERE left_on IS NULL AND id <> h.staff_id);
SELECT is((SELECT sum(purchased) FROM pg_temp.stages(:plan)), (SELECT n - 1 FROM before_it), 'unless somebody else has the customer by then');
SELECT results_eq('SELECT sum(purchased), sum(premium) FROM crm.allocation_history(crm.today())', 'SELECT * FROM history_before', 'who counts it once');
DELETE FROM crm.holding WHERE customer_id = :passed AND held_to IS NULL;
UPDATE crm.holding SET held_to = NULL, end_cause = NULL, ended_by = NULL WHERE plan_id = :plan AND customer_id = :passed;
SELECT ok(crm.recycle(now() + interval '400 days', early => true) > 50, 'time passes, all are recycled');
SELECT pg_temp.compared(:plan, '2099-01-01', true, 'what is bought after the end is no result of the plan');
SET LOCAL crm.as_of = '2025-12-31';

-- second allocation ------------------------------------------------------------------

SELECT ok(crm.post() >= 0, 'posted');
SELECT crm.open_cycle('autumn', 1, '2026-07-01', '2026-12-31') AS second \gset
SELECT results_eq(format($$SELECT outcome, count(*) FROM crm.release_to_inventory(%s, 6, ARRAY(SELECT customer_id FROM crm.holding WHERE plan_id = %s)) GROUP BY 1$$, :second, :plan),
                  format($$SELECT CASE WHEN c.service = 'served' THEN 'served' ELSE 'released' END, count(*) FROM crm_bi.customer c WHERE c.customer_id IN (SELECT customer_id FROM crm.holding WHERE plan_id = %s) GROUP BY 1$$, :plan), 'who came back is released again');
SELECT is_empty(format($$SELECT * FROM crm.inventory(%s, '2025-12-31') WHERE conflicts ~ 'other_cycle|held'$$, :second), 'the first cycle, still open, has had them');
SELECT crm.propose(:second, 1, 'again', 'true', 1000, 100, 10, 50000, '2026-12-31') AS again \gset
SELECT crm.propose(:second, 4, 'once more', 'true', 1000, 100, 10, 50000, '2026-12-31') AS more \gset
SELECT crm.submit_proposal(:again), crm.submit_proposal(:more) \g /dev/null
SELECT crm.make_plan(:second, 'second', weighing => 'demand', recycle_rule => 'contact every 11 days; cool off 40 days') AS plan2 \gset
SELECT crm.compute_plan(:plan2, '2025-12-31') AS version \gset
SELECT cmp_ok((SELECT count(*) FROM crm.plan_customer WHERE plan_id = :plan2), '>', 50::bigint, 'planned a second time');
SELECT is_empty(format('SELECT c.customer_id FROM crm.plan_customer c JOIN crm.holding h ON h.customer_id = c.customer_id AND h.staff_id = c.staff_id WHERE c.plan_id = %s', :plan2), 'never with an earlier holder');
SELECT is(pg_temp.agree(:plan2), (SELECT count(DISTINCT (p.channel_id, l.channel_id)) FROM crm.plan_line l JOIN crm.provider p ON p.id = l.provider_id WHERE l.plan_id = :plan2 AND p.channel_id <> l.channel_id),
          'terms where they are needed');
SELECT is(crm.submit_plan(:plan2, :version), 'submitted', 'submitted');
SET LOCAL crm.actor = 'head';
SELECT is(crm.approve_plan(:plan2, :version), 'approved', 'approved');
CALL crm.carry_out_plan(:plan2, batch => NULL);
SELECT results_eq(format('SELECT DISTINCT outcome FROM crm.plan_customer WHERE plan_id = %s', :plan2), $$VALUES ('allocated')$$, 'and allocated to the last');
SELECT is((SELECT state FROM crm.plan WHERE id = :plan2), 'carried_out', 'carried out by itself');
SELECT results_eq(format('SELECT DISTINCT rule::text, due_at = held_from + interval ''11 days'' FROM crm.holding WHERE plan_id = %s', :plan2), $$VALUES ('contact every 11 days; cool off 40 days', true)$$, 'each falls due by the rule of the plan');
SELECT results_eq(format('SELECT DISTINCT plan_rule IS NULL, rule::text <> ''contact every 11 days; cool off 40 days'' FROM crm.holding WHERE plan_id = %s', :plan), 'VALUES (true, true)', 'those of another plan do not');
SELECT is_empty($$SELECT h.customer_id FROM crm.holding h JOIN crm.holding e ON e.customer_id = h.customer_id AND e.staff_id = h.staff_id AND e.id < h.id$$, 'nobody got anybody back');
SELECT is((SELECT allocated FROM crm_bi.cycle WHERE cycle_id = :second), (SELECT count(*) FROM crm.holding WHERE plan_id = :plan2), 'the cycle counts them');
SELECT lives_ok(format('SELECT crm.close_cycle(%s)', :second), 'the cycle is closed');
SELECT pg_temp.refused(format('SELECT crm.close_cycle(%s)', :second), '55000', 'is closed', 'once');
SELECT pg_temp.refused(format($$SELECT crm.release_to_inventory(%s, 5, '{1}')$$, :second), '55000', 'is closed', 'nothing is released into it');
SELECT pg_temp.refused(format($$SELECT crm.make_plan(%s, 'late')$$, :second), '55000', 'is closed', 'nor planned');

-- a rejected plan
SET LOCAL crm.actor = 'planner';
SELECT pg_temp.agree(:shares) AS agreed \gset
SELECT is(crm.submit_plan(:shares, 1), 'submitted', 'submitted');
SELECT is(crm.withdraw_plan(:shares, 'a slip'), 'draft', 'taken back');
SELECT is(crm.submit_plan(:shares, 1), 'submitted', 'submitted again');
SET LOCAL crm.actor = 'head';
SELECT pg_temp.refused(format('SELECT crm.reject_plan(%s, NULL)', :shares), '23502', 'reason', 'a rejection has its reason');
SELECT is(crm.reject_plan(:shares, 'too small'), 'rejected', 'rejected');
SELECT pg_temp.refused(format('SELECT crm.submit_plan(%s, 1)', :shares), '55000', 'no transition', 'for good');

-- merged customers: of two in a plan the one allocated stays, whoever is kept
SELECT max(customer_id) FILTER (WHERE outcome = 'allocated') AS given, max(customer_id) FILTER (WHERE outcome = 'quota') AS refused, min(customer_id) FILTER (WHERE outcome = 'allocated') AS given2,
       min(customer_id) FILTER (WHERE outcome = 'not_in_post') AS refused2
FROM crm.plan_customer WHERE plan_id = :plan \gset
CREATE TEMP TABLE planned_before AS SELECT * FROM crm.plan_customer;
SELECT crm.merge(keep => :refused, "drop" => :given, forced => true) AS merge1 \gset
SELECT results_eq(format('SELECT outcome, holding_id IS NOT NULL FROM crm.plan_customer WHERE plan_id = %s AND customer_id = %s', :plan, :refused), $$VALUES ('allocated', true)$$, 'the dropped one was allocated');
SELECT crm.merge(keep => :given2, "drop" => :refused2, forced => true) AS merge2 \gset
SELECT results_eq(format('SELECT outcome, holding_id IS NOT NULL FROM crm.plan_customer WHERE plan_id = %s AND customer_id = %s', :plan, :given2), $$VALUES ('allocated', true)$$, 'the kept one was');
SELECT is((SELECT allocated FROM crm_bi.plan WHERE plan_id = :plan), (SELECT count(*) FROM planned_before WHERE plan_id = :plan AND outcome = 'allocated'), 'the plan has allocated as many as before');
SELECT is_empty('SELECT * FROM crm._check_cycle()', 'and its holdings agree');
SELECT crm.unmerge(:merge2, 'not the same'), crm.unmerge(:merge1, 'not the same') \g /dev/null
SELECT pg_temp.same('SELECT * FROM crm.plan_customer', 'SELECT * FROM planned_before', 'undone, all is as it was');

-- what must hold, and the views ---------------------------------------------------------

SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
CREATE TEMP TABLE shown AS
SELECT c.relname, c.oid, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) AS key FROM pg_class c
WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname IN ('cycle', 'inventory_release', 'inventory', 'inventory_summary', 'proposal', 'proposal_version', 'plan', 'plan_proposal', 'plan_cell', 'plan_line',
  'plan_customer', 'plan_difference', 'plan_stage', 'plan_terms', 'plan_adjustment', 'plan_limit', 'plan_unit_limit', 'plan_attachment', 'problem');
SELECT is((SELECT count(*) FROM shown), 19::bigint, 'the views of the cycle are there');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 WHERE col_description(s.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SELECT is_empty(format('SELECT %L WHERE (SELECT count(*) <> count(DISTINCT %I) FROM crm_bi.%I)', relname, key, relname), 'the first column is a key: ' || relname) FROM shown;
UPDATE crm.holding SET plan_id = :plan WHERE (customer_id, id) = (SELECT customer_id, id FROM crm.holding WHERE plan_id IS NULL ORDER BY 1, 2 LIMIT 1);
UPDATE crm.holding SET plan_id = NULL WHERE (customer_id, id) = (SELECT customer_id, id FROM crm.holding WHERE plan_id = :plan2 ORDER BY 1, 2 LIMIT 1);
UPDATE crm.plan SET state = 'approved' WHERE id = :plan;
UPDATE crm.proposal SET state = 'draft' WHERE id = :agents;
DELETE FROM crm.plan_terms_acceptance WHERE plan_id = :plan;
DELETE FROM crm.plan_line WHERE plan_id = :optimal;
SELECT set_eq('SELECT DISTINCT check_name FROM crm._check_cycle()', $$VALUES ('plan_holding'), ('plan_customer'), ('plan_line'), ('plan_state'), ('proposal_state'), ('cycle_plan'), ('plan_terms')$$, 'what does not hold is found');
SELECT * FROM finish();
ROLLBACK;
