-- bi: scorecards: measures, indicators, goals, scores and their parts

CREATE VIEW crm_bi.scorecard_measure AS
SELECT m.code AS measure, m.source, m.name, m.name_zh, m.of_staff, m.of_units, m.satisfaction, m.direction, m.description FROM crm.scorecard_measure m;
COMMENT ON VIEW crm_bi.scorecard_measure IS 'What scorecards may measure beside the figures of crm_bi.kpi_code: one row each. 考核计量项';
COMMENT ON COLUMN crm_bi.scorecard_measure.measure IS 'Key. 计量项';
COMMENT ON COLUMN crm_bi.scorecard_measure.source IS 'book 系统计算 or entered 人工录入. 来源';
COMMENT ON COLUMN crm_bi.scorecard_measure.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.scorecard_measure.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.scorecard_measure.of_staff IS 'Whether it is measured of staff. 适用人员';
COMMENT ON COLUMN crm_bi.scorecard_measure.of_units IS 'Whether it is measured of units, their staff together. 适用机构';
COMMENT ON COLUMN crm_bi.scorecard_measure.satisfaction IS 'Whether it tells satisfaction. 是否满意度';
COMMENT ON COLUMN crm_bi.scorecard_measure.direction IS 'at_least or at_most: which side is good. 方向';
COMMENT ON COLUMN crm_bi.scorecard_measure.description IS 'What it is. 说明';

CREATE VIEW crm_bi.scorecard_indicator AS
SELECT i.scorecard || '/' || i.version || '/' || i.indicator AS scorecard_indicator_key, i.scorecard, i.version, i.version = (SELECT pg_catalog.max(x.version) FROM crm.scorecard x WHERE x.code = i.scorecard) AS is_latest,
       c.name AS scorecard_name, c.name_zh AS scorecard_name_zh, c.subject, c.grain, c.defined_at, c.defined_by,
       i.indicator, i.nth, i.name, i.name_zh, i.measure, i.kpi, i.class, i.direction, i.weight, i.floor, i.target, i.cap
FROM crm.scorecard_indicator i JOIN crm.scorecard c ON c.code = i.scorecard AND c.version = i.version;
COMMENT ON VIEW crm_bi.scorecard_indicator IS 'Scorecards: one row for each indicator of each version. 考核方案指标';
COMMENT ON COLUMN crm_bi.scorecard_indicator.scorecard_indicator_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.scorecard_indicator.scorecard IS 'Scorecard. 考核方案';
COMMENT ON COLUMN crm_bi.scorecard_indicator.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.scorecard_indicator.is_latest IS 'Whether it is the latest version, which goals are set by. 是否最新版本';
COMMENT ON COLUMN crm_bi.scorecard_indicator.scorecard_name IS 'Name of the scorecard in English. 方案英文名';
COMMENT ON COLUMN crm_bi.scorecard_indicator.scorecard_name_zh IS 'Name of the scorecard in Chinese. 方案中文名';
COMMENT ON COLUMN crm_bi.scorecard_indicator.subject IS 'staff 人员 or unit 机构. 考核对象';
COMMENT ON COLUMN crm_bi.scorecard_indicator.grain IS 'month, quarter or year. 期间类型';
COMMENT ON COLUMN crm_bi.scorecard_indicator.defined_at IS 'When the version was defined. 定义时间';
COMMENT ON COLUMN crm_bi.scorecard_indicator.defined_by IS 'By whom. 定义人';
COMMENT ON COLUMN crm_bi.scorecard_indicator.indicator IS 'Indicator. 指标';
COMMENT ON COLUMN crm_bi.scorecard_indicator.nth IS 'Place in order. 序号';
COMMENT ON COLUMN crm_bi.scorecard_indicator.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.scorecard_indicator.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.scorecard_indicator.measure IS 'Measure; NULL: a figure. 计量项';
COMMENT ON COLUMN crm_bi.scorecard_indicator.kpi IS 'Figure of crm_bi.kpi_code; NULL: a measure. 指标代码';
COMMENT ON COLUMN crm_bi.scorecard_indicator.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.scorecard_indicator.direction IS 'at_least or at_most: which side is good. 方向';
COMMENT ON COLUMN crm_bi.scorecard_indicator.weight IS 'Points for reaching the target; those of a scorecard make 100. 权重';
COMMENT ON COLUMN crm_bi.scorecard_indicator.floor IS 'Value that gives nothing. 底线值';
COMMENT ON COLUMN crm_bi.scorecard_indicator.target IS 'Value that gives the weight, where a goal does not say otherwise. 目标值';
COMMENT ON COLUMN crm_bi.scorecard_indicator.cap IS 'Most times the weight that may be earned. 封顶倍数';

