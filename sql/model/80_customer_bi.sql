-- bi: customers by all dimensions

-- From the columns of crm.standing where they stand on today, else from timeline and facets; new customers whose posting is queued, from their own row.
CREATE FUNCTION crm_bi._shown() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$SELECT NOT g.rolling AND g.shown_on = crm.today() FROM crm.generation g WHERE g.state = 'current'$$;
COMMENT ON FUNCTION crm_bi._shown() IS 'Whether the stored columns of all customers stand on crm.today().';
BEGIN
  EXECUTE format($f$
CREATE OR REPLACE VIEW crm_bi.customer AS
SELECT c.customer_id, c.kind, c.name, c.sex, c.birth_date, c.known_from, c.org_id, c.channel, c.source_channel, c.coverage, c.role, c.insured_long_term,
       c.plan_customer, c.activity, c.tier, c.amount, c.standing_since, c.reach = 'reachable' AS reachable, c.channels, c.service, c.reach, c.prospect_kind,
       c.touchpoints
FROM (
  SELECT s.customer_id, s.valid_from, s.valid_to, s.kind, s.name, s.sex, s.birth_date, s.known_from, s.org_id, s.channel, s.source_channel, s.coverage,
         s.role, s.insured_long_term, s.plan_customer, s.activity, s.tier, s.amount, s.standing_since, s.channels, s.service, s.reach, s.prospect_kind,
         s.touchpoints
  FROM crm.standing s
  WHERE s.slot = (SELECT crm_bi._slot())
    AND ((SELECT crm_bi._shown()) OR (s.valid_from <= (SELECT crm.today()) AND s.valid_to > (SELECT crm.today())))
  UNION ALL %s
  WHERE NOT (SELECT crm_bi._shown()) AND u.slot = (SELECT crm_bi._slot()) AND (u.valid_from > (SELECT crm.today()) OR u.valid_to <= (SELECT crm.today()))
  UNION ALL %s) c
$f$, crm._standing_query('crm.standing u', '(SELECT crm.today())'),
     crm._standing_query($q$(
    SELECT c.id AS customer_id, NULL::date AS first_day, NULL::crm.timeline AS timeline, NULL::crm.facets AS facets,
           c.kind, c.name, c.sex, c.birth_date, c.known_from, x.code AS source_channel
    FROM (SELECT DISTINCT q.customer_id FROM crm.pending q WHERE q.customer_id IS NOT NULL) p
    JOIN crm.customer c ON c.id = p.customer_id
    JOIN crm.channel x ON x.id = c.source_channel_id
    WHERE NOT EXISTS (SELECT FROM crm.standing s WHERE s.slot = (SELECT crm_bi._slot()) AND s.customer_id = p.customer_id)) u$q$, '(SELECT crm.today())'));
