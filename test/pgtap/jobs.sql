-- The generator: one seed one book, refusals, and every special thing in it.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- all that a seed decides; a book has as many tables as stand here
CREATE FUNCTION pg_temp.book() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(t.n || t.rows, ',' ORDER BY t.n)) FROM (
    SELECT 1, md5(string_agg(o::text, ',' ORDER BY o.id)) FROM crm.organisation o
    UNION ALL SELECT 2, md5(string_agg(s::text, ',' ORDER BY s.id)) FROM crm.staff s
    UNION ALL SELECT 3, md5(string_agg(r::text, ',' ORDER BY r.id)) FROM crm.product r
    UNION ALL SELECT 4, md5(string_agg(concat_ws('|', c.id, c.kind, c.name, c.resident_id, c.birth_date, c.sex, c.org_id, c.source_channel_id, c.known_from),
                                       ',' ORDER BY c.id)) FROM crm.customer c
    UNION ALL SELECT 5, md5(string_agg(concat_ws('|', m.customer_id, m.from_date, m.org_id), ',' ORDER BY m.customer_id, m.from_date)) FROM crm.customer_organisation m
    UNION ALL SELECT 6, md5(string_agg(p::text, ',' ORDER BY p.customer_id, p.id)) FROM crm.contact_point p
    UNION ALL SELECT 7, md5(string_agg(concat_ws('|', p.customer_id, p.id, p.product_id, p.channel_id, p.servicer_id, p.book, p.sector_line, p.issued_on, p.term_months,
                                                 p.matures_on, p.payment, p.premium, p.payments, p.sum_insured), ',' ORDER BY p.id)) FROM crm.policy p
    UNION ALL SELECT 8, md5(string_agg(i::text, ',' ORDER BY i.customer_id, i.policy_id, i.insured_id)) FROM crm.policy_insured i
    UNION ALL SELECT 9, md5(string_agg(concat_ws('|', e.customer_id, e.policy_id, e.id, e.kind, e.on_date, e.reason), ',' ORDER BY e.policy_id, e.id)) FROM crm.policy_event e
  ) t (n, rows)
$$;

-- refusals ------------------------------------------------------------------

SELECT throws_ok(format('CALL crm.generate(%s)', a), code, NULL, format('generate(%s) is refused', a))
FROM (VALUES
  ('0', '22023'), ('-1', '22023'), ('50000001', '22023'), ('NULL', '22004'),
  ('10, seed => NULL', '22004'), ('10, as_of => NULL', '22004'), ('10, years => NULL', '22004'), ('10, policies_per_customer => NULL', '22004'),
  ('10, as_of => ''infinity''', '22023'), ('10, as_of => ''1949-12-31''', '22023'), ('10, as_of => ''2151-01-01''', '22023'),
  ('10, years => 0', '22023'), ('10, years => 21', '22023'),
  ('10, policies_per_customer => 1.19', '22023'), ('10, policies_per_customer => 20.01', '22023'),
  ('10, policies_per_customer => ''NaN''', '22023'), ('10, policies_per_customer => ''Infinity''', '22023'),
  ('10, units => ''{}''', '22023'), ('10, units => ''{1,2}''', '22023'), ('10, units => ''{1,2,3,4}''', '22023'), ('10, units => ''{1,NULL,3}''', '22023'),
  ('10, units => ''{{1,2,3}}''', '22023'), ('10, units => ''[0:2]={1,2,3}''', '22023'), ('10, units => ''{0,2,3}''', '22023'),
  ('10, units => ''{3,2,4}''', '22023'), ('10, units => ''{1,5,4}''', '22023'), ('10, units => ''{1,1,20001}''', '22023')) v (a, code);

SAVEPOINT empty;
INSERT INTO crm.organisation (code, name) VALUES ('X', 'X');
SELECT throws_ok('CALL crm.generate(10)', '55000', 'the book is not empty', 'refused beside a unit');
ROLLBACK TO empty;
INSERT INTO crm.product (code, name) VALUES ('X', 'X');
SELECT throws_ok('CALL crm.generate(10)', '55000', 'the book is not empty', 'refused beside a product');
ROLLBACK TO empty;

-- small books ---------------------------------------------------------------