CREATE VIEW crm_bi.scorecard_goal AS
SELECT t.goal_id || '/' || t.indicator AS scorecard_goal_key, t.goal_id, g.scorecard, g.version, g.staff_id, g.org_id, coalesce(s.name, o.name) AS subject_name, g.period_start, g.goal_version, g.state, g.reason,
       t.indicator, t.floor, t.target, g.set_at, g.set_by, g.signed_at, g.signed_by, g.replaced_at
FROM crm.scorecard_goal g
JOIN crm.scorecard_goal_target t ON t.goal_id = g.id
LEFT JOIN crm.staff s ON s.id = g.staff_id
LEFT JOIN crm.organisation o ON o.id = g.org_id;
COMMENT ON VIEW crm_bi.scorecard_goal IS 'Goals set and signed: one row for each version of a goal and indicator. 目标设定与签署';
COMMENT ON COLUMN crm_bi.scorecard_goal.scorecard_goal_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.scorecard_goal.goal_id IS 'Goal. 目标';
COMMENT ON COLUMN crm_bi.scorecard_goal.scorecard IS 'Scorecard. 考核方案';
COMMENT ON COLUMN crm_bi.scorecard_goal.version IS 'Version of the scorecard. 方案版本';
COMMENT ON COLUMN crm_bi.scorecard_goal.staff_id IS 'Person; NULL: a unit. 人员';
COMMENT ON COLUMN crm_bi.scorecard_goal.org_id IS 'Unit; NULL: a person. 机构';
COMMENT ON COLUMN crm_bi.scorecard_goal.subject_name IS 'Name of the person or unit. 对象名称';
COMMENT ON COLUMN crm_bi.scorecard_goal.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.scorecard_goal.goal_version IS 'Version of the goal. 目标版本';
COMMENT ON COLUMN crm_bi.scorecard_goal.state IS 'set 待签, signed 已签, superseded 已变更 or withdrawn 已撤回. 状态';
COMMENT ON COLUMN crm_bi.scorecard_goal.reason IS 'Why it was changed. 变更原因';
COMMENT ON COLUMN crm_bi.scorecard_goal.indicator IS 'Indicator. 指标';
COMMENT ON COLUMN crm_bi.scorecard_goal.floor IS 'Value that gives nothing. 底线值';
COMMENT ON COLUMN crm_bi.scorecard_goal.target IS 'Value that gives the weight. 目标值';
COMMENT ON COLUMN crm_bi.scorecard_goal.set_at IS 'When it was set. 设定时间';
COMMENT ON COLUMN crm_bi.scorecard_goal.set_by IS 'By whom. 设定人';
COMMENT ON COLUMN crm_bi.scorecard_goal.signed_at IS 'When it was signed. 签署时间';
COMMENT ON COLUMN crm_bi.scorecard_goal.signed_by IS 'By whom. 签署人';
COMMENT ON COLUMN crm_bi.scorecard_goal.replaced_at IS 'When a later version took its place. 被替代时间';

CREATE VIEW crm_bi.scorecard_value AS
SELECT v.id AS scorecard_value_id, v.measure, v.staff_id, v.org_id, v.grain, v.period_start, v.value, v.source, v.entered_at, v.entered_by,
       NOT EXISTS (SELECT FROM crm.scorecard_value x WHERE x.measure = v.measure AND x.grain = v.grain AND x.period_start = v.period_start AND (x.staff_id = v.staff_id OR x.org_id = v.org_id) AND x.id > v.id) AS counts
