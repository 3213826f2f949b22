SELECT r.reason_name || ' ' || r.reason_name_zh AS reason, c.name || ' ' || c.name_zh AS channel, count(*) AS customers
FROM crm_bi.customer_return r
JOIN crm_bi.channel c USING (channel)
GROUP BY r.reason_name, r.reason_name_zh, c.name, c.name_zh
