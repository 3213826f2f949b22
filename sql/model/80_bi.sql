-- bi: views for BI tools, made by and belonging to crm_bi_owner

CREATE FUNCTION crm_bi._slot() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$SELECT crm._slot()$$;
COMMENT ON FUNCTION crm_bi._slot() IS
  'The slot of the current generation. Errors: 40001 when the figures were rebuilt after the snapshot was taken and its rows are gone.';

-- The day the figures are asked for; beyond what is posted they would be silently wrong.
CREATE FUNCTION crm_bi._today(posted_to date) RETURNS date
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  today date := crm.today();
BEGIN
  IF today > posted_to THEN
    RAISE EXCEPTION 'the figures are posted up to % only, not up to %', posted_to, today
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.refresh(), every night for preference.';
  END IF;
  RETURN today;
END
$$;
COMMENT ON FUNCTION crm_bi._today(date) IS 'crm.today(), refused beyond the last day posted. Errors: 55000.';

CREATE VIEW crm_bi.organisation AS
SELECT o.id AS org_id, o.parent_id, o.code, o.name, o.area, o.level, o.has_units,
       a.level_0_name, a.level_1_name, a.level_2_name, a.level_3_name,
       coalesce(a.level_0_id, o.id) AS drill_0_id, coalesce(a.level_0_name, o.name) AS drill_0_name, coalesce(a.level_1_id, o.id) AS drill_1_id, coalesce(a.level_1_name, o.name) AS drill_1_name,
       coalesce(a.level_2_id, o.id) AS drill_2_id, coalesce(a.level_2_name, o.name) AS drill_2_name, coalesce(a.level_3_id, o.id) AS drill_3_id, coalesce(a.level_3_name, o.name) AS drill_3_name,
       coalesce(a.level_4_id, o.id) AS drill_4_id, coalesce(a.level_4_name, o.name) AS drill_4_name, coalesce(a.level_5_id, o.id) AS drill_5_id, coalesce(a.level_5_name, o.name) AS drill_5_name, a.path
FROM crm.organisation o
LEFT JOIN (
  SELECT t.descendant_id,
         pg_catalog.max(n.id) FILTER (WHERE n.level = 0) AS level_0_id, pg_catalog.max(n.name) FILTER (WHERE n.level = 0) AS level_0_name,
         pg_catalog.max(n.id) FILTER (WHERE n.level = 1) AS level_1_id, pg_catalog.max(n.name) FILTER (WHERE n.level = 1) AS level_1_name,
         pg_catalog.max(n.id) FILTER (WHERE n.level = 2) AS level_2_id, pg_catalog.max(n.name) FILTER (WHERE n.level = 2) AS level_2_name,
         pg_catalog.max(n.id) FILTER (WHERE n.level = 3) AS level_3_id, pg_catalog.max(n.name) FILTER (WHERE n.level = 3) AS level_3_name,
         pg_catalog.max(n.id) FILTER (WHERE n.level = 4) AS level_4_id, pg_catalog.max(n.name) FILTER (WHERE n.level = 4) AS level_4_name,
         pg_catalog.max(n.id) FILTER (WHERE n.level = 5) AS level_5_id, pg_catalog.max(n.name) FILTER (WHERE n.level = 5) AS level_5_name,
         pg_catalog.string_agg(n.name, ' / ' ORDER BY n.level) AS path
  FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id
  GROUP BY t.descendant_id) a ON a.descendant_id = o.id;

