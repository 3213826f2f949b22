-- bi: customers in full: contact, profile, relations, business and prospects, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.contact_point AS
SELECT p.customer_id::text || '/' || p.id AS contact_point_key, p.customer_id, p.kind, p.use, p.preferred, p.rank, p.wrong, p.valid_from, p.valid_to,
       NOT p.wrong AND coalesce(p.valid_from <= d.today, true) AND coalesce(p.valid_to > d.today, true) AS is_valid,
       p.kind <> 'mobile' OR p.value ~ '^1[0-9]{10}$' AS well_formed, p.source, p.verified_on, p.verified_source
FROM crm.contact_point p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.consent AS
SELECT c.customer_id::text || '/' || c.id AS consent_key, c.customer_id, c.purpose, c.way, c.state, c.on_date, c.source,
       c.on_date <= d.today AND NOT EXISTS (
         SELECT FROM crm.consent l WHERE l.customer_id = c.customer_id AND l.purpose = c.purpose AND l.way = c.way AND l.on_date <= d.today
           AND (l.on_date, l.id) > (c.on_date, c.id)) AS is_last
FROM crm.consent c
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.do_not_contact AS
SELECT n.customer_id::text || '/' || n.id AS do_not_contact_key, n.customer_id, n.way, h.code AS channel, n.from_date, n.to_date,
       n.from_date <= d.today AND coalesce(n.to_date > d.today, true) AS is_active, n.source
FROM crm.do_not_contact n
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.channel h ON h.id = n.channel_id;

CREATE VIEW crm_bi.profile AS
SELECT p.customer_id, p.employment_status, x0.name AS employment_status_name, x0.name_zh AS employment_status_name_zh,
       p.position_type, x1.name AS position_type_name, x1.name_zh AS position_type_name_zh,
       p.industry, x2.name AS industry_name, x2.name_zh AS industry_name_zh,
       p.marital_status, x3.name AS marital_status_name, x3.name_zh AS marital_status_name_zh,
       p.social_role, x4.name AS social_role_name, x4.name_zh AS social_role_name_zh,
       p.education, x5.name AS education_name, x5.name_zh AS education_name_zh,
       p.asset_band, x6.name AS asset_band_name, x6.name_zh AS asset_band_name_zh,
       p.income_band, x7.name AS income_band_name, x7.name_zh AS income_band_name_zh,
       p.children, p.investable_amount, p.debt_amount, p.verified_on, p.verified_source, p.updated_at,
       p.language, x8.name AS language_name, x8.name_zh AS language_name_zh, m.code AS community, m.name AS community_name, m.name_zh AS community_name_zh
FROM crm.profile p
LEFT JOIN crm.profile_code x0 ON x0.field = 'employment_status' AND x0.code = p.employment_status
LEFT JOIN crm.profile_code x1 ON x1.field = 'position_type' AND x1.code = p.position_type
LEFT JOIN crm.profile_code x2 ON x2.field = 'industry' AND x2.code = p.industry
LEFT JOIN crm.profile_code x3 ON x3.field = 'marital_status' AND x3.code = p.marital_status
LEFT JOIN crm.profile_code x4 ON x4.field = 'social_role' AND x4.code = p.social_role
LEFT JOIN crm.profile_code x5 ON x5.field = 'education' AND x5.code = p.education
LEFT JOIN crm.profile_code x6 ON x6.field = 'asset_band' AND x6.code = p.asset_band
LEFT JOIN crm.profile_code x7 ON x7.field = 'income_band' AND x7.code = p.income_band
LEFT JOIN crm.profile_code x8 ON x8.field = 'language' AND x8.code = p.language
LEFT JOIN crm.community m ON m.id = p.community_id;

CREATE VIEW crm_bi.relation AS
SELECT r.customer_id::text || '/' || r.stored_with || '/' || r.relation_id AS relation_key, r.customer_id, r.other_id, r.other_is, r.other_name, r.other_name_zh,
       r.title, r.from_date, r.to_date, coalesce(r.from_date <= d.today, true) AND coalesce(r.to_date > d.today, true) AS is_current,
       r.customer_id = r.stored_with AS is_first
FROM crm.relation_end r
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.household_member AS
SELECT m.customer_id::text || '/' || m.from_date AS household_member_key, m.customer_id, m.household_id, h.name AS household, m.role, m.from_date, m.to_date,
       m.from_date <= d.today AND coalesce(m.to_date > d.today, true) AS is_current
FROM (SELECT x.*, lead(x.from_date) OVER (PARTITION BY x.customer_id ORDER BY x.from_date) AS to_date FROM crm.household_member x) m
JOIN crm.household h ON h.id = m.household_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.asset AS
SELECT a.customer_id::text || '/' || a.id AS asset_key, a.customer_id, a.kind, a.value, a.valued_on, a.owned_from, a.owned_to,
       coalesce(a.owned_from <= d.today, true) AND coalesce(a.owned_to > d.today, true) AS is_owned, a.source, a.verified_on
FROM crm.asset a
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.debt AS
SELECT b.customer_id::text || '/' || b.id AS debt_key, b.customer_id, b.kind, b.amount, b.stated_on, b.due_on, b.repaid_on,
       coalesce(b.repaid_on > d.today, true) AS is_owed, b.source, b.verified_on
FROM crm.debt b
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.cover_elsewhere AS
SELECT c.customer_id::text || '/' || c.id AS cover_elsewhere_key, c.customer_id, c.kind, c.insurer, c.sum_insured, c.annual_premium, c.from_date, c.to_date,
       coalesce(c.from_date <= d.today, true) AND coalesce(c.to_date > d.today, true) AS is_covered, c.source, c.verified_on
