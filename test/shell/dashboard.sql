-- What the pages of the dashboards show beside what the book says, by psql, with the lines of bi/evidence/look.js as input.
-- Prints a line for each test: its name, a tab, and nothing or what differs.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep '\t'
SET client_min_messages = warning;
SET jit = off;

CREATE TEMPORARY TABLE line (n integer GENERATED ALWAYS AS IDENTITY, line text);
\copy line (line) FROM pstdin WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

-- the site was built on the day of the story
SELECT set_config('crm.as_of', max(p.as_of)::text, false) AS today FROM crm_bi.plan p \gset
SELECT date_trunc('month', :'today'::timestamp)::date AS month, (date_trunc('month', :'today'::timestamp) - interval '1 year')::date AS month_before,
       (date_trunc('month', :'today'::timestamp) - interval '1 year')::date AS rates, (date_trunc('month', :'today'::timestamp) - interval '2 years')::date AS rates_before,
       date_trunc('year', :'today'::timestamp)::date AS year, (SELECT o.id FROM crm.organisation o WHERE o.parent_id IS NULL) AS root,
       (SELECT y.approved_plan_id FROM crm_bi.cycle y) AS plan \gset

CREATE TEMPORARY TABLE shown AS
SELECT l.n, c.cells[1] AS page, c.cells[2] AS kind, c.cells[3:] AS cells FROM line l CROSS JOIN LATERAL (SELECT string_to_array(l.line, E'\t') AS cells) c;

