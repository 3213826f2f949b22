-- Who suits whom: language, training for tier and product line, and community, in plans and allocations.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CALL crm.generate(customers => 1500, seed => 11, as_of => '2025-12-31', units => ARRAY[2, 3, 4]);
INSERT INTO crm.setting (name, value, valid_from) VALUES ('cycle_consent', 'false', '2020-01-01'), ('holding_quota', '40', '2020-01-01');
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';
SET LOCAL crm.posting = 'commit';
SELECT id AS outlet FROM crm.organisation WHERE NOT has_units ORDER BY id DESC LIMIT 1 \gset

-- what may be written
SELECT pg_temp.refused(format('INSERT INTO crm.staff_skill (staff_id, kind, value) VALUES (1, %L, %L)', kind, value), '23503', words, name)
FROM (VALUES ('language', 'klingon', 'klingon', 'a language that there is'), ('tier', 'diamond', 'diamond', 'a tier that a scale names'),
             ('line', 'umbrella', 'umbrella', 'a line of a product'), ('community', 'nowhere', 'nowhere', 'a community that there is')) v (kind, value, words, name);
SELECT pg_temp.refused($$INSERT INTO crm.staff_skill (staff_id, kind, value) VALUES (1, 'dance', 'waltz')$$, '23514', 'kind', 'of a known kind');
SELECT pg_temp.refused($$INSERT INTO crm.staff_skill (staff_id, kind, value) VALUES (999999, 'language', 'wu')$$, '23503', 'staff', 'of somebody');
SELECT pg_temp.refused($$INSERT INTO crm.profile (customer_id, language) VALUES (1, 'klingon') ON CONFLICT (customer_id) DO UPDATE SET language = 'klingon'$$, '23503', 'klingon', 'nor do customers speak it');
SELECT pg_temp.refused($$INSERT INTO crm.community (code, name, org_id) VALUES ('x', 'X', 999999)$$, '23503', '', 'an outlet is a unit');

-- plans without any of it
SELECT crm.open_cycle('fit', 1, '2026-01-01', '2026-12-31') AS cycle \gset
SELECT count(*) FROM crm.release_to_inventory(:cycle, 5, condition => 'true') \g /dev/null
SELECT crm.propose(:cycle, 1, 'agents', 'true', 250, 100, 12, 60000, '2026-06-30') AS agents \gset
SELECT crm.propose(:cycle, 4, 'calls', 'true', 100, 100, 12, 60000, '2026-06-30') AS calls \gset
SELECT crm.submit_proposal(:agents), crm.submit_proposal(:calls) \g /dev/null
SELECT crm.make_plan(:cycle, 'even', weighing => 'demand', strategy => 'even') AS even \gset
SELECT crm.make_plan(:cycle, 'least', strategy => 'least_loaded', like_plan => :even) AS least \gset
SELECT crm.make_plan(:cycle, 'optimal', strategy => 'optimal', like_plan => :even) AS optimal \gset
SELECT crm.compute_plan(p, '2025-12-31') FROM (VALUES (:even), (:least), (:optimal)) v (p) \g /dev/null
CREATE TEMP TABLE plain AS SELECT plan_id, customer_id, staff_id, why FROM crm.plan_customer;
SELECT is_empty('SELECT * FROM crm_bi.plan_affinity', 'nothing is asked for where nothing is known');

