-- report: what changed most, as sentences. None without numbers, none where nothing changed, and of rates only what chance does not explain.

-- Pairs of rates that are held against each other, all of them one family: the month beside the month before, twelve months beside the twelve before,
-- each unit beside the rest of them.
CREATE FUNCTION crm._report_pairs(frame crm._report_frame, totals crm._report_figure[], units crm._report_figure[],
  OUT kind text, OUT code text, OUT member text, OUT n bigint, OUT d bigint, OUT n_before bigint, OUT d_before bigint)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.kind, p.code, p.member, p.n::bigint, p.d::bigint, p.n_before::bigint, p.d_before::bigint
  FROM (
    SELECT CASE f.grain WHEN 'month' THEN 'before' ELSE 'year' END AS kind, f.code, NULL AS member, max(f.numerator) FILTER (WHERE f.month = (frame).month) AS n, max(f.denominator) FILTER (WHERE f.month = (frame).month) AS d,
           max(f.numerator) FILTER (WHERE f.month < (frame).month) AS n_before, max(f.denominator) FILTER (WHERE f.month < (frame).month) AS d_before
    FROM unnest(totals) f
    WHERE f.class IS NULL AND (f.grain = 'month' AND f.month IN ((frame).month, ((frame).month - interval '1 month')::date) OR f.grain = 'trailing_12' AND f.month IN ((frame).month, ((frame).month - interval '1 year')::date))
    GROUP BY f.grain, f.code
    UNION ALL
    SELECT 'unit', u.code, u.member, u.n, u.d, sum(u.n) OVER w - u.n, sum(u.d) OVER w - u.d
    FROM (SELECT f.code, f.member, sum(f.numerator) AS n, sum(f.denominator) AS d FROM unnest(units) f WHERE f.grain = 'trailing_12' AND f.month = (frame).month GROUP BY f.code, f.member) u
    WINDOW w AS (PARTITION BY u.code)) p
  JOIN jsonb_to_recordset((frame).codes) c (code text, nature text) ON c.code = p.code AND c.nature = 'rate'
  WHERE least(p.d, p.d_before) >= 30 AND p.n >= 0 AND p.n <= p.d AND p.n_before >= 0 AND p.n_before <= p.d_before
$$;
COMMENT ON FUNCTION crm._report_pairs(crm._report_frame, crm._report_figure[], crm._report_figure[]) IS 'The rates that are compared, none of fewer than 30 customers.';

-- level: 95 % for all of the family together, by Bonferroni
CREATE FUNCTION crm._report_moved(frame crm._report_frame, totals crm._report_figure[], units crm._report_figure[],
  OUT kind text, OUT code text, OUT member text, OUT n bigint, OUT d bigint, OUT n_before bigint, OUT d_before bigint, OUT change numeric, OUT lower numeric, OUT upper numeric)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.kind, p.code, p.member, p.n, p.d, p.n_before, p.d_before, u.uplift::numeric, u.lower::numeric, u.upper::numeric
  FROM (SELECT q.*, count(*) OVER () AS tests FROM crm._report_pairs(frame, totals, units) q) p
  CROSS JOIN LATERAL crm.uplift(p.n, p.d, p.n_before, p.d_before, (1 - 0.05 / p.tests)::double precision) u
  WHERE u.lower > 0 OR u.upper < 0
$$;
COMMENT ON FUNCTION crm._report_moved(crm._report_frame, crm._report_figure[], crm._report_figure[]) IS 'Those of the pairs whose difference chance does not explain, with its interval.';

