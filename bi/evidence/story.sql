-- What the pages need beside the book of the demonstration: a year of holdings, this year's plan, a cycle carried out in its first half,
-- two months published and the scores of those months.
-- For a database that docs/demo/run has filled, by psql, as a superuser. The past is written as an import would write it, today goes by the functions.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
SET jit = off;

SELECT crm.today() AS today, date_trunc('year', crm.today()::timestamp)::date AS year,
       (SELECT min(o.id) FROM crm.organisation o WHERE o.parent_id IS NULL) AS root \gset

-- draw(key, what): a whole number from 0 to 999 that is always the same
CREATE FUNCTION pg_temp.draw(key bigint, what text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashtextextended(what, key) & 1048575)::integer % 1000
$$;

-- The past ---------------------------------------------------------------------------------------

-- sellers of each sub-bureau and channel
CREATE TEMPORARY TABLE seller AS
SELECT t.ancestor_id AS unit, s.channel_id, array_agg(s.id ORDER BY s.id) AS staff
FROM crm.staff s
JOIN crm.organisation_tree t ON t.descendant_id = s.org_id
JOIN crm.organisation o ON o.id = t.ancestor_id AND o.parent_id = :root
WHERE s.joined_on < :'today'::date - 420 AND s.left_on IS NULL
GROUP BY t.ancestor_id, s.channel_id;

-- one in four customers was held once, and most of those who bought: from 400 to 40 days ago
CREATE TEMPORARY TABLE past AS
SELECT d.*, l.staff[1 + pg_temp.draw(d.customer_id, 'who') % cardinality(l.staff)] AS staff_id,
       (d.began::timestamp + make_interval(hours => 1 + pg_temp.draw(d.customer_id, 'hour') % 9)) AT TIME ZONE 'UTC' AS held_from
FROM (
  SELECT c.customer_id, c.org_id, coalesce(p.channel_id, CASE WHEN pg_temp.draw(c.customer_id, 'channel') < 550 THEN 1 WHEN pg_temp.draw(c.customer_id, 'channel') < 750 THEN 4
                                                              WHEN pg_temp.draw(c.customer_id, 'channel') < 900 THEN 2 ELSE 3 END) AS channel_id,
         coalesce(p.issued_on - 3 - pg_temp.draw(c.customer_id, 'days') % 60, :'today'::date - 40 - pg_temp.draw(c.customer_id, 'began') * 36 / 100) AS began
  FROM crm_bi.customer c
  LEFT JOIN LATERAL (SELECT p.channel_id, p.issued_on FROM crm.policy p
                     WHERE p.customer_id = c.customer_id AND p.issued_on >= :'today'::date - 330 AND p.issued_on < :'today'::date - 45
                     AND EXISTS (SELECT FROM crm.policy q WHERE q.customer_id = c.customer_id AND q.issued_on < p.issued_on - 70)
                     ORDER BY p.issued_on DESC, p.id DESC LIMIT 1) p ON true
  WHERE pg_temp.draw(c.customer_id, 'held') < CASE WHEN p.channel_id IS NULL THEN 230 ELSE 450 END) d
JOIN crm.organisation_tree t ON t.descendant_id = d.org_id
JOIN seller l ON l.unit = t.ancestor_id AND l.channel_id = d.channel_id;

-- what became of it: never contacted, contacted for a while, or to the end
CREATE TEMPORARY TABLE past_end AS
SELECT e.*, CASE WHEN e.end_cause = 'recycle' THEN crm.recycle_due(e.rule, e.held_from, e.last_contact_at, NULL)
                 ELSE coalesce(e.last_contact_at, e.held_from) + interval '4 days' END AS held_to
FROM (
  SELECT p.*, crm.setting_value('recycle_rule')::crm.recycle_rule AS rule,
         CASE WHEN pg_temp.draw(p.customer_id, 'end') < 780 THEN 'recycle' ELSE 'release' END AS end_cause,
         p.held_from + CASE WHEN pg_temp.draw(p.customer_id, 'contact') < 300 THEN NULL
                            WHEN pg_temp.draw(p.customer_id, 'contact') < 820 THEN make_interval(days => 1 + pg_temp.draw(p.customer_id, 'first') % 6)
                            ELSE make_interval(days => 155 + pg_temp.draw(p.customer_id, 'first') % 20) END AS last_contact_at
  FROM past p) e;
DELETE FROM past_end e WHERE e.held_to > :'today'::date - 20;

INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, return_code, end_reason, rule, last_contact_at)
SELECT e.customer_id, e.channel_id, s.org_id, e.staff_id, e.held_from, e.held_to, CASE WHEN pg_temp.draw(e.customer_id, 'start') < 400 THEN 'claim' ELSE 'allocation' END,
       e.end_cause, 'dashboard', r.code, r.name, e.rule, e.last_contact_at