-- some of it: two thirds of the customers speak something, half live in a community, some staff can do something
INSERT INTO crm.community (code, name, org_id) VALUES ('lake', 'Lakeside', :outlet), ('hill', 'Hill', NULL);
INSERT INTO crm.profile AS p (customer_id, language, community_id)
SELECT id, (ARRAY['cantonese', 'hakka', NULL])[id % 3 + 1], CASE id % 4 WHEN 0 THEN (SELECT id FROM crm.community WHERE code = 'lake') WHEN 1 THEN (SELECT id FROM crm.community WHERE code = 'hill') END
FROM crm.customer ON CONFLICT (customer_id) DO UPDATE SET language = excluded.language, community_id = excluded.community_id;
INSERT INTO crm.staff_skill (staff_id, kind, value)
SELECT id, 'language', 'cantonese' FROM crm.staff WHERE id % 4 = 0 UNION ALL SELECT id, 'language', 'hakka' FROM crm.staff WHERE id % 4 = 1
UNION ALL SELECT id, 'tier', 'none' FROM crm.staff WHERE id % 5 = 0 UNION ALL SELECT id, 'community', 'hill' FROM crm.staff WHERE id % 3 = 0;
SELECT crm.compute_plan(p, '2025-12-31') FROM (VALUES (:even), (:least), (:optimal)) v (p) \g /dev/null
CREATE TEMP TABLE trait AS
SELECT p.customer_id, 'language' AS kind, p.language AS value FROM crm.profile p WHERE p.language IS NOT NULL
UNION ALL SELECT p.customer_id, 'community', m.code FROM crm.profile p JOIN crm.community m ON m.id = p.community_id
UNION ALL SELECT b.customer_id, 'tier', b.tier FROM crm_bi.customer b WHERE b.tier = 'none';
CREATE FUNCTION pg_temp.matches(customer bigint, staff bigint) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM trait t JOIN crm.staff_skill k USING (kind, value) WHERE t.customer_id = customer AND k.staff_id = staff
$$;
SELECT pg_temp.same(format('SELECT customer_id, wanted, met FROM crm.plan_customer WHERE plan_id = %s', p),
  format($$SELECT c.customer_id, w.wanted, w.met FROM crm_bi.plan_customer c CROSS JOIN LATERAL (
             SELECT array_agg(t.kind ORDER BY t.kind) AS wanted,
                    array_agg(t.kind ORDER BY t.kind) FILTER (WHERE EXISTS (SELECT FROM crm.staff_skill k WHERE k.staff_id = c.staff_id AND (k.kind, k.value) = (t.kind, t.value))
                                                                OR t.value = 'lake' AND c.org_id = %2$s) AS met
             FROM trait t WHERE t.customer_id = c.customer_id) w WHERE c.plan_id = %1$s$$, p, :outlet), 'what is asked and met stands in the plan: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p);
SELECT pg_temp.same(format('SELECT kind, customers, met FROM crm_bi.plan_affinity WHERE plan_id = %s', :even),
  format('SELECT k, count(*), count(*) FILTER (WHERE k = ANY (met)) FROM crm.plan_customer, unnest(wanted) k WHERE plan_id = %s GROUP BY 1', :even), 'and its numbers');
SELECT is((SELECT count(*) FROM crm_bi.plan_affinity WHERE plan_id = :even), 3::bigint, 'of three kinds');
-- as many to each member of staff as without it
CREATE TEMP TABLE suited AS SELECT c.*, l.org_id, l.channel_id FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line);
SELECT ok((SELECT bool_and(most - least <= 1) FROM (SELECT max(n) AS most, min(n) AS least FROM (
    SELECT s.channel_id, s.org_id, s.id, (SELECT count(*) FROM suited c WHERE c.plan_id = :even AND c.staff_id = s.id AND c.why <> 'servicer') AS n
    FROM crm.staff s WHERE s.joined_on <= '2025-12-31' AND coalesce(s.left_on > '2025-12-31', true)) x GROUP BY x.channel_id, x.org_id) y), 'level within each unit as before');
SELECT ok(s.matches > 1.2 * p.matches, 'more suit each other than before: ' || plan_id)
FROM (SELECT plan_id, sum(pg_temp.matches(customer_id, staff_id)) AS matches FROM suited GROUP BY plan_id) s
JOIN (SELECT plan_id, sum(pg_temp.matches(customer_id, staff_id)) AS matches FROM plain GROUP BY plan_id) p USING (plan_id);
-- no two could be exchanged for more who have somebody that suits, or for more matches
SELECT is_empty(format($$
  WITH c AS (SELECT x.customer_id, x.staff_id, x.org_id, x.channel_id, pg_temp.matches(x.customer_id, x.staff_id) AS m FROM suited x WHERE x.plan_id = %s AND x.why <> 'servicer')
  SELECT a.customer_id, b.customer_id FROM c a JOIN c b ON b.org_id = a.org_id AND b.channel_id = a.channel_id AND b.staff_id > a.staff_id
  CROSS JOIN LATERAL (SELECT pg_temp.matches(a.customer_id, b.staff_id) AS ma, pg_temp.matches(b.customer_id, a.staff_id) AS mb) n
  WHERE ((n.ma > 0)::integer + (n.mb > 0)::integer, n.ma + n.mb) > ((a.m > 0)::integer + (b.m > 0)::integer, a.m + b.m)$$, p), 'no exchange is better: ' || p) FROM (VALUES (:even), (:least)) v (p);
