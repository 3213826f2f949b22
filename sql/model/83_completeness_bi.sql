-- bi: completeness of customers' data, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.completeness_field AS
SELECT f.code AS field, f.bit::integer AS field_order, f.name, f.name_zh, pg_catalog.array_to_string(f.found_in, ', ') AS found_in
FROM crm.completeness_field f;
COMMENT ON VIEW crm_bi.completeness_field IS 'Fields of customers'' data that can be asked for: one row each. 资料项';
COMMENT ON COLUMN crm_bi.completeness_field.field IS 'Code. 资料项代码';
COMMENT ON COLUMN crm_bi.completeness_field.field_order IS 'Order in lists. 次序';
COMMENT ON COLUMN crm_bi.completeness_field.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.completeness_field.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.completeness_field.found_in IS 'Where it is found; any one place is enough. 来源';

CREATE VIEW crm_bi.completeness_standard AS
SELECT s.id AS standard_id, s.kind, s.tier, s.field, s.weight, s.valid_from,
       pg_catalog.lead(s.valid_from) OVER (PARTITION BY s.kind, s.tier, s.field ORDER BY s.valid_from) AS valid_to, s.set_at, s.set_by
FROM crm.completeness_standard s;
COMMENT ON VIEW crm_bi.completeness_standard IS 'The standard of required fields over time. 资料完整度标准';
COMMENT ON COLUMN crm_bi.completeness_standard.standard_id IS 'Key. 主键';
COMMENT ON COLUMN crm_bi.completeness_standard.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.completeness_standard.tier IS 'Tier; NULL: every tier without a row of its own. 等级';
COMMENT ON COLUMN crm_bi.completeness_standard.field IS 'Field. 资料项';
COMMENT ON COLUMN crm_bi.completeness_standard.weight IS 'What it weighs; 0: not required. 权重';
COMMENT ON COLUMN crm_bi.completeness_standard.valid_from IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.completeness_standard.valid_to IS 'First day no longer; NULL: none set. 终止日';
COMMENT ON COLUMN crm_bi.completeness_standard.set_at IS 'When it was set. 设定时间';
COMMENT ON COLUMN crm_bi.completeness_standard.set_by IS 'By whom. 设定人';

CREATE VIEW crm_bi.completeness AS
SELECT c.customer_id, k.kind, c.org_id, h.code AS channel, coalesce(t.label, 'none') AS tier, k.known_from, k.created_at AS entered_at, k.created_by AS entered_by,
       c.counted, pg_catalog.round(c.points / 1000.0, 3) AS points, pg_catalog.round(c.weight / 1000.0, 3) AS weight, c.score, c.missing = 0 AS is_complete,
       pg_catalog.bit_count(c.missing::bit(64))::integer AS missing_count,
       crm._mask_names(c.missing, n.codes, ', ') AS missing_fields, crm._mask_names(c.missing, n.names, ', ') AS missing_en, crm._mask_names(c.missing, n.names_zh, '、') AS missing_zh,
       CASE crm.language() WHEN 'zh' THEN crm._mask_names(c.missing, n.names_zh, '、') ELSE crm._mask_names(c.missing, n.names, ', ') END AS missing
FROM crm._completeness c
JOIN crm.customer k ON k.id = c.customer_id
CROSS JOIN (SELECT pg_catalog.array_agg(f.code ORDER BY b.b) AS codes, pg_catalog.array_agg(f.name ORDER BY b.b) AS names, pg_catalog.array_agg(f.name_zh ORDER BY b.b) AS names_zh
            FROM pg_catalog.generate_series(0, 62) b (b) LEFT JOIN crm.completeness_field f ON f.bit = b.b OFFSET 0) n
