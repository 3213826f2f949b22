-- report: what is held, targets, notes, and the page they make together

CREATE FUNCTION crm._report_changes(frame crm._report_frame, totals crm._report_figure[], lines crm._report_line[], channels crm._report_figure[], units crm._report_figure[], targets jsonb, holdings jsonb) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN crm._report_section(frame, 'changes', coalesce(
    (SELECT xmlelement(name ul, xmlagg(xmlelement(name li, xmlattributes('change-' || s.id AS id, s.tone AS class), s.sentence) ORDER BY s.place, s.id))
     FROM (SELECT * FROM crm._report_count_changes(frame, totals, lines, channels, units)
           UNION ALL SELECT * FROM crm._report_turns(frame, lines)
           UNION ALL SELECT * FROM crm._report_rate_changes(frame, totals, units)
           UNION ALL SELECT * FROM crm._report_class_changes(frame, totals)
           UNION ALL SELECT * FROM crm._report_task_changes(frame, targets, holdings)) s
     HAVING count(*) > 0),
    xmlelement(name p, crm._report_say(frame, 'no_changes'))));
END
$$;
COMMENT ON FUNCTION crm._report_changes(crm._report_frame, crm._report_figure[], crm._report_line[], crm._report_figure[], crm._report_figure[], jsonb, jsonb) IS 'The part on what changed most.';

CREATE FUNCTION crm._report_holdings(frame crm._report_frame, holdings jsonb) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT crm._report_section(frame, 'holdings', CASE WHEN h.none THEN xmlelement(name p, crm._report_say(frame, 'holding/none')) ELSE xmlconcat(
    xmlelement(name div, xmlattributes('cards six' AS class),
      (SELECT xmlagg(xmlelement(name div, xmlattributes('card' AS class, 'holding-' || i.item AS id), xmlelement(name h3, crm._report_say(frame, 'holding/' || i.item, h.args)),
                xmlelement(name p, xmlattributes('big' AS class), crm._report_value(frame, (holdings ->> i.item)::numeric, 'count')),
                CASE WHEN holdings ? (i.item || '_before') THEN xmlelement(name p, xmlattributes('delta' AS class),
                  crm._report_change(frame, (holdings ->> i.item)::numeric, (holdings ->> (i.item || '_before'))::numeric, 'count', NULL), ' ', xmlelement(name small, crm._report_say(frame, 'card/before'))) END) ORDER BY i.i)
       FROM unnest('{held,begun,recycled,released,due,overdue}'::text[]) WITH ORDINALITY i (item, i))),
    (SELECT xmlconcat(xmlelement(name h3, crm._report_say(frame, 'holding/cause', h.args)), xmlelement(name table, xmlattributes('bars' AS class), xmlagg(xmlelement(name tr, xmlattributes('cause-' || c.key AS "data-cause"),
         xmlelement(name th, crm._report_say(frame, 'cause/' || c.key)), xmlelement(name td, xmlattributes('bar' AS class), crm._report_bar(c.value::numeric / nullif((holdings ->> 'recycled')::numeric, 0), 'one')),
         xmlelement(name td, crm._report_value(frame, c.value::numeric, 'count')), xmlelement(name td, crm._report_percent(c.value::numeric / nullif((holdings ->> 'recycled')::numeric, 0))))
         ORDER BY c.value::numeric DESC, c.key)))
     FROM jsonb_each_text(holdings -> 'causes') c HAVING count(*) > 0)) END)
  FROM (SELECT jsonb_build_object('month', crm._report_month(frame, (frame).month)) AS args, NOT EXISTS (SELECT FROM jsonb_each(holdings) x WHERE x.value NOT IN ('0', '{}')) AS none) h);
END
$$;
COMMENT ON FUNCTION crm._report_holdings(crm._report_frame, jsonb) IS 'The part on customers held, given out and recycled.';

