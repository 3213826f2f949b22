SELECT t.org_level, t.org_name, coalesce(c.name || ' ' || c.name_zh, 'All 全部') AS channel, t.channel IS NULL AS all_channels, t.code, k.name || ' ' || k.name_zh AS figure, k.has_denominator AS is_rate,
       t.period_start, extract(year FROM t.period_start)::integer AS year, t.target, t.last_actual, t.actual, t.attainment, t.time_gone, t.needed, t.needed_per_month,
       t.forecast, t.forecast_lower, t.forecast_upper, t.status, t.warning,
       CASE t.status WHEN 'on_track' THEN 'on track 正常' WHEN 'at_risk' THEN 'at risk 有风险' WHEN 'off_track' THEN 'off track 偏离' WHEN 'reached' THEN 'reached 已达成'
                     WHEN 'missed' THEN 'missed 未达成' ELSE replace(t.status, '_', ' ') END AS status_name
FROM crm_bi.target t
JOIN crm_bi.kpi_code k USING (code)
LEFT JOIN crm_bi.channel c ON c.channel = t.channel
WHERE t.grain = 'year'
