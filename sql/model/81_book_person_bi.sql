-- bi: who customers are: contact, profile, relations, assets, needs and what was changed

CREATE VIEW crm_bi.contact_point AS
SELECT p.customer_id::text || '/' || p.id AS contact_point_key, p.customer_id, p.kind, p.use, p.preferred, p.rank, p.wrong, p.valid_from, p.valid_to,
       NOT p.wrong AND coalesce(p.valid_from <= d.today, true) AND coalesce(p.valid_to > d.today, true) AS is_valid,
       p.kind <> 'mobile' OR p.value ~ '^1[0-9]{10}$' AS well_formed, p.source, p.verified_on, p.verified_source
FROM crm.contact_point p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
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

CREATE VIEW crm_bi.consent AS
SELECT c.customer_id::text || '/' || c.id AS consent_key, c.customer_id, c.purpose, c.way, c.state, c.on_date, c.source,
       c.on_date <= d.today AND NOT EXISTS (
         SELECT FROM crm.consent l WHERE l.customer_id = c.customer_id AND l.purpose = c.purpose AND l.way = c.way AND l.on_date <= d.today
           AND (l.on_date, l.id) > (c.on_date, c.id)) AS is_last
FROM crm.consent c
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.consent IS 'Consent given and withdrawn: one row each. 授权同意';
COMMENT ON COLUMN crm_bi.consent.consent_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.consent.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.consent.purpose IS 'marketing, service, survey or sharing. 目的';
COMMENT ON COLUMN crm_bi.consent.way IS 'Way of contact; any: all. 方式';
COMMENT ON COLUMN crm_bi.consent.state IS 'given 同意 or withdrawn 撤回.';
COMMENT ON COLUMN crm_bi.consent.on_date IS 'First day on which it holds. 日期';
COMMENT ON COLUMN crm_bi.consent.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.consent.is_last IS 'The last one for this purpose and way up to today. 最新';

CREATE VIEW crm_bi.do_not_contact AS
SELECT n.customer_id::text || '/' || n.id AS do_not_contact_key, n.customer_id, n.way, h.code AS channel, n.from_date, n.to_date,
       n.from_date <= d.today AND coalesce(n.to_date > d.today, true) AS is_active, n.source
FROM crm.do_not_contact n
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.channel h ON h.id = n.channel_id;
COMMENT ON VIEW crm_bi.do_not_contact IS 'Customers to be left alone: one row for each request. 勿扰';
COMMENT ON COLUMN crm_bi.do_not_contact.do_not_contact_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.do_not_contact.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.do_not_contact.way IS 'Way of contact; any: all. 方式';
COMMENT ON COLUMN crm_bi.do_not_contact.channel IS 'Channel that must not; NULL: none may. 渠道';
COMMENT ON COLUMN crm_bi.do_not_contact.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.do_not_contact.to_date IS 'First day no longer; NULL: for good. 终止日';
COMMENT ON COLUMN crm_bi.do_not_contact.is_active IS 'In force today. 当前有效';
COMMENT ON COLUMN crm_bi.do_not_contact.source IS 'Where the request comes from. 来源';

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

CREATE VIEW crm_bi.relation AS
SELECT r.customer_id::text || '/' || r.stored_with || '/' || r.relation_id AS relation_key, r.customer_id, r.other_id, r.other_is, r.other_name, r.other_name_zh,
       r.title, r.from_date, r.to_date, coalesce(r.from_date <= d.today, true) AND coalesce(r.to_date > d.today, true) AS is_current,
       r.customer_id = r.stored_with AS is_first
FROM crm.relation_end r
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
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

CREATE VIEW crm_bi.household_member AS
SELECT m.customer_id::text || '/' || m.from_date AS household_member_key, m.customer_id, m.household_id, h.name AS household, m.role, m.from_date, m.to_date,
       m.from_date <= d.today AND coalesce(m.to_date > d.today, true) AS is_current