CREATE FUNCTION crm._report_targets(frame crm._report_frame, targets jsonb, benchmarks jsonb) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN xmlconcat(
    (SELECT crm._report_section(frame, 'targets', xmlelement(name div, xmlattributes('wide' AS class), xmlelement(name table, xmlattributes('targets' AS class),
       xmlelement(name thead, xmlelement(name tr, (SELECT xmlagg(xmlelement(name th, crm._report_say(frame, 'column/' || h.name)) ORDER BY h.i)
         FROM unnest('{figure,period,target,actual,attainment,time,forecast,status}'::text[]) WITH ORDINALITY h (name, i)))),
       xmlelement(name tbody, xmlagg(xmlelement(name tr, xmlattributes('target-' || (t.t ->> 'target_id') AS "data-target"),
         xmlelement(name th, a.args ->> 'figure'), xmlelement(name td, a.args ->> 'period'),
         xmlelement(name td, xmlelement(name small, crm._report_say(frame, 'target/' || (t.t ->> 'direction')) || ' '), crm._report_data((t.t ->> 'target')::numeric, a.args ->> 'target')),
         xmlelement(name td, crm._report_data((t.t ->> 'actual')::numeric, a.args ->> 'actual')),
         xmlelement(name td, crm._report_percent((t.t ->> 'attainment')::numeric), crm._report_bar(greatest(coalesce((t.t ->> 'attainment')::numeric, 0), 0), 'one')),
         xmlelement(name td, a.args ->> 'time'),
         xmlelement(name td, crm._report_data((t.t ->> 'forecast')::numeric, a.args ->> 'forecast'),
           CASE WHEN t.t ->> 'forecast_lower' <> t.t ->> 'forecast_upper' THEN xmlelement(name small, ' ' || crm._report_say(frame, 'range', jsonb_build_object(
             'low', crm._report_target_value(frame, (t.t ->> 'forecast_lower')::numeric, t.t ->> 'code'), 'high', crm._report_target_value(frame, (t.t ->> 'forecast_upper')::numeric, t.t ->> 'code')))) END),
         xmlelement(name td, xmlelement(name span, xmlattributes('status ' || (t.t ->> 'status') AS class), crm._report_say(frame, 'status/' || (t.t ->> 'status'))))) ORDER BY t.i)))))
     FROM jsonb_array_elements(targets) WITH ORDINALITY t (t, i) CROSS JOIN LATERAL (SELECT crm._report_target_args(frame, t.t) AS args) a HAVING count(*) > 0),
    (SELECT crm._report_section(frame, 'benchmarks', xmlelement(name div, xmlattributes('wide' AS class), xmlelement(name table, xmlattributes('targets beside' AS class),
       xmlelement(name thead, xmlelement(name tr, (SELECT xmlagg(xmlelement(name th, crm._report_say(frame, 'column/' || h.name)) ORDER BY h.i)
         FROM unnest('{figure,period,whose,benchmark,actual,gap}'::text[]) WITH ORDINALITY h (name, i)))),
       xmlelement(name tbody, xmlagg(xmlelement(name tr,
         xmlelement(name th, a.args ->> 'figure'), xmlelement(name td, a.args ->> 'period'), xmlelement(name td, crm._report_clean(b.b ->> 'label')),
         xmlelement(name td, crm._report_data((b.b ->> 'benchmark')::numeric, crm._report_target_value(frame, (b.b ->> 'benchmark')::numeric, t.t ->> 'code', true))),
         xmlelement(name td, crm._report_data((t.t ->> 'actual')::numeric, a.args ->> 'actual')),
         xmlelement(name td, xmlelement(name span, xmlattributes(crm._report_tone((b.b ->> 'actual_gap')::numeric, CASE t.t ->> 'direction' WHEN 'at_most' THEN 'down' ELSE 'up' END) AS class),
           crm._report_data((b.b ->> 'actual_gap')::numeric, CASE WHEN right(a.args ->> 'target', 1) = '%' THEN crm._report_percent((b.b ->> 'actual_gap')::numeric, true, crm._report_say(frame, 'points'))
                                                                                                   ELSE crm._report_signed((b.b ->> 'actual_gap')::numeric) END)))) ORDER BY b.i)))))
     FROM jsonb_array_elements(benchmarks) WITH ORDINALITY b (b, i) JOIN jsonb_array_elements(targets) t (t) ON t.t -> 'target_id' = b.b -> 'target_id'
     CROSS JOIN LATERAL (SELECT crm._report_target_args(frame, t.t) AS args) a HAVING count(*) > 0));
END
$$;
COMMENT ON FUNCTION crm._report_targets(crm._report_frame, jsonb, jsonb) IS 'The parts on targets and benchmarks; NULL without any.';

