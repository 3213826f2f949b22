-- bi: months closed, what was published, and how it compares with the figures as they are now

CREATE VIEW crm_bi.closing AS
SELECT pg_catalog.to_char(c.month, 'YYYY-MM') || '/' || c.version AS closing_key, c.month, c.last_day, c.version, c.state, c.restates, c.reason,
       coalesce(pg_catalog.cardinality(c.codes), 0) AS codes, c.figures, pg_catalog.encode(c.digest, 'hex') AS digest,
       c.closed_at, c.closed_by, c.published_at, c.published_by, c.superseded_at, c.discarded_at, c.discarded_by, c.discard_reason
FROM crm.closing c;
COMMENT ON VIEW crm_bi.closing IS 'Months closed: one row for each version of a month. 关账与发布';
COMMENT ON COLUMN crm_bi.closing.closing_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.closing.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.closing.last_day IS 'Last day of the month. 月末日';
COMMENT ON COLUMN crm_bi.closing.version IS 'Number of the version, from 1. 版本';
COMMENT ON COLUMN crm_bi.closing.state IS 'closed 已关账, waiting to be published; published 已发布; superseded 已重述, by a later version; discarded 已撤销, never published. 状态';
COMMENT ON COLUMN crm_bi.closing.restates IS 'Published version that it is to replace; NULL: none. 被重述版本';
COMMENT ON COLUMN crm_bi.closing.reason IS 'Why it is restated. 重述原因';
COMMENT ON COLUMN crm_bi.closing.codes IS 'How many figures of crm_bi.kpi_code there were. 指标数';
COMMENT ON COLUMN crm_bi.closing.figures IS 'How many rows of figures. 数值行数';
COMMENT ON COLUMN crm_bi.closing.digest IS 'SHA-256 over the figures; equal: the same figures. 校验码';
COMMENT ON COLUMN crm_bi.closing.closed_at IS 'When the figures were read. 关账时间';
COMMENT ON COLUMN crm_bi.closing.closed_by IS 'Who closed or restated it. 关账人';
COMMENT ON COLUMN crm_bi.closing.published_at IS 'When it was published. 发布时间';
COMMENT ON COLUMN crm_bi.closing.published_by IS 'Who published it. 发布人';
COMMENT ON COLUMN crm_bi.closing.superseded_at IS 'When a later version was published; NULL: it stands. 重述时间';
COMMENT ON COLUMN crm_bi.closing.discarded_at IS 'When it was given up. 撤销时间';
COMMENT ON COLUMN crm_bi.closing.discarded_by IS 'Who gave it up. 撤销人';
COMMENT ON COLUMN crm_bi.closing.discard_reason IS 'Why. 撤销原因';

CREATE VIEW crm_bi.kpi_version AS
SELECT pg_catalog.to_char(f.month, 'YYYY-MM') || '/' || f.version || '/' || f.code || '/' || coalesce(f.class, '') || '/' || f.grain_name || '/' || f.org_id || '/' || coalesce(h.code, '') || '/' || f.kind AS kpi_version_key,
       f.month, f.version, c.state, c.published_at, c.superseded_at, f.grain_name AS grain, f.period_start, f.period_end, f.org_id, u.level AS org_level, u.name AS org_name,
       h.code AS channel, f.kind, f.code, f.class, f.numerator, f.denominator,
       CASE WHEN f.denominator IS NULL THEN f.numerator ELSE f.numerator / nullif(f.denominator, 0) END AS value
