-- bi: views for BI tools, made by and belonging to crm_bi_owner

-- The day the figures are asked for; beyond what is posted, or of a generation gone since the snapshot, they would be silently wrong.
CREATE FUNCTION crm_bi._today(generation bigint, posted_to date) RETURNS date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  today date := crm.today();
BEGIN
  IF NOT crm._generation_stands(generation) THEN
    RAISE EXCEPTION 'the figures were rebuilt after the snapshot of this transaction was taken'
      USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
  END IF;
  IF today > posted_to THEN
    RAISE EXCEPTION 'the figures are posted up to % only, not up to %', posted_to, today
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.refresh(), every night for preference.';
  END IF;
  RETURN today;
END
$$;
COMMENT ON FUNCTION crm_bi._today(bigint, date) IS
  'crm.today(), refused beyond the last day posted. Errors: 55000, and 40001 when the figures were rebuilt after the snapshot was taken.';

-- The two views differ in whose customers a unit counts. Five relations only, so that a join with dimensions is planned together with them.
DECLARE
  own boolean;
BEGIN
  FOREACH own IN ARRAY ARRAY[false, true] LOOP
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.%1$I AS
SELECT k.code || '/' || coalesce(c.class, '') || '/' || p.grain_name || '/' || p.period_start || '/' || o.id || '/' || c.channel || '/' || c.kind AS kpi_key,
       p.grain_name AS grain, p.period_start, p.period_end, p.period_end <= %4$s AS is_complete,
       o.id AS org_id, o.level AS org_level, o.name AS org_name, c.channel, c.kind, k.code, c.class, c.numerator, c.denominator,
       CASE WHEN k.shape = 0 THEN c.numerator::numeric ELSE c.numerator::numeric / nullif(c.denominator, 0) END AS value
FROM crm.kpi_code k
CROSS JOIN crm.organisation o
CROSS JOIN LATERAL (
  SELECT (SELECT pg_catalog.array_agg(ARRAY[CASE WHEN e.grain = 0 THEN 0 ELSE (e.period_start - date '2000-01-01') * 8 + e.grain END, e.day - date '2000-01-01',
                                            e.class_id, e.channel_id, e.company::integer, e.n])
          FROM %2$s AND e.slot = %5$s AND e.account = k.account AND e.day <= %4$s) AS of_account,
         CASE WHEN k.base_account IS NOT NULL THEN
           (SELECT pg_catalog.array_agg(ARRAY[0, e.day - date '2000-01-01', e.class_id, e.channel_id, e.company::integer, e.n])
            FROM %2$s AND e.slot = %5$s AND e.account = k.base_account AND e.day <= %4$s) END AS of_base
  OFFSET 0) e
JOIN crm.period p ON p.period_end >= (SELECT g.first_day FROM crm.generation g WHERE g.state = 'current')
  AND p.closes_from <= %4$s AND (%4$s >= %6$s OR p.period_end <= %4$s)
CROSS JOIN LATERAL crm._kpi_cells(
  k.shape,
  CASE WHEN k.dimension IS NULL THEN NULL WHEN k.dimension = 'coverage' THEN ARRAY['prospect', 'insured', 'former']
       ELSE (SELECT pg_catalog.array_agg(l.label ORDER BY l.id) FROM crm.class l) END,
  (SELECT pg_catalog.array_agg(h.id ORDER BY h.id) FROM crm.channel h), (SELECT pg_catalog.array_agg(h.code ORDER BY h.id) FROM crm.channel h),
  (SELECT x.cells FROM crm.kpi_cell x
   WHERE x.slot = %5$s AND x.account = k.account AND x.org_id = o.id AND x.subtree = %3$s
     AND x.grain = CASE WHEN k.account < 20 THEN 1 ELSE p.grain END
     AND x.year = CASE WHEN k.account < 20 THEN extract(year FROM least(p.period_end, %6$s))::smallint ELSE p.year END),
  CASE WHEN k.account < 20 THEN extract(month FROM least(p.period_end, %6$s))::integer - 1 ELSE p.number END,
  e.of_account, CASE WHEN k.account < 20 THEN NULL ELSE (p.period_start - date '2000-01-01') * 8 + p.grain END, least(p.period_end, %4$s),
  CASE WHEN k.base_account IS NOT NULL THEN
    (SELECT x.cells FROM crm.kpi_cell x
     WHERE x.slot = %5$s AND x.account = k.base_account AND x.org_id = o.id AND x.subtree = %3$s AND x.grain = 1
       AND x.year = extract(year FROM least(p.period_start - 1, %6$s))::smallint) END,
  extract(month FROM least(p.period_start - 1, %6$s))::integer - 1,
  e.of_base, NULL, p.period_start - 1) c$view$,
      CASE WHEN own THEN 'kpi_own' ELSE 'kpi' END,
      CASE WHEN own THEN 'crm.kpi_entry e WHERE e.org_id = o.id'
           ELSE 'crm.organisation_tree t JOIN crm.kpi_entry e ON e.org_id = t.descendant_id WHERE t.ancestor_id = o.id' END,
      CASE WHEN own THEN 'false' ELSE 'o.has_units' END,
      '(SELECT crm_bi._today(g.id, g.posted_to) FROM crm.generation g WHERE g.state = ''current'')',
      '(SELECT g.slot FROM crm.generation g WHERE g.state = ''current'')',
      '(SELECT g.settled FROM crm.generation g WHERE g.state = ''current'')');
  END LOOP;