FROM crm.cover_elsewhere c
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.blacklist AS
SELECT b.customer_id::text || '/' || b.id AS blacklist_key, b.customer_id, b.category, b.reason, b.from_date, b.to_date,
       b.from_date <= d.today AND coalesce(b.to_date > d.today, true) AS is_listed, b.end_reason, b.recorded_at, b.recorded_by, b.ended_at, b.ended_by
FROM crm.blacklist b
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.need AS
SELECT n.customer_id::text || '/' || n.id AS need_key, n.customer_id, n.kind, n.category_id, c.code AS category, c.name_zh AS category_zh, n.what, n.amount, n.wanted_by, n.noted_on,
       n.noted_on <= d.today AND coalesce(n.closed_on > d.today, true) AS is_open, n.closed_on, n.outcome, n.source
FROM crm.need n
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.product_category c ON c.id = n.category_id;

CREATE VIEW crm_bi.product_category AS
WITH RECURSIVE tree AS (
  SELECT c.id, c.code AS level_0, NULL::text AS level_1, NULL::text AS level_2, c.name_zh AS path_zh, 0 AS depth
  FROM crm.product_category c WHERE c.parent_id IS NULL
  UNION ALL
  SELECT c.id, t.level_0, CASE t.depth WHEN 0 THEN c.code ELSE t.level_1 END, CASE t.depth WHEN 1 THEN c.code ELSE t.level_2 END,
         t.path_zh || ' / ' || c.name_zh, t.depth + 1
  FROM tree t JOIN crm.product_category c ON c.parent_id = t.id)
SELECT c.id AS category_id, c.parent_id, c.org_id, c.code, c.name, c.name_zh, c.nature, c.level, t.level_0, t.level_1, t.level_2, t.path_zh
FROM crm.product_category c JOIN tree t ON t.id = c.id;

CREATE VIEW crm_bi.product_holding AS
SELECT h.customer_id::text || '/' || h.id AS product_holding_key, h.customer_id, h.category_id, c.code AS category, c.name_zh AS category_zh, c.nature, r.code AS product,
       x.code AS channel, h.org_id, h.opened_on, h.matures_on, h.closed_on, o.is_open, CASE WHEN o.is_open THEN b.balance END AS balance,
       CASE WHEN o.is_open THEN b.from_date END AS balance_since, CASE WHEN o.is_open THEN h.matures_on - d.today END AS days_to_maturity
FROM crm.product_holding h
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (SELECT h.opened_on <= d.today AND coalesce(h.closed_on > d.today, true) AS is_open OFFSET 0) o
JOIN crm.product_category c ON c.id = h.category_id
LEFT JOIN crm.product r ON r.id = h.product_id
LEFT JOIN crm.channel x ON x.id = h.channel_id
LEFT JOIN LATERAL (
  SELECT l.balance, l.from_date FROM crm.product_balance l
  WHERE l.customer_id = h.customer_id AND l.holding_id = h.id AND l.from_date <= d.today ORDER BY l.from_date DESC LIMIT 1) b ON true;

CREATE VIEW crm_bi.premium AS
SELECT p.policy_id::text || '/' || p.number AS premium_key, p.customer_id, p.policy_id, p.number, p.due_on, p.amount, s.received, w.amount - s.received AS outstanding,
       s.last_received_on, s.reversals,
       CASE WHEN p.waived THEN 'waived' WHEN s.received >= p.amount THEN 'paid' WHEN p.due_on > d.today THEN 'ahead'
            WHEN p.due_on + p.grace_days >= d.today THEN 'due' ELSE 'late' END AS state,
       CASE WHEN s.received < w.amount AND p.due_on < d.today THEN d.today - p.due_on ELSE 0 END AS days_overdue
FROM crm.premium_due p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (SELECT CASE WHEN p.waived THEN 0 ELSE p.amount END AS amount) w
CROSS JOIN LATERAL (
  SELECT coalesce(pg_catalog.sum(CASE WHEN r.reverses IS NULL THEN r.amount ELSE - r.amount END), 0) AS received,
         pg_catalog.count(r.reverses)::integer AS reversals,
         pg_catalog.max(r.received_on) FILTER (WHERE r.reverses IS NULL AND NOT EXISTS (
           SELECT FROM crm.premium_receipt v WHERE v.customer_id = r.customer_id AND v.policy_id = r.policy_id AND v.reverses = r.id AND v.received_on <= d.today)) AS last_received_on
  FROM crm.premium_receipt r
  WHERE r.customer_id = p.customer_id AND r.policy_id = p.policy_id AND r.number = p.number AND r.received_on <= d.today) s;

CREATE VIEW crm_bi.claim AS
SELECT c.policy_id::text || '/' || c.id AS claim_key, c.customer_id, c.policy_id, c.insured_id, c.kind, c.occurred_on, c.reported_on, c.claimed_amount,
       coalesce(c.outcome, 'open') AS outcome, c.decided_on, c.decided_on - c.reported_on AS days_to_decision, c.paid_amount, c.paid_on
FROM crm.policy_claim c;

CREATE VIEW crm_bi.service_order AS
SELECT o.policy_id::text || '/' || o.id AS service_order_key, o.customer_id, o.policy_id, o.kind, k.name AS kind_name, k.name_zh AS kind_name_zh, o.applicant,
       h.code AS channel, o.org_id, o.applied_at, o.ended_at, coalesce(o.result, 'open') AS result, o.reason,
       pg_catalog.round((extract(epoch FROM o.ended_at - o.applied_at) / 3600)::numeric, 2) AS hours_taken, s.steps, s.steps_returned, s.current_step