SELECT lives_ok('CALL crm.generate(1)', 'a book of one customer');
SELECT is(count(*), 1::bigint, 'has one') FROM crm.customer;
ROLLBACK TO empty;
SELECT lives_ok('CALL crm.generate(300, -9223372036854775808, ''2024-02-29'', 1, 20, ''{1,1,1}'')', 'a book of one outlet on a leap day, with many policies');
SELECT is(count(*), 4::bigint, 'has four units') FROM crm.organisation;
SELECT ok(count(*) BETWEEN 5400 AND 6600, 'and 20 policies a customer: ' || count(*)) FROM crm.policy;
SELECT ok(max(p.issued_on) <= '2024-02-29', 'none from later') FROM crm.policy p;
ROLLBACK TO empty;
SELECT lives_ok('CALL crm.generate(200, 9223372036854775807, ''1950-01-01'', 20)', 'a book of long ago');
ROLLBACK TO empty;
SELECT lives_ok('CALL crm.generate(200, as_of => ''2150-12-31'')', 'a book of the far future');
ROLLBACK TO empty;

-- one seed, one book --------------------------------------------------------

CALL crm.generate(3000, seed => 7);
SELECT pg_temp.book() AS first \gset
SELECT throws_ok('CALL crm.generate(3000, seed => 7)', '55000', 'the book is not empty', 'refused on a generated book');
ROLLBACK TO empty;

SET LOCAL enable_hashjoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL DateStyle = 'German';
SET LOCAL TimeZone = 'Pacific/Kiritimati';
SET LOCAL IntervalStyle = 'sql_standard';
SET LOCAL extra_float_digits = -3;
CALL crm.generate(3000, 7);
SET LOCAL DateStyle = 'ISO';
SELECT is(pg_temp.book(), :'first', 'the same seed makes the same book by other plans, in another time zone');
DELETE FROM crm.policy_event;
DELETE FROM crm.policy_insured;
DELETE FROM crm.policy;
DELETE FROM crm.customer_organisation;
DELETE FROM crm.contact_point;
DELETE FROM crm.customer;
DELETE FROM crm.staff;
DELETE FROM crm.product;
DELETE FROM crm.organisation;
CALL crm.generate(3000, 7);
SELECT is(pg_temp.book(), :'first', 'and once more after the book was emptied');
ROLLBACK TO empty;
CALL crm.generate(3000, 8);
SELECT isnt(pg_temp.book(), :'first', 'another seed makes another book');
ROLLBACK TO empty;
CALL crm.generate(3000, 7, as_of => '2025-12-30');
SELECT isnt(pg_temp.book(), :'first', 'another day makes another book');
ROLLBACK TO empty;

-- what is in it -------------------------------------------------------------

SELECT r.rolname AS owner FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = 'crm.customer'::regclass \gset
SET LOCAL ROLE :"owner";
CALL crm.generate(20000, as_of => '2025-06-30');
SELECT is(current_setting('crm.posting'), 'deferred', 'posting stays deferred for the transaction');
RESET ROLE;

SELECT results_eq('SELECT depth, count(*)::integer FROM crm.organisation_tree t WHERE t.ancestor_id = 1 GROUP BY depth ORDER BY depth',
                  'VALUES (0, 1), (1, 12), (2, 60), (3, 400)', 'a tree of 1, 12, 60 and 400 units');
SELECT is((SELECT count(*) FROM crm.customer), 20000::bigint, 'as many customers as asked for');

CREATE TEMP TABLE cover AS SELECT * FROM crm._cover_source WHERE to_date > from_date;
CREATE INDEX ON cover (customer_id, policy_id);
CREATE TEMP TABLE day AS SELECT y, make_date(y, 6, 30) AS d FROM generate_series(2019, 2025) y;
ANALYZE cover;
CREATE TEMP VIEW plan_population AS
SELECT DISTINCT y.y, y.d, c.customer_id FROM day y JOIN cover c ON c.from_date <= y.d AND c.to_date > y.d
WHERE c.role = 'policyholder' AND c.long_term AND c.own_book;