END;

CREATE VIEW crm_bi.kpi_code AS
SELECT k.code, k.name, k.name_zh, k.description, k.dimension, k.cell AS cell_rule, k.base_account IS NOT NULL AS has_denominator,
       true AS adds_over_units, k.shape = 0 AND k.adds_over_periods AS adds_over_periods
FROM crm.kpi_code k;

CREATE VIEW crm_bi.organisation AS
SELECT o.id AS org_id, o.parent_id, o.code, o.name, o.area, o.level, o.has_units,
       (SELECT n.name FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id WHERE t.descendant_id = o.id AND n.level = 0) AS level_0_name,
       (SELECT n.name FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id WHERE t.descendant_id = o.id AND n.level = 1) AS level_1_name,
       (SELECT n.name FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id WHERE t.descendant_id = o.id AND n.level = 2) AS level_2_name,
       (SELECT n.name FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id WHERE t.descendant_id = o.id AND n.level = 3) AS level_3_name
FROM crm.organisation o;

CREATE VIEW crm_bi.date AS
SELECT d.d::date AS date, extract(year FROM d.d)::integer AS year, extract(quarter FROM d.d)::integer AS quarter,
       extract(month FROM d.d)::integer AS month, extract(day FROM d.d)::integer AS day, extract(isodow FROM d.d)::integer AS weekday,
       pg_catalog.date_trunc('month', d.d)::date AS month_start, pg_catalog.date_trunc('quarter', d.d)::date AS quarter_start,
       pg_catalog.date_trunc('year', d.d)::date AS year_start,
       (pg_catalog.date_trunc('month', d.d) + interval '1 month - 1 day')::date AS month_end
FROM (SELECT g.first_day, g.posted_to FROM crm.generation g WHERE g.state = 'current') g
CROSS JOIN LATERAL pg_catalog.generate_series(pg_catalog.date_trunc('year', g.first_day::timestamp), g.posted_to::timestamp, interval '1 day') AS d (d);

CREATE VIEW crm_bi.standing AS
SELECT s.customer_id::text || '/' || (s.r).valid_from AS standing_key, s.customer_id, (s.r).valid_from AS valid_from,
       nullif((s.r).valid_to, 'infinity') AS valid_to, (s.r).org_id AS org_id, h.code AS channel,
       CASE WHEN (s.r).company THEN 'company' ELSE 'person' END AS kind,
       (s.r).coverage AS coverage, (s.r).role AS role, (s.r).long_term AS insured_long_term, (s.r).plan AS plan_customer,
       coalesce(a.label, 'none') AS activity, coalesce(t.label, 'none') AS tier, (s.r).amount / 100.0 AS amount
FROM (SELECT st.customer_id, crm.unnest(st.timeline) AS r
      FROM crm.standing st WHERE st.slot = (SELECT g.slot FROM crm.generation g WHERE g.state = 'current')) s
LEFT JOIN crm.channel h ON h.id = (s.r).channel_id
LEFT JOIN crm.class a ON a.id = (s.r).activity
LEFT JOIN crm.class t ON t.id = (s.r).tier;

CREATE VIEW crm_bi.customer AS
SELECT c.id AS customer_id, c.kind, c.name, c.sex, c.birth_date, c.known_from, coalesce(s.org_id, c.org_id) AS org_id,
       coalesce(h.code, x.code) AS channel, x.code AS source_channel, s.coverage, s.role,
       coalesce(s.long_term, false) AS insured_long_term, coalesce(s.plan, false) AS plan_customer,
       coalesce(a.label, 'none') AS activity, coalesce(t.label, 'none') AS tier, coalesce(s.amount, 0) / 100.0 AS amount, s.valid_from AS standing_since,
       EXISTS (SELECT FROM crm.contact_point p WHERE p.customer_id = c.id AND NOT p.wrong) AS reachable
