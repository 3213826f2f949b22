SELECT p.goal_id, p.indicator, p.nth, p.name || ' ' || p.name_zh AS name, p.weight, p.target, p.actual, p.points FROM crm_bi.scorecard_part p WHERE p.staff_id IS NOT NULL