FROM crm._closed_figure f
JOIN crm.closing c ON c.month = f.month AND c.version = f.version
JOIN crm.closing_unit u ON u.month = f.month AND u.version = f.version AND u.org_id = f.org_id
CROSS JOIN LATERAL (SELECT c.channel_codes[pg_catalog.array_position(c.channel_ids, f.channel_id)] AS code) h;
COMMENT ON VIEW crm_bi.kpi_version IS 'The figures of every version of a closed month, with names and codes as they were: one row for each version, figure, class, period, unit with its subtree, channel and kind. As published on a day: published_at up to it, superseded_at after it or NULL. 各版本指标';
COMMENT ON COLUMN crm_bi.kpi_version.kpi_version_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.kpi_version.month IS 'First day of the month closed. 月份';
COMMENT ON COLUMN crm_bi.kpi_version.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.kpi_version.state IS 'closed 已关账, published 已发布 or superseded 已重述. 状态';
COMMENT ON COLUMN crm_bi.kpi_version.published_at IS 'When it was published; NULL: not yet. 发布时间';
COMMENT ON COLUMN crm_bi.kpi_version.superseded_at IS 'When a later version was published; NULL: it stands. 重述时间';
COMMENT ON COLUMN crm_bi.kpi_version.grain IS 'month, quarter, year or trailing_12. 期间类型';
COMMENT ON COLUMN crm_bi.kpi_version.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.kpi_version.period_end IS 'Last day of the period. 期末日';
COMMENT ON COLUMN crm_bi.kpi_version.org_id IS 'Unit with its subtree as it was. 机构';
COMMENT ON COLUMN crm_bi.kpi_version.org_level IS 'Level of the unit then. 当时机构层级';
COMMENT ON COLUMN crm_bi.kpi_version.org_name IS 'Name of the unit then. 当时机构名称';
COMMENT ON COLUMN crm_bi.kpi_version.channel IS 'Main channel of the customers, by its code then. 渠道';
COMMENT ON COLUMN crm_bi.kpi_version.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.kpi_version.code IS 'Figure. 指标代码';
COMMENT ON COLUMN crm_bi.kpi_version.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.kpi_version.numerator IS 'Numerator. 分子';
COMMENT ON COLUMN crm_bi.kpi_version.denominator IS 'Denominator; NULL for counts. 分母';
COMMENT ON COLUMN crm_bi.kpi_version.value IS 'Numerator over denominator, the numerator for counts; NULL where the denominator is 0. 指标值';

-- both sides in one pile, so that what is asked of month, period, unit and figure is asked of both; figures of events would all be counted for each month
CREATE VIEW crm_bi.kpi_published AS
SELECT pg_catalog.to_char(x.month, 'YYYY-MM') || '/' || x.code || '/' || coalesce(x.class, '') || '/' || x.grain || '/' || x.org_id || '/' || coalesce(x.channel, '') || '/' || x.kind AS kpi_published_key,
       x.month, x.version, x.published_at, x.grain, x.period_start, x.period_end, x.org_id, coalesce(o.level, u.level) AS org_level, coalesce(o.name, u.name) AS org_name, x.channel, x.kind, x.code, x.class,
       x.numerator, x.denominator, v.value, x.current_numerator, x.current_denominator, v.current_value,
       coalesce(x.current_numerator, 0) - coalesce(x.numerator, 0) AS numerator_difference,
       CASE WHEN x.denominator IS NOT NULL OR x.current_denominator IS NOT NULL THEN coalesce(x.current_denominator, 0) - coalesce(x.denominator, 0) END AS denominator_difference,
       CASE WHEN x.denominator IS NOT NULL OR x.current_denominator IS NOT NULL THEN v.current_value - v.value ELSE coalesce(x.current_numerator, 0) - coalesce(x.numerator, 0) END AS value_difference,
       CASE WHEN x.numerator IS NOT NULL AND x.current_numerator IS NOT NULL
            THEN CASE WHEN (x.numerator, x.denominator) IS DISTINCT FROM (x.current_numerator, x.current_denominator) THEN 'changed' ELSE 'same' END
            WHEN x.numerator IS NOT NULL THEN 'vanished' ELSE 'new' END AS comparison
FROM (
  SELECT y.month, y.version, y.published_at, y.grain, y.period_start, y.period_end, y.org_id, y.code, y.class, y.channel, y.kind,
         pg_catalog.sum(y.numerator) FILTER (WHERE NOT y.now) AS numerator, pg_catalog.sum(y.denominator) FILTER (WHERE NOT y.now) AS denominator,
         pg_catalog.sum(y.numerator) FILTER (WHERE y.now) AS current_numerator, pg_catalog.sum(y.denominator) FILTER (WHERE y.now) AS current_denominator
  FROM (
    SELECT f.month, f.version, c.published_at, f.grain_name AS grain, f.period_start, f.period_end, f.org_id, f.code, f.class,
           coalesce(h.code, c.channel_codes[pg_catalog.array_position(c.channel_ids, f.channel_id)]) AS channel, f.kind, f.numerator, f.denominator, false AS now
    FROM crm.closing c
    JOIN crm._closed_figure f ON f.month = c.month AND f.version = c.version
    LEFT JOIN crm.channel h ON h.id = f.channel_id
    WHERE c.state = 'published' AND c.last_day <= (SELECT crm.today()) AND f.code <> ALL (ARRAY(SELECT e.code FROM crm.kpi_code e WHERE e.account IS NULL))
    UNION ALL
    SELECT c.month, c.version, c.published_at, k.grain, k.period_start, k.period_end, k.org_id, k.code, k.class, k.channel, k.kind, k.numerator::numeric, k.denominator::numeric, true
    FROM crm.closing c
    JOIN crm_bi.kpi k ON k.period_end = c.last_day AND k.code = ANY (c.codes)
    WHERE c.state = 'published' AND c.last_day <= (SELECT crm.today())) y
  GROUP BY y.month, y.version, y.published_at, y.grain, y.period_start, y.period_end, y.org_id, y.code, y.class, y.channel, y.kind) x