FROM crm.customer c
CROSS JOIN (SELECT g.slot, crm.today() AS today FROM crm.generation g WHERE g.state = 'current') g
LEFT JOIN crm.standing st ON st.slot = g.slot AND st.customer_id = c.id
LEFT JOIN LATERAL (SELECT r.* FROM (SELECT crm.at(st.timeline, g.today) AS r OFFSET 0) q, LATERAL (SELECT (q.r).*) r WHERE st.timeline IS NOT NULL) s ON true
JOIN crm.channel x ON x.id = c.source_channel_id
LEFT JOIN crm.channel h ON h.id = s.channel_id
LEFT JOIN crm.class a ON a.id = s.activity
LEFT JOIN crm.class t ON t.id = s.tier;

CREATE VIEW crm_bi.policy AS
SELECT p.id AS policy_id, p.customer_id, p.product_id, r.code AS product, r.line AS product_line, h.code AS channel, p.servicer_id, p.book, p.sector_line,
       p.issued_on, p.term_months, p.matures_on, p.payment, p.premium, p.payments, p.sum_insured, p.amount, p.annual_premium,
       f.long_term, f.first_day AS cover_from, f.last_day AS cover_to, coalesce(f.in_force, false) AS in_force
FROM crm.policy p
JOIN crm.product r ON r.id = p.product_id
JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN LATERAL (
  SELECT pg_catalog.bool_or(c.long_term) AS long_term, pg_catalog.min(c.from_date) AS first_day,
         nullif(pg_catalog.max(c.to_date), 'infinity') AS last_day,
         pg_catalog.bool_or(c.from_date <= d.today AND d.today < c.to_date) AS in_force
  FROM crm.cover c WHERE c.customer_id = p.customer_id AND c.policy_id = p.id) f ON true;

CREATE VIEW crm_bi.holding AS
SELECT h.customer_id::text || '/' || h.id AS holding_key, h.customer_id, c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name,
       h.held_from, h.held_to, h.held_to IS NULL AS is_open, h.start_cause, h.start_reason, h.started_by, h.end_cause, h.end_reason, h.ended_by,
       h.last_contact_at, h.last_purchase_at, h.due_at, h.due_cause, h.locked
FROM crm.holding h
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id;

CREATE VIEW crm_bi.freshness AS
SELECT 'figures stand on' AS item, g.settled AS day, NULL::bigint AS n, crm.today() <= g.posted_to AS fresh,
       CASE WHEN crm.today() <= g.posted_to THEN 'folded up to this day, exact for later ones' ELSE 'run CALL crm.refresh()' END AS advice
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'posted up to', g.posted_to, NULL, crm.today() <= g.posted_to,
       CASE WHEN crm.today() <= g.posted_to THEN 'later days need CALL crm.refresh()' ELSE 'run CALL crm.refresh()' END
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'entries not folded', NULL, pg_catalog.count(*), pg_catalog.count(*) < 100000,
       CASE WHEN pg_catalog.count(*) < 100000 THEN 'few enough' ELSE 'reading slows down: run CALL crm.refresh()' END
FROM crm.kpi_entry e JOIN crm.generation g ON g.slot = e.slot AND g.state = 'current' WHERE e.day <= crm.today()
UNION ALL
SELECT 'queued by deferred posting', pg_catalog.min(p.queued_at)::date, pg_catalog.count(*), pg_catalog.count(*) = 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'nothing queued' ELSE 'run CALL crm.refresh()' END
FROM crm.pending p
UNION ALL
SELECT 'scales changed since', NULL, pg_catalog.count(*), pg_catalog.count(*) = 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'standings follow the scales as set' ELSE 'run CALL crm.rebuild()' END
FROM crm.generation g JOIN crm.setting s ON s.set_at > g.made_at JOIN crm.setting_kind k ON k.name = s.name AND k.rebuilds
WHERE g.state = 'current'
UNION ALL
SELECT 'rebuild running', b.made_at::date, pg_catalog.count(r.*), false, 'a rebuild is running or was broken off: CALL crm.rebuild() goes on'
FROM crm.generation b LEFT JOIN crm.replay r ON r.generation_id = b.id WHERE b.state = 'building' GROUP BY b.id;