JOIN crm.channel h ON h.id = c.channel_id
LEFT JOIN crm.class t ON t.id = c.tier_id
WHERE crm_bi._slot() IS NOT NULL;
COMMENT ON VIEW crm_bi.completeness IS 'How complete the data of customers are today: one row each. 客户资料完整度';
COMMENT ON COLUMN crm_bi.completeness.customer_id IS 'Key. 客户';
COMMENT ON COLUMN crm_bi.completeness.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.completeness.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.completeness.channel IS 'Main channel. 渠道';
COMMENT ON COLUMN crm_bi.completeness.tier IS 'Tier, or none. 等级';
COMMENT ON COLUMN crm_bi.completeness.known_from IS 'First day as a prospect. 首次登记日';
COMMENT ON COLUMN crm_bi.completeness.entered_at IS 'When the customer was entered. 录入时间';
COMMENT ON COLUMN crm_bi.completeness.entered_by IS 'Who entered the customer. 录入人';
COMMENT ON COLUMN crm_bi.completeness.counted IS 'Whether the customer has a standing today, as those in the sums have. 是否计入';
COMMENT ON COLUMN crm_bi.completeness.points IS 'Weight of the fields filled. 已填权重';
COMMENT ON COLUMN crm_bi.completeness.weight IS 'Weight of the fields required; NULL: none. 应填权重';
COMMENT ON COLUMN crm_bi.completeness.score IS '100 points / weight, rounded to two decimals; NULL: nothing required. 完整度得分';
COMMENT ON COLUMN crm_bi.completeness.is_complete IS 'Whether nothing is missing. 是否完整';
COMMENT ON COLUMN crm_bi.completeness.missing_count IS 'How many required fields are missing. 缺项数';
COMMENT ON COLUMN crm_bi.completeness.missing_fields IS 'Codes of the fields missing. 缺项代码';
COMMENT ON COLUMN crm_bi.completeness.missing_en IS 'Their names in English. 缺项（英文）';
COMMENT ON COLUMN crm_bi.completeness.missing_zh IS 'Their names in Chinese. 缺项（中文）';
COMMENT ON COLUMN crm_bi.completeness.missing IS 'Their names in the language of crm.language. 缺项';

-- Each in two forms: of the customers of a unit and its subtree, and of the unit itself, which add up.
DECLARE
  form record;
  c record;
BEGIN
  FOR form IN
    SELECT * FROM (VALUES ('', 'a.ancestor_id', 'JOIN crm.organisation_tree a ON a.descendant_id = c.org_id', ' with its subtree, by the tree of today', '（含下级）'),
                          ('_own', 'c.org_id', '', ' itself: units add up', '（本级）')) f (suffix, org, tree, whose, whose_zh) LOOP
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.completeness_unit%1$s AS
SELECT %2$s || '/' || h.code || '/' || c.kind || '/' || coalesce(t.label, 'none') AS completeness_key,
       %2$s AS org_id, h.code AS channel, c.kind, coalesce(t.label, 'none') AS tier,
       pg_catalog.sum(c.customers)::bigint AS customers, pg_catalog.sum(c.complete)::bigint AS complete_customers,
       pg_catalog.sum(c.score_sum) AS score_sum, pg_catalog.sum(c.points) AS points, pg_catalog.sum(c.weight) AS weight,
       pg_catalog.sum(c.score_sum) / nullif(pg_catalog.sum(c.customers), 0) AS average_score, pg_catalog.sum(c.complete) / nullif(pg_catalog.sum(c.customers), 0) AS complete_share
