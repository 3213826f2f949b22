-- Holdings that ended, by month and cause: of those recycled what they fell due by.
SELECT date_trunc('month', h.held_to AT TIME ZONE 'UTC')::date AS month, coalesce(o.level_1_name, o.name) AS unit, c.name || ' ' || c.name_zh AS channel,
       h.end_cause, CASE WHEN h.end_cause = 'recycle' THEN h.due_cause END AS due_cause, count(*) AS holdings
FROM crm_bi.holding h
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.organisation o USING (org_id)
WHERE NOT h.is_open
GROUP BY 1, 2, 3, 4, 5