FROM past_end e
JOIN crm.staff s ON s.id = e.staff_id
LEFT JOIN crm.return_reason r ON e.end_cause = 'release'
  AND r.code = ('{unreachable,unreachable,no_interest,no_interest,moved_away,served_elsewhere,wrong_data,wish}'::text[])[1 + pg_temp.draw(e.customer_id, 'return') % 8];
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, way)
SELECT e.customer_id, e.staff_id, e.channel_id, 'sales', a.at,
       ('{reached,reached,"thinks about it",agreed,declined,"not reached"}'::text[])[1 + pg_temp.draw(e.customer_id * 1000 + a.n, 'outcome') % 6],
       CASE e.channel_id WHEN 4 THEN 'call' WHEN 2 THEN 'visit' ELSE ('{visit,call,wechat}'::text[])[1 + pg_temp.draw(e.customer_id, 'way') % 3] END
FROM past_end e
CROSS JOIN LATERAL generate_series(e.last_contact_at, e.held_from, interval '-25 days') WITH ORDINALITY a (at, n);
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount)
SELECT k.customer_id, CASE k.way WHEN 'visit' THEN 'visit' ELSE 'other_selling' END, k.at::date, CASE k.way WHEN 'visit' THEN 60 WHEN 'call' THEN 12 ELSE 4 END
FROM crm.contact k WHERE k.at < :'today'::date - 20;

-- The plan of the year ---------------------------------------------------------------------------

-- last year's figures of the branch, its sub-bureaus and channels
CREATE TEMPORARY TABLE last_year AS
SELECT k.org_id, k.org_level, c.channel_id, k.code, sum(k.numerator) AS numerator, sum(k.denominator) AS denominator
FROM crm_bi.kpi k
JOIN crm_bi.channel c USING (channel)
WHERE k.org_level <= 1 AND k.grain = 'year' AND k.period_start = (:'year'::date - interval '1 year')::date AND k.class IS NULL
GROUP BY GROUPING SETS ((k.org_id, k.org_level, k.code), (k.org_id, k.org_level, c.channel_id, k.code));

INSERT INTO crm.target (org_id, channel_id, code, grain, period_start, value, note)
SELECT y.org_id, y.channel_id, y.code, 'year', :'year',
       CASE WHEN y.denominator > 0 THEN round(y.numerator / y.denominator * w.growth, 3)
            ELSE ceil(y.numerator * (w.growth + (pg_temp.draw(y.org_id, y.code) - 500) / 10000.0)) END, w.note
FROM last_year y
JOIN (VALUES ('insured', 1.05, 'five-year plan'), ('plan_customers', 1.055, 'five-year plan'), ('new_customers', 1.06, 'five-year plan'), ('gained', 1.06, NULL),
             ('repeat_purchase', 1.08, 'second purchase of dormant customers'), ('total_churn', 0.95, 'keep who is there')) w (code, growth, note) USING (code)
WHERE (y.org_level = 0 AND y.channel_id IS NULL OR y.org_level = 0 AND y.code IN ('new_customers', 'insured') OR y.org_level = 1 AND y.channel_id IS NULL AND y.code IN ('new_customers', 'insured'))
  AND y.numerator > 0;
INSERT INTO crm.target (org_id, code, grain, period_start, value, note)
SELECT t.org_id, t.code, 'year', (t.period_start + make_interval(years => n))::date, ceil(t.value * 1.05 ^ n), 'five-year plan'
FROM crm.target t CROSS JOIN generate_series(1, 4) n
WHERE t.org_id = :root AND t.channel_id IS NULL AND t.code = 'plan_customers' AND t.period_start = :'year';
INSERT INTO crm.target (org_id, code, grain, period_start, value, purpose, label)
SELECT :root, 'repeat_purchase', 'year', :'year', v.value, 'benchmark', v.label FROM (VALUES (0.051, 'system mean'), (0.0815, 'system best')) v (value, label);

-- A cycle ----------------------------------------------------------------------------------------

INSERT INTO crm.setting (name, value) VALUES ('cycle_consent', 'false');
-- two of the office: who plans, and who decides
SELECT min(x.id) AS planner, max(x.id) AS head FROM seller l CROSS JOIN unnest(l.staff) x (id) WHERE l.channel_id = 1 \gset
UPDATE crm.staff SET login = 'li.planner' WHERE id = :planner;
UPDATE crm.staff SET login = 'wang.head' WHERE id = :head;
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (:planner, :root, 'planner'), (:head, :root, 'approver'), (:head, :root, 'resource_manager');