SELECT ok(n BETWEEN low AND high, format('%s: %s', name, n)) FROM (
  SELECT 'companies' AS name, count(*) FILTER (WHERE c.kind = 'company') AS n, 500 AS low, 700 AS high FROM crm.customer c
  UNION ALL SELECT 'customers at inner units', count(*), 400, 900
    FROM crm.customer c WHERE EXISTS (SELECT FROM crm.organisation o WHERE o.parent_id = c.org_id)
  UNION ALL SELECT 'customers at the root', count(*), 1, 200 FROM crm.customer c JOIN crm.organisation o ON o.id = c.org_id WHERE o.parent_id IS NULL
  UNION ALL SELECT 'prospects', count(*), 1900, 2300 FROM crm.customer c WHERE NOT EXISTS (SELECT FROM cover x WHERE x.customer_id = c.id)
  UNION ALL SELECT 'insured only', count(*), 2000, 2500 FROM crm.customer c
    WHERE EXISTS (SELECT FROM cover x WHERE x.customer_id = c.id) AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = c.id)
  UNION ALL SELECT 'insured by a company', count(*), 800, 2500 FROM crm.policy_insured i JOIN crm.customer c ON c.id = i.customer_id WHERE c.kind = 'company'
  UNION ALL SELECT 'policyholders insured by another', count(*), 300, 1000 FROM crm.policy_insured i
    WHERE i.insured_id <> i.customer_id AND EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = i.insured_id)
  UNION ALL SELECT 'policyholders insured by themselves', count(*), 500, 2500 FROM crm.policy_insured i WHERE i.insured_id = i.customer_id
  UNION ALL SELECT 'moves', count(*), 400, 1200 FROM crm.customer_organisation
  UNION ALL SELECT 'customers who moved twice', count(*), 10, 200 FROM (SELECT FROM crm.customer_organisation m GROUP BY m.customer_id HAVING count(*) = 2) m
  UNION ALL SELECT 'policies', count(*), 31500, 32500 FROM crm.policy
  UNION ALL SELECT 'legacy policies', count(*), 500, 3000 FROM crm.policy p WHERE p.book = 'legacy'
  UNION ALL SELECT 'sector-line policies', count(*), 500, 3000 FROM crm.policy p WHERE p.sector_line
  UNION ALL SELECT 'guaranteed renewable policies', count(*), 500, 3000 FROM crm.policy p JOIN crm.product r ON r.id = p.product_id WHERE r.guaranteed_renewable
  UNION ALL SELECT 'policies of unknown number of payments', count(*), 200, 2000 FROM crm.policy p WHERE p.payments IS NULL
  UNION ALL SELECT 'policies for life', count(*), 2000, 15000 FROM crm.policy p WHERE p.matures_on IS NULL
  UNION ALL SELECT 'matured policies', count(*), 2000, 15000 FROM crm.policy p WHERE p.matures_on <= '2025-06-30'
  UNION ALL SELECT 'policies by ' || w.payment, count(p.id), 100, 30000
    FROM unnest('{single,yearly,half_yearly,quarterly,monthly}'::text[]) w (payment) LEFT JOIN crm.policy p ON p.payment = w.payment GROUP BY w.payment
  UNION ALL SELECT 'policies of channel ' || h.code, count(*), 2000, 20000 FROM crm.channel h LEFT JOIN crm.policy p ON p.channel_id = h.id GROUP BY h.code
  UNION ALL SELECT 'days of several purchases', count(*), 300, 3000 FROM (SELECT FROM crm.policy p GROUP BY p.customer_id, p.issued_on HAVING count(*) > 1) d
  UNION ALL SELECT 'void policies', count(*), 50, 300 FROM crm.policy p WHERE NOT EXISTS (SELECT FROM cover x WHERE x.customer_id = p.customer_id AND x.policy_id = p.id)
  UNION ALL SELECT 'lapses', count(*), 1000, 4000 FROM crm.policy_event e WHERE e.kind = 'lapse'
  UNION ALL SELECT 'policies in force again', count(DISTINCT x.policy_id), 200, 1500 FROM cover x WHERE x.seq > 1
  UNION ALL SELECT 'reinstatements without effect', count(*), 30, 400 FROM crm.policy_event e
    WHERE e.kind = 'reinstatement' AND NOT EXISTS (SELECT FROM cover x WHERE x.policy_id = e.policy_id AND x.customer_id = e.customer_id AND x.from_date = e.on_date)
  UNION ALL SELECT 'ends by ' || w.reason, count(e.id), 50, 5000
    FROM unnest('{surrender,claim,death,cancellation,other}'::text[]) w (reason) LEFT JOIN crm.policy_event e ON e.reason = w.reason GROUP BY w.reason
  UNION ALL SELECT 'staff who left', count(*), 80, 500 FROM crm.staff s WHERE s.left_on <= '2025-06-30'
  UNION ALL SELECT 'orphan policies', count(*), 100, 1500
    FROM crm.policy p JOIN crm.staff s ON s.id = p.servicer_id JOIN crm.channel h ON h.id = p.channel_id
    WHERE h.code = 'individual' AND s.left_on <= '2025-06-30'
  UNION ALL SELECT 'outlets without staff in post', count(*), 0, 0 FROM crm.organisation o
    WHERE NOT EXISTS (SELECT FROM crm.staff s WHERE s.org_id = o.id AND s.left_on IS NULL)
  UNION ALL SELECT 'wrong contact points', count(*), 500, 3000 FROM crm.contact_point p WHERE p.wrong
  UNION ALL SELECT 'customers without contact point', count(*), 1000, 7000 FROM crm.customer c WHERE NOT EXISTS (SELECT FROM crm.contact_point p WHERE p.customer_id = c.id)
  UNION ALL SELECT 'customers of tier ' || w.tier, count(a.amount), 100, 12000
    FROM (VALUES ('lead', -1, 9999999), ('ungraded', 10000000, 30000000), ('iron', 30000001, 50000000), ('gold', 50000001, 100000000),
                 ('platinum', 100000001, 9223372036854775807)) w (tier, low, high)
    LEFT JOIN (SELECT sum(x.amount) AS amount FROM cover x
               WHERE x.role = 'policyholder' AND '2025-06-30' >= x.from_date AND '2025-06-30' < x.to_date GROUP BY x.customer_id) a
      ON a.amount BETWEEN w.low AND w.high GROUP BY w.tier
  UNION ALL SELECT 'amounts exactly on a limit', count(*), 50, 2000
    FROM (SELECT FROM cover x WHERE x.role = 'policyholder' AND '2025-06-30' >= x.from_date AND '2025-06-30' < x.to_date
          GROUP BY x.customer_id HAVING sum(x.amount) IN (10000000, 30000000, 50000000, 100000000)) a
  UNION ALL SELECT 'customers whose last purchase is ' || w.activity, count(p.last_on), 1500, 12000
    FROM (VALUES ('active', 0, 364), ('semi-dormant', 365, 1094), ('dormant', 1095, 99999)) w (activity, low, high)
    LEFT JOIN (SELECT max(p.issued_on) AS last_on FROM crm.policy p GROUP BY p.customer_id) p ON '2025-06-30' - p.last_on BETWEEN w.low AND w.high GROUP BY w.activity
) v ORDER BY name;

