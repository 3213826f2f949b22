-- bi: the dimensions that figures, standings and policies name by code

CREATE VIEW crm_bi.channel AS
SELECT h.id AS channel_id, h.code AS channel, h.name, h.name_zh, h.kind
FROM crm.channel h;
COMMENT ON VIEW crm_bi.channel IS 'Channels: one row each. 渠道';
COMMENT ON COLUMN crm_bi.channel.channel_id IS 'Key. 渠道键';
COMMENT ON COLUMN crm_bi.channel.channel IS 'Code, as the other views give it. 渠道代码';
COMMENT ON COLUMN crm_bi.channel.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.channel.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.channel.kind IS 'individual 个险, bancassurance 银保, group 团险, telesales 电销 or other 其他. 渠道类别';

CREATE VIEW crm_bi.class AS
SELECT d.dimension || '/' || d.class AS class_key, d.dimension, d.class, d.class_order, d.name_zh,
       coalesce(d.name, CASE d.dimension || '/' || d.class WHEN 'activity/none' THEN 'Never purchased' WHEN 'activity/semi_dormant' THEN 'Semi-dormant' WHEN 'tier/none' THEN 'Not insured' WHEN 'role/insured' THEN 'Insured only'
         WHEN 'service/orphan' THEN 'Unserved: orphan' WHEN 'service/group_legacy' THEN 'Unserved: legacy of the group' WHEN 'service/bancassurance' THEN 'Unserved: bancassurance'
         WHEN 'service/other' THEN 'Unserved: other' WHEN 'reach/corporate_insured' THEN 'Unreachable: insured by a company' WHEN 'reach/sector_line' THEN 'Unreachable: sector line'
         WHEN 'reach/other' THEN 'Unreachable: other'
         ELSE pg_catalog.upper(pg_catalog.left(d.class, 1)) || pg_catalog.replace(pg_catalog.substr(d.class, 2), '_', ' ') END) AS name
FROM (
  SELECT v.dimension, v.class, v.class_order, v.name_zh, NULL::text AS name
  FROM (VALUES ('coverage', 'prospect', 1, '准客户'), ('coverage', 'insured', 2, '老客户'), ('coverage', 'former', 3, '流失客户'),
         ('prospect_kind', 'appointment', 1, '预约'), ('prospect_kind', 'activity', 2, '服务活动'), ('prospect_kind', 'partner', 3, '联盟商家'),
         ('prospect_kind', 'referral', 4, '转介绍'), ('prospect_kind', 'other', 5, '其他'),
         ('service', 'served', 1, '已服务'), ('service', 'orphan', 2, '孤儿单'), ('service', 'group_legacy', 3, '集团老业务'),
         ('service', 'bancassurance', 4, '银保'), ('service', 'other', 5, '其他'),
         ('reach', 'reachable', 1, '可联系'), ('reach', 'corporate_insured', 2, '法人客户的被保险人'), ('reach', 'sector_line', 3, '口子业务客户'), ('reach', 'other', 4, '其他'),
         ('touchpoint', 'maturity', 1, '满期'), ('touchpoint', 'lapse', 2, '失效'), ('touchpoint', 'claim', 3, '理赔'), ('touchpoint', 'appointment', 4, '预约'),
         ('role', 'policyholder', 1, '投保人'), ('role', 'insured', 2, '被保险人'),
         ('allocation', 'first', 1, '首次分配'), ('allocation', 'second', 2, '二次分配'),
         ('activity', 'none', 0, '未购买'), ('tier', 'none', 0, '无等级')) v (dimension, class, class_order, name_zh)
  UNION ALL
  SELECT 'case_category', c.code, pg_catalog.row_number() OVER (ORDER BY c.code COLLATE "C")::integer, c.name_zh, c.name FROM crm.case_category c
  UNION ALL
  SELECT o.dimension, o.label, o.place,
         CASE o.dimension || '/' || o.label
           WHEN 'activity/active' THEN '活跃' WHEN 'activity/semi_dormant' THEN '半休眠' WHEN 'activity/dormant' THEN '休眠'
           WHEN 'tier/lead' THEN '重铅' WHEN 'tier/ungraded' THEN '未分级' WHEN 'tier/iron' THEN '钢铁' WHEN 'tier/gold' THEN '黄金' WHEN 'tier/platinum' THEN '铂金' END, NULL
  FROM crm._class_order o) AS d;
COMMENT ON VIEW crm_bi.class IS 'Classes of every dimension but channel, those of activity and tier in the order of their scales, those of cases by code: one row each; members of staff are in crm_bi.staff. 分类';
COMMENT ON COLUMN crm_bi.class.class_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.class.dimension IS 'coverage, prospect_kind, service, reach, touchpoint, role, allocation, case_category, activity or tier. 维度';
COMMENT ON COLUMN crm_bi.class.class IS 'Class, as the other views give it. 类别';
COMMENT ON COLUMN crm_bi.class.class_order IS 'Place in the scale: 0 for none, then from 1; of a label in several scales that of the company''s latest; 1000 for labels in no scale now. 次序';
COMMENT ON COLUMN crm_bi.class.name_zh IS 'Name in Chinese; NULL for labels that the company has set itself. 中文名';
COMMENT ON COLUMN crm_bi.class.name IS 'Name in English, of labels that the company has set itself the label. 英文名';

CREATE VIEW crm_bi.product AS
SELECT p.id AS product_id, p.code AS product, p.name, p.line AS product_line, p.category_id, p.guaranteed_renewable
FROM crm.product p;
COMMENT ON VIEW crm_bi.product IS 'Products: one row each. 产品';
COMMENT ON COLUMN crm_bi.product.product_id IS 'Key. 产品键';
COMMENT ON COLUMN crm_bi.product.product IS 'Code, as the other views give it. 产品代码';
COMMENT ON COLUMN crm_bi.product.name IS 'Name. 产品名称';
COMMENT ON COLUMN crm_bi.product.product_line IS 'Product line. 产品线';
COMMENT ON COLUMN crm_bi.product.category_id IS 'Where it stands in crm_bi.product_category; NULL: nowhere. 业务分类';
COMMENT ON COLUMN crm_bi.product.guaranteed_renewable IS 'One-year cover with guaranteed renewal, which counts as long-term. 保证续保';

CREATE VIEW crm_bi.staff AS
SELECT s.id AS staff_id, s.code AS staff, s.name, s.org_id, h.code AS channel, s.joined_on, s.left_on,
       s.joined_on <= d.today AND (s.left_on IS NULL OR d.today < s.left_on) AS in_post, s.phone, s.email
FROM crm.staff s JOIN crm.channel h ON h.id = s.channel_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.staff IS 'Staff: one row each. 人员';
COMMENT ON COLUMN crm_bi.staff.staff_id IS 'Key. 人员键';
COMMENT ON COLUMN crm_bi.staff.staff IS 'Staff number. 工号';
COMMENT ON COLUMN crm_bi.staff.name IS 'Name. 姓名';
COMMENT ON COLUMN crm_bi.staff.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.staff.channel IS 'Channel worked in. 渠道';
COMMENT ON COLUMN crm_bi.staff.joined_on IS 'First day in post. 入职日';
COMMENT ON COLUMN crm_bi.staff.left_on IS 'First day no longer in post; NULL while in post. 离职日';
COMMENT ON COLUMN crm_bi.staff.phone IS 'Telephone number for customers. 联系电话';
COMMENT ON COLUMN crm_bi.staff.email IS 'E-mail address for customers. 电子邮箱';
COMMENT ON COLUMN crm_bi.staff.in_post IS 'Whether in post today. 是否在职';
