-- Who is held today, and on which day it falls due.
SELECT coalesce(o.level_1_name, o.name) AS unit, c.name || ' ' || c.name_zh AS channel, h.due_cause,
       d.due_order, ('{Overdue 已到期,Within 7 days 七日内,Within 30 days 三十日内,Later 以后}'::text[])[d.due_order] AS due,
       count(*) AS holdings, count(*) FILTER (WHERE h.last_contact_at IS NULL) AS never_contacted, sum(h.load) AS load
FROM crm_bi.holding h
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.organisation o USING (org_id)
CROSS JOIN LATERAL (SELECT (h.due_at AT TIME ZONE 'UTC')::date - f.day AS days FROM crm_bi.freshness f WHERE f.item = 'customers stand on') u
CROSS JOIN LATERAL (SELECT CASE WHEN u.days < 0 THEN 1 WHEN u.days <= 7 THEN 2 WHEN u.days <= 30 THEN 3 ELSE 4 END AS due_order) d
WHERE h.is_open
GROUP BY 1, 2, 3, 4