LEFT JOIN crm.organisation o ON o.id = x.org_id
LEFT JOIN crm.closing_unit u ON u.month = x.month AND u.version = x.version AND u.org_id = x.org_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN x.denominator IS NULL THEN x.numerator ELSE x.numerator / nullif(x.denominator, 0) END AS value,
         CASE WHEN x.current_denominator IS NULL THEN x.current_numerator ELSE x.current_numerator / nullif(x.current_denominator, 0) END AS current_value) v;
COMMENT ON VIEW crm_bi.kpi_published IS 'What stands published beside the figures as they are now: one row for each month published and over by crm.today(), figure of crm_bi.kpi published then, class, period, unit with its subtree, channel and kind; those of events stand in kpi_version. 已发布与当前指标对照';
COMMENT ON COLUMN crm_bi.kpi_published.kpi_published_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.kpi_published.month IS 'First day of the month closed. 月份';
COMMENT ON COLUMN crm_bi.kpi_published.version IS 'Version that stands. 版本';
COMMENT ON COLUMN crm_bi.kpi_published.published_at IS 'When it was published. 发布时间';
COMMENT ON COLUMN crm_bi.kpi_published.grain IS 'month, quarter, year or trailing_12. 期间类型';
COMMENT ON COLUMN crm_bi.kpi_published.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.kpi_published.period_end IS 'Last day of the period. 期末日';
COMMENT ON COLUMN crm_bi.kpi_published.org_id IS 'Unit: published with its subtree of then, current with that of now. 机构';
COMMENT ON COLUMN crm_bi.kpi_published.org_level IS 'Level of the unit. 机构层级';
COMMENT ON COLUMN crm_bi.kpi_published.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.kpi_published.channel IS 'Main channel of the customers. 渠道';
COMMENT ON COLUMN crm_bi.kpi_published.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.kpi_published.code IS 'Figure. 指标代码';
COMMENT ON COLUMN crm_bi.kpi_published.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.kpi_published.numerator IS 'Numerator as published; NULL: the row was not there. 发布分子';
COMMENT ON COLUMN crm_bi.kpi_published.denominator IS 'Denominator as published; NULL for counts. 发布分母';
COMMENT ON COLUMN crm_bi.kpi_published.value IS 'The figure as published. 发布值';
COMMENT ON COLUMN crm_bi.kpi_published.current_numerator IS 'Numerator now; NULL: the row is not there. 当前分子';
COMMENT ON COLUMN crm_bi.kpi_published.current_denominator IS 'Denominator now; NULL for counts. 当前分母';
COMMENT ON COLUMN crm_bi.kpi_published.current_value IS 'The figure now. 当前值';
COMMENT ON COLUMN crm_bi.kpi_published.numerator_difference IS 'Numerator now less published, a missing row counting 0; adds up as numerators do. 分子差异';
COMMENT ON COLUMN crm_bi.kpi_published.denominator_difference IS 'Denominator now less published, likewise; NULL for counts. 分母差异';
COMMENT ON COLUMN crm_bi.kpi_published.value_difference IS 'current_value less value; of a rate NULL where one of them is. 差异';
COMMENT ON COLUMN crm_bi.kpi_published.comparison IS 'same 一致, changed 变动, vanished 消失 (published, and not there now) or new 新增 (not published). 对照结果';