CREATE TEMP TABLE again AS SELECT plan_id, customer_id, staff_id, why, wanted, met FROM crm.plan_customer;
SELECT crm.compute_plan(p, '2025-12-31') FROM (VALUES (:even), (:least), (:optimal)) v (p) \g /dev/null
SELECT pg_temp.same('SELECT plan_id, customer_id, staff_id, why, wanted, met FROM crm.plan_customer', 'SELECT * FROM again', 'the same input gives the same plans');

-- who would suit best cools off: the seat goes to somebody else, and nobody is lost
SELECT customer_id AS cooling, staff_id AS cools FROM suited WHERE plan_id = :even AND why = 'home' AND 'language' = ANY (met) ORDER BY 1 LIMIT 1 \gset
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT :cooling, s.channel_id, s.org_id, s.id, '2025-11-01', '2025-12-01', 'claim', 'release', 'x', 'at most 999 days; cool off 400 days' FROM crm.staff s WHERE s.id = :cools;
SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is(crm.compute_plan(:even, '2025-12-31'), 4, 'computed with one in cool-off');
SELECT isnt((SELECT staff_id FROM crm.plan_customer WHERE plan_id = :even AND customer_id = :cooling), :cools::bigint, 'who does not go back');
SELECT is((SELECT count(*) FROM crm.plan_customer WHERE plan_id = :even), (SELECT count(*) FROM again WHERE plan_id = :even), 'as many are planned');

-- no room at home: then the outlet of the community
INSERT INTO crm.holding_quota (staff_id, quota)
SELECT id, 0 FROM crm.staff WHERE org_id = (SELECT org_id FROM suited WHERE plan_id = :even AND why = 'home' AND org_id <> :outlet GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1);
SELECT is(crm.compute_plan(:even, '2025-12-31'), 5, 'computed without one unit');
CREATE TEMP TABLE near AS SELECT c.*, l.org_id FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) WHERE plan_id = :even;
SELECT ok(count(*) > 0, 'the outlet of a community has some who live in it') FROM near WHERE why = 'community';
SELECT is_empty(format($$SELECT s.customer_id FROM near s JOIN crm_bi.customer b USING (customer_id) JOIN crm.profile p USING (customer_id) JOIN crm.community m ON m.id = p.community_id
  WHERE s.why = 'community' AND (s.org_id <> m.org_id OR b.org_id = s.org_id)$$), 'that is not their home unit');

-- who fits on one seat only has it, though it would suit somebody else
INSERT INTO crm.organisation (parent_id, code, name) SELECT id, 'narrow', 'Narrow' FROM crm.organisation WHERE parent_id IS NULL RETURNING id AS narrow \gset
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT id, 'narrow' || id, 'Narrow', :narrow, 1, '2020-01-01' FROM generate_series(90001, 90002) id;
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (90001, 1), (90002, 1);
INSERT INTO crm.staff_skill (staff_id, kind, value) VALUES (90001, 'language', 'hakka');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT id, 'person', 'Narrow', :narrow, 1, '2024-01-01' FROM generate_series(90001, 90002) id;
INSERT INTO crm.profile (customer_id, language) VALUES (90002, 'hakka') ON CONFLICT (customer_id) DO UPDATE SET language = excluded.language;
SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT crm.open_cycle('narrow', :narrow, '2026-01-01', '2026-12-31') AS narrow_cycle \gset
SELECT count(*) FROM crm.release_to_inventory(:narrow_cycle, 5, '{90001,90002}') \g /dev/null
SELECT crm.submit_proposal(crm.propose(:narrow_cycle, 1, 'two', 'true', 2, 2, 1, 1000, '2026-06-30')) \g /dev/null
SELECT crm.make_plan(:narrow_cycle, 'narrow') AS narrow_plan \gset
SELECT crm.adjust_plan(:narrow_plan, 'bar', 90001, staff_id => 90002) \g /dev/null
SELECT crm.compute_plan(:narrow_plan, '2025-12-31') \g /dev/null
SELECT results_eq(format('SELECT customer_id, staff_id FROM crm.plan_customer WHERE plan_id = %s ORDER BY 1', :narrow_plan), 'VALUES (90001::bigint, 90001::bigint), (90002, 90002)',
                  'nobody is lost to an exchange');