FROM crm.scorecard_value v;
COMMENT ON VIEW crm_bi.scorecard_value IS 'Values entered for scorecards: one row each. 考核录入值';
COMMENT ON COLUMN crm_bi.scorecard_value.scorecard_value_id IS 'Key. 主键';
COMMENT ON COLUMN crm_bi.scorecard_value.measure IS 'Measure. 计量项';
COMMENT ON COLUMN crm_bi.scorecard_value.staff_id IS 'Person; NULL: a unit. 人员';
COMMENT ON COLUMN crm_bi.scorecard_value.org_id IS 'Unit; NULL: a person. 机构';
COMMENT ON COLUMN crm_bi.scorecard_value.grain IS 'month, quarter or year. 期间类型';
COMMENT ON COLUMN crm_bi.scorecard_value.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.scorecard_value.value IS 'Value. 值';
COMMENT ON COLUMN crm_bi.scorecard_value.source IS 'Where it comes from. 来源';
COMMENT ON COLUMN crm_bi.scorecard_value.entered_at IS 'When it was entered. 录入时间';
COMMENT ON COLUMN crm_bi.scorecard_value.entered_by IS 'By whom. 录入人';
COMMENT ON COLUMN crm_bi.scorecard_value.counts IS 'Whether it is the one that counts, entered last. 是否有效';

CREATE VIEW crm_bi.scorecard AS
SELECT x.goal_id, x.scorecard, x.version, x.subject, x.grain, x.period_start, x.period_end, x.staff_id, x.org_id, coalesce(s.name, o.name) AS subject_name, coalesce(x.org_id, s.org_id) AS unit_id, x.org_level,
       x.is_final, x.score, x.is_whole, x.rank, x.tied, x.peers, b.score_before, CASE WHEN b.score_before IS NOT NULL THEN x.score - b.score_before END AS score_change,
       CASE pg_catalog.sign(x.score - b.score_before) WHEN 1 THEN 'up' WHEN -1 THEN 'down' WHEN 0 THEN 'same' END AS trend,
       CASE WHEN b.score_before IS NOT NULL THEN x.rank_before END AS rank_before, f.closed_at, f.closed_by, x.peer_group
FROM crm._scorecard_score x
CROSS JOIN LATERAL (SELECT CASE WHEN x.start_before = (x.period_start - CASE x.grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END)::date THEN x.score_before END AS score_before) b
LEFT JOIN crm.staff s ON s.id = x.staff_id
LEFT JOIN crm.organisation o ON o.id = x.org_id
LEFT JOIN crm.scorecard_final f ON f.goal_id = x.goal_id;
COMMENT ON VIEW crm_bi.scorecard IS 'Scores of staff and units: one row for each goal signed; open periods as of today, closed ones as they were closed. 考核得分';
COMMENT ON COLUMN crm_bi.scorecard.goal_id IS 'Key. 目标';
COMMENT ON COLUMN crm_bi.scorecard.scorecard IS 'Scorecard. 考核方案';
COMMENT ON COLUMN crm_bi.scorecard.version IS 'Version of it. 方案版本';
COMMENT ON COLUMN crm_bi.scorecard.subject IS 'staff 人员 or unit 机构. 考核对象';
COMMENT ON COLUMN crm_bi.scorecard.grain IS 'month, quarter or year. 期间类型';
COMMENT ON COLUMN crm_bi.scorecard.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.scorecard.period_end IS 'Last day of the period. 期末日';
COMMENT ON COLUMN crm_bi.scorecard.staff_id IS 'Person; NULL: a unit. 人员';
COMMENT ON COLUMN crm_bi.scorecard.org_id IS 'Unit; NULL: a person. 机构';
COMMENT ON COLUMN crm_bi.scorecard.subject_name IS 'Name of the person or unit. 对象名称';
COMMENT ON COLUMN crm_bi.scorecard.unit_id IS 'The unit, of a person that of today. 所属机构';
COMMENT ON COLUMN crm_bi.scorecard.org_level IS 'Level of that unit. 机构层级';
COMMENT ON COLUMN crm_bi.scorecard.is_final IS 'Whether it is closed. 是否关账';
COMMENT ON COLUMN crm_bi.scorecard.score IS 'Sum of the points of its parts; 100: every target reached. 得分';
COMMENT ON COLUMN crm_bi.scorecard.is_whole IS 'Whether every indicator is known. 指标是否齐全';
COMMENT ON COLUMN crm_bi.scorecard.rank IS 'Rank among the same scorecard, period and peer_group, equal scores alike; NULL: not whole. 排名';
COMMENT ON COLUMN crm_bi.scorecard.tied IS 'How many share the rank, itself included. 并列数';
COMMENT ON COLUMN crm_bi.scorecard.peers IS 'How many of the group are ranked. 参评数';
COMMENT ON COLUMN crm_bi.scorecard.score_before IS 'Score of the period before. 上期得分';
COMMENT ON COLUMN crm_bi.scorecard.score_change IS 'score less score_before. 得分变化';
COMMENT ON COLUMN crm_bi.scorecard.trend IS 'up 上升, down 下降 or same 持平; NULL: no score of the period before. 趋势';
COMMENT ON COLUMN crm_bi.scorecard.rank_before IS 'Rank of the period before. 上期排名';
COMMENT ON COLUMN crm_bi.scorecard.closed_at IS 'When it was closed. 关账时间';
COMMENT ON COLUMN crm_bi.scorecard.closed_by IS 'By whom. 关账人';
COMMENT ON COLUMN crm_bi.scorecard.peer_group IS 'Among whom it is ranked: units of a level; staff of a kind of channel with the same positions, each with the level of its unit, on the last day so far. 同类组';