END;
COMMENT ON VIEW crm_bi.customer IS 'Customers as they stand today: one row each. 客户';
COMMENT ON COLUMN crm_bi.customer.customer_id IS 'Key. 客户';
COMMENT ON COLUMN crm_bi.customer.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.customer.name IS 'Name. 姓名';
COMMENT ON COLUMN crm_bi.customer.sex IS 'male or female. 性别';
COMMENT ON COLUMN crm_bi.customer.birth_date IS 'Date of birth. 出生日期';
COMMENT ON COLUMN crm_bi.customer.known_from IS 'First day as a prospect. 首次登记日';
COMMENT ON COLUMN crm_bi.customer.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.customer.channel IS 'Main channel. 主渠道';
COMMENT ON COLUMN crm_bi.customer.source_channel IS 'Channel that brought the customer. 来源渠道';
COMMENT ON COLUMN crm_bi.customer.coverage IS 'prospect 准客户, insured 老客户 or former 流失客户; NULL before known. 新老客户分类';
COMMENT ON COLUMN crm_bi.customer.role IS 'policyholder or insured (only); NULL when not insured. 角色';
COMMENT ON COLUMN crm_bi.customer.insured_long_term IS 'Insured by a long-term policy. 长险';
COMMENT ON COLUMN crm_bi.customer.plan_customer IS 'Policyholder of a long-term policy of the own book. 股份长险投保客户';
COMMENT ON COLUMN crm_bi.customer.activity IS 'Class by the time since the last purchase; none: never purchased. 活跃度';
COMMENT ON COLUMN crm_bi.customer.tier IS 'Tier by amount; none: not insured. 等级';
COMMENT ON COLUMN crm_bi.customer.amount IS 'What the tier goes by (setting tier_basis): at first the contractual premium of the policies held in force. 等级依据金额';
COMMENT ON COLUMN crm_bi.customer.standing_since IS 'First day of this standing. 状态起始日';
COMMENT ON COLUMN crm_bi.customer.reachable IS 'Has a valid phone, address or e-mail not known to be wrong. 可联系';
COMMENT ON COLUMN crm_bi.customer.channels IS 'Channels of the policies in force, or the main channel where there are none. 渠道集合';
COMMENT ON COLUMN crm_bi.customer.service IS 'served 已服务; unserved: orphan 孤儿单, group_legacy 集团老业务, bancassurance 银保 or other 其他. 服务状态';
COMMENT ON COLUMN crm_bi.customer.reach IS 'reachable 可联系; unreachable: corporate_insured 法人客户的被保险人, sector_line 口子业务客户 or other 其他. 可联系状态';
COMMENT ON COLUMN crm_bi.customer.prospect_kind IS 'Of a prospect: appointment 预约, activity 服务活动, partner 联盟商家, referral 转介绍 or other 其他. 准客户类别';
COMMENT ON COLUMN crm_bi.customer.touchpoints IS 'Touchpoints open: maturity 满期, lapse 失效, claim 理赔, appointment 预约. 服务触点';

CREATE VIEW crm_bi.facet AS
SELECT s.customer_id::text || '/' || (s.f).valid_from AS facet_key, s.customer_id, (s.f).valid_from AS valid_from,
       nullif((s.f).valid_to, 'infinity') AS valid_to,
       (SELECT pg_catalog.string_agg(h.code, ', ' ORDER BY h.code) FROM crm.channel h WHERE h.id = ANY ((s.f).channel_ids)) AS channels,
       (s.f).service AS service, (s.f).reach AS reach, (s.f).origin AS prospect_kind, pg_catalog.array_to_string((s.f).touchpoints, ', ') AS touchpoints
FROM (SELECT st.customer_id, crm.unnest(st.facets) AS f FROM crm.standing st WHERE st.slot = (SELECT crm_bi._slot())) s;
COMMENT ON VIEW crm_bi.facet IS 'Channels, service, reach and touchpoints of customers over time: one row for each customer and stretch of days on which nothing changed, days to come included. 客户分类历史';
COMMENT ON COLUMN crm_bi.facet.facet_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.facet.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.facet.valid_from IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.facet.valid_to IS 'First day no longer; NULL: no end known. 终止日';
COMMENT ON COLUMN crm_bi.facet.channels IS 'Channels of the policies in force; NULL: none. 渠道集合';
COMMENT ON COLUMN crm_bi.facet.service IS 'served, or the kind of unserved. 服务状态';
COMMENT ON COLUMN crm_bi.facet.reach IS 'reachable, or the kind of unreachable. 可联系状态';
COMMENT ON COLUMN crm_bi.facet.prospect_kind IS 'Where the customer last came in from, as a prospect. 准客户类别';
COMMENT ON COLUMN crm_bi.facet.touchpoints IS 'Touchpoints open. 服务触点';

CREATE VIEW crm_bi.class_change AS
SELECT v.customer_id::text || '/' || v.on_date || '/' || v.dimension || CASE v.dimension WHEN 'touchpoint' THEN '/' || coalesce(v.became, v.was) ELSE '' END AS change_key,
       v.customer_id, v.on_date, v.org_id, v.channel, v.dimension, v.was, v.became