FROM crm.service_order o
JOIN crm.service_order_kind k ON k.code = o.kind
LEFT JOIN crm.channel h ON h.id = o.channel_id
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS steps, (pg_catalog.count(*) FILTER (WHERE t.result = 'returned'))::integer AS steps_returned,
         (pg_catalog.array_agg(t.step ORDER BY t.number DESC) FILTER (WHERE t.ended_at IS NULL))[1] AS current_step
  FROM crm.service_order_step t WHERE t.customer_id = o.customer_id AND t.policy_id = o.policy_id AND t.order_id = o.id) s;

CREATE VIEW crm_bi.service_order_step AS
SELECT t.policy_id::text || '/' || t.order_id || '/' || t.number AS service_order_step_key, t.policy_id::text || '/' || t.order_id AS service_order_key,
       t.customer_id, t.policy_id, t.number, t.step, t.staff_id, t.started_at, t.ended_at, t.result,
       pg_catalog.round((extract(epoch FROM t.ended_at - t.started_at) / 3600)::numeric, 2) AS hours_taken
FROM crm.service_order_step t;

CREATE VIEW crm_bi.prospect AS
SELECT p.customer_id::text || '/' || p.id AS prospect_key, p.customer_id, p.source, s.name AS source_name, s.name_zh AS source_name_zh, p.entered_on, p.campaign, p.partner_id, p.action_id,
       p.introduced_by, h.code AS channel, p.org_id, p.staff_id, p.category_id, p.intention, p.consent_id IS NOT NULL AS has_consent,
       NOT EXISTS (SELECT FROM crm.prospect e WHERE e.customer_id = p.customer_id AND (e.entered_on, e.id) < (p.entered_on, p.id)) AS is_first,
       a.appointments, a.appointments_kept, v.converted_on, v.converted_on - p.entered_on AS days_to_conversion
FROM crm.prospect p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
JOIN crm.prospect_source s ON s.code = p.source
LEFT JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS appointments, (pg_catalog.count(*) FILTER (WHERE t.result = 'kept'))::integer AS appointments_kept
  FROM crm.appointment t WHERE t.customer_id = p.customer_id AND t.prospect_id = p.id) a
CROSS JOIN LATERAL (
  SELECT pg_catalog.min(c.issued_on) AS converted_on FROM crm.cover c
  WHERE c.customer_id = p.customer_id AND c.role = 'policyholder' AND c.from_date < c.to_date AND c.issued_on BETWEEN p.entered_on AND d.today) v;

CREATE VIEW crm_bi.appointment AS
SELECT a.customer_id::text || '/' || a.id AS appointment_key, a.customer_id, a.customer_id::text || '/' || a.prospect_id AS prospect_key, a.staff_id, a.at, a.callback_at, a.called_back_at,
       a.callback_result, a.result
FROM crm.appointment a;

CREATE VIEW crm_bi.partner AS
SELECT p.id AS partner_id, p.code, p.name, p.kind, p.class, p.customer_id, h.code AS channel, p.org_id, p.staff_id, p.employees, p.from_date, p.to_date,
       p.from_date <= d.today AND coalesce(p.to_date > d.today, true) AS is_active, a.actions, a.cost, l.prospects, l.customers, l.converted, l.last_prospect_on
FROM crm.partner p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS actions, coalesce(pg_catalog.sum(x.cost), 0) AS cost FROM crm.partner_action x
  WHERE x.partner_id = p.id AND x.from_date <= d.today) a
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS prospects, pg_catalog.count(DISTINCT x.customer_id)::integer AS customers,
         (pg_catalog.count(DISTINCT x.customer_id) FILTER (WHERE EXISTS (
           SELECT FROM crm.cover c WHERE c.customer_id = x.customer_id AND c.role = 'policyholder' AND c.from_date < c.to_date
             AND c.issued_on BETWEEN x.entered_on AND d.today)))::integer AS converted,
         pg_catalog.max(x.entered_on) AS last_prospect_on
  FROM crm.prospect x WHERE x.partner_id = p.id AND x.entered_on <= d.today) l;

CREATE VIEW crm_bi.partner_action AS
SELECT a.partner_id::text || '/' || a.id AS partner_action_key, a.partner_id, a.id AS action_id, a.kind, a.name, a.campaign, a.from_date, a.to_date,
       a.from_date <= d.today AND a.to_date > d.today AS is_running, a.cost, l.prospects
FROM crm.partner_action a
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS prospects FROM crm.prospect x
  WHERE x.partner_id = a.partner_id AND x.action_id = a.id AND x.entered_on <= d.today) l;

CREATE VIEW crm_bi.customer_change AS
SELECT c.customer_id::text || '/' || c.id AS customer_change_key, c.customer_id, c.subject, c.field, c.old_value IS NULL AS is_addition, c.new_value IS NULL AS is_removal, c.changed_at, c.changed_by
FROM crm.customer_change c;