CREATE VIEW crm_bi.scorecard_part AS
SELECT p.goal_id || '/' || p.indicator AS scorecard_part_key, p.goal_id, g.scorecard, g.staff_id, g.org_id, g.period_start, g.is_final, p.indicator, p.nth, p.name, p.name_zh, p.measure, p.kpi, p.class,
       p.direction, p.weight, p.floor, p.target, p.cap, p.numerator, p.denominator, p.actual, p.points / p.weight AS attainment, p.points
FROM crm._scorecard_part p JOIN crm._scorecard_goal g ON g.goal_id = p.goal_id;
COMMENT ON VIEW crm_bi.scorecard_part IS 'What scores are made of: one row for each goal signed and indicator. 考核得分明细';
COMMENT ON COLUMN crm_bi.scorecard_part.scorecard_part_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.scorecard_part.goal_id IS 'Goal. 目标';
COMMENT ON COLUMN crm_bi.scorecard_part.scorecard IS 'Scorecard. 考核方案';
COMMENT ON COLUMN crm_bi.scorecard_part.staff_id IS 'Person; NULL: a unit. 人员';
COMMENT ON COLUMN crm_bi.scorecard_part.org_id IS 'Unit; NULL: a person. 机构';
COMMENT ON COLUMN crm_bi.scorecard_part.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.scorecard_part.is_final IS 'Whether it is closed. 是否关账';
COMMENT ON COLUMN crm_bi.scorecard_part.indicator IS 'Indicator. 指标';
COMMENT ON COLUMN crm_bi.scorecard_part.nth IS 'Place in order. 序号';
COMMENT ON COLUMN crm_bi.scorecard_part.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.scorecard_part.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.scorecard_part.measure IS 'Measure; NULL: a figure. 计量项';
COMMENT ON COLUMN crm_bi.scorecard_part.kpi IS 'Figure of crm_bi.kpi_code; NULL: a measure. 指标代码';
COMMENT ON COLUMN crm_bi.scorecard_part.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.scorecard_part.direction IS 'at_least or at_most: which side is good. 方向';
COMMENT ON COLUMN crm_bi.scorecard_part.weight IS 'Points for reaching the target. 权重';
COMMENT ON COLUMN crm_bi.scorecard_part.floor IS 'Value that gives nothing. 底线值';
COMMENT ON COLUMN crm_bi.scorecard_part.target IS 'Value that gives the weight. 目标值';
COMMENT ON COLUMN crm_bi.scorecard_part.cap IS 'Most times the weight that may be earned. 封顶倍数';
COMMENT ON COLUMN crm_bi.scorecard_part.numerator IS 'Numerator; NULL: not known. 分子';
COMMENT ON COLUMN crm_bi.scorecard_part.denominator IS 'Denominator; NULL for counts and values. 分母';
COMMENT ON COLUMN crm_bi.scorecard_part.actual IS 'What the indicator is; NULL: not known, which earns nothing. 实际值';
COMMENT ON COLUMN crm_bi.scorecard_part.attainment IS 'points / weight. 完成率';
COMMENT ON COLUMN crm_bi.scorecard_part.points IS 'weight * (actual - floor) / (target - floor), not below 0 nor above weight * cap. 得分';