-- freshness: item -> {day, n}
CREATE FUNCTION crm._report_notes(frame crm._report_frame, totals crm._report_figure[], units crm._report_figure[], freshness jsonb, completeness jsonb) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT crm._report_section(frame, 'notes', xmlelement(name ul, xmlagg(xmlelement(name li, xmlattributes('note-' || n.note AS id), crm._report_say(frame, 'note/' || n.note, n.args)) ORDER BY n.i)))
  FROM (SELECT (freshness -> 'figures stand on' ->> 'day')::date AS stands, (freshness -> 'posted up to' ->> 'day')::date AS posted,
               (SELECT count(*) FROM crm._report_pairs(frame, totals, units)) AS tests OFFSET 0) f
  CROSS JOIN LATERAL (VALUES
    (1, 'stand', f.stands IS NOT NULL, jsonb_build_object('day', crm._report_day(frame, f.stands), 'until', crm._report_day(frame, f.posted))),
    (2, 'queued', (freshness -> 'queued by deferred posting' ->> 'n')::bigint > 0, jsonb_build_object('count', crm._report_number((freshness -> 'queued by deferred posting' ->> 'n')::numeric))),
    (3, 'scales', (freshness -> 'scales changed since' ->> 'n')::bigint > 0, jsonb_build_object('count', crm._report_number((freshness -> 'scales changed since' ->> 'n')::numeric))),
    (4, 'rebuild', freshness ? 'rebuild running', '{}'),
    (5, 'year_unknown', totals <> '{}' AND NOT EXISTS (SELECT FROM unnest(totals) t WHERE t.grain = 'year' AND t.code !~ '^persistency'), jsonb_build_object('day', crm._report_day(frame, (frame).as_of))),
    (6, 'complete', completeness IS NOT NULL, jsonb_build_object('day', crm._report_day(frame, (completeness ->> 'day')::date),
       'score', round((completeness ->> 'score')::numeric, 1), 'share', crm._report_percent((completeness ->> 'share')::numeric))),
    (7, 'chance', f.tests > 0, jsonb_build_object('tests', f.tests, 'least', 30, 'level', to_char(100 * (1 - 0.05 / greatest(f.tests, 1)), 'FM990.00') || '%')),
    (8, 'moves', totals <> '{}', '{}'), (9, 'axis', totals <> '{}', '{}'), (10, 'month_rates', totals <> '{}', '{}'), (11, 'definitions', true, '{}')) n (i, note, holds, args)
  WHERE n.holds);
END
$$;
COMMENT ON FUNCTION crm._report_notes(crm._report_frame, crm._report_figure[], crm._report_figure[], jsonb, jsonb) IS 'The footnotes: how fresh and complete the data are, and how to read the page.';

CREATE FUNCTION crm._report_style() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $style$
  SELECT $$
