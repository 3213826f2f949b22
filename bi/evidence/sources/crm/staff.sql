-- Members of staff in post: what they hold, and what they did in the last 30 days.
WITH today AS (SELECT f.day FROM crm_bi.freshness f WHERE f.item = 'customers stand on')
SELECT l.staff_id, l.staff_name, coalesce(o.level_1_name, o.name) AS unit, o.name AS outlet, c.name || ' ' || c.name_zh AS channel, l.held, l.load, l.quota, l.on_leave,
       coalesce(h.never_contacted, 0) AS never_contacted, coalesce(h.due_soon, 0) AS due_soon, coalesce(k.contacts, 0) AS contacts, coalesce(k.customers, 0) AS customers_contacted,
       coalesce(f.told, 0) AS told, coalesce(f.reached, 0) AS reached, coalesce(f.positive, 0) AS positive, coalesce(r.recycled, 0) AS recycled, coalesce(r.returned, 0) AS returned
FROM crm_bi.staff_load l
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.organisation o USING (org_id)
LEFT JOIN (SELECT staff_id, count(*) FILTER (WHERE last_contact_at IS NULL) AS never_contacted, count(*) FILTER (WHERE (due_at AT TIME ZONE 'UTC')::date <= (SELECT day FROM today) + 7) AS due_soon
           FROM crm_bi.holding WHERE is_open GROUP BY staff_id) h USING (staff_id)
LEFT JOIN (SELECT staff_id, count(*) AS contacts, count(DISTINCT customer_id) AS customers FROM crm_bi.contact WHERE (at AT TIME ZONE 'UTC')::date > (SELECT day FROM today) - 30 GROUP BY staff_id) k USING (staff_id)
LEFT JOIN (SELECT staff_id, count(*) AS told, count(*) FILTER (WHERE contacted) AS reached, count(*) FILTER (WHERE result IN ('bought', 'applied', 'interested')) AS positive
           FROM crm_bi.feedback WHERE is_latest GROUP BY staff_id) f USING (staff_id)
LEFT JOIN (SELECT staff_id, count(*) FILTER (WHERE end_cause = 'recycle') AS recycled, count(*) FILTER (WHERE end_cause = 'release') AS returned
           FROM crm_bi.holding WHERE NOT is_open GROUP BY staff_id) r USING (staff_id)