FROM crm._completeness_cell c %3$s
JOIN crm.channel h ON h.id = c.channel_id
LEFT JOIN crm.class t ON t.id = c.tier_id
WHERE crm_bi._slot() IS NOT NULL
GROUP BY %2$s, h.code, c.kind, t.label$view$, form.suffix, form.org, form.tree);
    EXECUTE pg_catalog.format('COMMENT ON VIEW crm_bi.completeness_unit%s IS %L', form.suffix, 'Completeness today by unit' || form.whose || '. 完整度' || form.whose_zh);
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.completeness_month%1$s AS
SELECT m.month || '/' || %2$s || '/' || h.code || '/' || c.kind || '/' || c.tier AS completeness_key,
       m.month, m.day AS recorded_on, m.day = (m.month + interval '1 month - 1 day')::date AS is_month_end, %2$s AS org_id, h.code AS channel, c.kind, c.tier,
       pg_catalog.sum(c.customers)::bigint AS customers, pg_catalog.sum(c.complete)::bigint AS complete_customers,
       pg_catalog.sum(c.score_sum) AS score_sum, pg_catalog.sum(c.points) AS points, pg_catalog.sum(c.weight) AS weight,
       pg_catalog.sum(c.score_sum) / nullif(pg_catalog.sum(c.customers), 0) AS average_score, pg_catalog.sum(c.complete) / nullif(pg_catalog.sum(c.customers), 0) AS complete_share
FROM crm.completeness_month m JOIN crm.completeness_cell c ON c.month = m.month %3$s
JOIN crm.channel h ON h.id = c.channel_id
GROUP BY m.month, %2$s, h.code, c.kind, c.tier$view$, form.suffix, form.org, form.tree);
    EXECUTE pg_catalog.format('COMMENT ON VIEW crm_bi.completeness_month%s IS %L', form.suffix, 'Completeness as it was recorded month by month, by unit' || form.whose || '. 月度完整度' || form.whose_zh);
  END LOOP;
  FOR c IN
    SELECT a.attrelid::regclass AS view, a.attname AS name, t.comment FROM pg_catalog.pg_attribute a JOIN (VALUES
      ('completeness_key', 'Key of the row. 主键'),
      ('month', 'First day of the month. 月份'),
      ('recorded_on', 'Day on which it was last recorded. 记录日'),
      ('is_month_end', 'Whether that is the last day of the month. 是否月末'),
      ('org_id', 'Unit. 机构'),
      ('channel', 'Main channel. 渠道'),
      ('kind', 'person or company. 个人或法人'),
      ('tier', 'Tier, or none. 等级'),
      ('customers', 'Customers of whom anything is required. 客户数'),
      ('complete_customers', 'Those of them who lack nothing. 资料完整客户数'),
      ('score_sum', 'Sum of their scores, 0 to 100 each: the numerator of the average. 得分合计'),
      ('points', 'Weight of the fields filled. 已填权重'),
      ('weight', 'Weight of the fields required. 应填权重'),
      ('average_score', 'Average score: score_sum / customers. Of sums, divide again. 平均完整度'),
      ('complete_share', 'Share of complete customers. 完整客户占比')) t (name, comment) ON t.name = a.attname
    WHERE a.attrelid IN ('crm_bi.completeness_unit'::regclass, 'crm_bi.completeness_unit_own'::regclass, 'crm_bi.completeness_month'::regclass, 'crm_bi.completeness_month_own'::regclass) LOOP
    EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', c.view, c.name, c.comment);
  END LOOP;
END;

CREATE VIEW crm_bi.completeness_gap AS
SELECT c.org_id || '/' || h.code || '/' || c.kind || '/' || coalesce(t.label, 'none') || '/' || f.code AS gap_key,
       c.org_id, h.code AS channel, c.kind, coalesce(t.label, 'none') AS tier, f.code AS field, f.name AS field_name, f.name_zh AS field_name_zh,
       pg_catalog.sum(c.customers)::bigint AS customers,
       coalesce(pg_catalog.sum(c.customers) FILTER (WHERE c.missing >> f.bit & 1 = 1), 0)::bigint AS missing_customers
FROM (SELECT x.org_id, x.channel_id, x.kind, x.tier_id, x.required, x.missing, pg_catalog.count(*) AS customers
      FROM crm._completeness x WHERE x.counted AND x.weight IS NOT NULL GROUP BY x.org_id, x.channel_id, x.kind, x.tier_id, x.required, x.missing) c