SELECT ok(n BETWEEN 3.5 AND 7, format('the plan population of %s grew by %s %%', y, n)) FROM (
  SELECT y.y, round(100 * (count(*) / lag(count(*)::numeric) OVER (ORDER BY y.y) - 1), 2) AS n FROM plan_population y GROUP BY y.y) g
WHERE n IS NOT NULL ORDER BY y;
SELECT ok(n BETWEEN 4.3 AND 6.8, format('%s %% of the plan population of %s bought again', n, y)) FROM (
  SELECT y.y, round(100.0 * count(*) FILTER (WHERE EXISTS (
    SELECT FROM cover x WHERE x.customer_id = y.customer_id AND x.role = 'policyholder' AND x.long_term AND x.seq = 1
      AND x.issued_on > y.d AND x.issued_on <= make_date(y.y + 1, 6, 30))) / count(*), 2) AS n
  FROM plan_population y WHERE y.y < 2025 GROUP BY y.y) r ORDER BY y;

-- resident numbers: the digits weigh 2 ^ place modulo 11, and all of them leave 1
SELECT ok(count(*) > 14000, 'most persons have a resident number') FROM crm.customer c WHERE c.resident_id IS NOT NULL;
SELECT is_empty($$SELECT c.id, c.resident_id FROM crm.customer c
                  WHERE c.resident_id IS NOT NULL AND 1 <> (
                    SELECT sum(CASE d.d WHEN 'X' THEN 10 ELSE d.d::integer END * (2 ^ (18 - d.k))::integer) % 11
                    FROM regexp_split_to_table(c.resident_id::text, '') WITH ORDINALITY d (d, k))$$, 'their check digits are right');
