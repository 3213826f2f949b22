-- bi: what staff hold and may hold, who waits, what is claimed, who is away

CREATE VIEW crm_bi.staff_load AS
SELECT s.id AS staff_id, s.name AS staff_name, s.org_id, c.code AS channel, coalesce(n.held, 0) AS held, coalesce(n.load, 0) AS load, q.quota,
       greatest(q.quota - coalesce(n.load, 0), 0) AS room, CASE WHEN q.quota > 0 THEN pg_catalog.round(100.0 * coalesce(n.load, 0) / q.quota, 1) END AS load_percent,
       l.staff_id IS NOT NULL AS on_leave, l.to_date AS back_on, n.last_given_at
FROM (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN crm.staff s
JOIN crm.channel c ON c.id = s.channel_id
JOIN (SELECT u.org_id, u.channel_id, coalesce(v.value, k.initial)::bigint AS quota
      FROM (SELECT DISTINCT s.org_id, s.channel_id FROM crm.staff s) u
      CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
      JOIN crm.setting_kind k ON k.name = 'holding_quota'
      LEFT JOIN LATERAL (
        SELECT x.value FROM crm.setting x LEFT JOIN crm.organisation_tree t ON t.ancestor_id = x.org_id AND t.descendant_id = u.org_id
        WHERE x.name = k.name AND x.valid_from <= d.today AND (x.org_id IS NULL OR t.depth IS NOT NULL) AND (x.channel_id IS NULL OR x.channel_id = u.channel_id)
        ORDER BY t.depth NULLS LAST, x.channel_id IS NULL, x.valid_from DESC LIMIT 1) v ON true) y ON y.org_id = s.org_id AND y.channel_id = s.channel_id
LEFT JOIN crm.holding_quota o ON o.staff_id = s.id
CROSS JOIN LATERAL (SELECT coalesce(o.quota, y.quota) AS quota) q
LEFT JOIN crm.holding_count n ON n.staff_id = s.id
LEFT JOIN crm.staff_leave l ON l.staff_id = s.id AND l.from_date <= d.today AND (l.to_date IS NULL OR l.to_date > d.today)
WHERE s.joined_on <= d.today AND (s.left_on IS NULL OR s.left_on > d.today);
COMMENT ON VIEW crm_bi.staff_load IS 'What each member of staff in post holds now, and may hold: one row each. 人员负荷';
COMMENT ON COLUMN crm_bi.staff_load.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.staff_load.staff_name IS 'Name. 人员姓名';
COMMENT ON COLUMN crm_bi.staff_load.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.staff_load.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.staff_load.held IS 'Customers held. 持有客户数';
COMMENT ON COLUMN crm_bi.staff_load.load IS 'What they count together. 负荷';
COMMENT ON COLUMN crm_bi.staff_load.quota IS 'Load allowed: the own quota, or the setting of unit and channel. 上限';
COMMENT ON COLUMN crm_bi.staff_load.room IS 'Load that still fits. 余量';
COMMENT ON COLUMN crm_bi.staff_load.load_percent IS 'Load in percent of the quota; NULL where that is 0. 负荷率';
COMMENT ON COLUMN crm_bi.staff_load.on_leave IS 'On leave today. 是否休假';
COMMENT ON COLUMN crm_bi.staff_load.back_on IS 'First day back, where known. 返岗日';
COMMENT ON COLUMN crm_bi.staff_load.last_given_at IS 'Last allocation. 上次分配时间';

CREATE VIEW crm_bi.waiting AS
SELECT w.customer_id, w.strategy, pg_catalog.cardinality(w.staff) AS staff_wished, w.org_id, c.code AS channel, w.reason, w.since,
       pg_catalog.row_number() OVER (ORDER BY w.since, w.customer_id) AS place, w.tries, w.last_tried_at, w.last_outcome, w.added_by
FROM crm.waiting w LEFT JOIN crm.channel c ON c.id = w.channel_id
WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = w.customer_id AND h.held_to IS NULL AND h.staff_id IS NOT NULL);
COMMENT ON VIEW crm_bi.waiting IS 'Customers who wait for staff with room: one row each. 待分配客户';
COMMENT ON COLUMN crm_bi.waiting.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.waiting.strategy IS 'even 平均, round_robin 轮流, least_loaded 负荷最低 or best_fit 最佳匹配. 分配策略';
COMMENT ON COLUMN crm_bi.waiting.staff_wished IS 'To how many members of staff by name; NULL: to those of unit and channel. 指定人数';
COMMENT ON COLUMN crm_bi.waiting.org_id IS 'Unit with its subtree. 机构';
COMMENT ON COLUMN crm_bi.waiting.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.waiting.reason IS 'Reason. 原因';
COMMENT ON COLUMN crm_bi.waiting.since IS 'Since when. 等待起始';
COMMENT ON COLUMN crm_bi.waiting.place IS 'Place in the order of waiting, over all. 顺序';
COMMENT ON COLUMN crm_bi.waiting.tries IS 'How often it was tried. 尝试次数';
COMMENT ON COLUMN crm_bi.waiting.last_tried_at IS 'When last. 上次尝试';
COMMENT ON COLUMN crm_bi.waiting.last_outcome IS 'What came of it. 上次结果';
COMMENT ON COLUMN crm_bi.waiting.added_by IS 'Who let the customer wait. 登记人';

CREATE VIEW crm_bi.claim_day AS
SELECT n.staff_id || '/' || n.day AS claim_day_key, n.staff_id, s.org_id, c.code AS channel, n.day, n.claims,
       (SELECT pg_catalog.count(*) FROM crm.holding h
        WHERE h.staff_id = n.staff_id AND h.held_to IS NULL AND h.start_cause = 'claim' AND (h.held_from AT TIME ZONE z.zone)::date = n.day) AS still_held
FROM (SELECT crm.setting_value('business_time_zone') AS zone OFFSET 0) z
CROSS JOIN crm.claim_count n
JOIN crm.staff s ON s.id = n.staff_id
JOIN crm.channel c ON c.id = s.channel_id;
COMMENT ON VIEW crm_bi.claim_day IS 'Claims from the pool: one row for each member of staff and business day with any. 每日领取';
COMMENT ON COLUMN crm_bi.claim_day.claim_day_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.claim_day.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.claim_day.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.claim_day.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.claim_day.day IS 'Business day. 日期';
COMMENT ON COLUMN crm_bi.claim_day.claims IS 'Claims, also of customers returned since. 领取数';
COMMENT ON COLUMN crm_bi.claim_day.still_held IS 'Of those, customers held still. 仍持有数';

CREATE VIEW crm_bi.staff_leave AS
SELECT l.staff_id || '/' || l.from_date AS staff_leave_key, l.staff_id, s.org_id, c.code AS channel, l.from_date, l.to_date, l.reason, l.set_by
FROM crm.staff_leave l JOIN crm.staff s ON s.id = l.staff_id JOIN crm.channel c ON c.id = s.channel_id;
COMMENT ON VIEW crm_bi.staff_leave IS 'When members of staff are away: one row for each leave. 人员休假';
COMMENT ON COLUMN crm_bi.staff_leave.staff_leave_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.staff_leave.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.staff_leave.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.staff_leave.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.staff_leave.from_date IS 'First day away. 起始日';
COMMENT ON COLUMN crm_bi.staff_leave.to_date IS 'First day back; NULL: not known yet. 返岗日';
COMMENT ON COLUMN crm_bi.staff_leave.reason IS 'Why. 原因';
COMMENT ON COLUMN crm_bi.staff_leave.set_by IS 'Who entered it. 登记人';
