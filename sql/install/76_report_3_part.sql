-- report: the parts of a page that come from figures. A series has 25 months, the last of them that of the report, the 24th the month before, the 13th a year before.

CREATE FUNCTION crm._report_months(frame crm._report_frame) RETURNS date[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT array_agg(((frame).month - make_interval(months => i))::date ORDER BY i DESC) FROM generate_series(0, 24) i);
END
$$;
COMMENT ON FUNCTION crm._report_months(crm._report_frame) IS 'The months of a series.';

CREATE TYPE crm._report_line AS (code text, grain text, counts numeric[], quotients numeric[]);
COMMENT ON TYPE crm._report_line IS 'A figure month by month: numerators, and numerators over denominators; NULL where it is not known.';

CREATE FUNCTION crm._report_lines(frame crm._report_frame, totals crm._report_figure[]) RETURNS crm._report_line[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT (c.code, g.grain, array_agg(CASE WHEN m.month >= k.first THEN coalesce(t.numerator, 0) END ORDER BY m.month), array_agg(t.numerator / nullif(t.denominator, 0) ORDER BY m.month))::crm._report_line
    FROM jsonb_to_recordset((frame).codes) c (code text)
    CROSS JOIN unnest('{month,trailing_12}'::text[]) g (grain)
    CROSS JOIN unnest(crm._report_months(frame)) m (month)
    CROSS JOIN (SELECT min(x.month) AS first FROM unnest(totals) x WHERE x.grain = 'month') k
    LEFT JOIN unnest(totals) t ON t.code = c.code AND t.grain = g.grain AND t.month = m.month AND t.class IS NULL
    GROUP BY c.code, g.grain);
END
$$;
COMMENT ON FUNCTION crm._report_lines(crm._report_frame, crm._report_figure[]) IS 'Every figure month by month.';

CREATE FUNCTION crm._report_values(lines crm._report_line[], code text, grain text, quotient boolean) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT CASE WHEN quotient THEN l.quotients ELSE l.counts END FROM unnest(lines) l WHERE l.code = _report_values.code AND l.grain = _report_values.grain);
END
$$;
COMMENT ON FUNCTION crm._report_values(crm._report_line[], text, text, boolean) IS 'One figure of them.';

CREATE FUNCTION crm._report_section(frame crm._report_frame, id text, content xml) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN content IS NOT NULL THEN xmlelement(name section, xmlattributes(id AS id), xmlelement(name h2, crm._report_say(frame, 'section/' || id)), content) END;
END
$$;
COMMENT ON FUNCTION crm._report_section(crm._report_frame, text, xml) IS 'A part with its heading; NULL without content.';

