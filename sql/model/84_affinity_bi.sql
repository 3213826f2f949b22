-- bi: what staff can do, where customers live, and what plans made of it

CREATE VIEW crm_bi.community AS
SELECT m.id AS community_id, m.code, m.name, m.name_zh, m.org_id, (SELECT pg_catalog.count(*) FROM crm.profile p WHERE p.community_id = m.id) AS customers FROM crm.community m;
COMMENT ON VIEW crm_bi.community IS 'Communities: one row each. 社区';
COMMENT ON COLUMN crm_bi.community.community_id IS 'Key. 社区';
COMMENT ON COLUMN crm_bi.community.code IS 'Code. 代码';
COMMENT ON COLUMN crm_bi.community.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.community.name_zh IS 'Name in Chinese. 中文名称';
COMMENT ON COLUMN crm_bi.community.org_id IS 'Outlet that looks after it. 负责网点';
COMMENT ON COLUMN crm_bi.community.customers IS 'Customers who live in it. 客户数';

CREATE VIEW crm_bi.staff_skill AS
SELECT pg_catalog.concat_ws('/', k.staff_id, k.kind, k.value) AS staff_skill_key, k.staff_id, s.name AS staff_name, s.org_id, h.code AS channel, k.kind, k.value, k.note
FROM crm.staff_skill k
JOIN crm.staff s ON s.id = k.staff_id
JOIN crm.channel h ON h.id = s.channel_id;
COMMENT ON VIEW crm_bi.staff_skill IS 'Languages, training and communities of staff: one row each. 人员特长';
COMMENT ON COLUMN crm_bi.staff_skill.staff_skill_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.staff_skill.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.staff_skill.staff_name IS 'Name. 姓名';
COMMENT ON COLUMN crm_bi.staff_skill.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.staff_skill.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.staff_skill.kind IS 'language 语言, tier 客户等级, line 产品线 or community 社区.';
COMMENT ON COLUMN crm_bi.staff_skill.value IS 'Which. 内容';
COMMENT ON COLUMN crm_bi.staff_skill.note IS 'Certificate or remark. 说明';

CREATE VIEW crm_bi.plan_affinity AS
SELECT x.plan_id || '/' || x.kind AS plan_affinity_key, x.plan_id, x.kind, x.customers, x.met, x.met::numeric / x.customers AS met_rate
FROM (SELECT c.plan_id, w.kind, pg_catalog.count(*) AS customers, pg_catalog.count(*) FILTER (WHERE w.kind = ANY (c.met)) AS met
      FROM crm.plan_customer c CROSS JOIN LATERAL pg_catalog.unnest(c.wanted) w(kind) GROUP BY c.plan_id, w.kind) x;
COMMENT ON VIEW crm_bi.plan_affinity IS 'How far plans give customers to staff who suit them: one row for each plan and kind. 匹配度';
COMMENT ON COLUMN crm_bi.plan_affinity.plan_affinity_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_affinity.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_affinity.kind IS 'language 语言, tier 客户等级, line 产品线 or community 社区.';
COMMENT ON COLUMN crm_bi.plan_affinity.customers IS 'Customers planned who ask for it, where somebody of the plan could give it. 有需求客户数';
COMMENT ON COLUMN crm_bi.plan_affinity.met IS 'Of those given to staff, or for community to an outlet, who do. 匹配客户数';
COMMENT ON COLUMN crm_bi.plan_affinity.met_rate IS 'met / customers. 匹配率';
