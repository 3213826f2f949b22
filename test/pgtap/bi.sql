-- What the views cost, and that they show what lies beneath.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CALL crm.generate(customers => 3000, seed => 3, as_of => '2024-06-30', years => 3, units => ARRAY[4, 12, 40]);
CALL crm.rebuild('2024-06-30', NULL);
SET LOCAL crm.as_of = '2024-06-30';
ANALYZE;

CREATE TEMPORARY TABLE leaf AS
SELECT k.org_id FROM crm_bi.kpi k JOIN crm_bi.organisation o ON o.org_id = k.org_id
WHERE k.code = 'total_churn' AND k.grain = 'month' AND k.period_start = '2023-05-01' AND NOT o.has_units ORDER BY k.org_id LIMIT 1;

-- a figure of one unit and month, beside all units and months of it
CREATE TEMPORARY TABLE cost AS
SELECT pg_temp.buffers(format($$SELECT * FROM crm_bi.kpi WHERE code = 'total_churn' AND grain = 'month' AND org_id = %s AND period_start = '2023-05-01'$$, l.org_id)) AS one,
       pg_temp.buffers(format($$SELECT * FROM crm_bi.kpi WHERE code = 'total_churn' AND grain = 'month' AND org_id = %s AND period_start BETWEEN '2023-01-01' AND '2023-12-01'$$, l.org_id)) AS year,
       pg_temp.buffers($$SELECT * FROM crm_bi.kpi WHERE code = 'total_churn' AND grain = 'month'$$) AS every,
       (SELECT sum(pg_relation_size(c.oid)) / 8192 FROM pg_class c WHERE c.relname ~ '^kpi_cell_[01]$') AS pages
FROM leaf l;
SELECT cmp_ok(c.one, '<', 150::bigint, 'one cell of one unit and month takes a handful of pages') FROM cost c;
SELECT cmp_ok(c.one * 10, '<', c.every, 'and a small part of what all units and months of the figure take') FROM cost c;
SELECT cmp_ok(c.one * 5, '<', c.pages::bigint, 'and of the pages there are') FROM cost c;
SELECT cmp_ok(c.year, '<', c.one + 11 * 40, 'further months cost a few pages each') FROM cost c;

SELECT results_eq($$SELECT k.class, sum(k.numerator)::bigint FROM crm_bi.kpi_own k WHERE k.code = 'coverage' AND k.grain = 'month' AND k.period_end = '2024-06-30' GROUP BY 1 ORDER BY 1$$,
                  $$SELECT c.coverage, count(*) FROM crm_bi.customer c WHERE c.coverage IS NOT NULL GROUP BY 1 ORDER BY 1$$, 'own units of a balance add up to the customers');
SELECT results_eq($$SELECT c.tier, c.activity, count(*) FROM crm_bi.customer c WHERE c.coverage IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2$$,
                  $$SELECT s.tier, s.activity, count(*) FROM crm_bi.standing s WHERE s.valid_from <= '2024-06-30' AND coalesce(s.valid_to > '2024-06-30', true) AND s.coverage IS NOT NULL
                    GROUP BY 1, 2 ORDER BY 1, 2$$, 'customers stand today as their standing of today says');
SELECT results_eq($$SELECT count(*) FROM crm_bi.policy p WHERE p.in_force$$,
                  $$SELECT count(DISTINCT c.policy_id) FROM crm._cover_source c WHERE c.from_date <= '2024-06-30' AND c.to_date > '2024-06-30'$$, 'policies are in force by their cover');
SELECT is_empty($$SELECT s.customer_id FROM (SELECT s.customer_id, s.valid_to, lead(s.valid_from) OVER (PARTITION BY s.customer_id ORDER BY s.valid_from) AS next FROM crm_bi.standing s) s
                  WHERE s.valid_to IS DISTINCT FROM s.next$$, 'a standing ends where the next begins');
