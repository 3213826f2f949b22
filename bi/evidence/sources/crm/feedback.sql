SELECT c.name || ' ' || c.name_zh AS channel, f.result_name || ' ' || f.result_name_zh AS result, f.contacted, count(*) AS customers
FROM crm_bi.feedback f
JOIN crm_bi.staff s USING (staff_id)
JOIN crm_bi.channel c ON c.channel = s.channel
WHERE f.is_latest
GROUP BY c.name, c.name_zh, f.result_name, f.result_name_zh, f.contacted
