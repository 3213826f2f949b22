SELECT c.name || ' ' || c.name_zh AS channel, upper(left(h.coverage, 1)) || substr(h.coverage, 2) || coalesce(' ' || s.name_zh, '') AS coverage, h.tier, h.allocated, h.contacted, h.purchased, h.premium, h.cost,
       h.days * h.purchased AS days, h.expected_purchases, h.expected_net, h.place
FROM crm_bi.channel_history h
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.class s ON s.dimension = 'coverage' AND s.class = h.coverage