CREATE VIEW crm_bi.kpi_restated AS
SELECT pg_catalog.to_char(r.month, 'YYYY-MM') || '/' || r.version || '/' || r.code || '/' || coalesce(r.class, '') || '/' || r.grain_name || '/' || r.org_id || '/' || coalesce(r.channel_id::text, '') || '/' || r.kind AS kpi_restated_key,
       r.month, r.version, c.restates, c.state, c.reason, r.grain_name AS grain, r.period_start, r.period_end, r.org_id, coalesce(u.level, b.level) AS org_level, coalesce(u.name, b.name) AS org_name,
       coalesce(h.code, c.channel_codes[pg_catalog.array_position(c.channel_ids, r.channel_id)]) AS channel, r.kind, r.code, r.class,
       r.numerator_before, r.denominator_before, CASE WHEN r.denominator_before IS NULL THEN r.numerator_before ELSE r.numerator_before / nullif(r.denominator_before, 0) END AS value_before,
       r.numerator, r.denominator, CASE WHEN r.denominator IS NULL THEN r.numerator ELSE r.numerator / nullif(r.denominator, 0) END AS value,
       coalesce(r.numerator, 0) - coalesce(r.numerator_before, 0) AS numerator_difference,
       CASE WHEN r.denominator IS NOT NULL OR r.denominator_before IS NOT NULL THEN coalesce(r.denominator, 0) - coalesce(r.denominator_before, 0) END AS denominator_difference
FROM crm._restated_figure r
JOIN crm.closing c ON c.month = r.month AND c.version = r.version
LEFT JOIN crm.closing_unit u ON u.month = r.month AND u.version = r.version AND u.org_id = r.org_id
LEFT JOIN crm.closing_unit b ON b.month = r.month AND b.version = c.restates AND b.org_id = r.org_id
LEFT JOIN crm.channel h ON h.id = r.channel_id;
COMMENT ON VIEW crm_bi.kpi_restated IS 'What a restatement changes, also before it is published: one row for each figure, class, period, unit, channel and kind in which a version differs from the one that it restates. 重述差异';
COMMENT ON COLUMN crm_bi.kpi_restated.kpi_restated_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.kpi_restated.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.kpi_restated.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.kpi_restated.restates IS 'Version before it. 被重述版本';
COMMENT ON COLUMN crm_bi.kpi_restated.state IS 'closed 已关账: not published yet; published 已发布 or superseded 已重述. 状态';
COMMENT ON COLUMN crm_bi.kpi_restated.reason IS 'Why it is restated. 重述原因';
COMMENT ON COLUMN crm_bi.kpi_restated.grain IS 'month, quarter, year or trailing_12. 期间类型';
COMMENT ON COLUMN crm_bi.kpi_restated.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.kpi_restated.period_end IS 'Last day of the period. 期末日';
COMMENT ON COLUMN crm_bi.kpi_restated.org_id IS 'Unit with its subtree as it was in each version. 机构';
COMMENT ON COLUMN crm_bi.kpi_restated.org_level IS 'Level of the unit in the version. 机构层级';
COMMENT ON COLUMN crm_bi.kpi_restated.org_name IS 'Name of the unit in the version. 机构名称';
COMMENT ON COLUMN crm_bi.kpi_restated.channel IS 'Main channel of the customers. 渠道';
COMMENT ON COLUMN crm_bi.kpi_restated.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.kpi_restated.code IS 'Figure. 指标代码';
COMMENT ON COLUMN crm_bi.kpi_restated.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.kpi_restated.numerator_before IS 'Numerator in the version before; NULL: the row was not there. 原分子';
COMMENT ON COLUMN crm_bi.kpi_restated.denominator_before IS 'Denominator in the version before; NULL for counts. 原分母';
COMMENT ON COLUMN crm_bi.kpi_restated.value_before IS 'The figure in the version before. 原值';
COMMENT ON COLUMN crm_bi.kpi_restated.numerator IS 'Numerator; NULL: the row is not there. 新分子';
COMMENT ON COLUMN crm_bi.kpi_restated.denominator IS 'Denominator; NULL for counts. 新分母';
COMMENT ON COLUMN crm_bi.kpi_restated.value IS 'The figure. 新值';
COMMENT ON COLUMN crm_bi.kpi_restated.numerator_difference IS 'Numerator less that before, a missing row counting 0. 分子差异';
COMMENT ON COLUMN crm_bi.kpi_restated.denominator_difference IS 'Denominator less that before, likewise; NULL for counts. 分母差异';