-- label(text): its English part
CREATE FUNCTION pg_temp.label(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT btrim(regexp_replace(t, '[^ -~].*$', '')) $$;
-- number(text), unit(text): what is shown, and how exactly
CREATE FUNCTION pg_temp.number(t text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT replace(substring(t FROM '^-?[0-9,]+(?:\.[0-9]+)?'), ',', '')::numeric / CASE WHEN strpos(t, '%') > 0 THEN 100 ELSE 1 END
$$;
CREATE FUNCTION pg_temp.unit(t text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT 10 ^ -length(coalesce(substring(t FROM '^-?[0-9,]+\.([0-9]+)'), '')) / CASE WHEN strpos(t, '%') > 0 THEN 100 ELSE 1 END
$$;

-- cells that show a number: by page, place (the title of a value, else table and row) and column
CREATE TEMPORARY TABLE cell AS
SELECT s.page, 'value' AS place, pg_temp.label(s.cells[1]) AS key, 2 AS col, s.cells[2] AS shown FROM shown s WHERE s.kind = 'value'
UNION ALL
SELECT s.page, 'table ' || s.cells[1], CASE WHEN s.page = 'staff' AND s.cells[1] IN ('2', '3') THEN 'row ' || s.row
                                            WHEN s.page = 'targets' AND s.cells[1] = '3' THEN pg_temp.label(s.cells[2]) || '/' || pg_temp.label(s.cells[3]) ELSE pg_temp.label(s.cells[2]) END,
       (u.ord - 1)::integer, u.cell
FROM (SELECT *, row_number() OVER (PARTITION BY page, cells[1] ORDER BY n) AS row FROM shown WHERE kind = 'row') s CROSS JOIN LATERAL unnest(s.cells) WITH ORDINALITY u (cell, ord) WHERE u.ord > 2;

-- What the book says ---------------------------------------------------------------------------------

CREATE TEMPORARY TABLE expected (page text, place text, key text, col integer, value numeric);

-- customers of units and channels as they stand
CREATE TEMPORARY TABLE customer AS
SELECT c.customer_id, t.ancestor_id AS org_id, o.name AS unit, h.name AS channel, c.coverage, c.activity, c.tier, c.amount
FROM crm_bi.customer c
LEFT JOIN (crm.organisation_tree t JOIN crm.organisation o ON o.id = t.ancestor_id AND o.parent_id = :root) ON t.descendant_id = c.org_id
JOIN crm.channel h ON h.code = c.channel;
-- and figures of the past
CREATE TEMPORARY TABLE figure AS
SELECT k.org_id, k.org_level, k.org_name AS unit, h.name AS channel, k.grain, k.period_start, k.code, k.class, k.numerator AS n, k.denominator AS d
FROM crm_bi.kpi k JOIN crm.channel h ON h.code = k.channel
WHERE k.org_level <= 1 AND (k.grain = 'month' AND k.period_start IN (:'month', :'month_before') OR k.grain = 'trailing_12' AND k.period_start IN (:'rates', :'rates_before'));
CREATE FUNCTION pg_temp.total(code text, class text, start date) RETURNS numeric LANGUAGE sql AS $$
  SELECT sum(f.n) FROM figure f WHERE f.org_level = 0 AND f.grain = 'month' AND f.code = $1 AND f.class IS NOT DISTINCT FROM $2 AND f.period_start = $3
$$;
CREATE FUNCTION pg_temp.rate(code text, start date) RETURNS numeric LANGUAGE sql AS $$
  SELECT sum(f.n) / nullif(sum(f.d), 0) FROM figure f WHERE f.org_level = 0 AND f.grain = 'trailing_12' AND f.code = $1 AND f.period_start = $2
$$;

INSERT INTO expected SELECT 'overview', 'value', v.key, 2, v.value FROM (VALUES
  ('Insured customers', (SELECT count(*)::numeric FROM customer WHERE coverage = 'insured')),
  ('Plan population', pg_temp.total('plan_customers', NULL, :'month')),
  ('Gold and platinum', (SELECT count(*) FROM customer WHERE tier IN ('gold', 'platinum'))),
  ('Dormant', (SELECT count(*) FROM customer WHERE activity = 'dormant')),
  ('New customers', (SELECT sum(f.n) FROM figure f WHERE f.org_level = 0 AND f.grain = 'trailing_12' AND f.code = 'new_customers' AND f.period_start = :'rates')),
  ('Repeat purchase', pg_temp.rate('repeat_purchase', :'rates')), ('Churn', pg_temp.rate('total_churn', :'rates')), ('Win-back', pg_temp.rate('win_back', :'rates'))) v (key, value);

-- the same columns of a unit or a channel
CREATE TEMPORARY TABLE by_part AS
SELECT 'table 1' AS place, c.unit AS key, count(*) FILTER (WHERE c.coverage = 'insured')::numeric AS insured, count(*) FILTER (WHERE c.tier IN ('gold', 'platinum')) AS vip, count(*) FILTER (WHERE c.activity = 'dormant') AS dormant FROM customer c WHERE c.unit IS NOT NULL GROUP BY c.unit
UNION ALL
SELECT 'table 2', c.channel, count(*) FILTER (WHERE c.coverage = 'insured'), count(*) FILTER (WHERE c.tier IN ('gold', 'platinum')), count(*) FILTER (WHERE c.activity = 'dormant') FROM customer c GROUP BY c.channel;
INSERT INTO expected
SELECT 'overview', p.place, p.key, v.col, v.value
FROM by_part p
CROSS JOIN LATERAL (SELECT sum(f.n) FILTER (WHERE f.grain = 'month' AND f.code = 'insured' AND f.period_start = :'month_before') AS before,
                           sum(f.n) FILTER (WHERE f.grain = 'month' AND f.code = 'plan_customers' AND f.period_start = :'month') AS plan,
                           sum(f.n) FILTER (WHERE f.grain = 'trailing_12' AND f.code = 'new_customers' AND f.period_start = :'rates') AS new,
                           sum(f.n) FILTER (WHERE f.grain = 'trailing_12' AND f.code = 'repeat_purchase' AND f.period_start = :'rates') / nullif(sum(f.d) FILTER (WHERE f.grain = 'trailing_12' AND f.code = 'repeat_purchase' AND f.period_start = :'rates'), 0) AS again,
                           sum(f.n) FILTER (WHERE f.grain = 'trailing_12' AND f.code = 'total_churn' AND f.period_start = :'rates') / nullif(sum(f.d) FILTER (WHERE f.grain = 'trailing_12' AND f.code = 'total_churn' AND f.period_start = :'rates'), 0) AS churn
                    FROM figure f WHERE f.org_level = CASE p.place WHEN 'table 1' THEN 1 ELSE 0 END AND p.key = CASE p.place WHEN 'table 1' THEN f.unit ELSE f.channel END) f
CROSS JOIN LATERAL (VALUES (2, p.insured), (3, p.insured / f.before - 1), (4, f.plan), (5, p.vip), (6, p.dormant), (7, f.new), (8, f.again), (9, f.churn)) v (col, value);

INSERT INTO expected SELECT 'structure', 'value', v.key, 2, v.value
FROM (SELECT count(*)::numeric AS n, count(*) FILTER (WHERE coverage = 'insured') AS insured, count(*) FILTER (WHERE coverage = 'prospect') AS prospects, count(*) FILTER (WHERE coverage = 'former') AS former FROM customer) c
CROSS JOIN LATERAL (VALUES ('Customers known', c.n), ('Insured share', c.insured / c.n), ('Prospects', c.prospects), ('Former', c.former)) v (key, value);
INSERT INTO expected SELECT 'structure', 'table 1', initcap(t.tier), v.col, v.value
FROM (SELECT coalesce(c.tier, 'Total') AS tier, count(*)::numeric AS n, sum(c.amount) AS amount FROM customer c WHERE c.coverage = 'insured' GROUP BY ROLLUP (c.tier)) t
CROSS JOIN (SELECT count(*) AS n, sum(c.amount) AS amount FROM customer c WHERE c.coverage = 'insured') s
CROSS JOIN LATERAL (VALUES (2, t.n), (3, t.n / s.n), (4, t.amount), (5, t.amount / s.amount)) v (col, value);

-- holdings
CREATE TEMPORARY TABLE holding AS
SELECT h.*, o.name AS unit, (h.due_at AT TIME ZONE 'UTC')::date - :'today'::date AS days
FROM crm.holding h JOIN crm.organisation_tree t ON t.descendant_id = h.org_id JOIN crm.organisation o ON o.id = t.ancestor_id AND o.parent_id = :root;
CREATE TEMPORARY TABLE held AS
SELECT h.unit, count(*) FILTER (WHERE h.held_to IS NULL)::numeric AS held, count(*) FILTER (WHERE h.held_to IS NULL AND h.last_contact_at IS NULL) AS untouched,
       count(*) FILTER (WHERE h.held_to IS NULL AND h.days < 0) AS overdue, count(*) FILTER (WHERE h.held_to IS NULL AND h.days BETWEEN 0 AND 7) AS soon,
       count(*) FILTER (WHERE h.end_cause = 'recycle') AS recycled, count(*) FILTER (WHERE h.end_cause = 'release') AS returned
FROM holding h GROUP BY ROLLUP (h.unit);
INSERT INTO expected SELECT 'dormancy', 'value', v.key, 2, v.value
FROM (SELECT count(*) FILTER (WHERE activity = 'dormant')::numeric AS dormant, count(*) FILTER (WHERE activity = 'semi_dormant') AS semi, count(*) FILTER (WHERE activity <> 'none') AS bought FROM customer) c
CROSS JOIN held h
CROSS JOIN LATERAL (VALUES ('Dormant', c.dormant), ('Dormant share', c.dormant / c.bought), ('Semi-dormant', c.semi), ('Held', h.held), ('Never contacted', h.untouched),
                           ('Due within 7 days', h.soon), ('Overdue', h.overdue), ('Recycled', h.recycled), ('Given back', h.returned)) v (key, value)
WHERE h.unit IS NULL;
INSERT INTO expected SELECT 'dormancy', 'table 1', c.unit, v.col, coalesce(v.value, 0)
FROM (SELECT unit, count(*) FILTER (WHERE activity = 'dormant')::numeric AS dormant, count(*) FILTER (WHERE activity = 'semi_dormant') AS semi, count(*) FILTER (WHERE activity <> 'none') AS bought FROM customer WHERE unit IS NOT NULL GROUP BY unit) c
LEFT JOIN held h USING (unit)
CROSS JOIN LATERAL (VALUES (2, c.dormant), (3, c.semi), (4, c.dormant / c.bought), (5, h.held), (6, h.untouched), (7, h.soon + h.overdue), (8, h.recycled), (9, h.returned)) v (col, value);

-- the plan, from its customers
CREATE TEMPORARY TABLE planned AS
SELECT q.customer_id, q.stage, q.arm, q.proposal_id, o.name AS unit, h.id IS NOT NULL AS allocated, h.last_contact_at IS NOT NULL AS contacted,
       p.premium IS NOT NULL AS bought, coalesce(p.premium, 0) AS premium, f.customer_id IS NOT NULL AS told
FROM crm_bi.plan_customer q
JOIN crm.organisation_tree t ON t.descendant_id = q.org_id JOIN crm.organisation o ON o.id = t.ancestor_id AND o.parent_id = :root
LEFT JOIN crm.holding h ON h.plan_id = q.plan_id AND h.customer_id = q.customer_id
LEFT JOIN LATERAL (SELECT sum(x.annual_premium) AS premium FROM crm.policy x WHERE h.id IS NOT NULL AND x.customer_id = q.customer_id AND x.issued_on = :'today') p ON true
LEFT JOIN (SELECT DISTINCT customer_id FROM crm.feedback) f ON f.customer_id = q.customer_id AND h.id IS NOT NULL
WHERE q.plan_id = :plan;
INSERT INTO expected SELECT 'cycle', 'value', v.key, 2, v.value
FROM (SELECT count(*) AS planned, count(*) FILTER (WHERE arm = 'hold_out') AS held_out, count(*) FILTER (WHERE allocated) AS allocated, count(*) FILTER (WHERE contacted) AS contacted, count(*) FILTER (WHERE bought) AS bought,
             count(*) FILTER (WHERE NOT allocated AND arm = 'treated') AS to_do, sum(premium) AS premium FROM planned) p
CROSS JOIN LATERAL (VALUES ('Offered', (SELECT sum(i.customers) FROM crm_bi.inventory_summary i)), ('Planned', p.planned), ('Left alone to compare', p.held_out), ('Allocated', p.allocated), ('Still to do', p.to_do),
                           ('Contacted', p.contacted), ('Bought', p.bought), ('Annual premium', p.premium)) v (key, value);
INSERT INTO expected SELECT 'cycle', 'table 1', 'Stage ' || p.stage || ': ' || s.name, v.col, v.value
FROM (SELECT stage, count(*)::numeric AS planned, count(*) FILTER (WHERE allocated)::numeric AS allocated, count(*) FILTER (WHERE contacted) AS contacted, count(*) FILTER (WHERE bought) AS bought FROM planned GROUP BY stage) p
JOIN crm_bi.plan_stage s ON s.plan_id = :plan AND s.stage = p.stage
CROSS JOIN LATERAL (VALUES (4, p.planned), (5, p.allocated), (6, p.contacted / nullif(p.allocated, 0)), (7, p.bought), (8, p.bought / nullif(p.allocated, 0)), (9, s.expected_purchases)) v (col, value);
INSERT INTO expected SELECT 'cycle', 'table 2', q.title, v.col, v.value
FROM crm_bi.plan_proposal q
CROSS JOIN LATERAL (SELECT count(*)::numeric AS n FROM planned p WHERE p.proposal_id = q.proposal_id) p
CROSS JOIN LATERAL (VALUES (3, q.volume), (4, q.matching), (5, p.n), (6, q.volume - p.n)) v (col, value) WHERE q.plan_id = :plan;
INSERT INTO expected SELECT 'cycle', 'table 3', p.name, v.col, v.value
FROM crm_bi.plan p
CROSS JOIN LATERAL (VALUES (4, (SELECT count(*) FROM crm_bi.plan_customer q WHERE q.plan_id = p.plan_id)), (5, p.expected_purchases), (6, p.expected_premium), (7, p.expected_cost), (8, p.expected_premium - p.expected_cost)) v (col, value);
INSERT INTO expected SELECT 'cycle', 'table 4', p.unit, v.col, v.value
FROM (SELECT unit, count(*)::numeric AS planned, count(*) FILTER (WHERE allocated)::numeric AS allocated, count(*) FILTER (WHERE contacted) AS contacted, count(*) FILTER (WHERE told) AS told, count(*) FILTER (WHERE bought) AS bought,
             sum(premium) AS premium FROM planned GROUP BY unit) p
CROSS JOIN LATERAL (VALUES (2, p.planned), (3, p.allocated), (4, p.contacted / nullif(p.allocated, 0)), (5, p.told), (6, p.bought), (7, p.bought / nullif(p.allocated, 0)), (8, p.premium)) v (col, value);

-- channels
INSERT INTO expected SELECT 'channels', 'table 1', c.name, v.col, v.value
FROM crm.channel c
CROSS JOIN LATERAL (SELECT sum(f.n) FILTER (WHERE f.code = 'total_churn') / sum(f.d) FILTER (WHERE f.code = 'total_churn') AS churn, sum(f.n) FILTER (WHERE f.code = 'insured_growth') / sum(f.d) FILTER (WHERE f.code = 'insured_growth') AS growth,
                           sum(f.n) FILTER (WHERE f.code = 'repeat_purchase') / sum(f.d) FILTER (WHERE f.code = 'repeat_purchase') AS again, sum(f.n) FILTER (WHERE f.code = 'win_back') / sum(f.d) FILTER (WHERE f.code = 'win_back') AS win_back
                    FROM figure f WHERE f.org_level = 0 AND f.grain = 'trailing_12' AND f.period_start = :'rates' AND f.channel = c.name) f
CROSS JOIN LATERAL (VALUES (2, 1 - f.churn), (3, f.growth), (4, f.again), (5, f.win_back)) v (col, value);
INSERT INTO expected SELECT 'channels', 'table 2', c.name, v.col, v.value
FROM crm.channel c
JOIN (SELECT h.channel, sum(h.allocated) AS n, sum(h.contacted) AS contacted, sum(h.purchased) AS bought, sum(h.premium) AS premium, sum(h.cost) AS cost, sum(h.days * h.purchased) AS days FROM crm_bi.channel_history h GROUP BY h.channel) h ON h.channel = c.code
CROSS JOIN LATERAL (VALUES (2, h.n), (3, h.contacted / h.n), (4, h.bought), (5, h.bought / h.n), (6, h.days / nullif(h.bought, 0)), (7, h.premium / h.n), (8, h.cost / h.n), (9, (h.premium - h.cost) / h.n)) v (col, value);

-- targets
CREATE TEMPORARY TABLE target AS
SELECT t.*, k.name AS figure, coalesce(c.name, 'All') AS channel_name, k.has_denominator FROM crm_bi.target t JOIN crm_bi.kpi_code k USING (code) LEFT JOIN crm.channel c ON c.code = t.channel WHERE t.period_start = :'year';
INSERT INTO expected SELECT 'targets', 'value', v.key, 2, v.value
FROM (SELECT count(*) AS n, count(*) FILTER (WHERE status = 'at_risk') AS risk, count(*) FILTER (WHERE status = 'off_track') AS off FROM target) t
CROSS JOIN LATERAL (VALUES ('Targets of the year', t.n), ('On track', t.n - t.risk - t.off), ('At risk', t.risk), ('Off track', t.off)) v (key, value);
INSERT INTO expected SELECT 'targets', 'table 1', t.figure, v.col, v.value FROM target t
CROSS JOIN LATERAL (VALUES (2, t.last_actual), (3, t.target), (4, t.actual), (5, t.actual / t.target), (6, t.forecast), (7, t.forecast_lower), (8, t.forecast_upper)) v (col, value)
WHERE t.org_level = 0 AND t.channel IS NULL AND NOT t.has_denominator;
INSERT INTO expected SELECT 'targets', 'table 2', t.figure, v.col, v.value FROM target t
CROSS JOIN LATERAL (VALUES (2, t.last_actual), (3, t.target), (4, t.actual), (5, t.forecast), (6, t.forecast_lower), (7, t.forecast_upper)) v (col, value)
WHERE t.org_level = 0 AND t.channel IS NULL AND t.has_denominator;
INSERT INTO expected SELECT 'targets', 'table 3', t.channel_name || '/' || t.figure, v.col, v.value FROM target t
CROSS JOIN LATERAL (VALUES (3, t.target), (4, t.actual), (5, t.actual / t.target), (6, t.forecast)) v (col, value) WHERE t.org_level = 0 AND t.channel IS NOT NULL;
INSERT INTO expected SELECT 'targets', 'table 4', t.org_name, v.col, v.value FROM target t
CROSS JOIN LATERAL (VALUES (2, t.target), (3, t.actual), (4, t.actual / t.target), (5, greatest(t.needed, 0)), (6, greatest(t.needed_per_month, 0)), (7, t.forecast)) v (col, value) WHERE t.org_level = 1 AND t.code = 'new_customers';

-- staff
CREATE TEMPORARY TABLE seller AS
SELECT l.staff_id, coalesce(o.name, (SELECT r.name FROM crm.organisation r WHERE r.id = :root)) AS unit, l.held, l.load, l.quota, count(h.*) FILTER (WHERE h.held_to IS NULL AND h.last_contact_at IS NULL) AS untouched,
       count(h.*) FILTER (WHERE h.held_to IS NULL AND h.days <= 7) AS soon, count(h.*) FILTER (WHERE h.end_cause = 'recycle') AS recycled,
       (SELECT count(*) FROM crm.contact k WHERE k.staff_id = l.staff_id AND (k.at AT TIME ZONE 'UTC')::date > :'today'::date - 30) AS contacts,
       (SELECT count(*) FROM crm_bi.feedback f WHERE f.staff_id = l.staff_id AND f.is_latest) AS told,
       (SELECT count(*) FROM crm_bi.feedback f WHERE f.staff_id = l.staff_id AND f.is_latest AND f.result IN ('bought', 'applied', 'interested')) AS positive
FROM crm_bi.staff_load l LEFT JOIN (crm.organisation_tree t JOIN crm.organisation o ON o.id = t.ancestor_id AND o.parent_id = :root) ON t.descendant_id = l.org_id
LEFT JOIN holding h ON h.staff_id = l.staff_id GROUP BY l.staff_id, o.name, l.held, l.load, l.quota;
INSERT INTO expected SELECT 'staff', 'value', v.key, 2, v.value
FROM (SELECT count(*) AS n, count(*) FILTER (WHERE held > 0) AS holding, sum(held) AS held, sum(load) / sum(quota) AS use, sum(untouched) AS untouched, sum(soon) AS soon, sum(contacts) AS contacts, sum(positive) / nullif(sum(told), 0) AS positive FROM seller) s
CROSS JOIN LATERAL (VALUES ('Staff', s.n), ('Who hold somebody', s.holding), ('Held', s.held), ('Quota used', s.use), ('Never contacted', s.untouched), ('Due within 7 days', s.soon), ('Contacts, 30 days', s.contacts), ('Feedback positive', s.positive)) v (key, value);
INSERT INTO expected SELECT 'staff', 'table 1', s.unit, v.col, v.value
FROM (SELECT unit, count(*) AS n, sum(held) AS held, sum(load) / sum(quota) AS use, sum(untouched) AS untouched, sum(contacts) AS contacts, sum(told) AS told, sum(positive) / nullif(sum(told), 0) AS positive, sum(recycled) AS recycled
      FROM seller WHERE held > 0 OR contacts > 0 OR recycled > 0 GROUP BY unit) s
CROSS JOIN LATERAL (VALUES (2, s.n), (3, s.held), (4, s.use), (5, s.untouched), (6, s.contacts), (7, s.told), (8, s.positive), (9, s.recycled)) v (col, value);
INSERT INTO expected SELECT 'staff', 'table 2', 'row ' || s.n, v.col, v.value
FROM (SELECT *, row_number() OVER (ORDER BY held DESC, staff_id) AS n FROM seller WHERE held > 0 OR contacts > 0 OR recycled > 0) s
CROSS JOIN LATERAL (VALUES (4, s.held), (5, s.load::numeric / s.quota), (6, s.untouched), (7, s.soon), (8, s.contacts), (9, s.told), (10, s.positive), (11, s.recycled)) v (col, value) WHERE s.n <= 15;

-- scores, from contacts, holdings and what was entered
SELECT (date_trunc('month', :'today'::timestamp) - interval '1 month')::date AS last_month, (date_trunc('month', :'today'::timestamp) - interval '2 months')::date AS month_before \gset
CREATE TEMPORARY TABLE points AS
SELECT s.id AS staff_id, o.level, m.month, round(40 * least(1.2, k.n / 5.0), 4) AS contacts, round(20 * least(1, h.n / 6.0), 4) AS held, round(40 * greatest(0, least(1, (v.value - 60) / 30)), 4) AS satisfaction
FROM crm.staff s JOIN crm.organisation o ON o.id = s.org_id
CROSS JOIN (VALUES (:'month_before'::date), (:'last_month')) m (month)
CROSS JOIN LATERAL (SELECT count(*) AS n FROM crm.contact k WHERE k.staff_id = s.id AND date_trunc('month', k.at AT TIME ZONE 'Asia/Shanghai')::date = m.month) k
CROSS JOIN LATERAL (SELECT count(*) AS n FROM holding h WHERE h.staff_id = s.id AND (h.held_from AT TIME ZONE 'Asia/Shanghai')::date < m.month + interval '1 month' AND coalesce((h.held_to AT TIME ZONE 'Asia/Shanghai')::date >= m.month + interval '1 month', true)) h
JOIN crm.scorecard_value v ON v.staff_id = s.id AND v.period_start = m.month;
INSERT INTO expected SELECT 'staff', 'table 3', 'row ' || s.n, v.col, v.value
FROM (SELECT x.*, row_number() OVER (ORDER BY x.rank, x.staff_id) AS n
      FROM (SELECT p.*, rank() OVER (PARTITION BY p.level ORDER BY round(p.contacts + p.held + p.satisfaction, 2) DESC) AS rank,
                   (SELECT b.contacts + b.held + b.satisfaction FROM points b WHERE b.staff_id = p.staff_id AND b.month = :'month_before') AS before
            FROM points p WHERE p.month = :'last_month') x) s
CROSS JOIN LATERAL (VALUES (3, s.rank::numeric), (4, s.contacts + s.held + s.satisfaction), (5, s.before), (7, s.contacts), (8, s.held), (9, s.satisfaction)) v (col, value) WHERE s.n <= 15;

-- what was published: what is now without the policies reported late; figures of events are not compared
CREATE TEMPORARY TABLE published AS
SELECT f.org_id, f.org_level, f.org_name AS unit, f.code, c.name AS figure, c.has_denominator, f.numerator, f.denominator
FROM crm_bi.kpi_version f JOIN crm_bi.kpi_code c USING (code) WHERE f.month = :'last_month' AND f.grain = 'month' AND f.org_level <= 1;
CREATE TEMPORARY TABLE now_is AS
SELECT k.org_id, k.org_level, k.org_name AS unit, k.code, c.name AS figure, c.has_denominator, k.numerator, k.denominator
FROM crm_bi.kpi k JOIN crm_bi.kpi_code c USING (code) WHERE k.period_start = :'last_month' AND k.grain = 'month' AND k.org_level <= 1;
CREATE TEMPORARY TABLE differing AS
SELECT coalesce(a.org_level, b.org_level) AS org_level, coalesce(a.org_name, b.org_name) AS unit, (a.numerator, a.denominator) IS DISTINCT FROM (b.numerator, b.denominator) AS differs
FROM (SELECT f.* FROM crm_bi.kpi_version f JOIN crm_bi.kpi_code c USING (code) WHERE f.month = :'last_month' AND f.grain = 'month' AND f.org_level <= 1 AND c.shown_in = 'kpi') a
FULL JOIN (SELECT * FROM crm_bi.kpi k WHERE k.period_start = :'last_month' AND k.grain = 'month' AND k.org_level <= 1) b
  ON (a.org_id, a.code, coalesce(a.class, ''), a.channel, a.kind) = (b.org_id, b.code, coalesce(b.class, ''), b.channel, b.kind);
INSERT INTO expected SELECT 'published', 'value', v.key, 2, v.value
FROM (SELECT count(*) FILTER (WHERE differs)::numeric AS differing, count(*) AS n FROM differing) d
CROSS JOIN LATERAL (VALUES ('Months published', 2), ('Figures of the last', (SELECT count(*) FROM crm_bi.kpi_version f WHERE f.month = :'last_month')), ('Of branch and sub-bureaus differ now', d.differing), ('Share of those', d.differing / d.n)) v (key, value);
INSERT INTO expected SELECT 'published', CASE WHEN a.has_denominator THEN 'table 2' ELSE 'table 1' END, a.figure, v.col, v.value
FROM (SELECT code, figure, has_denominator, CASE WHEN has_denominator THEN sum(numerator) / sum(denominator) ELSE sum(numerator) END AS value FROM published WHERE org_level = 0 GROUP BY 1, 2, 3) a
JOIN (SELECT code, CASE WHEN has_denominator THEN sum(numerator) / sum(denominator) ELSE sum(numerator) END AS value FROM now_is WHERE org_level = 0 GROUP BY code, has_denominator) b USING (code)
CROSS JOIN LATERAL (VALUES (2, a.value), (3, b.value), (4, (b.value - a.value) * CASE WHEN a.has_denominator THEN 100 ELSE 1 END)) v (col, value)
WHERE a.code IN ('insured', 'insured_long_term', 'plan_customers', 'new_customers', 'gained', 'won_back', 'policies_in_force', 'annual_premium', 'repeat_purchase', 'repeat_purchase_any', 'total_churn', 'win_back');
INSERT INTO expected SELECT 'published', 'table 3', a.unit, v.col, v.value
FROM (SELECT unit, sum(numerator) AS value FROM published WHERE org_level = 1 AND code = 'insured' GROUP BY unit) a
JOIN (SELECT unit, sum(numerator) AS value FROM now_is WHERE org_level = 1 AND code = 'insured' GROUP BY unit) b USING (unit)
JOIN (SELECT unit, count(*) FILTER (WHERE differs) AS n FROM differing WHERE org_level = 1 GROUP BY unit) d USING (unit)
CROSS JOIN LATERAL (VALUES (2, a.value), (3, b.value), (4, b.value - a.value), (5, d.n)) v (col, value);

-- persistency, policy by policy; it is given where all of its month, unit, channel and kind are final
CREATE TEMPORARY TABLE persist AS
SELECT h.name AS channel, right(p.code, 2)::integer AS month, count(*)::numeric AS policies, count(*) FILTER (WHERE p.persists) AS persisting, sum(p.premium) AS premium, sum(p.premium_received) AS received
FROM (SELECT p.*, bool_and(p.is_final) OVER (PARTITION BY p.code, p.period_start, p.org_id, p.channel, p.kind) AS all_final FROM crm_bi.persistency_policy p WHERE p.left_out IS NULL) p
JOIN crm.channel h ON h.code = p.channel WHERE p.all_final AND p.period_start >= :'month'::date - interval '36 months' GROUP BY ROLLUP (h.name), p.code;
INSERT INTO expected SELECT 'published', 'value', v.key, 2, v.value
FROM persist p CROSS JOIN LATERAL (VALUES ('Persistency, month ' || p.month, p.persisting / p.policies), ('By premium, month ' || p.month, p.received / p.premium)) v (key, value) WHERE p.channel IS NULL;
INSERT INTO expected SELECT 'published', 'table 4', c.name, v.col, v.value
FROM (SELECT DISTINCT channel AS name FROM persist WHERE channel IS NOT NULL) c
LEFT JOIN persist a ON a.channel = c.name AND a.month = 13 LEFT JOIN persist b ON b.channel = c.name AND b.month = 25
CROSS JOIN LATERAL (VALUES (2, a.policies), (3, a.persisting / a.policies), (4, a.received / a.premium), (5, b.policies), (6, b.persisting / b.policies), (7, b.received / b.premium)) v (col, value);

-- charts of each page, and how many marks they have at least
CREATE TEMPORARY TABLE chart (page text, title text, marks integer);
INSERT INTO chart VALUES
  ('overview', 'Customers at month end', 2), ('overview', 'Who came and went', 40), ('overview', 'Rates of twelve months', 3), ('overview', 'Insured customers by channel', 4),
  ('structure', 'Coverage', 3), ('structure', 'Activity', 4), ('structure', 'Tier', 5), ('structure', 'Activity of who has bought', 3), ('structure', 'Upper tiers', 3),
  ('structure', 'Who brings the amount', 8), ('structure', 'Upgrades and downgrades', 20), ('structure', 'Upper tiers by sub-bureau', 6),
  ('dormancy', 'Dormant and semi-dormant', 2), ('dormancy', 'Recycled by cause', 12), ('dormancy', 'Held, by when they fall due', 3), ('dormancy', 'Given back, by reason', 4),
  ('cycle', 'From offer to purchase', 5), ('cycle', 'Stages of the plan', 4), ('cycle', 'Holdings begun, by cause', 12), ('cycle', 'Allocated by sub-bureau', 1),
  ('channels', 'Retention', 4), ('channels', 'Repeat purchase', 4), ('channels', 'Conversion within 90 days', 3), ('channels', 'Selling cost of a purchase', 3),
  ('channels', 'Retention over twelve months', 4), ('channels', 'New customers of twelve months', 4), ('channels', 'Conversion by coverage', 6),
  ('targets', 'Balances at year end', 4), ('targets', 'Over the year', 4), ('targets', 'New customers: forecast beside target', 1), ('targets', 'Plan population: five-year plan', 6),
  ('staff', 'Staff by what they hold', 4), ('staff', 'Feedback', 5), ('staff', 'Contacts by month', 12), ('staff', 'Held by sub-bureau', 1),
  ('staff', 'The twelve highest scores', 12), ('staff', 'Mean score by sub-bureau', 4),
  ('published', 'Numbers of sub-bureaus that differ', 3), ('published', 'Persistency by quarter', 4);

-- Beside each other ---------------------------------------------------------------------------------

SELECT p.page || ' is there and shows no error', string_agg(array_to_string(s.cells, ' '), '; ') FILTER (WHERE s.kind IN ('error', 'fault') OR s.kind IS NULL)
FROM (SELECT DISTINCT page FROM chart) p LEFT JOIN shown s USING (page) GROUP BY p.page ORDER BY p.page;
SELECT c.page || ' shows its charts', string_agg(format('%s has %s marks', c.title, coalesce(s.marks, 0)), '; ') FILTER (WHERE s.marks IS NULL OR s.marks < c.marks)
FROM chart c
LEFT JOIN LATERAL (SELECT max(s.cells[1]::integer) AS marks FROM shown s WHERE s.page = c.page AND s.kind = 'chart' AND EXISTS (SELECT FROM unnest(s.cells[2:]) l (label) WHERE pg_temp.label(l.label) = c.title)) s ON true
GROUP BY c.page ORDER BY c.page;
SELECT e.page || ' agrees with the book', string_agg(format('%s %s %s: %s, not %s', e.place, e.key, e.col, coalesce(c.shown, 'nothing'), e.value), '; ' ORDER BY e.place, e.key, e.col)
         FILTER (WHERE c.shown IS NULL OR (pg_temp.number(c.shown) IS NULL) <> (e.value IS NULL) OR abs(pg_temp.number(c.shown) - e.value) > 0.501 * pg_temp.unit(c.shown))
FROM expected e LEFT JOIN cell c USING (page, place, key, col) GROUP BY e.page ORDER BY e.page;
SELECT 'every number of values and tables is told by the book', string_agg(format('%s %s %s %s: %s', c.page, c.place, c.key, c.col, c.shown), '; ')
FROM cell c LEFT JOIN expected e USING (page, place, key, col) WHERE e.page IS NULL AND pg_temp.number(c.shown) IS NOT NULL AND c.shown !~ '^\d{4}-\d\d-\d\d$';
SELECT 'many numbers were compared', CASE WHEN count(*) < 200 THEN count(*) || ' only' END FROM expected e JOIN cell c USING (page, place, key, col);