SELECT is_empty($$SELECT c.id FROM crm.customer c WHERE substr(c.resident_id::text, 7, 8) <> to_char(c.birth_date::timestamp, 'YYYYMMDD')
                     OR (substr(c.resident_id::text, 17, 1)::integer % 2 = 1) <> (c.sex = 'male')$$, 'they agree with birth and sex');
SELECT is_empty('SELECT c.resident_id FROM crm.customer c WHERE c.resident_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1', 'nobody shares one');
SELECT is_empty($$SELECT c.id FROM crm.customer c JOIN crm.policy p ON p.customer_id = c.id WHERE c.birth_date + interval '18 years' > p.issued_on$$,
                'policyholders are of age');
SELECT is_empty('SELECT c.id FROM crm.customer c JOIN cover x ON x.customer_id = c.id WHERE c.birth_date > x.from_date', 'nobody is insured before birth');

-- order in time
SELECT is_empty($$SELECT 1 FROM crm.policy p WHERE p.issued_on > '2025-06-30' UNION ALL SELECT 2 FROM crm.policy_event e WHERE e.on_date > '2025-06-30'
                  UNION ALL SELECT 3 FROM crm.customer_organisation m WHERE m.from_date > '2025-06-30'
                  UNION ALL SELECT 4 FROM crm.customer c WHERE c.known_from > '2025-06-30'
                  UNION ALL SELECT 5 FROM crm.staff s WHERE s.joined_on > '2025-06-30' OR s.left_on > '2025-06-30'$$, 'nothing is from later than the day asked for');
SELECT is_empty($$SELECT e.policy_id FROM crm.policy_event e JOIN crm.policy p ON p.customer_id = e.customer_id AND p.id = e.policy_id
                  WHERE e.on_date < p.issued_on OR e.on_date >= p.matures_on$$, 'no event lies outside its policy');
SELECT is_empty($$SELECT e.policy_id FROM crm.policy_event e JOIN crm.policy_event l ON l.customer_id = e.customer_id AND l.policy_id = e.policy_id
                  WHERE e.id < l.id AND e.on_date >= l.on_date$$, 'events follow one another');
SELECT is_empty($$SELECT p.id FROM crm.policy p JOIN crm.policy_event d ON d.customer_id = p.customer_id AND d.reason = 'death'
                  WHERE p.issued_on >= d.on_date$$, 'nobody buys after death');
SELECT is_empty($$SELECT p.id FROM crm.policy p JOIN crm.staff s ON s.id = p.servicer_id WHERE s.left_on <= p.issued_on$$, 'no servicer had left before the issue');
SELECT is_empty($$SELECT c.id FROM crm.customer c JOIN crm.policy p ON p.customer_id = c.id WHERE c.known_from > p.issued_on$$, 'customers are known when they buy');

-- the next keys are free
INSERT INTO crm.organisation (code, name) VALUES ('new', 'new');
INSERT INTO crm.product (code, name) VALUES ('new', 'new');
INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from) SELECT 'person', 'new', 1, h.id, '2025-06-30' FROM crm.channel h WHERE h.code = 'group';
SELECT lives_ok($$INSERT INTO crm.staff (code, name, org_id, channel_id, joined_on) SELECT 'new', 'new', 1, h.id, '2025-06-30' FROM crm.channel h WHERE h.code = 'group'$$,
                'a new member of staff');
SELECT lives_ok($$INSERT INTO crm.contact_point (customer_id, kind, value) SELECT p.customer_id, 'phone', '1' FROM crm.contact_point p$$, 'new contact points');
SELECT lives_ok($$INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date) SELECT e.customer_id, e.policy_id, 'lapse', e.on_date FROM crm.policy_event e$$,
                'new events');

SELECT is_empty('SELECT * FROM crm._check_holding()', 'what must hold of holdings holds');
SELECT * FROM finish();
ROLLBACK;