FROM crm.class_changes('-infinity', 'infinity') v;
COMMENT ON VIEW crm_bi.class_change IS 'Changes of class of customers, days to come included as known today: one row for each customer, day and dimension, of touchpoints for each. For some days crm.class_changes() is faster. 分类变动';
COMMENT ON COLUMN crm_bi.class_change.change_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.class_change.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.class_change.on_date IS 'First day in the new class. 变动日';
COMMENT ON COLUMN crm_bi.class_change.org_id IS 'Home organisation on that day. 归属机构';
COMMENT ON COLUMN crm_bi.class_change.channel IS 'Main channel on that day. 主渠道';
COMMENT ON COLUMN crm_bi.class_change.dimension IS 'coverage, prospect_kind, channel, service, reach, activity, touchpoint or tier. 分类维度';
COMMENT ON COLUMN crm_bi.class_change.was IS 'Class before; NULL: not known, of touchpoints: not open. 原类别';
COMMENT ON COLUMN crm_bi.class_change.became IS 'Class since; NULL of touchpoints: no longer open. 新类别';

CREATE VIEW crm_bi.touchpoint AS
WITH d AS (SELECT g.maturity_days, g.claim_days, g.appointment_days FROM crm.generation g WHERE g.state = 'current'),
z AS (SELECT crm.setting_value('business_time_zone') AS zone)
SELECT 'maturity/' || v.policy_id || '/' || v.seq AS touchpoint_key, v.customer_id, 'maturity' AS kind, v.to_date AS on_date,
       greatest(v.from_date, v.to_date - d.maturity_days) AS from_date, v.to_date + d.maturity_days AS last_date, v.policy_id
FROM crm.cover v CROSS JOIN d WHERE v.matures AND v.role = 'policyholder' AND v.from_date < v.to_date
UNION ALL
SELECT 'lapse/' || v.policy_id || '/' || v.seq, v.customer_id, 'lapse', v.to_date, v.to_date, v.lapsed_to - 1, v.policy_id
FROM crm.cover v WHERE v.ended_by = 'lapse' AND v.role = 'policyholder' AND v.from_date < v.to_date
UNION ALL
SELECT 'claim/' || c.policy_id || '/' || c.id || '/' || w.customer_id, w.customer_id, 'claim', c.reported_on, c.reported_on, c.reported_on + d.claim_days, c.policy_id
FROM crm.policy_claim c CROSS JOIN d
CROSS JOIN LATERAL (SELECT c.customer_id UNION SELECT c.insured_id WHERE c.insured_id IS NOT NULL) w
UNION ALL
SELECT 'appointment/' || a.customer_id || '/' || a.id, a.customer_id, 'appointment', (a.at AT TIME ZONE z.zone)::date,
       least((a.recorded_at AT TIME ZONE z.zone)::date, (a.at AT TIME ZONE z.zone)::date),
       CASE WHEN a.result IS NOT NULL THEN (a.at AT TIME ZONE z.zone)::date + d.appointment_days END, NULL
FROM crm.appointment a CROSS JOIN d CROSS JOIN z WHERE a.result IS NULL OR a.result IN ('kept', 'missed');
COMMENT ON VIEW crm_bi.touchpoint IS 'Touchpoints of customers with their dates: one row for each maturity, lapse, claim and appointment. 服务触点';
COMMENT ON COLUMN crm_bi.touchpoint.touchpoint_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.touchpoint.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.touchpoint.kind IS 'maturity 满期, lapse 失效, claim 理赔 or appointment 预约. 触点类别';
COMMENT ON COLUMN crm_bi.touchpoint.on_date IS 'Day of the maturity, of the lapse, of the report of the claim, or of the appointment. 日期';
COMMENT ON COLUMN crm_bi.touchpoint.from_date IS 'First day as a touchpoint. 起始日';
COMMENT ON COLUMN crm_bi.touchpoint.last_date IS 'Last day as a touchpoint; NULL: open. 截止日';
COMMENT ON COLUMN crm_bi.touchpoint.policy_id IS 'Policy, of those but appointments. 保单';