CREATE VIEW crm_bi.date AS
SELECT d.d::date AS date, extract(year FROM d.d)::integer AS year, extract(quarter FROM d.d)::integer AS quarter,
       extract(month FROM d.d)::integer AS month, extract(day FROM d.d)::integer AS day, extract(isodow FROM d.d)::integer AS weekday,
       pg_catalog.date_trunc('month', d.d)::date AS month_start, pg_catalog.date_trunc('quarter', d.d)::date AS quarter_start,
       pg_catalog.date_trunc('year', d.d)::date AS year_start,
       (pg_catalog.date_trunc('month', d.d) + interval '1 month - 1 day')::date AS month_end,
       (pg_catalog.date_trunc('quarter', d.d) + interval '3 months - 1 day')::date AS quarter_end,
       (pg_catalog.date_trunc('year', d.d) + interval '1 year - 1 day')::date AS year_end,
       d.d = pg_catalog.date_trunc('month', d.d) + interval '1 month - 1 day' AS is_month_end,
       d.d = pg_catalog.date_trunc('quarter', d.d) + interval '3 months - 1 day' AS is_quarter_end,
       d.d = pg_catalog.date_trunc('year', d.d) + interval '1 year - 1 day' AS is_year_end,
       extract(doy FROM d.d)::integer AS day_of_year, extract(isoyear FROM d.d)::integer AS iso_year, extract(week FROM d.d)::integer AS iso_week,
       pg_catalog.date_trunc('week', d.d)::date AS week_start,
       pg_catalog.to_char(d.d, 'YYYY-MM') AS year_month, pg_catalog.to_char(d.d, 'YYYY-"Q"Q') AS year_quarter, pg_catalog.to_char(d.d, 'IYYY-"W"IW') AS year_week,
       (ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'])[extract(month FROM d.d)] AS month_name,
       (ARRAY['一月', '二月', '三月', '四月', '五月', '六月', '七月', '八月', '九月', '十月', '十一月', '十二月'])[extract(month FROM d.d)] AS month_name_zh,
       (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[extract(isodow FROM d.d)] AS weekday_name,
       (ARRAY['星期一', '星期二', '星期三', '星期四', '星期五', '星期六', '星期日'])[extract(isodow FROM d.d)] AS weekday_name_zh,
       (ARRAY['第一季度', '第二季度', '第三季度', '第四季度'])[extract(quarter FROM d.d)] AS quarter_name_zh,
       f.months / 12 AS fiscal_year, f.months % 12 / 3 + 1 AS fiscal_quarter, f.months % 12 + 1 AS fiscal_month,
       coalesce(h.kind = 'working', EXISTS (SELECT FROM crm.working_hours w WHERE w.calendar = 'default' AND w.weekday = extract(isodow FROM d.d))) AS is_working_day,
       h.name AS holiday, d.d::date = g.today AS is_today
FROM (SELECT g.first_day, g.posted_to, crm.today() AS today, crm.setting_value('fiscal_year_month')::integer AS fiscal FROM crm.generation g WHERE g.state = 'current' OFFSET 0) g
CROSS JOIN LATERAL pg_catalog.generate_series(pg_catalog.date_trunc('year', g.first_day::timestamp) - interval '1 year',
                                              pg_catalog.date_trunc('year', g.posted_to::timestamp) + interval '1 year - 1 day', interval '1 day') AS d (d)
CROSS JOIN LATERAL (SELECT extract(year FROM d.d)::integer * 12 + extract(month FROM d.d)::integer - 1 + (13 - g.fiscal) % 12 AS months) f
LEFT JOIN crm.holiday h ON h.calendar = 'default' AND h.day = d.d::date;

CREATE VIEW crm_bi.standing AS
SELECT s.customer_id::text || '/' || (s.r).valid_from AS standing_key, s.customer_id, (s.r).valid_from AS valid_from,
       nullif((s.r).valid_to, 'infinity') AS valid_to, (s.r).org_id AS org_id, h.code AS channel,
       CASE WHEN (s.r).company THEN 'company' ELSE 'person' END AS kind,
       (s.r).coverage AS coverage, (s.r).role AS role, (s.r).long_term AS insured_long_term, (s.r).plan AS plan_customer,
       coalesce(a.label, 'none') AS activity, coalesce(t.label, 'none') AS tier, pg_catalog.round((s.r).amount / 100.0, 2) AS amount,
       (s.r).channel_id::bigint AS channel_id, (s.r).valid_from <= d.today AND (s.r).valid_to > d.today AS is_current
FROM (SELECT st.customer_id, crm.unnest(st.timeline) AS r
      FROM crm.standing st WHERE st.slot = (SELECT crm_bi._slot())) s
LEFT JOIN crm.channel h ON h.id = (s.r).channel_id
LEFT JOIN crm.class a ON a.id = (s.r).activity
LEFT JOIN crm.class t ON t.id = (s.r).tier
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;

CREATE VIEW crm_bi.policy AS
SELECT p.id AS policy_id, p.customer_id, p.product_id, r.code AS product, r.line AS product_line, h.code AS channel, p.servicer_id, p.book, p.sector_line,
       p.issued_on, p.term_months, p.matures_on, p.payment, p.premium, p.payments, p.sum_insured, p.amount, p.annual_premium,
       f.long_term, f.first_day AS cover_from, f.last_day AS cover_to, coalesce(f.in_force, false) AS in_force,
       p.channel_id,
       coalesce((SELECT m.org_id FROM crm.customer_organisation m WHERE m.customer_id = p.customer_id AND m.from_date <= d.today ORDER BY m.from_date DESC LIMIT 1),
                (SELECT c.org_id FROM crm.customer c WHERE c.id = p.customer_id)) AS org_id,
       coalesce((SELECT m.org_id FROM crm.customer_organisation m WHERE m.customer_id = p.customer_id AND m.from_date <= p.issued_on ORDER BY m.from_date DESC LIMIT 1),
                (SELECT c.org_id FROM crm.customer c WHERE c.id = p.customer_id)) AS issued_org_id
FROM crm.policy p
JOIN crm.product r ON r.id = p.product_id
JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN LATERAL (
  SELECT pg_catalog.bool_or(c.long_term) AS long_term, pg_catalog.min(c.from_date) AS first_day,
         nullif(pg_catalog.max(c.to_date), 'infinity') AS last_day,
         pg_catalog.bool_or(c.from_date <= d.today AND d.today < c.to_date) AS in_force
  FROM crm.cover c WHERE c.customer_id = p.customer_id AND c.policy_id = p.id) f ON true;

CREATE VIEW crm_bi.holding AS
SELECT h.customer_id::text || '/' || h.id AS holding_key, h.customer_id, c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name,
       h.held_from, h.held_to, h.held_to IS NULL AS is_open, h.start_cause, h.start_reason, h.started_by, h.end_cause, h.end_reason, h.ended_by,
       h.last_contact_at, h.last_purchase_at, h.due_at, h.due_cause, h.locked, h.load, h.protected_until, h.overridden_at, h.overridden_by, h.override_reason,
       h.rule::text AS rule, h.exempt_until, h.plan_id, h.sweep_id, h.return_code,
       h.channel_id, (h.held_from AT TIME ZONE z.zone)::date AS held_from_date, (h.held_to AT TIME ZONE z.zone)::date AS held_to_date,
       (h.due_at AT TIME ZONE z.zone)::date AS due_date
FROM crm.holding h
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id
CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone OFFSET 0) z;

CREATE VIEW crm_bi.freshness AS
SELECT 'figures stand on' AS item, g.settled AS day, NULL::bigint AS n, crm.today() BETWEEN g.settled AND g.posted_to AS fresh,
       CASE WHEN crm.today() < g.settled THEN 'a period open today is not shown: CALL crm.rebuild() goes back'
            WHEN crm.today() <= g.posted_to THEN 'folded up to this day, exact for later ones' ELSE 'run CALL crm.refresh()' END AS advice
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'posted up to', g.posted_to, NULL, crm.today() <= g.posted_to,
       CASE WHEN crm.today() <= g.posted_to THEN 'later days need CALL crm.refresh()' ELSE 'run CALL crm.refresh()' END
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'entries not folded', NULL, coalesce(pg_catalog.sum(e.n), 0), coalesce(pg_catalog.sum(e.n), 0) < 100000,
       CASE WHEN coalesce(pg_catalog.sum(e.n), 0) < 100000 THEN 'few enough' ELSE 'reading slows down: run CALL crm.refresh()' END
FROM crm.kpi_entry e JOIN crm.generation g ON g.slot = e.slot AND g.state = 'current' WHERE e.day <= (SELECT crm.today())
UNION ALL
SELECT 'queued by deferred posting', pg_catalog.min(p.queued_at)::date, coalesce(pg_catalog.sum(p.policies), 0), pg_catalog.count(*) = 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'nothing queued' ELSE 'run CALL crm.refresh()' END
FROM crm.pending p
UNION ALL
SELECT 'customers stand on', g.shown_on, NULL, g.shown_on >= (SELECT crm.today()) - 7 AND g.shown_on <= (SELECT crm.today()) AND NOT g.rolling,
       CASE WHEN g.rolling THEN 'a refresh is under way or was broken off: CALL crm.refresh() goes on'
            WHEN g.shown_on = (SELECT crm.today()) THEN 'all stand on today'
            ELSE 'exact, those that changed class since are computed: CALL crm.refresh() makes reading faster' END
FROM crm.generation g WHERE g.state = 'current'
UNION ALL
SELECT 'scales changed since', NULL, pg_catalog.count(*), pg_catalog.count(*) = 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'standings follow the scales as set' ELSE 'run CALL crm.rebuild()' END
FROM crm._stale_scale
UNION ALL
SELECT 'rebuild running', b.made_at::date, pg_catalog.count(r.*), false, 'a rebuild is running or was broken off: CALL crm.rebuild() goes on'
FROM crm.generation b LEFT JOIN crm.replay r ON r.generation_id = b.id WHERE b.state = 'building' GROUP BY b.id;

COMMENT ON VIEW crm_bi.organisation IS 'Units: one row each. 机构';
COMMENT ON COLUMN crm_bi.organisation.org_id IS 'Key. 机构';
COMMENT ON COLUMN crm_bi.organisation.parent_id IS 'Unit above. 上级机构';
COMMENT ON COLUMN crm_bi.organisation.code IS 'Code. 机构代码';
COMMENT ON COLUMN crm_bi.organisation.name IS 'Name. 机构名称';
COMMENT ON COLUMN crm_bi.organisation.area IS 'city or suburb. 城区或郊区';
COMMENT ON COLUMN crm_bi.organisation.level IS 'Level, 0 at the top. 层级';
COMMENT ON COLUMN crm_bi.organisation.has_units IS 'Whether units lie below. 是否有下级';
COMMENT ON COLUMN crm_bi.organisation.level_0_name IS 'Unit at level 0 above it. 一级机构';
COMMENT ON COLUMN crm_bi.organisation.level_1_name IS 'Unit at level 1 above it, or itself. 二级机构';
COMMENT ON COLUMN crm_bi.organisation.level_2_name IS 'Unit at level 2 above it, or itself. 三级机构';
COMMENT ON COLUMN crm_bi.organisation.level_3_name IS 'Unit at level 3 above it, or itself. 四级机构';
COMMENT ON COLUMN crm_bi.organisation.drill_0_id IS 'Unit at level 0 above it, or itself; itself too where it stands higher: never NULL. 一级机构（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_0_name IS 'Its name. 一级机构名称（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_1_id IS 'Unit at level 1 above it, or itself; itself too where it stands higher: never NULL. 二级机构（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_1_name IS 'Its name. 二级机构名称（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_2_id IS 'Unit at level 2 above it, or itself; itself too where it stands higher: never NULL. 三级机构（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_2_name IS 'Its name. 三级机构名称（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_3_id IS 'Unit at level 3 above it, or itself; itself too where it stands higher: never NULL. 四级机构（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_3_name IS 'Its name. 四级机构名称（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_4_id IS 'Unit at level 4 above it, or itself; itself too where it stands higher: never NULL. 五级机构（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_4_name IS 'Its name. 五级机构名称（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_5_id IS 'Unit at level 5 above it, or itself; itself too where it stands higher: never NULL. 六级机构（下钻）';
COMMENT ON COLUMN crm_bi.organisation.drill_5_name IS 'Its name. 六级机构名称（下钻）';
COMMENT ON COLUMN crm_bi.organisation.path IS 'Names from the top down to it. 机构路径';
COMMENT ON VIEW crm_bi.date IS 'Days from the year before the book begins to the end of the year in which posting ends: one row each. 日期';
COMMENT ON COLUMN crm_bi.date.date IS 'Day. 日期';
COMMENT ON COLUMN crm_bi.date.year IS 'Year. 年';
COMMENT ON COLUMN crm_bi.date.quarter IS 'Quarter of the year. 季';
COMMENT ON COLUMN crm_bi.date.month IS 'Month of the year. 月';
COMMENT ON COLUMN crm_bi.date.day IS 'Day of the month. 日';
COMMENT ON COLUMN crm_bi.date.weekday IS 'Day of the week, Monday 1. 星期';
COMMENT ON COLUMN crm_bi.date.month_start IS 'First day of its month. 月初';
COMMENT ON COLUMN crm_bi.date.quarter_start IS 'First day of its quarter. 季初';
COMMENT ON COLUMN crm_bi.date.year_start IS 'First day of its year. 年初';
COMMENT ON COLUMN crm_bi.date.month_end IS 'Last day of its month. 月末';
COMMENT ON COLUMN crm_bi.date.quarter_end IS 'Last day of its quarter. 季末';
COMMENT ON COLUMN crm_bi.date.year_end IS 'Last day of its year. 年末';
COMMENT ON COLUMN crm_bi.date.is_month_end IS 'Whether it is the last day of its month. 是否月末';
COMMENT ON COLUMN crm_bi.date.is_quarter_end IS 'Whether it is the last day of its quarter. 是否季末';
COMMENT ON COLUMN crm_bi.date.is_year_end IS 'Whether it is the last day of its year. 是否年末';
COMMENT ON COLUMN crm_bi.date.day_of_year IS 'Day of the year. 年内第几天';
COMMENT ON COLUMN crm_bi.date.iso_year IS 'Year of its ISO week. ISO 年';
COMMENT ON COLUMN crm_bi.date.iso_week IS 'ISO week of that year. ISO 周';
COMMENT ON COLUMN crm_bi.date.week_start IS 'Monday of its week. 周一';
COMMENT ON COLUMN crm_bi.date.year_month IS 'Year and month, as 2025-03. 年月';
COMMENT ON COLUMN crm_bi.date.year_quarter IS 'Year and quarter, as 2025-Q1. 年季';
COMMENT ON COLUMN crm_bi.date.year_week IS 'ISO year and week, as 2025-W09. 年周';
COMMENT ON COLUMN crm_bi.date.month_name IS 'Month in English. 月份英文名';
COMMENT ON COLUMN crm_bi.date.month_name_zh IS 'Month in Chinese. 月份中文名';
COMMENT ON COLUMN crm_bi.date.weekday_name IS 'Day of the week in English. 星期英文名';
COMMENT ON COLUMN crm_bi.date.weekday_name_zh IS 'Day of the week in Chinese. 星期中文名';
COMMENT ON COLUMN crm_bi.date.quarter_name_zh IS 'Quarter in Chinese. 季度中文名';
COMMENT ON COLUMN crm_bi.date.fiscal_year IS 'Fiscal year, told by the year in which it ends; setting fiscal_year_month. 财年';
COMMENT ON COLUMN crm_bi.date.fiscal_quarter IS 'Quarter of the fiscal year. 财年季度';
COMMENT ON COLUMN crm_bi.date.fiscal_month IS 'Month of the fiscal year. 财年月份';
COMMENT ON COLUMN crm_bi.date.is_working_day IS 'Whether the default calendar works on it. 是否工作日';
COMMENT ON COLUMN crm_bi.date.holiday IS 'Name of the holiday, or of what a working day makes up for. 节假日';
COMMENT ON COLUMN crm_bi.date.is_today IS 'Whether it is the day for which the figures are asked. 是否当日';
COMMENT ON VIEW crm_bi.standing IS 'The standing of customers over time: one row for each customer and stretch of days on which nothing changed, days to come included. 客户状态';
COMMENT ON COLUMN crm_bi.standing.standing_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.standing.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.standing.valid_from IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.standing.valid_to IS 'First day no longer; NULL: no end known. 终止日';
COMMENT ON COLUMN crm_bi.standing.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.standing.channel IS 'Main channel. 主渠道';
COMMENT ON COLUMN crm_bi.standing.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.standing.coverage IS 'prospect 准客户, insured 老客户 or former 流失客户. 新老客户分类';
COMMENT ON COLUMN crm_bi.standing.role IS 'policyholder or insured (only); NULL when not insured. 角色';
COMMENT ON COLUMN crm_bi.standing.insured_long_term IS 'Insured by a long-term policy. 长险';
COMMENT ON COLUMN crm_bi.standing.plan_customer IS 'Policyholder of a long-term policy of the own book. 股份长险投保客户';
COMMENT ON COLUMN crm_bi.standing.activity IS 'Class by the time since the last purchase; none: never purchased. 活跃度';
COMMENT ON COLUMN crm_bi.standing.tier IS 'Tier by amount; none: not insured. 等级';
COMMENT ON COLUMN crm_bi.standing.amount IS 'What the tier goes by (setting tier_basis): at first the contractual premium of the policies held in force. 等级依据金额';
COMMENT ON COLUMN crm_bi.standing.channel_id IS 'Main channel, in crm_bi.channel. 渠道键';
COMMENT ON COLUMN crm_bi.standing.is_current IS 'Whether it holds today: one such row a known customer. 是否当前';
COMMENT ON VIEW crm_bi.policy IS 'Policies as they stand today: one row each. 保单';
COMMENT ON COLUMN crm_bi.policy.policy_id IS 'Key. 保单';
COMMENT ON COLUMN crm_bi.policy.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.policy.product_id IS 'Product. 产品';
COMMENT ON COLUMN crm_bi.policy.product IS 'Code of the product. 产品代码';
COMMENT ON COLUMN crm_bi.policy.product_line IS 'Line of the product. 产品线';
COMMENT ON COLUMN crm_bi.policy.channel IS 'Channel that sold it. 渠道';
COMMENT ON COLUMN crm_bi.policy.servicer_id IS 'Named servicer. 服务人员';
COMMENT ON COLUMN crm_bi.policy.book IS 'own 股份 or legacy 集团老业务. 业务归属';
COMMENT ON COLUMN crm_bi.policy.sector_line IS 'Sold through a sector. 口子业务';
COMMENT ON COLUMN crm_bi.policy.issued_on IS 'Day of issue. 承保日';
COMMENT ON COLUMN crm_bi.policy.term_months IS 'Term at issue in months; NULL: for life. 期限（月）';
COMMENT ON COLUMN crm_bi.policy.matures_on IS 'Maturity. 满期日';
COMMENT ON COLUMN crm_bi.policy.payment IS 'Way of payment. 缴费方式';
COMMENT ON COLUMN crm_bi.policy.premium IS 'Premium of one payment. 每期保费';
COMMENT ON COLUMN crm_bi.policy.payments IS 'Number of payments. 缴费次数';
COMMENT ON COLUMN crm_bi.policy.sum_insured IS 'Sum insured. 保额';
COMMENT ON COLUMN crm_bi.policy.amount IS 'Contractual premium. 合同保费';
COMMENT ON COLUMN crm_bi.policy.annual_premium IS 'Annual premium. 年化保费';
COMMENT ON COLUMN crm_bi.policy.long_term IS 'Long-term policy. 长险';
COMMENT ON COLUMN crm_bi.policy.cover_from IS 'First day of cover. 保障起始日';
COMMENT ON COLUMN crm_bi.policy.cover_to IS 'First day no longer covered; NULL: no end known. 保障终止日';
COMMENT ON COLUMN crm_bi.policy.in_force IS 'In force today. 有效';
COMMENT ON COLUMN crm_bi.policy.channel_id IS 'Channel that sold it, in crm_bi.channel. 渠道键';
COMMENT ON COLUMN crm_bi.policy.org_id IS 'Home organisation of the policyholder today. 归属机构';
COMMENT ON COLUMN crm_bi.policy.issued_org_id IS 'Home organisation of the policyholder on the day of issue. 承保时归属机构';
COMMENT ON VIEW crm_bi.holding IS 'Who holds and held customers: one row for each holding. 客户持有';
COMMENT ON COLUMN crm_bi.holding.holding_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.holding.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.holding.channel IS 'Channel of the holder. 渠道';
COMMENT ON COLUMN crm_bi.holding.org_id IS 'Unit of the holder. 机构';
COMMENT ON COLUMN crm_bi.holding.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.holding.staff_name IS 'Name of the member of staff. 人员姓名';
COMMENT ON COLUMN crm_bi.holding.held_from IS 'Start. 开始';
COMMENT ON COLUMN crm_bi.holding.held_to IS 'End; NULL while held. 结束';
COMMENT ON COLUMN crm_bi.holding.is_open IS 'Held now. 当前持有';
COMMENT ON COLUMN crm_bi.holding.start_cause IS 'claim 领取, allocation 分配 (crm.entrust() too), transfer 转移 or entry 录入. 开始方式';
COMMENT ON COLUMN crm_bi.holding.start_reason IS 'Reason given at the start. 开始原因';
COMMENT ON COLUMN crm_bi.holding.started_by IS 'Who started it. 发起人';
COMMENT ON COLUMN crm_bi.holding.end_cause IS 'narrowing (from channel to unit or person) 下放, transfer 转移, release 释放, recycle 回收, departure 离职 or merge (with a customer who is held) 合并. 结束方式';
COMMENT ON COLUMN crm_bi.holding.end_reason IS 'Reason given at the end. 结束原因';
COMMENT ON COLUMN crm_bi.holding.ended_by IS 'Who ended it. 结束人';
COMMENT ON COLUMN crm_bi.holding.last_contact_at IS 'Last contact by the holder. 最近联系';
COMMENT ON COLUMN crm_bi.holding.last_purchase_at IS 'Last purchase while held. 最近购买';
COMMENT ON COLUMN crm_bi.holding.due_at IS 'When it falls due to be recycled. 回收到期';
COMMENT ON COLUMN crm_bi.holding.due_cause IS 'Clause of the rule that falls due first. 到期条款';
COMMENT ON COLUMN crm_bi.holding.locked IS 'Kept from recycling. 锁定';
COMMENT ON COLUMN crm_bi.holding.load IS 'What the customer counts against the quota. 负荷';
COMMENT ON COLUMN crm_bi.holding.protected_until IS 'Until when nobody else gets the customer; NULL: not protected. 保护期至';
COMMENT ON COLUMN crm_bi.holding.overridden_at IS 'When the protection was ended. 解除保护时间';
COMMENT ON COLUMN crm_bi.holding.overridden_by IS 'Who ended it. 解除人';
COMMENT ON COLUMN crm_bi.holding.override_reason IS 'Why. 解除原因';
COMMENT ON COLUMN crm_bi.holding.rule IS 'Rule by which it falls due. 回收规则';
COMMENT ON COLUMN crm_bi.holding.exempt_until IS 'Until when it is exempt from recycling; NULL: not exempt. 豁免至';
COMMENT ON COLUMN crm_bi.holding.plan_id IS 'Plan of a cycle that allocated it; NULL: none. 分配计划';
COMMENT ON COLUMN crm_bi.holding.sweep_id IS 'Sweep that ended it; NULL: none. 回收批次';
COMMENT ON COLUMN crm_bi.holding.return_code IS 'Reason for which the holder gave the customer back, see crm_bi.customer_return; NULL: not given back so. 退回原因代码';
COMMENT ON COLUMN crm_bi.holding.channel_id IS 'Channel of the holder, in crm_bi.channel. 渠道键';
COMMENT ON COLUMN crm_bi.holding.held_from_date IS 'Day of the start, of the business calendar. 开始日';
COMMENT ON COLUMN crm_bi.holding.held_to_date IS 'Day of the end; NULL while held. 结束日';
COMMENT ON COLUMN crm_bi.holding.due_date IS 'Day on which it falls due to be recycled. 回收到期日';
COMMENT ON VIEW crm_bi.freshness IS 'How fresh the figures are and what would freshen them: one row for each thing to watch. 数据时效';
COMMENT ON COLUMN crm_bi.freshness.item IS 'What is looked at. 项目';
COMMENT ON COLUMN crm_bi.freshness.day IS 'Day it stands on. 日期';
COMMENT ON COLUMN crm_bi.freshness.n IS 'How many. 数量';
COMMENT ON COLUMN crm_bi.freshness.fresh IS 'Whether all is well. 是否正常';
COMMENT ON COLUMN crm_bi.freshness.advice IS 'What it means or what to do. 建议';