FROM (SELECT x.*, lead(x.from_date) OVER (PARTITION BY x.customer_id ORDER BY x.from_date) AS to_date FROM crm.household_member x) m
JOIN crm.household h ON h.id = m.household_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.household_member IS 'Who lives in which household, and since when: one row for each move into one. 家庭成员';
COMMENT ON COLUMN crm_bi.household_member.household_member_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.household_member.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.household_member.household_id IS 'Household. 家庭';
COMMENT ON COLUMN crm_bi.household_member.household IS 'Its name. 家庭名称';
COMMENT ON COLUMN crm_bi.household_member.role IS 'head, spouse, child, parent or other. 角色';
COMMENT ON COLUMN crm_bi.household_member.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.household_member.to_date IS 'First day no longer; NULL: none known. 终止日';
COMMENT ON COLUMN crm_bi.household_member.is_current IS 'So today. 当前';

CREATE VIEW crm_bi.asset AS
SELECT a.customer_id::text || '/' || a.id AS asset_key, a.customer_id, a.kind, a.value, a.valued_on, a.owned_from, a.owned_to,
       coalesce(a.owned_from <= d.today, true) AND coalesce(a.owned_to > d.today, true) AS is_owned, a.source, a.verified_on
FROM crm.asset a
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
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

CREATE VIEW crm_bi.debt AS
SELECT b.customer_id::text || '/' || b.id AS debt_key, b.customer_id, b.kind, b.amount, b.stated_on, b.due_on, b.repaid_on,
       coalesce(b.repaid_on > d.today, true) AS is_owed, b.source, b.verified_on
FROM crm.debt b
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
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

CREATE VIEW crm_bi.cover_elsewhere AS
SELECT c.customer_id::text || '/' || c.id AS cover_elsewhere_key, c.customer_id, c.kind, c.insurer, c.sum_insured, c.annual_premium, c.from_date, c.to_date,
       coalesce(c.from_date <= d.today, true) AND coalesce(c.to_date > d.today, true) AS is_covered, c.source, c.verified_on
FROM crm.cover_elsewhere c
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
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

CREATE VIEW crm_bi.blacklist AS
SELECT b.customer_id::text || '/' || b.id AS blacklist_key, b.customer_id, b.category, b.reason, b.from_date, b.to_date,
       b.from_date <= d.today AND coalesce(b.to_date > d.today, true) AS is_listed, b.end_reason, b.recorded_at, b.recorded_by, b.ended_at, b.ended_by
FROM crm.blacklist b
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
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

CREATE VIEW crm_bi.need AS
SELECT n.customer_id::text || '/' || n.id AS need_key, n.customer_id, n.kind, n.category_id, c.code AS category, c.name_zh AS category_zh, n.what, n.amount, n.wanted_by, n.noted_on,
       n.noted_on <= d.today AND coalesce(n.closed_on > d.today, true) AS is_open, n.closed_on, n.outcome, n.source
FROM crm.need n
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.product_category c ON c.id = n.category_id;
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

CREATE VIEW crm_bi.customer_change AS
SELECT c.customer_id::text || '/' || c.id AS customer_change_key, c.customer_id, c.subject, c.field, c.old_value IS NULL AS is_addition, c.new_value IS NULL AS is_removal, c.changed_at, c.changed_by
FROM crm.customer_change c;
COMMENT ON VIEW crm_bi.customer_change IS 'What was changed about customers, without the values: one row for each field changed. 客户信息变更';
COMMENT ON COLUMN crm_bi.customer_change.customer_change_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.customer_change.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_change.subject IS 'Table in which it was changed. 对象';
COMMENT ON COLUMN crm_bi.customer_change.field IS 'Column. 字段';
COMMENT ON COLUMN crm_bi.customer_change.is_addition IS 'Nothing stood there before. 新增';
COMMENT ON COLUMN crm_bi.customer_change.is_removal IS 'Nothing stands there since. 删除';
COMMENT ON COLUMN crm_bi.customer_change.changed_at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.customer_change.changed_by IS 'Who. 修改人';