SET crm.actor = 'wang.head';
SELECT crm.open_cycle(to_char(:'today'::date, 'YYYY') || ' ' || 'resources', :root, :'today', (:'today'::date + interval '6 months')::date) AS cycle \gset
SELECT count(*) AS released FROM crm.release_to_inventory(:cycle, (SELECT id FROM crm.provider WHERE code = 'business_centre'), condition => 'service <> ''served'' and reachable') \gset
SET crm.actor = 'li.planner';
SELECT crm.submit_proposal(crm.propose(:cycle, 1, 'Agents visit former and dormant customers', 'true', :released * 30 / 100, :released * 24 / 100, :released * 3 / 100, :released * 150, (:'today'::date + interval '6 months')::date, :released * 12)) AS agents,
       crm.submit_proposal(crm.propose(:cycle, 4, 'Telesales call former customers', 'coverage = ''former''', :released * 15 / 100, :released * 13 / 100, :released / 100, :released * 40, (:'today'::date + interval '6 months')::date, :released * 3)) AS calls,
       crm.submit_proposal(crm.propose(:cycle, 2, 'Bank counters invite insured customers', 'coverage = ''insured''', :released * 10 / 100, :released * 6 / 100, :released / 100, :released * 50, (:'today'::date + interval '6 months')::date, :released * 4)) AS counters \gset
SELECT crm.make_plan(:cycle, 'by net result', weighing => 'net') AS plan \gset
SELECT crm.make_plan(:cycle, 'by demand', weighing => 'demand') AS variant \gset
SELECT crm.set_hold_out(:plan, 0.1, days => 60) \gset
SELECT array_agg(u.id) FILTER (WHERE u.n % 2 = 1) AS first_units, array_agg(u.id) FILTER (WHERE u.n % 2 = 0) AS second_units
FROM (SELECT o.id, row_number() OVER (ORDER BY o.id) AS n FROM crm.organisation o WHERE o.parent_id = :root) u \gset
SELECT crm.set_plan_stage(:plan, 1, 'First half of the branch', :'today', :'today'::date + 59, org_ids => :'first_units'),
       crm.set_plan_stage(:plan, 2, 'Second half', :'today'::date + 60, :'today'::date + 119, org_ids => :'second_units') \gset
SELECT crm.compute_plan(:variant, :'today') AS version \gset
SELECT crm.compute_plan(:plan, :'today') AS version \gset
SELECT crm.submit_plan(:plan, :version) \gset
SET crm.actor = 'wang.head';
SELECT crm.approve_plan(:plan, :version, 'as discussed') \gset
CALL crm.carry_out_plan(:plan, 1);

-- Work of the holders ----------------------------------------------------------------------------

RESET crm.actor;
-- the contract that is bought most
CREATE TEMPORARY TABLE usual AS
SELECT p.product_id, p.term_months, p.payment, p.payments, percentile_disc(0.5) WITHIN GROUP (ORDER BY p.premium) AS premium
FROM crm.policy p WHERE p.term_months > 12 GROUP BY p.product_id, p.term_months, p.payment, p.payments ORDER BY count(*) DESC, p.product_id, p.payment, p.payments LIMIT 1;
CREATE TEMPORARY TABLE work AS
SELECT h.customer_id, h.staff_id, h.channel_id, w.result
FROM crm.holding h
CROSS JOIN LATERAL (SELECT pg_temp.draw(h.customer_id, 'work') AS n OFFSET 0) d
CROSS JOIN LATERAL (SELECT CASE WHEN d.n < 300 THEN NULL WHEN d.n < 300 + CASE h.channel_id WHEN 1 THEN 28 WHEN 4 THEN 20 ELSE 24 END THEN 'bought' WHEN d.n < 560 THEN 'interested' WHEN d.n < 680 THEN 'later'
                                WHEN d.n < 820 THEN 'not_interested' WHEN d.n < 940 THEN 'not_reached' WHEN d.n < 970 THEN 'wrong_details' END AS result) w
WHERE h.plan_id = :plan AND h.held_to IS NULL;
SELECT count(crm.record_contact(w.customer_id, w.staff_id, 'sales', w.result, way => CASE w.channel_id WHEN 4 THEN 'call' ELSE 'visit' END)) AS contacts
FROM work w WHERE w.result IN ('bought', 'interested', 'later', 'not_interested') \gset
SELECT count(crm.give_feedback(w.customer_id, w.staff_id, w.result)) AS told FROM work w WHERE w.result IS NOT NULL \gset
INSERT INTO crm.policy (customer_id, product_id, channel_id, servicer_id, issued_on, term_months, matures_on, payment, premium, payments)
SELECT w.customer_id, r.product_id, w.channel_id, w.staff_id, :'today', r.term_months, (:'today'::date + make_interval(months => r.term_months))::date, r.payment, r.premium, r.payments
FROM work w
CROSS JOIN usual r
WHERE w.result = 'bought';
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount)
SELECT w.customer_id, CASE w.channel_id WHEN 4 THEN 'other_selling' ELSE 'visit' END, :'today', CASE w.channel_id WHEN 4 THEN 12 ELSE 60 END FROM work w WHERE w.result IS NOT NULL;
SELECT count(crm.return_customer(w.customer_id, 'wrong_data')) AS returned FROM work w WHERE w.result = 'wrong_details' \gset
CALL crm.refresh();