SELECT results_eq('SELECT count(*), count(DISTINCT kpi_key) FROM crm_bi.kpi WHERE org_id = 1', 'SELECT count(*), count(*) FROM crm_bi.kpi WHERE org_id = 1', 'kpi_key is a key');
SELECT cmp_ok(pg_temp.buffers($$SELECT o.level_1_name, k.period_start, sum(k.numerator) FROM crm_bi.kpi_own k JOIN crm_bi.organisation o USING (org_id)
                                WHERE k.grain = 'month' AND k.code = 'tier' AND k.period_start >= '2023-07-01' GROUP BY 1, 2$$), '<',
              pg_temp.buffers($$SELECT k.org_id, k.period_start, sum(k.numerator) FROM crm_bi.kpi_own k
                                WHERE k.grain = 'month' AND k.code = 'tier' AND k.period_start >= '2023-07-01' GROUP BY 1, 2$$) + 500,
              'names of units above cost a few pages, however many rows they are joined to');
SELECT results_eq('SELECT o.org_id, ARRAY[o.level_0_name, o.level_1_name, o.level_2_name, o.level_3_name] FROM crm_bi.organisation o ORDER BY 1',
                  $$WITH RECURSIVE r AS (SELECT o.id, ARRAY[o.name] AS names FROM crm.organisation o WHERE o.parent_id IS NULL
                                         UNION ALL SELECT o.id, r.names || o.name FROM r JOIN crm.organisation o ON o.parent_id = r.id)
                    SELECT r.id, ARRAY[r.names[1], r.names[2], r.names[3], r.names[4]] FROM r ORDER BY 1$$, 'a unit has the names of those above it, and its own');

SELECT results_eq('SELECT i.policy_id, i.insured_id, i.holder_kind, i.in_force FROM crm_bi.policy_insured i ORDER BY 1, 2',
                  $$SELECT i.policy_id, i.insured_id, h.kind, p.in_force FROM crm.policy_insured i JOIN crm.customer h ON h.id = i.customer_id
                    JOIN crm_bi.policy p ON p.policy_id = i.policy_id ORDER BY 1, 2$$, 'insured persons, with the policyholder and whether the policy covers today');

-- dimensions
SELECT results_eq($$SELECT c.class FROM crm_bi.class c WHERE c.dimension = 'tier' ORDER BY c.class_order$$,
                  $$SELECT 'none' UNION ALL SELECT unnest(crm.labels(k.initial::crm.scale)) FROM crm.setting_kind k WHERE k.name = 'tier_scale'$$, 'classes have the order of their scale');
SELECT is_empty($$SELECT 'coverage', s.coverage FROM crm_bi.standing s UNION SELECT 'activity', s.activity FROM crm_bi.standing s UNION SELECT 'tier', s.tier FROM crm_bi.standing s
                  EXCEPT SELECT c.dimension, c.class FROM crm_bi.class c$$, 'every class of a standing is in crm_bi.class');
SELECT is_empty($$SELECT p.product, p.channel, s.staff_id FROM crm_bi.policy p LEFT JOIN crm_bi.product r ON (r.product_id, r.product) = (p.product_id, p.product)
                  LEFT JOIN crm_bi.channel h USING (channel) LEFT JOIN crm_bi.staff s ON s.staff_id = p.servicer_id
                  WHERE r.name IS NULL OR h.name IS NULL OR (p.servicer_id IS NOT NULL AND s.name IS NULL)$$, 'products, channels and servicers of policies have their names');
SELECT results_eq('SELECT s.staff_id FROM crm_bi.staff s WHERE s.in_post ORDER BY 1',
                  $$SELECT s.id FROM crm.staff s WHERE s.joined_on <= '2024-06-30' AND coalesce(s.left_on, 'infinity') > '2024-06-30' ORDER BY 1$$, 'staff are in post on the day asked for');

-- whether the standings follow the scales, however a setting was changed
SELECT is_empty($$SELECT f.item FROM crm_bi.freshness f WHERE NOT f.fresh$$, 'all is fresh after a rebuild');
INSERT INTO crm.setting (name, org_id, value, set_at, set_by) VALUES ('tier_scale', 2, 'small, big 1000', '2020-01-01', 'somebody');
SELECT results_eq($$SELECT f.item FROM crm_bi.freshness f WHERE NOT f.fresh$$, ARRAY['scales changed since'], 'a scale set is told, whenever it claims to have been set');
SELECT results_eq('SELECT DISTINCT c.check_name FROM crm.check() c', ARRAY['scales as set'], 'by crm.check() too');
CALL crm.rebuild('2024-06-30', NULL);
UPDATE crm.setting SET value = 'small, big 2000';
SELECT results_eq($$SELECT f.item FROM crm_bi.freshness f WHERE NOT f.fresh$$, ARRAY['scales changed since'], 'so is a scale changed');
SELECT is((SELECT s.set_by FROM crm.setting s WHERE s.set_at = now()), current_setting('session_authorization'), 'with who did it and when');
UPDATE crm.setting SET value = 'small, big 1000';
SELECT is_empty($$SELECT f.item FROM crm_bi.freshness f WHERE NOT f.fresh$$, 'nothing is told of a scale changed back');
DELETE FROM crm.setting;
SELECT results_eq($$SELECT f.item FROM crm_bi.freshness f WHERE NOT f.fresh$$, ARRAY['scales changed since'], 'a scale that was taken away is told');
CALL crm.rebuild('2024-09-30', NULL);
SELECT results_eq($$SELECT f.item FROM crm_bi.freshness f WHERE NOT f.fresh$$, ARRAY['figures stand on', 'customers stand on'], 'so is a book that stands on a day to come');