JOIN crm.completeness_field f ON c.required >> f.bit & 1 = 1
JOIN crm.channel h ON h.id = c.channel_id
LEFT JOIN crm.class t ON t.id = c.tier_id
WHERE crm_bi._slot() IS NOT NULL
GROUP BY c.org_id, h.code, c.kind, t.label, f.code, f.name, f.name_zh;
COMMENT ON VIEW crm_bi.completeness_gap IS 'Which fields are missing how often today, by unit itself: units add up. 缺项统计';
COMMENT ON COLUMN crm_bi.completeness_gap.gap_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.completeness_gap.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.completeness_gap.channel IS 'Main channel. 渠道';
COMMENT ON COLUMN crm_bi.completeness_gap.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.completeness_gap.tier IS 'Tier, or none. 等级';
COMMENT ON COLUMN crm_bi.completeness_gap.field IS 'Field required. 资料项代码';
COMMENT ON COLUMN crm_bi.completeness_gap.field_name IS 'Its name in English. 资料项（英文）';
COMMENT ON COLUMN crm_bi.completeness_gap.field_name_zh IS 'Its name in Chinese. 资料项（中文）';
COMMENT ON COLUMN crm_bi.completeness_gap.customers IS 'Customers of whom it is required. 应填客户数';
COMMENT ON COLUMN crm_bi.completeness_gap.missing_customers IS 'Those of them who lack it. 缺项客户数';

CREATE VIEW crm_bi.completeness_supervisor AS
SELECT coalesce(s.supervisor_id, 0) || '/' || c.org_id || '/' || c.kind AS completeness_key,
       s.supervisor_id, v.name AS supervisor, c.org_id, o.name AS org_name, c.kind,
       pg_catalog.sum(c.customers)::bigint AS customers, pg_catalog.sum(c.complete)::bigint AS complete_customers,
       pg_catalog.sum(c.score_sum) AS score_sum, pg_catalog.sum(c.points) AS points, pg_catalog.sum(c.weight) AS weight,
       pg_catalog.sum(c.score_sum) / nullif(pg_catalog.sum(c.customers), 0) AS average_score, pg_catalog.sum(c.complete) / nullif(pg_catalog.sum(c.customers), 0) AS complete_share
FROM crm._completeness_cell c
JOIN crm.organisation o ON o.id = c.org_id
LEFT JOIN crm._supervised s ON s.org_id = c.org_id
LEFT JOIN crm.organisation v ON v.id = s.supervisor_id
WHERE crm_bi._slot() IS NOT NULL
GROUP BY s.supervisor_id, v.name, c.org_id, o.name, c.kind;
COMMENT ON VIEW crm_bi.completeness_supervisor IS 'Completeness today by service centre and the units it supervises: rows add up. 督导机构资料完整度';
COMMENT ON COLUMN crm_bi.completeness_supervisor.completeness_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.completeness_supervisor.supervisor_id IS 'Service centre; NULL: unit without one. 督导机构';
COMMENT ON COLUMN crm_bi.completeness_supervisor.supervisor IS 'Its name. 督导机构名称';
COMMENT ON COLUMN crm_bi.completeness_supervisor.org_id IS 'Unit supervised, itself without its subtree. 机构';
COMMENT ON COLUMN crm_bi.completeness_supervisor.org_name IS 'Its name. 机构名称';
COMMENT ON COLUMN crm_bi.completeness_supervisor.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.completeness_supervisor.customers IS 'Customers of whom anything is required. 客户数';
COMMENT ON COLUMN crm_bi.completeness_supervisor.complete_customers IS 'Those of them who lack nothing. 资料完整客户数';
COMMENT ON COLUMN crm_bi.completeness_supervisor.score_sum IS 'Sum of their scores, 0 to 100 each: the numerator of the average. 得分合计';
COMMENT ON COLUMN crm_bi.completeness_supervisor.points IS 'Weight of the fields filled. 已填权重';
COMMENT ON COLUMN crm_bi.completeness_supervisor.weight IS 'Weight of the fields required. 应填权重';
COMMENT ON COLUMN crm_bi.completeness_supervisor.average_score IS 'Average score: score_sum / customers. Of sums, divide again. 平均完整度';
COMMENT ON COLUMN crm_bi.completeness_supervisor.complete_share IS 'Share of complete customers. 完整客户占比';