COMMENT ON VIEW crm_bi.contact_point IS 'Ways to reach customers, without the number or address: one row each. 联系方式';
COMMENT ON COLUMN crm_bi.contact_point.contact_point_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.contact_point.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.contact_point.kind IS 'mobile, phone, fax, email, address, wechat, qq or other. 类型';
COMMENT ON COLUMN crm_bi.contact_point.use IS 'home, work, mail or emergency. 用途';
COMMENT ON COLUMN crm_bi.contact_point.preferred IS 'To be tried first. 首选';
COMMENT ON COLUMN crm_bi.contact_point.rank IS 'Order in which to try after the preferred ones. 优先顺序';
COMMENT ON COLUMN crm_bi.contact_point.wrong IS 'Known not to reach the customer. 错误';
COMMENT ON COLUMN crm_bi.contact_point.valid_from IS 'First day on which it reaches the customer. 生效日';
COMMENT ON COLUMN crm_bi.contact_point.valid_to IS 'First day on which it no longer does. 失效日';
COMMENT ON COLUMN crm_bi.contact_point.is_valid IS 'Valid today and not known to be wrong. 当前有效';
COMMENT ON COLUMN crm_bi.contact_point.well_formed IS 'A mobile number in 11 digits, or of another kind. 格式正确';
COMMENT ON COLUMN crm_bi.contact_point.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.contact_point.verified_on IS 'Last found right. 核实日期';
COMMENT ON COLUMN crm_bi.contact_point.verified_source IS 'How it was found right. 核实来源';
COMMENT ON VIEW crm_bi.consent IS 'Consent given and withdrawn: one row each. 授权同意';
COMMENT ON COLUMN crm_bi.consent.consent_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.consent.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.consent.purpose IS 'marketing, service, survey or sharing. 目的';
COMMENT ON COLUMN crm_bi.consent.way IS 'Way of contact; any: all. 方式';
COMMENT ON COLUMN crm_bi.consent.state IS 'given 同意 or withdrawn 撤回.';
COMMENT ON COLUMN crm_bi.consent.on_date IS 'First day on which it holds. 日期';
COMMENT ON COLUMN crm_bi.consent.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.consent.is_last IS 'The last one for this purpose and way up to today. 最新';
COMMENT ON VIEW crm_bi.do_not_contact IS 'Customers to be left alone: one row for each request. 勿扰';
COMMENT ON COLUMN crm_bi.do_not_contact.do_not_contact_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.do_not_contact.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.do_not_contact.way IS 'Way of contact; any: all. 方式';
COMMENT ON COLUMN crm_bi.do_not_contact.channel IS 'Channel that must not; NULL: none may. 渠道';
COMMENT ON COLUMN crm_bi.do_not_contact.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.do_not_contact.to_date IS 'First day no longer; NULL: for good. 终止日';
COMMENT ON COLUMN crm_bi.do_not_contact.is_active IS 'In force today. 当前有效';
COMMENT ON COLUMN crm_bi.do_not_contact.source IS 'Where the request comes from. 来源';
COMMENT ON VIEW crm_bi.profile IS 'Profiles of customers: one row each. 客户基础资料';
COMMENT ON COLUMN crm_bi.profile.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.profile.employment_status IS 'Employment, a code. 就业状况代码';
COMMENT ON COLUMN crm_bi.profile.employment_status_name IS 'Employment in English. 就业状况英文';
COMMENT ON COLUMN crm_bi.profile.employment_status_name_zh IS 'Employment in Chinese. 就业状况';
COMMENT ON COLUMN crm_bi.profile.position_type IS 'Type of position, a code. 职务类型代码';
COMMENT ON COLUMN crm_bi.profile.position_type_name IS 'Type of position in English. 职务类型英文';
COMMENT ON COLUMN crm_bi.profile.position_type_name_zh IS 'Type of position in Chinese. 职务类型';
COMMENT ON COLUMN crm_bi.profile.industry IS 'Industry, a code. 行业代码';
COMMENT ON COLUMN crm_bi.profile.industry_name IS 'Industry in English. 行业英文';
COMMENT ON COLUMN crm_bi.profile.industry_name_zh IS 'Industry in Chinese. 行业';
COMMENT ON COLUMN crm_bi.profile.marital_status IS 'Marital state, a code. 婚姻状况代码';
COMMENT ON COLUMN crm_bi.profile.marital_status_name IS 'Marital state in English. 婚姻状况英文';
COMMENT ON COLUMN crm_bi.profile.marital_status_name_zh IS 'Marital state in Chinese. 婚姻状况';
COMMENT ON COLUMN crm_bi.profile.social_role IS 'Social role, a code. 社会角色代码';
COMMENT ON COLUMN crm_bi.profile.social_role_name IS 'Social role in English. 社会角色英文';
COMMENT ON COLUMN crm_bi.profile.social_role_name_zh IS 'Social role in Chinese. 社会角色';
COMMENT ON COLUMN crm_bi.profile.education IS 'Education, a code. 学历代码';
COMMENT ON COLUMN crm_bi.profile.education_name IS 'Education in English. 学历英文';
COMMENT ON COLUMN crm_bi.profile.education_name_zh IS 'Education in Chinese. 学历';
COMMENT ON COLUMN crm_bi.profile.asset_band IS 'Band of assets, a code. 资产规模代码';
COMMENT ON COLUMN crm_bi.profile.asset_band_name IS 'Band of assets in English. 资产规模英文';
COMMENT ON COLUMN crm_bi.profile.asset_band_name_zh IS 'Band of assets in Chinese. 资产规模';
COMMENT ON COLUMN crm_bi.profile.income_band IS 'Band of income, a code. 收入水平代码';
COMMENT ON COLUMN crm_bi.profile.income_band_name IS 'Band of income in English. 收入水平英文';
COMMENT ON COLUMN crm_bi.profile.income_band_name_zh IS 'Band of income in Chinese. 收入水平';
COMMENT ON COLUMN crm_bi.profile.children IS 'Number of children. 子女数';
COMMENT ON COLUMN crm_bi.profile.investable_amount IS 'Amount that could be invested. 可投资金额';
COMMENT ON COLUMN crm_bi.profile.debt_amount IS 'Debts altogether. 负债';
COMMENT ON COLUMN crm_bi.profile.language IS 'Language in which to speak to the customer, a code. 沟通语言代码';
COMMENT ON COLUMN crm_bi.profile.language_name IS 'Language in English. 沟通语言英文';
COMMENT ON COLUMN crm_bi.profile.language_name_zh IS 'Language in Chinese. 沟通语言';
COMMENT ON COLUMN crm_bi.profile.community IS 'Code of the community in which the customer lives. 社区代码';
COMMENT ON COLUMN crm_bi.profile.community_name IS 'Name of the community. 社区名称';
COMMENT ON COLUMN crm_bi.profile.community_name_zh IS 'Name of the community in Chinese. 社区中文名';
COMMENT ON COLUMN crm_bi.profile.verified_on IS 'Last found right. 核实日期';
COMMENT ON COLUMN crm_bi.profile.verified_source IS 'How it was found right. 核实来源';
COMMENT ON COLUMN crm_bi.profile.updated_at IS 'Last change. 更新时间';
COMMENT ON VIEW crm_bi.relation IS 'Relations seen from both ends: two rows each. 社会关系';
COMMENT ON COLUMN crm_bi.relation.relation_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.relation.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.relation.other_id IS 'The other customer. 关系人';
COMMENT ON COLUMN crm_bi.relation.other_is IS 'What the other is to the customer. 关系代码';
COMMENT ON COLUMN crm_bi.relation.other_name IS 'That in English. 关系英文';
COMMENT ON COLUMN crm_bi.relation.other_name_zh IS 'That in Chinese. 关系';
COMMENT ON COLUMN crm_bi.relation.title IS 'Position. 职务';
COMMENT ON COLUMN crm_bi.relation.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.relation.to_date IS 'First day no longer. 终止日';
COMMENT ON COLUMN crm_bi.relation.is_current IS 'So today. 当前';
COMMENT ON COLUMN crm_bi.relation.is_first IS 'One of the two rows of a relation: count these to count relations. 计数用';
COMMENT ON VIEW crm_bi.household_member IS 'Who lives in which household, and since when: one row for each move into one. 家庭成员';
COMMENT ON COLUMN crm_bi.household_member.household_member_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.household_member.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.household_member.household_id IS 'Household. 家庭';
COMMENT ON COLUMN crm_bi.household_member.household IS 'Its name. 家庭名称';
COMMENT ON COLUMN crm_bi.household_member.role IS 'head, spouse, child, parent or other. 角色';
COMMENT ON COLUMN crm_bi.household_member.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.household_member.to_date IS 'First day no longer; NULL: none known. 终止日';
COMMENT ON COLUMN crm_bi.household_member.is_current IS 'So today. 当前';
COMMENT ON VIEW crm_bi.asset IS 'Assets of customers elsewhere: one row each. 客户财产';
COMMENT ON COLUMN crm_bi.asset.asset_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.asset.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.asset.kind IS 'Kind of asset. 财产类型';
COMMENT ON COLUMN crm_bi.asset.value IS 'Value. 价值';
COMMENT ON COLUMN crm_bi.asset.valued_on IS 'Day of that value. 估值日';
COMMENT ON COLUMN crm_bi.asset.owned_from IS 'First day of ownership. 取得日';
COMMENT ON COLUMN crm_bi.asset.owned_to IS 'First day no longer owned. 处置日';
COMMENT ON COLUMN crm_bi.asset.is_owned IS 'Owned today. 当前拥有';
COMMENT ON COLUMN crm_bi.asset.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.asset.verified_on IS 'Last found right. 核实日期';
COMMENT ON VIEW crm_bi.debt IS 'Debts of customers elsewhere: one row each. 负债';
COMMENT ON COLUMN crm_bi.debt.debt_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.debt.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.debt.kind IS 'Kind of debt. 负债类型';
COMMENT ON COLUMN crm_bi.debt.amount IS 'Amount outstanding. 金额';
COMMENT ON COLUMN crm_bi.debt.stated_on IS 'Day of that amount. 日期';
COMMENT ON COLUMN crm_bi.debt.due_on IS 'Last of it due. 到期日';
COMMENT ON COLUMN crm_bi.debt.repaid_on IS 'Repaid. 还清日';
COMMENT ON COLUMN crm_bi.debt.is_owed IS 'Owed today. 当前未还';
COMMENT ON COLUMN crm_bi.debt.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.debt.verified_on IS 'Last found right. 核实日期';
COMMENT ON VIEW crm_bi.cover_elsewhere IS 'Cover with other insurers: one row each. 他司保障';
COMMENT ON COLUMN crm_bi.cover_elsewhere.cover_elsewhere_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.cover_elsewhere.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.cover_elsewhere.kind IS 'Kind of cover. 险种';
COMMENT ON COLUMN crm_bi.cover_elsewhere.insurer IS 'Insurer. 保险公司';
COMMENT ON COLUMN crm_bi.cover_elsewhere.sum_insured IS 'Sum insured. 保额';
COMMENT ON COLUMN crm_bi.cover_elsewhere.annual_premium IS 'Premium of a year. 年保费';
COMMENT ON COLUMN crm_bi.cover_elsewhere.from_date IS 'First day of cover. 起始日';
COMMENT ON COLUMN crm_bi.cover_elsewhere.to_date IS 'First day no longer covered. 终止日';
COMMENT ON COLUMN crm_bi.cover_elsewhere.is_covered IS 'Covered today. 当前有效';
COMMENT ON COLUMN crm_bi.cover_elsewhere.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.cover_elsewhere.verified_on IS 'Last found right. 核实日期';
COMMENT ON VIEW crm_bi.blacklist IS 'The blacklist: one row for each time a customer was put on it. 黑名单';
COMMENT ON COLUMN crm_bi.blacklist.blacklist_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.blacklist.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.blacklist.category IS 'Category. 类别';
COMMENT ON COLUMN crm_bi.blacklist.reason IS 'Why. 原因';
COMMENT ON COLUMN crm_bi.blacklist.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.blacklist.to_date IS 'First day no longer. 终止日';
COMMENT ON COLUMN crm_bi.blacklist.is_listed IS 'Listed today. 当前在列';
COMMENT ON COLUMN crm_bi.blacklist.end_reason IS 'Why it ends. 解除原因';
COMMENT ON COLUMN crm_bi.blacklist.recorded_at IS 'When it was recorded. 登记时间';
COMMENT ON COLUMN crm_bi.blacklist.recorded_by IS 'Who put the customer on it. 登记人';
COMMENT ON COLUMN crm_bi.blacklist.ended_at IS 'When the end was recorded. 解除登记时间';
COMMENT ON COLUMN crm_bi.blacklist.ended_by IS 'Who recorded the end. 解除人';
COMMENT ON VIEW crm_bi.need IS 'What customers need and prefer: one row each. 需求与偏好';
COMMENT ON COLUMN crm_bi.need.need_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.need.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.need.kind IS 'need 需求 or preference 偏好.';
COMMENT ON COLUMN crm_bi.need.category_id IS 'Business or product. 业务分类';
COMMENT ON COLUMN crm_bi.need.category IS 'Its code. 分类代码';
COMMENT ON COLUMN crm_bi.need.category_zh IS 'Its name in Chinese. 分类名称';
COMMENT ON COLUMN crm_bi.need.what IS 'In words. 内容';
COMMENT ON COLUMN crm_bi.need.amount IS 'Amount intended. 意向金额';
COMMENT ON COLUMN crm_bi.need.wanted_by IS 'Day by which. 期望日期';
COMMENT ON COLUMN crm_bi.need.noted_on IS 'Day on which it was heard. 记录日';
COMMENT ON COLUMN crm_bi.need.is_open IS 'Stands today. 当前有效';
COMMENT ON COLUMN crm_bi.need.closed_on IS 'Day from which it no longer stands. 关闭日';
COMMENT ON COLUMN crm_bi.need.outcome IS 'met, met_elsewhere or gone. 结果';
COMMENT ON COLUMN crm_bi.need.source IS 'How it was heard. 来源';
COMMENT ON VIEW crm_bi.product_category IS 'The tree of businesses and products: one row for each node. 业务分类';
COMMENT ON COLUMN crm_bi.product_category.category_id IS 'Key. 业务分类';
COMMENT ON COLUMN crm_bi.product_category.parent_id IS 'Node above. 上级分类';
COMMENT ON COLUMN crm_bi.product_category.org_id IS 'Unit that it belongs to; NULL: the company. 所属机构';
COMMENT ON COLUMN crm_bi.product_category.code IS 'Code. 代码';
COMMENT ON COLUMN crm_bi.product_category.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.product_category.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.product_category.nature IS 'asset 资产, debt 负债 or service 服务.';
COMMENT ON COLUMN crm_bi.product_category.level IS 'Steps below the business. 层级';
COMMENT ON COLUMN crm_bi.product_category.level_0 IS 'Code of its business. 一级';
COMMENT ON COLUMN crm_bi.product_category.level_1 IS 'Code of its node on the second level. 二级';
COMMENT ON COLUMN crm_bi.product_category.level_2 IS 'Code of its node on the third level. 三级';
COMMENT ON COLUMN crm_bi.product_category.path_zh IS 'Names from the top in Chinese. 路径';
COMMENT ON VIEW crm_bi.product_holding IS 'What customers have of products other than policies, as it stands today: one row each. 产品持有';
COMMENT ON COLUMN crm_bi.product_holding.product_holding_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.product_holding.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.product_holding.category_id IS 'What it is. 业务分类';
COMMENT ON COLUMN crm_bi.product_holding.category IS 'Its code. 分类代码';
COMMENT ON COLUMN crm_bi.product_holding.category_zh IS 'Its name in Chinese. 分类名称';
COMMENT ON COLUMN crm_bi.product_holding.nature IS 'asset, debt or service. 性质';
COMMENT ON COLUMN crm_bi.product_holding.product IS 'Code of the product. 产品代码';
COMMENT ON COLUMN crm_bi.product_holding.channel IS 'Channel that sold it. 渠道';
COMMENT ON COLUMN crm_bi.product_holding.org_id IS 'Unit that keeps it. 机构';
COMMENT ON COLUMN crm_bi.product_holding.opened_on IS 'First day. 开户日';
COMMENT ON COLUMN crm_bi.product_holding.matures_on IS 'Maturity. 到期日';
COMMENT ON COLUMN crm_bi.product_holding.closed_on IS 'Day of closing. 销户日';
COMMENT ON COLUMN crm_bi.product_holding.is_open IS 'Open today. 当前持有';
COMMENT ON COLUMN crm_bi.product_holding.balance IS 'Balance today; NULL when not open or not known. 余额';
COMMENT ON COLUMN crm_bi.product_holding.balance_since IS 'First day of that balance. 余额日期';
COMMENT ON COLUMN crm_bi.product_holding.days_to_maturity IS 'Days from today to maturity. 距到期天数';
COMMENT ON VIEW crm_bi.premium IS 'Premiums due and what was received of them up to today: one row for each payment of a policy. 应收与实收保费';
COMMENT ON COLUMN crm_bi.premium.premium_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.premium.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.premium.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.premium.number IS 'Which payment of the policy. 期次';
COMMENT ON COLUMN crm_bi.premium.due_on IS 'Day on which it is due. 应缴日';
COMMENT ON COLUMN crm_bi.premium.amount IS 'Amount due. 应收保费';
COMMENT ON COLUMN crm_bi.premium.received IS 'Received, less reversals. 实收保费';
COMMENT ON COLUMN crm_bi.premium.outstanding IS 'Not yet received, nothing of a waived one; below 0: too much. 未收保费';
COMMENT ON COLUMN crm_bi.premium.last_received_on IS 'Last receipt that was not reversed. 最近实收日';
COMMENT ON COLUMN crm_bi.premium.reversals IS 'Receipts reversed. 冲正次数';
COMMENT ON COLUMN crm_bi.premium.state IS 'paid 已缴, ahead 未到期, due 宽限期内, late 逾期 or waived 豁免.';
COMMENT ON COLUMN crm_bi.premium.days_overdue IS 'Days since it was due while not paid. 逾期天数';
COMMENT ON VIEW crm_bi.claim IS 'Claims: one row each. 理赔';
COMMENT ON COLUMN crm_bi.claim.claim_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.claim.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.claim.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.claim.insured_id IS 'Insured person concerned. 出险人';
COMMENT ON COLUMN crm_bi.claim.kind IS 'Kind of claim. 理赔类型';
COMMENT ON COLUMN crm_bi.claim.occurred_on IS 'Day of the event. 出险日期';
COMMENT ON COLUMN crm_bi.claim.reported_on IS 'Day of the report. 报案日期';
COMMENT ON COLUMN crm_bi.claim.claimed_amount IS 'Amount claimed. 索赔金额';
COMMENT ON COLUMN crm_bi.claim.outcome IS 'open 未决, accepted 赔付, partly 部分赔付, refused 拒赔 or withdrawn 撤案.';
COMMENT ON COLUMN crm_bi.claim.decided_on IS 'Day of the decision. 结案日期';
COMMENT ON COLUMN crm_bi.claim.days_to_decision IS 'Days from report to decision. 处理天数';
COMMENT ON COLUMN crm_bi.claim.paid_amount IS 'Amount paid. 赔付金额';
COMMENT ON COLUMN crm_bi.claim.paid_on IS 'Day of payment. 赔付日期';
COMMENT ON VIEW crm_bi.service_order IS 'Servicing orders: one row each. 保全';
COMMENT ON COLUMN crm_bi.service_order.service_order_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.service_order.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.service_order.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.service_order.kind IS 'What is asked for, a code. 保全项目代码';
COMMENT ON COLUMN crm_bi.service_order.kind_name IS 'That in English. 保全项目英文';
COMMENT ON COLUMN crm_bi.service_order.kind_name_zh IS 'That in Chinese. 保全项目';
COMMENT ON COLUMN crm_bi.service_order.applicant IS 'policyholder, insured, beneficiary, proxy or company. 申请人';
COMMENT ON COLUMN crm_bi.service_order.channel IS 'Channel that took it in. 渠道';
COMMENT ON COLUMN crm_bi.service_order.org_id IS 'Unit that took it in. 机构';
COMMENT ON COLUMN crm_bi.service_order.applied_at IS 'When it was applied for. 申请时间';
COMMENT ON COLUMN crm_bi.service_order.ended_at IS 'When it ended. 结束时间';
COMMENT ON COLUMN crm_bi.service_order.result IS 'open 处理中, done 完成, refused 拒绝 or withdrawn 撤销.';
COMMENT ON COLUMN crm_bi.service_order.reason IS 'Why it was refused or withdrawn. 原因';
COMMENT ON COLUMN crm_bi.service_order.hours_taken IS 'Hours from application to end. 耗时（小时）';
COMMENT ON COLUMN crm_bi.service_order.steps IS 'Steps taken. 步骤数';
COMMENT ON COLUMN crm_bi.service_order.steps_returned IS 'Steps that were returned. 退回步骤数';
COMMENT ON COLUMN crm_bi.service_order.current_step IS 'Step that runs. 当前步骤';
COMMENT ON VIEW crm_bi.service_order_step IS 'Steps of servicing orders: one row each. 保全步骤';
COMMENT ON COLUMN crm_bi.service_order_step.service_order_step_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.service_order_step.service_order_key IS 'Servicing order. 保全';
COMMENT ON COLUMN crm_bi.service_order_step.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.service_order_step.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.service_order_step.number IS 'Order of the steps. 序号';
COMMENT ON COLUMN crm_bi.service_order_step.step IS 'What is done. 步骤';
COMMENT ON COLUMN crm_bi.service_order_step.staff_id IS 'Who does it. 人员';
COMMENT ON COLUMN crm_bi.service_order_step.started_at IS 'Start. 开始';
COMMENT ON COLUMN crm_bi.service_order_step.ended_at IS 'End. 结束';
COMMENT ON COLUMN crm_bi.service_order_step.result IS 'passed, returned or refused. 结果';
COMMENT ON COLUMN crm_bi.service_order_step.hours_taken IS 'Hours from start to end. 耗时（小时）';
COMMENT ON VIEW crm_bi.prospect IS 'How customers came to be prospects, and whether they bought: one row for each time. 准客户';
COMMENT ON COLUMN crm_bi.prospect.prospect_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.prospect.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.prospect.source IS 'Where from, a code. 来源代码';
COMMENT ON COLUMN crm_bi.prospect.source_name IS 'That in English. 来源英文';
COMMENT ON COLUMN crm_bi.prospect.source_name_zh IS 'That in Chinese. 来源';
COMMENT ON COLUMN crm_bi.prospect.entered_on IS 'Day. 日期';
COMMENT ON COLUMN crm_bi.prospect.campaign IS 'Code of the campaign. 营销活动';
COMMENT ON COLUMN crm_bi.prospect.partner_id IS 'Partner or merchant. 合作伙伴';
COMMENT ON COLUMN crm_bi.prospect.action_id IS 'Joint action of that partner. 联合活动';
COMMENT ON COLUMN crm_bi.prospect.introduced_by IS 'Customer who introduced this one. 介绍人';
COMMENT ON COLUMN crm_bi.prospect.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.prospect.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.prospect.staff_id IS 'Who brought the customer in. 人员';
COMMENT ON COLUMN crm_bi.prospect.category_id IS 'Business or product of interest. 意向业务';
COMMENT ON COLUMN crm_bi.prospect.intention IS 'high, medium, low or none. 意向';
COMMENT ON COLUMN crm_bi.prospect.has_consent IS 'Consent was given at that time. 已授权';
COMMENT ON COLUMN crm_bi.prospect.is_first IS 'The first time for this customer. 首次来源';
COMMENT ON COLUMN crm_bi.prospect.appointments IS 'Appointments that follow from it. 预约数';
COMMENT ON COLUMN crm_bi.prospect.appointments_kept IS 'Those kept. 赴约数';
COMMENT ON COLUMN crm_bi.prospect.converted_on IS 'First policy issued since, up to today; NULL: none. 转化日期';
COMMENT ON COLUMN crm_bi.prospect.days_to_conversion IS 'Days to that. 转化天数';
COMMENT ON VIEW crm_bi.appointment IS 'Appointments: one row each. 预约';
COMMENT ON COLUMN crm_bi.appointment.appointment_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.appointment.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.appointment.prospect_key IS 'Row of crm_bi.prospect that it follows. 准客户';
COMMENT ON COLUMN crm_bi.appointment.staff_id IS 'With whom. 人员';
COMMENT ON COLUMN crm_bi.appointment.at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.appointment.callback_at IS 'When to call before it. 计划回拨时间';
COMMENT ON COLUMN crm_bi.appointment.called_back_at IS 'When that was done. 实际回拨时间';
COMMENT ON COLUMN crm_bi.appointment.callback_result IS 'confirmed, moved, cancelled or not_reached. 回拨结果';
COMMENT ON COLUMN crm_bi.appointment.result IS 'kept, missed, moved or cancelled; NULL: ahead. 结果';
COMMENT ON VIEW crm_bi.partner IS 'Partners and merchants, and the prospects they brought up to today: one row each. 合作伙伴';
COMMENT ON COLUMN crm_bi.partner.partner_id IS 'Key. 合作伙伴';
COMMENT ON COLUMN crm_bi.partner.code IS 'Code. 代码';
COMMENT ON COLUMN crm_bi.partner.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.partner.kind IS 'Kind of partner. 类型';
COMMENT ON COLUMN crm_bi.partner.class IS 'A to D. 等级';
COMMENT ON COLUMN crm_bi.partner.customer_id IS 'The partner as a customer. 对应客户';
COMMENT ON COLUMN crm_bi.partner.channel IS 'Channel that works with it. 渠道';
COMMENT ON COLUMN crm_bi.partner.org_id IS 'Unit that works with it. 机构';
COMMENT ON COLUMN crm_bi.partner.staff_id IS 'Who looks after it. 人员';
COMMENT ON COLUMN crm_bi.partner.employees IS 'Number of employees. 员工数';
COMMENT ON COLUMN crm_bi.partner.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.partner.to_date IS 'First day no longer. 终止日';
COMMENT ON COLUMN crm_bi.partner.is_active IS 'Partner today. 当前合作';
COMMENT ON COLUMN crm_bi.partner.actions IS 'Joint actions begun. 联合活动数';
COMMENT ON COLUMN crm_bi.partner.cost IS 'Their cost. 费用';
COMMENT ON COLUMN crm_bi.partner.prospects IS 'Times a prospect came from it. 准客户人次';
COMMENT ON COLUMN crm_bi.partner.customers IS 'Customers among them. 准客户数';
COMMENT ON COLUMN crm_bi.partner.converted IS 'Those who bought since. 转化客户数';
COMMENT ON COLUMN crm_bi.partner.last_prospect_on IS 'Last time. 最近一次';
COMMENT ON VIEW crm_bi.partner_action IS 'What is done together with partners: one row each. 联合活动';
COMMENT ON COLUMN crm_bi.partner_action.partner_action_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.partner_action.partner_id IS 'Partner. 合作伙伴';
COMMENT ON COLUMN crm_bi.partner_action.action_id IS 'Key within the partner. 序号';
COMMENT ON COLUMN crm_bi.partner_action.kind IS 'Kind of action. 类型';
COMMENT ON COLUMN crm_bi.partner_action.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.partner_action.campaign IS 'Code of the campaign. 营销活动';
COMMENT ON COLUMN crm_bi.partner_action.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.partner_action.to_date IS 'First day no longer. 终止日';
COMMENT ON COLUMN crm_bi.partner_action.is_running IS 'Running today. 进行中';
COMMENT ON COLUMN crm_bi.partner_action.cost IS 'Cost to the company. 费用';
COMMENT ON COLUMN crm_bi.partner_action.prospects IS 'Times a prospect came from it. 准客户人次';
COMMENT ON VIEW crm_bi.customer_change IS 'What was changed about customers, without the values: one row for each field changed. 客户信息变更';
COMMENT ON COLUMN crm_bi.customer_change.customer_change_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.customer_change.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_change.subject IS 'Table in which it was changed. 对象';
COMMENT ON COLUMN crm_bi.customer_change.field IS 'Column. 字段';
COMMENT ON COLUMN crm_bi.customer_change.is_addition IS 'Nothing stood there before. 新增';
COMMENT ON COLUMN crm_bi.customer_change.is_removal IS 'Nothing stands there since. 删除';
COMMENT ON COLUMN crm_bi.customer_change.changed_at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.customer_change.changed_by IS 'Who. 修改人';