-- cells of many units and classes -----------------------------------------------

SET LOCAL crm.posting = commit;
INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from)
SELECT 'person', 'New', o.id, h.id, '2024-06-20' FROM crm.organisation o CROSS JOIN crm.channel h;
SELECT crm.post() \gset
SELECT results_eq(
  format($$SELECT sum(c.n)::bigint FROM crm._accounts('SELECT s.timeline, s.facets FROM crm.standing s WHERE s.slot = %s AND s.customer_id IN (SELECT c.id FROM crm.customer c WHERE c.name = ''New'')',
             'SELECT 1::bigint, o.id FROM crm.organisation o', '2024-06-01', '2024-06-30', '2024-06-30', %s) a,
           LATERAL (SELECT (regexp_matches(a.cells::text, '=(\d+)', 'g'))[1]::bigint AS n) c WHERE a.account = 4 AND NOT a.subtree$$,
         g.slot, classes),
  $$SELECT count(*) FROM crm.customer c WHERE c.name = 'New'$$,
  format('accounts of every unit and channel with %s classes', classes))
FROM crm.generation g, (VALUES (8), (32767)) v (classes) WHERE g.state = 'current';

-- freshness tells when standings do not follow the settings -------------------------

CREATE FUNCTION pg_temp.follow(change text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE change;
  RETURN (SELECT f.fresh FROM crm_bi.freshness f WHERE f.item = 'scales changed since');
END
$$;
SELECT is(pg_temp.follow(change), fresh, name) FROM (VALUES
  ('CREATE TEMP TABLE none ()', true, 'after a rebuild standings follow'),
  ($$INSERT INTO crm.setting (name, value) VALUES ('tier_scale', 'low, high 1000')$$, false, 'not a new scale'),
  ($$CALL crm.rebuild('2024-06-30', NULL)$$, true, 'until it is rebuilt'),
  ($$UPDATE crm.setting SET value = 'low, high 2000' WHERE name = 'tier_scale'$$, false, 'nor limits that change'),
  ($$UPDATE crm.setting SET value = 'low, high 1000' WHERE name = 'tier_scale'$$, true, 'unless they change back'),
  ($$UPDATE crm.setting SET value = 'low, top 1000' WHERE name = 'tier_scale'$$, false, 'nor labels'),
  ($$DELETE FROM crm.setting WHERE name = 'tier_scale'$$, false, 'nor a scale that goes'),
  ($$CALL crm.rebuild('2024-06-30', NULL)$$, true, 'rebuilt again'),
  ($$INSERT INTO crm.setting (name, value) VALUES ('horizon_months', '3')$$, true, 'other settings do not matter'),
  ($$INSERT INTO crm.setting (name, value) VALUES ('reinstatement_months', '12')$$, false, 'what cover is derived by does'),
  ($$DELETE FROM crm.setting WHERE name = 'reinstatement_months'$$, true, 'and is as it was'),
  ($$INSERT INTO crm.setting (name, value, org_id) VALUES ('activity_scale', 'on, off 30', 2)$$, false, 'nor does a scale of one unit'),
  ($$CALL crm.rebuild('2024-06-30', NULL)$$, true, 'and rebuilt once more'),
  ($$INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (999999, 2, 'made new', 'Made new')$$, false, 'a unit made below it has the scale of those above'),
  ($$DELETE FROM crm.organisation WHERE id = 999999$$, true, 'and is gone')) v (change, fresh, name);
SELECT * FROM finish();
ROLLBACK;