CREATE FUNCTION crm._report_cards(frame crm._report_frame, lines crm._report_line[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT xmlelement(name div, xmlattributes('cards' AS class),
    xmlagg(xmlelement(name div, xmlattributes('card' AS class, 'card-' || c.code AS id),
      xmlelement(name h3, crm._report_say(frame, 'code/' || c.code)),
      xmlelement(name p, xmlattributes('when' AS class),
        CASE c.nature WHEN 'balance' THEN crm._report_say(frame, 'card/closing', w.args) WHEN 'count' THEN crm._report_say(frame, 'card/month', w.args) ELSE crm._report_say(frame, 'card/twelve') END),
      xmlelement(name p, xmlattributes('big' AS class),
        CASE WHEN c.nature IN ('balance', 'count') THEN crm._report_data(s.v[25], crm._report_short(s.v[25], (frame).language)) ELSE crm._report_value(frame, s.v[25], c.nature) END),
      crm._report_spark(s.v[2:25]),
      xmlelement(name p, xmlattributes('delta' AS class), crm._report_change(frame, s.v[25], s.v[24], c.nature, c.better), ' ', xmlelement(name small, crm._report_say(frame, 'card/before'))),
      xmlelement(name p, xmlattributes('delta' AS class), crm._report_change(frame, s.v[25], s.v[13], c.nature, c.better), ' ', xmlelement(name small, crm._report_say(frame, 'card/year'))))
      ORDER BY c.card))
  FROM jsonb_to_recordset((frame).codes) c (code text, nature text, better text, card integer)
  CROSS JOIN (SELECT jsonb_build_object('month', crm._report_month(frame, (frame).month)) AS args) w
  CROSS JOIN LATERAL (SELECT crm._report_values(lines, c.code, CASE WHEN c.nature IN ('balance', 'count') THEN 'month' ELSE 'trailing_12' END, c.nature NOT IN ('balance', 'count')) AS v OFFSET 0) s
  WHERE c.card IS NOT NULL);
END
$$;
COMMENT ON FUNCTION crm._report_cards(crm._report_frame, crm._report_line[]) IS 'The main figures, each with its changes and its line.';

-- opening, gained, won back, churned, moved in, moved out, closing: signed, for each member, of totals for the one without name
CREATE FUNCTION crm._report_bridges(figures crm._report_figure[], grain text, month date, OUT member text, OUT bridge numeric[])
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.member, ARRAY[sum(CASE WHEN f.code = 'total_churn' THEN f.denominator ELSE 0 END), sum(CASE WHEN f.code = 'gained' THEN f.numerator ELSE 0 END),
    sum(CASE WHEN f.code = 'won_back' THEN f.numerator ELSE 0 END), -sum(CASE WHEN f.code = 'total_churn' THEN f.numerator ELSE 0 END),
    sum(CASE WHEN f.code = 'moved_in' THEN f.numerator ELSE 0 END), -sum(CASE WHEN f.code = 'moved_out' THEN f.numerator ELSE 0 END),
    sum(CASE WHEN f.code = 'insured' THEN f.numerator ELSE 0 END)]
  FROM unnest(figures) f
  WHERE f.month = _report_bridges.month AND f.grain = CASE f.code WHEN 'insured' THEN 'month' ELSE _report_bridges.grain END
    AND f.code IN ('total_churn', 'gained', 'won_back', 'moved_in', 'moved_out', 'insured')
  GROUP BY f.member
$$;
COMMENT ON FUNCTION crm._report_bridges(crm._report_figure[], text, date) IS 'How the number of insured customers came about.';

CREATE FUNCTION crm._report_growth(frame crm._report_frame, totals crm._report_figure[], lines crm._report_line[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT crm._report_section(frame, 'growth', xmlconcat(
    xmlelement(name div, xmlattributes('charts' AS class),
      crm._report_waterfall(frame, crm._report_say(frame, 'chart/month_bridge', w.args), 'bridge-month', l.labels, (SELECT b.bridge FROM crm._report_bridges(totals, 'month', (frame).month) b)),
      crm._report_waterfall(frame, crm._report_say(frame, 'chart/year_bridge'), 'bridge-twelve', l.labels, (SELECT b.bridge FROM crm._report_bridges(totals, 'trailing_12', (frame).month) b)),
      crm._report_chart(frame, crm._report_say(frame, 'chart/insured'), m.months[2:25], (crm._report_values(lines, 'insured', 'month', false))[2:25], NULL, ARRAY[crm._report_say(frame, 'line/insured')], 'balance', false),
      crm._report_chart(frame, crm._report_say(frame, 'chart/new'), m.months[2:25], (crm._report_values(lines, 'new_customers', 'month', false))[2:25], NULL, ARRAY[crm._report_say(frame, 'line/new')], 'count', true))))
  FROM (SELECT jsonb_build_object('month', crm._report_month(frame, (frame).month)) AS args) w,
       (SELECT crm._report_months(frame) AS months) m,
       (SELECT array_agg(crm._report_say(frame, 'step/' || s.step) ORDER BY s.i) AS labels
        FROM unnest('{opening,gained,won_back,churned,moved_in,moved_out,closing}'::text[]) WITH ORDINALITY s (step, i)) l);
END
$$;
COMMENT ON FUNCTION crm._report_growth(crm._report_frame, crm._report_figure[], crm._report_line[]) IS 'The part on growth: two waterfalls and two charts.';

CREATE FUNCTION crm._report_rates(frame crm._report_frame, lines crm._report_line[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN crm._report_section(frame, 'rates', (
    SELECT xmlelement(name div, xmlattributes('charts three' AS class), xmlagg(r.chart ORDER BY r.i))
    FROM (
      SELECT v.i, crm._report_chart(frame, crm._report_say(frame, 'chart/' || v.chart), (crm._report_months(frame))[2:25],
                                    (crm._report_values(lines, v.first, 'trailing_12', true))[2:25],
                                    CASE WHEN v.second IS NOT NULL THEN (crm._report_values(lines, v.second, 'trailing_12', true))[2:25] END,
                                    ARRAY[crm._report_say(frame, 'line/' || v.first_name), crm._report_say(frame, 'line/' || v.second_name)], 'rate', false) AS chart
      FROM (VALUES (1, 'repeat', 'repeat_purchase', 'repeat_purchase_any', 'repeat', 'repeat_any'), (2, 'churn', 'total_churn', 'lapse_churn', 'churn', 'lapse'),
                   (3, 'win_back', 'win_back', NULL, 'win_back', NULL)) v (i, chart, first, second, first_name, second_name)) r
    HAVING count(r.chart) > 0));
END
$$;
COMMENT ON FUNCTION crm._report_rates(crm._report_frame, crm._report_line[]) IS 'The part on loyalty: rates of twelve months over 24 months.';

-- classes as at the end of the month, with shares and what changed in a year
CREATE FUNCTION crm._report_classes(frame crm._report_frame, figures crm._report_figure[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN crm._report_section(frame, 'classes', (
    SELECT xmlelement(name div, xmlattributes('charts' AS class), xmlagg(xmlelement(name div, xmlattributes('class-' || d.dimension AS id),
        xmlelement(name h3, crm._report_say(frame, CASE WHEN (frame).words ? ('dimension/' || d.dimension) THEN 'dimension/' ELSE 'code/' END || d.dimension) || ' ', xmlelement(name small, crm._report_say(frame, 'columns/classes'))), xmlelement(name table, xmlattributes('bars' AS class), d.lines)) ORDER BY coalesce(array_position('{coverage,activity,tier,kind}', d.dimension), 9), d.dimension))
    FROM (
      SELECT x.dimension, xmlagg(xmlelement(name tr, xmlattributes(x.dimension || '-' || x.class AS "data-class"),
               xmlelement(name th, coalesce((frame).words ->> format('class/%s/%s', x.dimension, x.class), x.class)),
               xmlelement(name td, xmlattributes('bar' AS class), crm._report_bar(x.n / nullif(x.whole, 0), 'one')),
               xmlelement(name td, crm._report_data(x.n, crm._report_number(x.n))),
               xmlelement(name td, crm._report_percent(x.n / nullif(x.whole, 0))),
               xmlelement(name td, CASE WHEN x.whole_before > 0 THEN crm._report_change(frame, x.n, x.n_before, 'count', NULL, false) END)) ORDER BY x.place, x.class) AS lines
      FROM (
        SELECT c.dimension, c.class, c.place, c.n, c.n_before, sum(c.n) OVER w AS whole, sum(c.n_before) OVER w AS whole_before
        FROM (
          SELECT CASE f.code WHEN 'insured' THEN 'kind' ELSE f.code END AS dimension, CASE f.code WHEN 'insured' THEN f.kind ELSE f.class END AS class,
                 coalesce(min(k.class_order), CASE f.kind WHEN 'person' THEN 1 ELSE 2 END) AS place, coalesce(sum(f.numerator) FILTER (WHERE f.month = (frame).month), 0) AS n,
                 coalesce(sum(f.numerator) FILTER (WHERE f.month < (frame).month), 0) AS n_before
          FROM unnest(figures) f
          LEFT JOIN jsonb_to_recordset((frame).classes) k (dimension text, class text, class_order integer) ON k.dimension = f.code AND k.class = f.class
          WHERE f.grain = 'month' AND (f.class IS NOT NULL OR f.kind IS NOT NULL) AND f.month IN ((frame).month, ((frame).month - interval '1 year')::date)
          GROUP BY f.code, f.class, f.kind) c
        WINDOW w AS (PARTITION BY c.dimension)) x
      GROUP BY x.dimension) d
    HAVING count(*) > 0));
END
$$;
COMMENT ON FUNCTION crm._report_classes(crm._report_frame, crm._report_figure[]) IS 'The part on classes: bars by coverage, activity, tier and whatever else has classes, and persons apart from companies.';

CREATE FUNCTION crm._report_table(frame crm._report_frame, totals crm._report_figure[], lines crm._report_line[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT crm._report_section(frame, 'figures', xmlelement(name div, xmlattributes('wide' AS class), xmlelement(name table, xmlattributes('figures' AS class),
    xmlelement(name thead, xmlelement(name tr,
      xmlelement(name th, crm._report_say(frame, 'column/figure')), xmlelement(name th, crm._report_month(frame, (frame).month)), xmlelement(name th, crm._report_say(frame, 'column/before')),
      xmlelement(name th, crm._report_say(frame, 'column/year_ago', jsonb_build_object('month', crm._report_month(frame, ((frame).month - interval '1 year')::date, true)))),
      xmlelement(name th, crm._report_say(frame, CASE WHEN (frame).as_of >= y.last_day THEN 'column/year_whole' ELSE 'column/year' END, jsonb_build_object('year', extract(year FROM (frame).month)))),
      xmlelement(name th, crm._report_say(frame, 'column/twelve')), xmlelement(name th, crm._report_say(frame, 'column/twelve_before')))),
    (SELECT xmlagg(xmlelement(name tbody, xmlelement(name tr, xmlattributes('part' AS class), xmlelement(name th, xmlattributes(7 AS colspan), crm._report_say(frame, 'part/' || p.part))), p.lines)
                   ORDER BY array_position('{potential,direction,loyalty,state}', p.part))
     FROM (
       SELECT c.part, xmlagg(xmlelement(name tr, xmlattributes('figure-' || c.code AS id),
                xmlelement(name th, crm._report_say(frame, 'code/' || c.code)),
                xmlelement(name td, crm._report_value(frame, s.m[25], c.nature)),
                xmlelement(name td, crm._report_change(frame, s.m[25], s.m[24], c.nature, c.better)),
                xmlelement(name td, crm._report_change(frame, s.m[25], s.m[13], c.nature, c.better)),
                xmlelement(name td, CASE WHEN c.nature = 'balance' THEN crm._report_change(frame, s.m[25], s.m[25 - extract(month FROM (frame).month)::integer], c.nature, c.better)
                                         ELSE crm._report_value(frame, s.y, c.nature) END),
                xmlelement(name td, CASE WHEN c.nature = 'balance' THEN crm._report_change(frame, s.m[25], s.m[13], c.nature, c.better) ELSE crm._report_value(frame, s.t[25], c.nature) END),
                xmlelement(name td, CASE WHEN c.nature = 'balance' THEN crm._report_change(frame, s.m[25] - s.m[13], s.m[13] - s.m[1], c.nature, c.better, false)
                                         ELSE crm._report_change(frame, s.t[25], s.t[13], c.nature, c.better) END)) ORDER BY c.place, c.code) AS lines
       FROM jsonb_to_recordset((frame).codes) c (code text, part text, place integer, nature text, better text)
       CROSS JOIN LATERAL (SELECT crm._report_values(lines, c.code, 'month', c.nature NOT IN ('balance', 'count')) AS m,
                                  crm._report_values(lines, c.code, 'trailing_12', c.nature NOT IN ('balance', 'count')) AS t,
                                  (SELECT CASE WHEN c.nature IN ('balance', 'count') THEN f.numerator ELSE f.numerator / nullif(f.denominator, 0) END
                                   FROM unnest(totals) f WHERE f.code = c.code AND f.grain = 'year' AND f.class IS NULL) AS y OFFSET 0) s
       GROUP BY c.part) p))))
  FROM (SELECT (date_trunc('year', (frame).month::timestamp) + interval '1 year - 1 day')::date AS last_day) y);
END
$$;
COMMENT ON FUNCTION crm._report_table(crm._report_frame, crm._report_figure[], crm._report_line[]) IS 'The table of all figures in four parts: month, changes, year and twelve months.';

CREATE FUNCTION crm._report_rank(frame crm._report_frame, place bigint, ranked boolean) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN ranked AND place IS NOT NULL THEN xmlelement(name small, xmlattributes('rank' AS class), crm._report_say(frame, 'column/rank', jsonb_build_object('rank', place))) END;
END
$$;
COMMENT ON FUNCTION crm._report_rank(crm._report_frame, bigint, boolean) IS 'A place among several, 1 the best.';

-- Members of the unit side by side: its units, or its channels. The unit itself, where it has customers of its own, takes no rank.
CREATE FUNCTION crm._report_members(frame crm._report_frame, id text, kind text, figures crm._report_figure[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  WITH x AS (
    SELECT f.member, f.member IS NOT DISTINCT FROM (frame).org_id::text AS own, coalesce(sum(f.numerator) FILTER (WHERE f.code = 'insured' AND f.grain = 'month' AND f.month = (frame).month), 0) AS n,
           coalesce(sum(f.numerator) FILTER (WHERE f.code = 'insured' AND f.grain = 'month' AND f.month = ((frame).month - interval '1 month')::date), 0) AS n_before,
           coalesce(sum(f.numerator) FILTER (WHERE f.code = 'insured' AND f.grain = 'month' AND f.month = ((frame).month - interval '1 year')::date), 0) AS n_year,
           coalesce(sum(f.numerator) FILTER (WHERE f.code = 'new_customers' AND f.grain = 'trailing_12'), 0) AS gained,
           sum(f.numerator) FILTER (WHERE f.code = 'repeat_purchase' AND f.grain = 'trailing_12') / nullif(sum(f.denominator) FILTER (WHERE f.code = 'repeat_purchase' AND f.grain = 'trailing_12'), 0) AS repeat,
           sum(f.numerator) FILTER (WHERE f.code = 'total_churn' AND f.grain = 'trailing_12') / nullif(sum(f.denominator) FILTER (WHERE f.code = 'total_churn' AND f.grain = 'trailing_12'), 0) AS churn,
           sum(f.numerator) FILTER (WHERE f.code = 'win_back' AND f.grain = 'trailing_12') / nullif(sum(f.denominator) FILTER (WHERE f.code = 'win_back' AND f.grain = 'trailing_12'), 0) AS back
    FROM unnest(figures) f
    WHERE f.grain = 'month' OR f.month = (frame).month
    GROUP BY f.member),
  r AS (
    SELECT x.*, sum(x.n) OVER () AS whole, count(*) FILTER (WHERE NOT x.own) OVER () > 1 AS ranked,
           CASE WHEN NOT x.own AND x.n_year > 0 THEN rank() OVER (ORDER BY x.own, CASE WHEN x.n_year > 0 THEN x.n / x.n_year END DESC NULLS LAST) END AS growth_rank,
           CASE WHEN NOT x.own AND x.repeat IS NOT NULL THEN rank() OVER (ORDER BY x.own, x.repeat DESC NULLS LAST) END AS repeat_rank,
           CASE WHEN NOT x.own AND x.churn IS NOT NULL THEN rank() OVER (ORDER BY x.own, x.churn NULLS LAST) END AS churn_rank,
           CASE WHEN NOT x.own AND x.back IS NOT NULL THEN rank() OVER (ORDER BY x.own, x.back DESC NULLS LAST) END AS back_rank
    FROM x WHERE x.n > 0 OR x.n_before > 0 OR x.n_year > 0)
  SELECT crm._report_section(frame, id, xmlelement(name div, xmlattributes('wide' AS class), xmlelement(name table, xmlattributes('members' AS class),
    xmlelement(name thead, xmlelement(name tr, (SELECT xmlagg(xmlelement(name th, crm._report_say(frame, 'column/' || h.name)) ORDER BY h.i)
      FROM unnest(ARRAY[kind, 'insured', 'share', 'month_change', 'year_change', 'new', 'repeat', 'churn', 'win_back']) WITH ORDINALITY h (name, i)))),
    xmlelement(name tbody, xmlagg(xmlelement(name tr, xmlattributes(kind || '-' || r.member AS "data-member"),
      xmlelement(name th, crm._report_say(frame, kind || '/' || r.member)),
      xmlelement(name td, crm._report_value(frame, r.n, 'balance')),
      xmlelement(name td, crm._report_percent(r.n / nullif(r.whole, 0)), crm._report_bar(r.n / nullif(r.whole, 0), 'one')),
      xmlelement(name td, crm._report_change(frame, r.n, r.n_before, 'balance', 'up')),
      xmlelement(name td, crm._report_change(frame, r.n, r.n_year, 'balance', 'up'), crm._report_rank(frame, r.growth_rank, r.ranked)),
      xmlelement(name td, crm._report_value(frame, r.gained, 'count')),
      xmlelement(name td, crm._report_value(frame, r.repeat, 'rate'), crm._report_rank(frame, r.repeat_rank, r.ranked)),
      xmlelement(name td, crm._report_value(frame, r.churn, 'rate'), crm._report_rank(frame, r.churn_rank, r.ranked)),
      xmlelement(name td, crm._report_value(frame, r.back, 'rate'), crm._report_rank(frame, r.back_rank, r.ranked))) ORDER BY r.own, r.n DESC, r.member)))))
  FROM r HAVING count(*) > 0);
END
$$;
COMMENT ON FUNCTION crm._report_members(crm._report_frame, text, text, crm._report_figure[]) IS 'Units or channels side by side, with ranks by growth and rates of twelve months.';