CREATE VIEW crm_bi.supervision AS
SELECT s.org_id || '/' || s.from_date AS supervision_key, s.org_id, o.name AS org_name, s.supervisor_id, v.name AS supervisor, s.from_date,
       pg_catalog.lead(s.from_date) OVER (PARTITION BY s.org_id ORDER BY s.from_date) AS to_date
FROM crm.supervision s JOIN crm.organisation o ON o.id = s.org_id LEFT JOIN crm.organisation v ON v.id = s.supervisor_id;
COMMENT ON VIEW crm_bi.supervision IS 'Which service centre supervises which units with their subtrees, over time. 督导关系';
COMMENT ON COLUMN crm_bi.supervision.supervision_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.supervision.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.supervision.org_name IS 'Its name. 机构名称';
COMMENT ON COLUMN crm_bi.supervision.supervisor_id IS 'Service centre; NULL: none. 督导机构';
COMMENT ON COLUMN crm_bi.supervision.supervisor IS 'Its name. 督导机构名称';
COMMENT ON COLUMN crm_bi.supervision.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.supervision.to_date IS 'First day no longer; NULL: none set. 终止日';

CREATE VIEW crm_bi.completeness_holding AS
SELECT l.customer_id, x.code AS holder_channel, l.org_id AS holder_org_id, l.staff_id, s.name AS staff_name, l.held_from,
       c.kind, c.org_id, c.tier, c.points, c.weight, c.score, c.is_complete, c.missing_count, c.missing_fields, c.missing
FROM crm.holding l
JOIN crm_bi.completeness c ON c.customer_id = l.customer_id
JOIN crm.channel x ON x.id = l.channel_id
LEFT JOIN crm.staff s ON s.id = l.staff_id
WHERE l.held_to IS NULL;
COMMENT ON VIEW crm_bi.completeness_holding IS 'Completeness of the customers held, by holder: one row for each customer held. 持有客户资料完整度';
COMMENT ON COLUMN crm_bi.completeness_holding.customer_id IS 'Key. 客户';
COMMENT ON COLUMN crm_bi.completeness_holding.holder_channel IS 'Channel that holds. 持有渠道';
COMMENT ON COLUMN crm_bi.completeness_holding.holder_org_id IS 'Unit that holds, or of the holder; NULL: a channel holds. 持有机构';
COMMENT ON COLUMN crm_bi.completeness_holding.staff_id IS 'Who holds; NULL: unit or channel. 持有人';
COMMENT ON COLUMN crm_bi.completeness_holding.staff_name IS 'Name of the holder. 持有人姓名';
COMMENT ON COLUMN crm_bi.completeness_holding.held_from IS 'Since when. 持有起始';
COMMENT ON COLUMN crm_bi.completeness_holding.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.completeness_holding.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.completeness_holding.tier IS 'Tier, or none. 等级';
COMMENT ON COLUMN crm_bi.completeness_holding.points IS 'Weight of the fields filled. 已填权重';
COMMENT ON COLUMN crm_bi.completeness_holding.weight IS 'Weight of the fields required; NULL: none. 应填权重';
COMMENT ON COLUMN crm_bi.completeness_holding.score IS '100 points / weight, rounded to two decimals. 完整度得分';
COMMENT ON COLUMN crm_bi.completeness_holding.is_complete IS 'Whether nothing is missing. 是否完整';
COMMENT ON COLUMN crm_bi.completeness_holding.missing_count IS 'How many required fields are missing. 缺项数';
COMMENT ON COLUMN crm_bi.completeness_holding.missing_fields IS 'Codes of the fields missing. 缺项代码';
COMMENT ON COLUMN crm_bi.completeness_holding.missing IS 'Their names in the language of crm.language. 缺项';

