-- Holdings that began, by month and cause.
SELECT date_trunc('month', h.held_from AT TIME ZONE 'UTC')::date AS month, coalesce(o.level_1_name, o.name) AS unit, c.name || ' ' || c.name_zh AS channel, h.start_cause, count(*) AS holdings
FROM crm_bi.holding h
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.organisation o USING (org_id)
GROUP BY 1, 2, 3, 4
