SELECT s.goal_id, s.scorecard, s.period_start, s.staff_id, s.subject_name AS staff_name, coalesce(o.level_1_name, o.name) AS unit, s.score, s.rank, s.peers, s.score_before, s.score_change, s.is_final,
       CASE s.trend WHEN 'up' THEN 'up 上升' WHEN 'down' THEN 'down 下降' WHEN 'same' THEN 'same 持平' ELSE '' END AS trend
FROM crm_bi.scorecard s
LEFT JOIN crm_bi.organisation o ON o.org_id = s.unit_id
WHERE s.subject = 'staff'