CREATE FUNCTION crm._report_rate_changes(frame crm._report_frame, totals crm._report_figure[], units crm._report_figure[], OUT place integer, OUT id text, OUT tone text, OUT sentence text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE m.kind WHEN 'before' THEN 500 WHEN 'year' THEN 600 ELSE 700 END + m.i::integer,
         concat_ws('-', 'rate', m.kind, m.code, m.member), crm._report_tone(m.change, c.better),
         crm._report_say(frame, format('change/rate_%s_%s', m.kind, CASE WHEN m.change > 0 THEN 'up' ELSE 'down' END), jsonb_build_object(
           'figure', crm._report_say(frame, 'code/' || m.code), 'member', crm._report_say(frame, 'unit/' || m.member),
           'month', crm._report_month(frame, (frame).month), 'month_before', crm._report_month(frame, ((frame).month - interval '1 month')::date),
           'value', crm._report_percent(m.n::numeric / m.d), 'numerator', crm._report_number(m.n), 'denominator', crm._report_number(m.d),
           'value_before', crm._report_percent(m.n_before::numeric / m.d_before), 'numerator_before', crm._report_number(m.n_before), 'denominator_before', crm._report_number(m.d_before),
           'points', crm._report_percent(m.change, true, w.points),
           'lower', crm._report_percent(m.lower, true, w.points), 'upper', crm._report_percent(m.upper, true, w.points)))
  FROM (SELECT x.*, row_number() OVER (PARTITION BY x.kind ORDER BY greatest(x.lower, -x.upper) DESC, x.code, x.member) AS i FROM crm._report_moved(frame, totals, units) x) m
  JOIN jsonb_to_recordset((frame).codes) c (code text, better text) ON c.code = m.code
  CROSS JOIN (SELECT crm._report_say(frame, 'points') AS points) w
  WHERE m.i <= 6
$$;
COMMENT ON FUNCTION crm._report_rate_changes(crm._report_frame, crm._report_figure[], crm._report_figure[]) IS 'Sentences on rates that moved and units that stand out, the clearest six of each kind.';

CREATE FUNCTION crm._report_bridge_args(frame crm._report_frame, bridge numeric[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN jsonb_build_object('month', crm._report_month(frame, (frame).month), 'opening', crm._report_number(bridge[1]), 'gained', crm._report_number(bridge[2]), 'won_back', crm._report_number(bridge[3]),
    'churned', crm._report_number(-bridge[4]), 'moved', coalesce(nullif(crm._report_signed(bridge[5] + bridge[6]), '0'), '±0'), 'closing', crm._report_number(bridge[7]),
    'change', crm._report_number(abs(bridge[7] - bridge[1])), 'percent', crm._report_percent((bridge[7] - bridge[1]) / nullif(bridge[1], 0), true));
END
$$;
COMMENT ON FUNCTION crm._report_bridge_args(crm._report_frame, numeric[]) IS 'A bridge as places of a phrase.';

-- the whole, and of its units or channels the one that lost and the one that gained most; of equal ones none
CREATE FUNCTION crm._report_count_changes(frame crm._report_frame, totals crm._report_figure[], lines crm._report_line[], channels crm._report_figure[], units crm._report_figure[],
  OUT place integer, OUT id text, OUT tone text, OUT sentence text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  WITH whole AS MATERIALIZED (
    SELECT b.bridge AS b, crm._report_values(lines, 'insured', 'month', false) AS v FROM crm._report_bridges(totals, 'month', (frame).month) b),
  x AS (
    SELECT 'unit' AS kind, u.member, u.bridge AS b FROM crm._report_bridges(units, 'month', (frame).month) u
    UNION ALL SELECT 'channel', u.member, u.bridge FROM crm._report_bridges(channels, 'month', (frame).month) u),
  y AS (
    SELECT x.kind, x.member, x.b, x.b[7] - x.b[1] AS change, count(*) FILTER (WHERE x.member <> (frame).org_id::text OR x.kind = 'channel') OVER w AS members,
           rank() OVER (PARTITION BY x.kind ORDER BY x.b[7] - x.b[1]) AS low, rank() OVER (PARTITION BY x.kind ORDER BY x.b[7] - x.b[1] DESC) AS high,
           count(*) OVER (PARTITION BY x.kind, x.b[7] - x.b[1]) AS equal
    FROM x WHERE x.b[7] > 0 OR x.b[1] > 0
    WINDOW w AS (PARTITION BY x.kind))
  SELECT 100, 'total', crm._report_tone(w.b[7] - w.b[1], 'up'), crm._report_say(frame, CASE WHEN w.b[7] > w.b[1] THEN 'change/total_up' ELSE 'change/total_down' END, crm._report_bridge_args(frame, w.b))
  FROM whole w WHERE w.b[7] <> w.b[1]
  UNION ALL
  SELECT 110, 'year', crm._report_tone(w.v[25] - w.v[13], 'up'), crm._report_say(frame, CASE WHEN w.v[25] > w.v[13] THEN 'change/year_up' ELSE 'change/year_down' END,
    crm._report_bridge_args(frame, ARRAY[w.v[13], 0, 0, 0, 0, 0, w.v[25]]) || jsonb_build_object('month', crm._report_month(frame, ((frame).month - interval '1 year')::date)))
  FROM whole w WHERE w.v[25] <> w.v[13]
  UNION ALL
  SELECT CASE y.kind WHEN 'unit' THEN 300 ELSE 400 END + CASE WHEN y.change < 0 THEN 0 ELSE 1 END, concat_ws('-', y.kind, CASE WHEN y.change < 0 THEN 'down' ELSE 'up' END, y.member), crm._report_tone(y.change, 'up'),
    crm._report_say(frame, format('change/%s_%s', y.kind, CASE WHEN y.change < 0 THEN 'down' ELSE 'up' END),
      crm._report_bridge_args(frame, y.b) || jsonb_build_object('member', crm._report_say(frame, y.kind || '/' || y.member), 'members', y.members,
        'points', crm._report_percent(y.change / nullif(w.b[1], 0), true, crm._report_say(frame, 'points'))))
  FROM y CROSS JOIN whole w
  WHERE y.members > 1 AND y.equal = 1 AND (y.low = 1 AND y.change < 0 OR y.high = 1 AND y.change > 0) AND w.b[1] > 0
$$;
COMMENT ON FUNCTION crm._report_count_changes(crm._report_frame, crm._report_figure[], crm._report_line[], crm._report_figure[], crm._report_figure[]) IS
  'Sentences on the number of insured customers: the whole, and the units and channels that moved it most.';

-- a change of direction after three months or more in the other
CREATE FUNCTION crm._report_turns(frame crm._report_frame, lines crm._report_line[], OUT place integer, OUT id text, OUT tone text, OUT sentence text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 200 + c.place, 'turn-' || c.code, crm._report_tone(t.last, c.better), crm._report_say(frame, CASE WHEN t.last > 0 THEN 'change/turn_up' ELSE 'change/turn_down' END,
    jsonb_build_object('figure', crm._report_say(frame, 'code/' || c.code), 'month', crm._report_month(frame, (frame).month), 'change', crm._report_number(abs(t.last)),
                       'closing', crm._report_number(s.v[25]), 'months', t.months))
  FROM jsonb_to_recordset((frame).codes) c (code text, place integer, nature text, better text)
  CROSS JOIN LATERAL (SELECT crm._report_values(lines, c.code, 'month', false) AS v OFFSET 0) s
  CROSS JOIN LATERAL (
    SELECT s.v[25] - s.v[24] AS last,
           24 - coalesce(max(i) FILTER (WHERE coalesce(sign(s.v[i] - s.v[i - 1]), 0) <> -sign(s.v[25] - s.v[24])), 1) AS months
    FROM generate_series(2, 24) i) t
  WHERE c.nature = 'balance' AND c.better IS NOT NULL AND t.last <> 0 AND t.months >= 3
$$;
COMMENT ON FUNCTION crm._report_turns(crm._report_frame, crm._report_line[]) IS 'Sentences on balances that turned.';

CREATE FUNCTION crm._report_class_changes(frame crm._report_frame, totals crm._report_figure[], OUT place integer, OUT id text, OUT tone text, OUT sentence text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 800 + y.i::integer, 'class-' || y.code, 'even', crm._report_say(frame, 'change/class', jsonb_build_object(
    'dimension', crm._report_say(frame, 'dimension/' || y.code), 'class', crm._report_say(frame, 'class/' || y.code || '/' || y.class),
    'change', crm._report_signed(y.n - y.n_before), 'closing', crm._report_number(y.n),
    'share', crm._report_percent(y.n / nullif(y.whole, 0)), 'share_before', crm._report_percent(y.n_before / nullif(y.whole_before, 0))))
  FROM (
    SELECT x.*, array_position('{coverage,activity,tier}', x.code) AS i, row_number() OVER (PARTITION BY x.code, x.class = 'none' ORDER BY abs(x.n - x.n_before) DESC, x.class) AS first
    FROM (
      SELECT f.code, f.class, coalesce(sum(f.numerator) FILTER (WHERE f.month = (frame).month), 0) AS n, coalesce(sum(f.numerator) FILTER (WHERE f.month < (frame).month), 0) AS n_before,
             sum(sum(f.numerator) FILTER (WHERE f.month = (frame).month)) OVER (PARTITION BY f.code) AS whole, sum(sum(f.numerator) FILTER (WHERE f.month < (frame).month)) OVER (PARTITION BY f.code) AS whole_before
      FROM unnest(totals) f
      WHERE f.grain = 'month' AND f.code IN ('coverage', 'activity', 'tier') AND f.month IN ((frame).month, ((frame).month - interval '1 year')::date)
      GROUP BY f.code, f.class) x) y
  WHERE y.first = 1 AND y.class <> 'none' AND y.whole_before > 0 AND y.n <> y.n_before
$$;
COMMENT ON FUNCTION crm._report_class_changes(crm._report_frame, crm._report_figure[]) IS 'Sentences on the class of each dimension that changed most in a year.';

-- what was set is shown as it was set, what was computed rounded
CREATE FUNCTION crm._report_target_value(frame crm._report_frame, value numeric, code text, was_set boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM jsonb_to_recordset((frame).codes) c (code text, nature text) WHERE c.code = _report_target_value.code AND c.nature IN ('rate', 'share', 'growth')) THEN
    RETURN CASE WHEN was_set AND round(1000 * value) <> 1000 * value
                THEN trim_scale(round(100 * value, 2)) || '%'
                ELSE crm._report_percent(value) END;
  END IF;
  RETURN crm._report_number(value);
END
$$;
COMMENT ON FUNCTION crm._report_target_value(crm._report_frame, numeric, text, boolean) IS 'A value of a target.';

-- of a target its period in words, and its figure with class and channel
CREATE FUNCTION crm._report_target_args(frame crm._report_frame, t jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code CONSTANT text := t ->> 'code';
  start CONSTANT date := t ->> 'period_start';
BEGIN
  RETURN jsonb_build_object(
    'figure', concat_ws(', ', crm._report_say(frame, 'code/' || code), nullif(crm._report_say(frame, format('class/%s/', code) || (t ->> 'class')), ''), nullif(crm._report_say(frame, 'channel/' || (t ->> 'channel')), '')),
    'period', crm._report_say(frame, 'grain/' || (t ->> 'grain'), jsonb_build_object('year', extract(year FROM start), 'quarter', extract(quarter FROM start), 'month', crm._report_month(frame, start))),
    'actual', crm._report_target_value(frame, (t ->> 'actual')::numeric, code), 'target', crm._report_target_value(frame, (t ->> 'target')::numeric, code, true),
    'forecast', crm._report_target_value(frame, (t ->> 'forecast')::numeric, code),
    'best', crm._report_target_value(frame, (t ->> CASE t ->> 'direction' WHEN 'at_most' THEN 'forecast_lower' ELSE 'forecast_upper' END)::numeric, code),
    'time', crm._report_percent((t ->> 'time_gone')::numeric));
END
$$;
COMMENT ON FUNCTION crm._report_target_args(crm._report_frame, jsonb) IS 'A target, a row of crm_bi.target, as places of a phrase.';

CREATE FUNCTION crm._report_task_changes(frame crm._report_frame, targets jsonb, holdings jsonb, OUT place integer, OUT id text, OUT tone text, OUT sentence text)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 900 + t.i::integer, 'target-' || (t.t ->> 'target_id'), CASE s.phrase WHEN 'reached' THEN 'good' ELSE 'bad' END, crm._report_say(frame, 'change/target_' || s.phrase, crm._report_target_args(frame, t.t))
  FROM jsonb_array_elements(targets) WITH ORDINALITY t (t, i)
  CROSS JOIN LATERAL (SELECT CASE t.t ->> 'status' WHEN 'at_risk' THEN CASE WHEN t.t ->> 'forecast' IS NULL THEN 'behind' ELSE 'at_risk' END ELSE t.t ->> 'status' END AS phrase) s
  WHERE s.phrase IN ('off_track', 'at_risk', 'behind', 'missed', 'reached') AND t.t ->> 'actual' IS NOT NULL
  UNION ALL
  SELECT 1000000, 'recycled', 'even', crm._report_say(frame, 'change/recycled', jsonb_build_object('month', crm._report_month(frame, (frame).month),
    'count', crm._report_number((holdings ->> 'recycled')::numeric), 'before', crm._report_number((holdings ->> 'recycled_before')::numeric),
    'cause', crm._report_say(frame, 'cause/' || c.cause), 'most', crm._report_number(c.n::numeric)))
  FROM (SELECT k.key AS cause, k.value AS n FROM jsonb_each_text(holdings -> 'causes') k ORDER BY k.value::numeric DESC, k.key LIMIT 1) c
  WHERE (holdings ->> 'recycled')::numeric > 0
$$;
COMMENT ON FUNCTION crm._report_task_changes(crm._report_frame, jsonb, jsonb) IS 'Sentences on targets and recycled customers.';
