-- report: the monthly report of a unit, read with the rights of its caller from crm_bi

CREATE FUNCTION crm.report(as_of date, org_id bigint, language text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET jit = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_variable
DECLARE
  frame crm._report_frame;
  zone CONSTANT text := crm.setting_value('business_time_zone');
  first_month date;
  topmost boolean;
  channels crm._report_figure[];
  others crm._report_figure[];
  listed text[];
  totals crm._report_figure[];
  lines crm._report_line[];
  units crm._report_figure[];
  targets jsonb;
  benchmarks jsonb;
  holdings jsonb;
  freshness jsonb;
  completeness jsonb;
BEGIN
  PERFORM crm._take_day(as_of);
  frame.language := coalesce(language, crm.language());
  IF frame.language NOT IN ('en', 'zh') THEN
    RAISE EXCEPTION 'language "%" is not known', frame.language USING ERRCODE = 'invalid_parameter_value', HINT = 'Give en or zh, or none for the parameter crm.language.';
  ELSIF org_id IS NULL THEN
    RAISE EXCEPTION 'org_id must not be null' USING ERRCODE = 'null_value_not_allowed', HINT = 'crm_bi.organisation lists the units.';
  END IF;
  SELECT crm._report_clean(o.name), o.parent_id IS NULL INTO frame.org_name, topmost FROM crm_bi.organisation o WHERE o.org_id = report.org_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no unit "%"', org_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.organisation lists the units.';
  END IF;
  frame.org_id := org_id;
  frame.as_of := as_of;
  frame.month := (date_trunc('month', (as_of + 1)::timestamp) - interval '1 month')::date;
  first_month := (frame.month - interval '24 months')::date;

  -- what a name says in this language
  SELECT jsonb_object_agg(w.key, crm._report_clean(CASE frame.language WHEN 'zh' THEN coalesce(w.zh, w.en) ELSE coalesce(w.en, w.zh) END)) INTO frame.words
  FROM (
    SELECT 'code/' || k.code AS key, k.name AS en, k.name_zh AS zh FROM crm_bi.kpi_code k
    UNION ALL SELECT 'channel/' || h.channel, h.name, h.name_zh FROM crm_bi.channel h
    UNION ALL SELECT 'unit/' || o.org_id, o.name, NULL FROM crm_bi.organisation o WHERE o.parent_id = report.org_id
    UNION ALL SELECT format('class/%s/%s', c.dimension, c.class), upper(left(c.class, 1)) || replace(substr(c.class, 2), '_', '-'), c.name_zh FROM crm_bi.class c
      WHERE NOT EXISTS (SELECT FROM crm.report_phrase p WHERE p.phrase = format('class/%s/%s', c.dimension, c.class))
    UNION ALL SELECT p.phrase, p.en, p.zh FROM crm.report_phrase p) w;
  frame.words := frame.words || jsonb_build_object('unit/' || org_id, crm._report_say(frame, 'own', jsonb_build_object('unit', frame.org_name)));
  frame.classes := (SELECT jsonb_agg(jsonb_build_object('dimension', c.dimension, 'class', c.class, 'class_order', c.class_order)) FROM crm_bi.class c);

  channels := ARRAY(
    SELECT (k.channel, k.grain, date_trunc('month', k.period_end::timestamp)::date, k.code, k.class, CASE WHEN k.code = 'insured' THEN k.kind END, sum(k.numerator), sum(k.denominator))::crm._report_figure
    FROM crm_bi.kpi k WHERE k.org_id = report.org_id AND k.grain = 'month' AND k.period_start >= first_month AND k.period_start <= frame.month
    GROUP BY k.grain, k.period_end, k.channel, k.code, k.class, CASE WHEN k.code = 'insured' THEN k.kind END
    UNION ALL
    SELECT (k.channel, k.grain, date_trunc('month', k.period_end::timestamp)::date, k.code, NULL, NULL, sum(k.numerator), sum(k.denominator))::crm._report_figure
    FROM crm_bi.kpi k WHERE k.org_id = report.org_id AND k.grain = 'trailing_12' AND k.period_start >= first_month - interval '11 months' AND k.period_start <= frame.month - interval '11 months' AND k.class IS NULL
    GROUP BY k.grain, k.period_end, k.channel, k.code
    UNION ALL
    SELECT (k.channel, k.grain, frame.month, k.code, NULL, NULL, sum(k.numerator), sum(k.denominator))::crm._report_figure
    FROM crm_bi.kpi k WHERE k.org_id = report.org_id AND k.grain = 'year' AND k.period_start = date_trunc('year', frame.month::timestamp) AND k.class IS NULL
    GROUP BY k.grain, k.channel, k.code);
  IF channels = '{}' THEN
    RETURN crm._report_page(frame, xmlelement(name p, xmlattributes('no-figures' AS id),
      crm._report_say(frame, 'no_figures', jsonb_build_object('unit', frame.org_name, 'month', crm._report_month(frame, frame.month)))));
  END IF;

  -- figures of events that are listed, and persistency, whose months add up
  listed := ARRAY(SELECT f.code FROM crm.report_figure f JOIN crm_bi.kpi_code k ON k.code = f.code WHERE k.shown_in = 'kpi_event' AND k.dimension IS NULL);
  others := ARRAY(
    SELECT (NULL, k.grain, least(date_trunc('month', k.period_end::timestamp)::date, frame.month), k.code, NULL, NULL, sum(k.numerator), sum(k.denominator))::crm._report_figure
    FROM crm_bi.kpi_event k
    WHERE k.org_id = report.org_id AND k.code = ANY (listed)
      AND (k.grain = 'month' AND k.period_start >= first_month AND k.period_start <= frame.month
           OR k.grain = 'trailing_12' AND k.period_start >= first_month - interval '11 months' AND k.period_start <= frame.month - interval '11 months'
           OR k.grain = 'year' AND k.period_start = date_trunc('year', frame.month::timestamp))
    GROUP BY k.grain, k.period_end, k.code);
  others := others || ARRAY(
    WITH m AS MATERIALIZED (
      SELECT p.code || '_' || p.basis AS code, p.period_start AS month, sum(p.numerator) AS n, sum(p.denominator) AS d
      FROM crm_bi.persistency p WHERE p.org_id = report.org_id AND p.code IN ('persistency_13', 'persistency_25') AND p.period_start > frame.month - interval '24 months' AND p.period_start <= frame.month
      GROUP BY p.code, p.basis, p.period_start)
    SELECT (NULL, 'month', m.month, m.code, NULL, NULL, m.n, m.d)::crm._report_figure FROM m
    UNION ALL
    SELECT (NULL, 'trailing_12', t.t::date, m.code, NULL, NULL, sum(m.n), sum(m.d))::crm._report_figure
    FROM generate_series(frame.month - interval '12 months', frame.month, '12 months') t (t) JOIN m ON m.month > t.t - interval '12 months' AND m.month <= t.t
    GROUP BY t.t, m.code
    UNION ALL
    SELECT (NULL, 'year', frame.month, m.code, NULL, NULL, sum(m.n), sum(m.d))::crm._report_figure FROM m WHERE m.month >= date_trunc('year', frame.month::timestamp) GROUP BY m.code);
  frame.codes := (SELECT jsonb_agg(jsonb_build_object('code', c.code, 'part', coalesce(f.part, 'state'), 'place', coalesce(f.place, 1000), 'better', f.better, 'card', f.card,
                                                      'nature', coalesce(f.nature, CASE WHEN c.is_quotient THEN 'ratio' ELSE 'count' END)))
                  FROM (SELECT k.code, k.has_denominator AS is_quotient FROM crm_bi.kpi_code k WHERE k.dimension IS NULL AND k.shown_in = 'kpi'
                        UNION ALL SELECT DISTINCT o.code, true FROM unnest(others) o) c
                  LEFT JOIN crm.report_figure f ON f.code = c.code);
  totals := ARRAY(
    SELECT (NULL, f.grain, f.month, f.code, f.class, NULL, sum(f.numerator), sum(f.denominator))::crm._report_figure
    FROM unnest(channels || others) f GROUP BY f.grain, f.month, f.code, f.class ORDER BY f.grain, f.month, f.code, f.class);
  lines := crm._report_lines(frame, totals);

  -- the units below, and the customers of the unit itself
  units := ARRAY(
    SELECT (x.org_id::text, x.grain, date_trunc('month', x.period_end::timestamp)::date, x.code, NULL, NULL, sum(x.numerator), sum(x.denominator))::crm._report_figure
    FROM (
      SELECT k.org_id, k.grain, k.period_end, k.code, k.numerator, k.denominator
      FROM crm_bi.kpi k
      WHERE k.org_id = ANY (ARRAY(SELECT o.org_id FROM crm_bi.organisation o WHERE o.parent_id = report.org_id))
        AND k.grain = 'month' AND k.period_start = ANY (ARRAY[frame.month, (frame.month - interval '1 month')::date, (frame.month - interval '1 year')::date])
        AND k.code = ANY ('{insured,gained,won_back,total_churn,moved_in,moved_out}')
      UNION ALL
      SELECT k.org_id, k.grain, k.period_end, k.code, k.numerator, k.denominator
      FROM crm_bi.kpi k
      WHERE k.org_id = ANY (ARRAY(SELECT o.org_id FROM crm_bi.organisation o WHERE o.parent_id = report.org_id))
        AND k.grain = 'trailing_12' AND k.period_start = (frame.month - interval '11 months')::date AND k.class IS NULL
      UNION ALL
      SELECT k.org_id, k.grain, k.period_end, k.code, k.numerator, k.denominator
      FROM crm_bi.kpi_own k
      WHERE k.org_id = report.org_id AND EXISTS (SELECT FROM crm_bi.organisation o WHERE o.parent_id = report.org_id)
        AND k.grain = 'month' AND k.period_start = ANY (ARRAY[frame.month, (frame.month - interval '1 month')::date, (frame.month - interval '1 year')::date])
        AND k.code = ANY ('{insured,gained,won_back,total_churn,moved_in,moved_out}')
      UNION ALL
      SELECT k.org_id, k.grain, k.period_end, k.code, k.numerator, k.denominator
      FROM crm_bi.kpi_own k
      WHERE k.org_id = report.org_id AND EXISTS (SELECT FROM crm_bi.organisation o WHERE o.parent_id = report.org_id)
        AND k.grain = 'trailing_12' AND k.period_start = (frame.month - interval '11 months')::date AND k.class IS NULL) x
    GROUP BY x.org_id, x.grain, x.period_end, x.code);

  SELECT jsonb_agg(to_jsonb(t) ORDER BY t.period_start, t.grain, t.code, t.class, t.channel, t.target_id) INTO targets
  FROM crm_bi.target t WHERE t.org_id = report.org_id AND t.period_start <= as_of AND t.period_end >= frame.month;
  SELECT jsonb_agg(to_jsonb(b) ORDER BY b.target_id, b.label) INTO benchmarks
  FROM crm_bi.target_benchmark b WHERE b.target_id IN (SELECT (t ->> 'target_id')::bigint FROM jsonb_array_elements(targets) t);

  -- holders of the unit, at the end of the day; what happened in the month and in the one before; a holding of a channel without unit is the topmost unit's
  SELECT jsonb_build_object('held', sum(h.held), 'begun', sum(h.begun), 'begun_before', sum(h.begun_before), 'recycled', sum(h.recycled), 'recycled_before', sum(h.recycled_before),
           'released', sum(h.released), 'released_before', sum(h.released_before), 'due', sum(h.due), 'overdue', sum(h.overdue),
           'causes', coalesce(jsonb_object_agg(h.cause, h.recycled) FILTER (WHERE h.recycled > 0), '{}')) INTO holdings
  FROM (
    SELECT coalesce(h.due_cause, 'other') AS cause,
           count(*) FILTER (WHERE h.held_from < d.now AND (h.held_to IS NULL OR h.held_to >= d.now)) AS held,
           count(*) FILTER (WHERE h.held_from >= d.since AND h.held_from < d.until AND h.start_cause IN ('claim', 'allocation', 'entry')) AS begun,
           count(*) FILTER (WHERE h.held_from >= d.before AND h.held_from < d.since AND h.start_cause IN ('claim', 'allocation', 'entry')) AS begun_before,
           count(*) FILTER (WHERE h.held_to >= d.since AND h.held_to < d.until AND h.end_cause = 'recycle') AS recycled,
           count(*) FILTER (WHERE h.held_to >= d.before AND h.held_to < d.since AND h.end_cause = 'recycle') AS recycled_before,
           count(*) FILTER (WHERE h.held_to >= d.since AND h.held_to < d.until AND h.end_cause IN ('release', 'departure')) AS released,
           count(*) FILTER (WHERE h.held_to >= d.before AND h.held_to < d.since AND h.end_cause IN ('release', 'departure')) AS released_before,
           count(*) FILTER (WHERE h.held_to IS NULL AND NOT h.locked AND h.held_from < d.now AND greatest(h.due_at, h.exempt_until) >= d.now AND h.due_at IS NOT NULL AND greatest(h.due_at, h.exempt_until) < d.now + interval '14 days') AS due,
           count(*) FILTER (WHERE h.held_to IS NULL AND NOT h.locked AND h.held_from < d.now AND h.due_at IS NOT NULL AND greatest(h.due_at, h.exempt_until) < d.now) AS overdue
    FROM crm_bi.holding h
    CROSS JOIN (SELECT (as_of + 1)::timestamp AT TIME ZONE zone AS now, frame.month::timestamp AT TIME ZONE zone AS since,
                       (frame.month + interval '1 month') AT TIME ZONE zone AS until, (frame.month - interval '1 month') AT TIME ZONE zone AS before OFFSET 0) d
    WHERE h.org_id IN (SELECT t.descendant_id FROM crm_bi.organisation_tree t WHERE t.ancestor_id = report.org_id) OR h.org_id IS NULL AND topmost
    GROUP BY coalesce(h.due_cause, 'other')
    UNION ALL SELECT 'other', 0, 0, 0, 0, 0, 0, 0, 0, 0) h;

  SELECT jsonb_object_agg(f.item, jsonb_build_object('day', f.day, 'n', f.n)) INTO freshness FROM crm_bi.freshness f;
  SELECT jsonb_build_object('day', max(c.recorded_on), 'score', sum(c.score_sum) / sum(c.customers), 'share', sum(c.complete_customers) / sum(c.customers)) INTO completeness
  FROM crm_bi.completeness_month c WHERE c.org_id = report.org_id AND c.month = frame.month HAVING sum(c.customers) > 0;

  RETURN crm._report_page(frame, xmlconcat(
    crm._report_cards(frame, lines),
    crm._report_changes(frame, totals, lines, channels, units, coalesce(targets, '[]'), holdings),
    crm._report_growth(frame, totals, lines),
    crm._report_classes(frame, channels),
    crm._report_rates(frame, lines),
    crm._report_table(frame, totals, lines),
    crm._report_members(frame, 'channels', 'channel', channels),
    crm._report_members(frame, 'units', 'unit', units),
    crm._report_holdings(frame, holdings),
    crm._report_targets(frame, coalesce(targets, '[]'), coalesce(benchmarks, '[]')),
    crm._report_notes(frame, totals, units, freshness, completeness)));
END
$$;
COMMENT ON FUNCTION crm.report(date, bigint, text) IS
  'The monthly report of a unit as one page of HTML: the last month that is over on a day, with changes, twelve months, comments, units and channels, holdings and targets, in English (en) or Chinese (zh), by default that of crm.language. Errors: 22004, 22023, 23503 no such unit, 55000 beyond what is posted, 40001. 月度分析报告';
REVOKE ALL ON FUNCTION crm.report(date, bigint, text) FROM PUBLIC;
