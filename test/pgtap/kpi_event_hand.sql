-- Figures of events worked out by hand: introductions, allocations, recycling and the market.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, CASE i WHEN 6 THEN 'company' ELSE 'person' END, 'Customer ' || i, CASE WHEN i IN (3, 4) THEN 3 ELSE 2 END, 1, CASE i WHEN 5 THEN date '2023-06-01' ELSE '2020-01-01' END FROM generate_series(1, 6) i;
-- 1, 2 and 6 are insured from 2022 on, 3 from May 2023 and 4 from 31 December 2023; 5 never is; 2 moves south in 2023
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES
  (1, 11, 1, 1, '2022-03-01', 100), (2, 21, 1, 1, '2022-03-01', 100), (6, 61, 1, 1, '2022-03-01', 100), (3, 31, 1, 1, '2023-05-01', 100), (4, 41, 1, 1, '2023-12-31', 100);
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (2, '2023-04-01', 3);
-- 1 introduces 3, twice, and 5 who is known only later; 3 introduces 4 before anybody insures 3; 2 introduces nobody
INSERT INTO crm.prospect (customer_id, id, source, entered_on, introduced_by) VALUES
  (3, 1, 'referral', '2023-02-01', 1), (3, 2, 'activity', '2023-05-02', 1), (5, 1, 'referral', '2023-03-01', 1), (4, 1, 'referral', '2023-12-31', 3);
INSERT INTO crm.addressable_population (org_id, year, n) VALUES (2, 2023, 10), (3, 2023, 30), (1, 2022, 5);
-- 3 is allocated to the channel in March, narrowed, recycled in July and allocated once more; 2 is claimed; 4 has been held since 2022
INSERT INTO crm.holding (customer_id, channel_id, org_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT h.id, 1, h.org, h.a::timestamp AT TIME ZONE 'Asia/Shanghai', h.z::timestamp AT TIME ZONE 'Asia/Shanghai', h.start, h.stop, CASE WHEN h.stop IS NOT NULL THEN 'x' END, crm.setting_value('recycle_rule')::crm.recycle_rule
FROM (VALUES (3, NULL::bigint, '2023-03-01 00:00', '2023-04-01 10:00', 'allocation', 'narrowing'), (3, 3, '2023-04-01 10:00', '2023-07-01 00:00', 'allocation', 'recycle'),
             (3, 3, '2023-10-02 09:00', NULL, 'allocation', NULL), (2, 2, '2023-05-01 09:00', NULL, 'claim', NULL), (4, 3, '2022-05-01 09:00', '2023-12-31 23:59', 'allocation', 'recycle')) h (id, org, a, z, start, stop);
CALL crm.rebuild('2023-12-31', NULL);
SET LOCAL crm.as_of = '2023-12-31';
CREATE TEMP VIEW told AS SELECT k.code, k.class, k.org_id, k.channel, k.kind, k.numerator::text || ' / ' || k.denominator AS figure, k.is_complete FROM crm_bi.kpi_event k WHERE k.grain = 'year' AND k.period_start = '2023-01-01';
SELECT results_eq($$SELECT org_id, kind, figure FROM told WHERE code = 'referral_rate' ORDER BY 1, 2$$,
                  $$VALUES (1::bigint, 'company', '0 / 1'), (1, 'person', '1 / 2'), (2, 'company', '0 / 1'), (2, 'person', '1 / 2')$$, 'of the two persons insured at opening, both in the north then, one introduced somebody');
SELECT results_eq($$SELECT org_id, figure FROM told WHERE code = 'referral_conversion' ORDER BY 1$$,
                  $$VALUES (1::bigint, '2 / 3'), (2, '0 / 1'), (3, '2 / 2')$$, 'of three introduced two have bought, one of them on the very day');
SELECT results_eq($$SELECT org_id, channel, kind, figure FROM told WHERE code = 'market_penetration' ORDER BY 1, 3$$,
                  $$VALUES (1::bigint, NULL::text, 'company', '1 / 0'), (1, NULL, 'person', '4 / 40'), (2, NULL, 'company', '1 / 0'), (2, NULL, 'person', '1 / 10'), (3, NULL, 'person', '3 / 30')$$, 'insured over the population');
SELECT results_eq($$SELECT org_id, class, figure, is_complete FROM told WHERE code = 'development' ORDER BY 1, 2$$,
                  $$VALUES (1::bigint, 'first', '1 / 1', true), (1, 'second', '0 / 1', true), (3, 'first', '1 / 1', true), (3, 'second', '0 / 1', true)$$, 'bought within ninety days of the first allocation, not of the second');
SELECT results_eq($$SELECT org_id, figure FROM told WHERE code = 'recycle' ORDER BY 1$$, $$VALUES (1::bigint, '2 / 4'), (3, '2 / 4')$$, 'four holdings, of which two were recycled: that of 2 begins when 2 is in the south');
SELECT is((SELECT numerator FROM crm_bi.kpi_event WHERE code = 'recycle' AND grain = 'month' AND period_start = '2023-07-01' AND org_id = 1), 1::numeric, 'recycled at midnight belongs to the day that begins');
SELECT is((SELECT value FROM crm_bi.kpi_event WHERE code = 'market_penetration' AND grain = 'month' AND period_start = '2022-06-01' AND org_id = 1 AND kind = 'person'), 0.4, 'in the year before the population was another');
SET LOCAL crm.as_of = '2023-12-30';
SELECT results_eq($$SELECT org_id, class, figure, is_complete FROM told WHERE code = 'development' AND org_id = 1 ORDER BY 2$$, $$VALUES (1::bigint, 'first', '1 / 1', false), (1, 'second', '0 / 1', false)$$, 'while the year is open');
SELECT is((SELECT is_complete FROM crm_bi.kpi_event WHERE code = 'development' AND grain = 'month' AND period_start = '2023-10-01' AND org_id = 1), false, 'or the window: the month is over, its last day is not');
SELECT is((SELECT figure FROM told WHERE code = 'referral_conversion' AND org_id = 1), '1 / 2', 'what comes later does not count yet');
SELECT results_eq($$SELECT customer_id FROM crm.kpi_members('development', 'year', '2023-01-01', 1, part => 'denominator', class => 'second')$$, 'VALUES (3::bigint)', 'who was allocated a second time');
SELECT * FROM finish();
ROLLBACK;