-- The last two months: published, goals and scores -------------------------------------------------------

SELECT date_trunc('month', :'today'::timestamp)::date AS month, (date_trunc('month', :'today'::timestamp) - interval '1 month')::date AS last_month,
       (date_trunc('month', :'today'::timestamp) - interval '2 months')::date AS month_before \gset
SET crm.actor = 'li.planner';
SELECT crm.close_month(:'month_before') AS figures \gset
SET crm.actor = 'wang.head';
SELECT crm.publish_month(:'month_before') AS version \gset
SET crm.actor = 'li.planner';
SELECT crm.close_month(:'last_month') AS figures \gset
SET crm.actor = 'wang.head';
SELECT crm.publish_month(:'last_month') AS version \gset
RESET crm.actor;
-- what the bank reported late
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments)
SELECT c.customer_id, r.product_id, 2, m.day, r.term_months, (m.day + make_interval(months => r.term_months))::date, r.payment, r.premium, r.payments
FROM crm_bi.customer c CROSS JOIN usual r CROSS JOIN (SELECT (date_trunc('month', :'today'::timestamp) - interval '9 days')::date AS day) m
WHERE pg_temp.draw(c.customer_id, 'late') < 8 AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.customer_id);
CALL crm.refresh();

-- who held most in those months, agents of the level of units where most work: ranks are among peers
CREATE TEMPORARY TABLE colleague AS
SELECT s.id AS staff_id, o.level FROM seller l CROSS JOIN unnest(l.staff) x (id) JOIN crm.staff s ON s.id = x.id JOIN crm.organisation o ON o.id = s.org_id WHERE l.channel_id = 1 AND s.id NOT IN (:planner, :head);
CREATE TEMPORARY TABLE scored AS
SELECT s.staff_id FROM colleague s
LEFT JOIN crm.holding h ON h.staff_id = s.staff_id AND h.held_from < :'month' AND coalesce(h.held_to >= :'month_before', true)
WHERE s.level = (SELECT mode() WITHIN GROUP (ORDER BY c.level) FROM colleague c) GROUP BY s.staff_id ORDER BY count(h.*) DESC, s.staff_id LIMIT 40;
UPDATE crm.staff SET login = 'seller.' || id WHERE id IN (SELECT staff_id FROM scored);
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (:head, :root, 'manager');
SELECT crm.define_scorecard('seller', '{"name": "Customer manager", "name_zh": "客户经理", "subject": "staff", "grain": "month", "indicators": [
  {"measure": "contacts", "weight": 40, "floor": 0, "target": 5, "cap": 1.2}, {"measure": "held_customers", "weight": 20, "floor": 0, "target": 6}, {"measure": "satisfaction", "weight": 40, "floor": 60, "target": 90}]}') AS version \gset
INSERT INTO crm.scorecard_value (measure, staff_id, grain, period_start, value, source)
SELECT 'satisfaction', s.staff_id, 'month', m.month, 65 + pg_temp.draw(s.staff_id, 'satisfaction ' || m.n) % 28, 'survey' FROM scored s CROSS JOIN (VALUES (1, :'month_before'::date), (2, :'last_month')) m (n, month);
SET crm.actor = 'wang.head';
SELECT count(crm.set_goal('seller', s.staff_id, NULL, m.month)) AS goals FROM scored s CROSS JOIN (VALUES (:'month_before'::date), (:'last_month')) m (month) \gset
DO $$
DECLARE
  g record;
BEGIN
  FOR g IN SELECT x.id, s.login FROM crm.scorecard_goal x JOIN crm.staff s ON s.id = x.staff_id ORDER BY x.id LOOP
    PERFORM set_config('crm.actor', g.login, false);
    PERFORM crm.sign_goal(g.id);
  END LOOP;
END
$$;
SET crm.actor = 'li.planner';
SELECT crm.close_scorecards('seller', :'month_before') AS goals \gset
RESET crm.actor;

-- An analyst who reads the views ---------------------------------------------------------------------
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_dashboard') AS missing \gset
\if :missing
CREATE ROLE crm_dashboard LOGIN;
ALTER ROLE crm_dashboard SET jit = off;
\endif
CALL crm.grant_duty('analyst', 'crm_dashboard');