CREATE VIEW crm_bi.customer_field AS
SELECT c.customer_id || '/' || f.code AS customer_field_key, c.customer_id, f.code AS field, f.name AS field_name, f.name_zh AS field_name_zh,
       c.required >> f.bit & 1 = 1 AS required, pg_catalog.round(coalesce(m.weights[f.bit + 1], 0) / 1000.0, 3) AS weight, k.filled >> f.bit & 1 = 1 AS filled,
       v.verified_on, v.source AS verified_source, v.staff_id AS verified_by
FROM crm._completeness c
JOIN crm._filled k ON k.customer_id = c.customer_id
CROSS JOIN crm.completeness_field f
LEFT JOIN crm._standard_mask m ON m.kind = c.kind AND m.tier_id = c.tier_id
LEFT JOIN crm._field_verified v ON v.customer_id = c.customer_id AND v.field = f.code
WHERE crm_bi._slot() IS NOT NULL AND (c.required | k.filled) >> f.bit & 1 = 1;
COMMENT ON VIEW crm_bi.customer_field IS 'Fields of customers, required or filled: when and how each was last verified. To be asked for customer by customer. 客户资料项';
COMMENT ON COLUMN crm_bi.customer_field.customer_field_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.customer_field.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_field.field IS 'Field. 资料项代码';
COMMENT ON COLUMN crm_bi.customer_field.field_name IS 'Its name in English. 资料项（英文）';
COMMENT ON COLUMN crm_bi.customer_field.field_name_zh IS 'Its name in Chinese. 资料项（中文）';
COMMENT ON COLUMN crm_bi.customer_field.required IS 'Whether it is required. 是否必填';
COMMENT ON COLUMN crm_bi.customer_field.weight IS 'What it weighs. 权重';
COMMENT ON COLUMN crm_bi.customer_field.filled IS 'Whether it is filled. 是否已填';
COMMENT ON COLUMN crm_bi.customer_field.verified_on IS 'Day on which it was last verified; NULL: never. 核实日期';
COMMENT ON COLUMN crm_bi.customer_field.verified_source IS 'How it was verified. 核实来源';
COMMENT ON COLUMN crm_bi.customer_field.verified_by IS 'Member of staff, where known. 核实人';

CREATE VIEW crm_bi.field_check AS
SELECT c.customer_id || '/' || c.id AS field_check_key, c.customer_id, c.field, c.outcome, c.occasion, c.reference, c.staff_id, s.org_id AS staff_org_id, c.checked_on, c.recorded_at, c.recorded_by
FROM crm.field_check c JOIN crm.staff s ON s.id = c.staff_id;
COMMENT ON VIEW crm_bi.field_check IS 'Fields verified and corrected, without their values. 资料核实与更正';
COMMENT ON COLUMN crm_bi.field_check.field_check_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.field_check.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.field_check.field IS 'Field. 资料项代码';
COMMENT ON COLUMN crm_bi.field_check.outcome IS 'right, corrected, cleared or none. 结果';
COMMENT ON COLUMN crm_bi.field_check.occasion IS 'claim, servicing, contact, return_call, visit, application, review or other. 场合';
COMMENT ON COLUMN crm_bi.field_check.reference IS 'Which claim, order, contact. 依据';
COMMENT ON COLUMN crm_bi.field_check.staff_id IS 'Who heard it. 人员';
COMMENT ON COLUMN crm_bi.field_check.staff_org_id IS 'Unit of that member of staff today. 人员机构';
COMMENT ON COLUMN crm_bi.field_check.checked_on IS 'Day. 日期';
COMMENT ON COLUMN crm_bi.field_check.recorded_at IS 'When it was recorded. 记录时间';
COMMENT ON COLUMN crm_bi.field_check.recorded_by IS 'By whom. 记录人';
