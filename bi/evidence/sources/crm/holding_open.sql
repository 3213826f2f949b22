-- Who is held today, and when it falls due.
SELECT coalesce(o.level_1_name, o.name) AS unit, c.name || ' ' || c.name_zh AS channel, h.due_cause,
       CASE WHEN h.due_at <= now() THEN '1 overdue 已到期' WHEN h.due_at <= now() + interval '7 days' THEN '2 within 7 days 七日内'
            WHEN h.due_at <= now() + interval '30 days' THEN '3 within 30 days 三十日内' ELSE '4 later 以后' END AS due,
       count(*) AS holdings, count(*) FILTER (WHERE h.last_contact_at IS NULL) AS never_contacted, sum(h.load) AS load
FROM crm_bi.holding h
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.organisation o USING (org_id)
WHERE h.is_open
GROUP BY 1, 2, 3, 4
