SELECT date_trunc('month', k.at AT TIME ZONE 'UTC')::date AS month, c.name || ' ' || c.name_zh AS channel, count(*) AS contacts
FROM crm_bi.contact k
JOIN crm_bi.channel c USING (channel)
GROUP BY 1, 2