:root { color-scheme: light; --ink: #1c2a35; --soft: #5b6b78; --rule: #dbe2e8; --back: #f3f6f9; --one: #1f5f8b; --two: #d08b2c; --good: #1b7a5a; --bad: #b3412f; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 0 20px 32px; max-width: 1040px; background: #fff; color: var(--ink); font: 15px/1.5 'Segoe UI', 'Helvetica Neue', Arial, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif; overflow-wrap: break-word; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
header { margin: 0 -20px 8px; padding: 26px 20px 18px; border-top: 6px solid var(--one); border-bottom: 1px solid var(--rule); }
header p { margin: 0; color: var(--soft); }
h1 { margin: 2px 0 4px; font-size: 28px; line-height: 1.2; font-weight: 650; }
h2 { margin: 30px 0 12px; padding-bottom: 5px; border-bottom: 2px solid var(--one); font-size: 18px; line-height: 1.3; }
h3 { margin: 0 0 4px; font-size: 14px; line-height: 1.35; font-weight: 600; }
small { font-size: 12px; color: var(--soft); font-weight: 400; }
.cards { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 12px; margin-top: 18px; }
.six { grid-template-columns: repeat(3, minmax(0, 1fr)); margin: 0 0 16px; }
.card { padding: 12px 14px 10px; border: 1px solid var(--rule); border-top: 3px solid var(--one); border-radius: 4px; background: #fff; }
.card p { margin: 0; }
.card .when { font-size: 12px; color: var(--soft); }
.card .big { margin: 4px 0 2px; font-size: 26px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; white-space: nowrap; }
.delta { font-size: 13px; }
.good, .good small:not(.rank) { color: var(--good); } .bad, .bad small:not(.rank) { color: var(--bad); } .none { color: var(--soft); }
.spark { display: block; width: 100%; height: 30px; margin: 4px 0; } .spark path { fill: none; stroke: var(--one); stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linecap: round; stroke-linejoin: round; }
#changes ul { margin: 0; padding: 0; list-style: none; }
#changes li { margin: 0 0 8px; padding: 7px 12px; border-left: 4px solid var(--soft); background: var(--back); color: var(--ink); }
#changes li.good { border-left-color: var(--good); } #changes li.bad { border-left-color: var(--bad); }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 22px 30px; } .charts.three { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 22px; }
figure { margin: 0; } figcaption { margin-bottom: 6px; font-weight: 600; font-size: 14px; line-height: 1.35; }
figure svg { display: block; width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; } svg .tick { font-size: 10.5px; fill: var(--soft); } svg .last, svg .total { font-weight: 650; }
.grid { stroke: var(--rule); stroke-width: 1; } .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; } .line.one { stroke: var(--one); } .line.two { stroke: var(--two); }
rect.one, circle.one { fill: var(--one); } rect.two, circle.two { fill: var(--two); } g rect.one { fill: #8fb3cc; } g rect.last { fill: var(--one); } rect.rise { fill: var(--good); } rect.fall { fill: var(--bad); } rect.back { fill: #e6ecf1; }
.join { stroke: var(--soft); stroke-width: 1; } .cut { fill: #fff; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; } th { text-align: left; font-weight: 600; } td { text-align: right; }
th, td { padding: 5px 8px; vertical-align: top; } thead th { font-size: 12.5px; line-height: 1.3; color: var(--soft); border-bottom: 1px solid var(--rule); } thead th + th { text-align: right; } tbody tr { border-bottom: 1px solid var(--rule); } tbody th { font-weight: 500; }
.wide { overflow-x: auto; } .wide td { white-space: nowrap; } .wide small { display: block; } .members span small { display: inline; margin-left: 5px; } .members thead th { width: 11%; } .members thead th:first-child { width: auto; } .wide tbody th { min-width: 130px; max-width: 260px; } .part th { padding-top: 12px; color: var(--one); font-weight: 650; }
.targets td small { display: inline; } .targets td:nth-child(2), .targets thead th:nth-child(2), .beside td:nth-child(3), .beside thead th:nth-child(3) { text-align: left; }
.bars th { width: 34%; font-weight: 400; padding-left: 0; } .bars td { width: 1%; white-space: nowrap; } .bars td.bar { width: 40%; } .bars tr { border: 0; } svg.bar { display: block; width: 100%; height: 10px; margin-top: 6px; } td svg.bar { min-width: 50px; } .wide td svg.bar { height: 5px; margin-top: 3px; }
.status { padding: 1px 9px; border-radius: 9px; background: #e6ecf1; white-space: nowrap; font-size: 13px; } .on_track, .reached { background: #d9efe6; color: #115a41; } .at_risk { background: #fbebd0; color: #7a4b06; } .off_track, .missed { background: #f8ddd8; color: #8a2a1b; }
#notes { color: var(--soft); font-size: 12.5px; } #notes h2 { font-size: 15px; border-bottom-width: 1px; } #notes ul { margin: 0; padding-left: 18px; }
@media (max-width: 860px) { .charts.three { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (max-width: 640px) { body { padding: 0 14px 24px; font-size: 14px; } header { margin: 0 -14px 4px; padding: 18px 14px 12px; } h1 { font-size: 22px; } .cards, .six { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; } .card { padding: 9px 10px; } .card .big { font-size: 21px; } .charts, .charts.three { grid-template-columns: minmax(0, 1fr); } }
@page { size: A4; margin: 14mm 12mm; }
@media print { body { max-width: none; padding: 0; font-size: 11.5px; } small, thead th { font-size: 9.5px; } h3, figcaption { font-size: 12px; } .delta, .card .when { font-size: 10.5px; } .card .big { font-size: 20px; } header { margin: 0; padding: 10px 0; } h2 { margin-top: 18px; break-after: avoid; } .card, figure, tr, #changes li { break-inside: avoid; } .wide { overflow: visible; } th, td { padding: 3px 5px; } .six { grid-template-columns: repeat(3, minmax(0, 1fr)); } .wide tbody th { min-width: 0; } .cards:not(.six) { grid-template-columns: repeat(4, minmax(0, 1fr)); } .charts, .charts.three { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
$$
$style$;
COMMENT ON FUNCTION crm._report_style() IS 'The style sheet of the page: without the characters that XML would escape.';

CREATE FUNCTION crm._report_page(frame crm._report_frame, content xml) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT E'<!DOCTYPE html>\n' || xmlelement(name html, xmlattributes(CASE (frame).language WHEN 'zh' THEN 'zh-CN' ELSE 'en' END AS lang),
    xmlelement(name head,
      xmlelement(name meta, xmlattributes('utf-8' AS charset)),
      xmlelement(name meta, xmlattributes('Content-Security-Policy' AS "http-equiv", 'default-src ''none''; style-src ''unsafe-inline''' AS content)),
      xmlelement(name meta, xmlattributes('viewport' AS name, 'width=device-width, initial-scale=1' AS content)),
      xmlelement(name title, (frame).org_name || ' - ' || crm._report_say(frame, 'title') || ' - ' || crm._report_month(frame, (frame).month)),
      xmlelement(name style, crm._report_style())),
    xmlelement(name body,
      xmlelement(name header,
        xmlelement(name p, crm._report_say(frame, 'title')), xmlelement(name h1, (frame).org_name),
        xmlelement(name p, crm._report_say(frame, 'subtitle', jsonb_build_object('month', crm._report_month(frame, (frame).month), 'day', crm._report_day(frame, (frame).as_of))))),
      content))::text || E'\n'
$$;
COMMENT ON FUNCTION crm._report_page(crm._report_frame, xml) IS 'The page around its parts.';