-- allocation by best fit and optimum counts it, too
SELECT pg_temp.same('SELECT customer_id, holder_id, benefit FROM crm._allocation_edges(ARRAY(SELECT id FROM crm.customer WHERE id <= 40), ARRAY(SELECT id FROM crm.staff WHERE id <= 12), ''2025-12-31'')',
  $$SELECT c.id, s.id, (pg_temp.matches(c.id, s.id) + (b.org_id = s.org_id)::integer + 2 * (EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = c.id AND p.servicer_id = s.id))::integer)::double precision
    FROM crm.customer c JOIN crm_bi.customer b ON b.customer_id = c.id CROSS JOIN crm.staff s WHERE c.id <= 40 AND s.id <= 12$$, 'each skill that suits counts one');

-- imported
SELECT ok(n >= 0, 'staging') FROM (SELECT count(*) AS n FROM crm.import_staff_skill) x;
INSERT INTO crm.import_community (code, name, org_code) SELECT 'river', 'Riverside', code FROM crm.organisation WHERE id = :outlet;
INSERT INTO crm.import_staff_skill (staff_code, kind, value, note) SELECT s.code, v.kind, v.value, 'certificate' FROM crm.staff s, (VALUES ('language', 'english'), ('community', 'river'), ('line', (SELECT min(line) FROM crm.product))) v (kind, value) WHERE s.id = 2;
INSERT INTO crm.import_staff_skill (staff_code, kind, value) SELECT s.code, 'language', 'klingon' FROM crm.staff s WHERE s.id = 2;
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) SELECT 'A1', 'person', 'Somebody', o.code, 'individual', '2025-01-01' FROM crm.organisation o WHERE id = :outlet;
INSERT INTO crm.import_profile (customer_key, language, community_code) VALUES ('A1', 'english', 'river');
CALL crm.import('fit') \gset
SELECT results_eq('SELECT kind, value, note FROM crm_bi.staff_skill WHERE staff_id = 2 AND note IS NOT NULL ORDER BY kind', $$SELECT * FROM (VALUES ('community', 'river', 'certificate'), ('language', 'english', 'certificate'), ('line', (SELECT min(line) FROM crm.product), 'certificate')) v$$, 'skills are imported');
SELECT results_eq($$SELECT p.language, p.community, p.language_name_zh FROM crm_bi.profile p JOIN crm.customer_key k USING (customer_id) WHERE k.source_key = 'A1'$$, $$VALUES ('english', 'river', '英语')$$, 'language and community of customers, too');
SELECT results_eq($$SELECT code, customers FROM crm_bi.community WHERE code = 'river'$$, $$VALUES ('river', 1::bigint)$$, 'with its outlet');

SELECT pg_temp.refused($$DELETE FROM crm.profile_code WHERE field = 'language' AND code = 'english'$$, '23503', 'in use', 'a language spoken stays');
SELECT pg_temp.refused($$UPDATE crm.community SET code = 'brook' WHERE code = 'river'$$, '23503', 'in use', 'and the code of a community that staff know');
SELECT pg_temp.refused($$DELETE FROM crm.community WHERE code = 'hill'$$, '23503', 'in use', 'which stays');
SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
