// What was published, how policies persist, and scores. Parameters of functions named sql are what Cube puts in for them.

// crm_bi.kpi_published has figures of units with their subtrees, which must not be added: measures are NULL where more than one figure, class, period, unit or
// grain would be. Channels and kinds add up.
cube('Published', {
	sql: 'SELECT * FROM crm_bi.kpi_published',
	title: 'Published figures beside those of now 已发布指标',
	joins: {
		Figure: { relationship: 'belongsTo', sql: `${CUBE}.code = ${Figure}.code` },
		Organisation: { relationship: 'belongsTo', sql: `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: `${CUBE}.channel = ${Channel}.channel` },
		Kind: { relationship: 'belongsTo', sql: `${CUBE}.kind = ${Kind}.kind` },
	},
	segments: {
		differing: { sql: `${CUBE}.comparison <> 'same'` },
	},
	measures: {
		rows: { type: 'count', title: 'Rows 数值行数' },
		cells: { sql: `concat_ws('/', ${CUBE}.code, ${CUBE}.class, ${CUBE}.grain, ${CUBE}.org_id, ${CUBE}.month)`, type: 'countDistinct', shown: false },
		published: { sql: 'numerator', type: 'sum', shown: false },
		publishedOver: { sql: 'denominator', type: 'sum', shown: false },
		now: { sql: 'current_numerator', type: 'sum', shown: false },
		nowOver: { sql: 'current_denominator', type: 'sum', shown: false },
		value: { sql: `CASE WHEN ${cells} > 1 THEN NULL WHEN ${publishedOver} IS NULL THEN ${published} ELSE ${published} / NULLIF(${publishedOver}, 0) END`, type: 'number', title: 'As published 发布值' },
		currentValue: { sql: `CASE WHEN ${cells} > 1 THEN NULL WHEN ${nowOver} IS NULL THEN ${now} ELSE ${now} / NULLIF(${nowOver}, 0) END`, type: 'number', title: 'As it is now 当前值' },
		numeratorDifference: { sql: `CASE WHEN ${cells} = 1 THEN COALESCE(${now}, 0) - COALESCE(${published}, 0) END`, type: 'number', title: 'Numerator now less published 分子差异' },
	},
	dimensions: {
		key: { sql: 'kpi_published_key', type: 'string', primaryKey: true },
		month: { sql: `${CUBE}.month::timestamp`, type: 'time', title: 'Month closed' },
		version: { sql: 'version', type: 'number' },
		grain: { sql: 'grain', type: 'string' },
		class: { sql: 'class', type: 'string' },
		comparison: { sql: 'comparison', type: 'string', title: 'Comparison 对照结果' },
	},
});

const persistency = month => ({
	sql: () => `SELECT * FROM crm_bi.persistency_own WHERE code = 'persistency_${month}'`,
	title: `Persistency of month ${month} ${month}个月继续率`,
	joins: {
		Organisation: { relationship: 'belongsTo', sql: (CUBE, Organisation) => `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: (CUBE, Channel) => `${CUBE}.channel = ${Channel}.channel` },
		Kind: { relationship: 'belongsTo', sql: (CUBE, Kind) => `${CUBE}.kind = ${Kind}.kind` },
	},
	segments: {
		final: { sql: CUBE => `${CUBE}.is_final` },
	},
	measures: {
		policies: { sql: CUBE => `CASE WHEN ${CUBE}.basis = 'count' THEN ${CUBE}.denominator END`, type: 'sum', title: 'Policies 应收件数' },
		persisting: { sql: CUBE => `CASE WHEN ${CUBE}.basis = 'count' THEN ${CUBE}.numerator END`, type: 'sum', title: 'Policies that persist 实收件数' },
		premium: { sql: CUBE => `CASE WHEN ${CUBE}.basis = 'premium' THEN ${CUBE}.denominator END`, type: 'sum', title: 'Premium 应收保费' },
		received: { sql: CUBE => `CASE WHEN ${CUBE}.basis = 'premium' THEN ${CUBE}.numerator END`, type: 'sum', title: 'Premium received 实收保费' },
		rate: { sql: (persisting, policies) => `100.0 * ${persisting} / NULLIF(${policies}, 0)`, type: 'number', format: 'percent', title: 'Persistency by count 件数继续率' },
		premiumRate: { sql: (received, premium) => `100.0 * ${received} / NULLIF(${premium}, 0)`, type: 'number', format: 'percent', title: 'Persistency by premium 保费继续率' },
	},
	dimensions: {
		key: { sql: () => 'persistency_key', type: 'string', primaryKey: true },
		cohort: { sql: CUBE => `${CUBE}.cohort_month::timestamp`, type: 'time', title: 'Month of issue' },
		period: { sql: CUBE => `${CUBE}.period_start::timestamp`, type: 'time', title: 'Month in which it is reported' },
		isFinal: { sql: () => 'is_final', type: 'boolean' },
	},
});
[13, 25].forEach(month => cube(`Persistency${month}`, persistency(month)));

cube('Scorecard', {
	sql: 'SELECT * FROM crm_bi.scorecard',
	title: 'Score 考核得分',
	joins: {
		Staff: { relationship: 'belongsTo', sql: `${CUBE}.staff_id = ${Staff}.staff_id` },
		Organisation: { relationship: 'belongsTo', sql: `${CUBE}.unit_id = ${Organisation}.org_id` },
	},
	segments: {
		final: { sql: `${CUBE}.is_final` },
		whole: { sql: `${CUBE}.is_whole` },
	},
	measures: {
		count: { type: 'count', title: 'Goals signed 目标数' },
		score: { sql: 'score', type: 'avg', title: 'Mean score 平均得分' },
		highest: { sql: 'score', type: 'max', title: 'Highest 最高分' },
		lowest: { sql: 'score', type: 'min', title: 'Lowest 最低分' },
	},
	dimensions: {
		goal: { sql: 'goal_id', type: 'number', primaryKey: true, shown: true },
		scorecard: { sql: 'scorecard', type: 'string', title: 'Scorecard 考核方案' },
		subject: { sql: 'subject', type: 'string', title: 'staff or unit' },
		name: { sql: 'subject_name', type: 'string', title: 'Person or unit 对象' },
		grain: { sql: 'grain', type: 'string' },
		period: { sql: `${CUBE}.period_start::timestamp`, type: 'time', title: 'First day of the period' },
		rank: { sql: 'rank', type: 'number', title: 'Rank 排名' },
		trend: { sql: 'trend', type: 'string', title: 'Trend 趋势' },
		isFinal: { sql: 'is_final', type: 'boolean' },
		isWhole: { sql: 'is_whole', type: 'boolean' },
	},
});

cube('ScorecardPart', {
	sql: 'SELECT * FROM crm_bi.scorecard_part',
	title: 'Part of a score 考核得分明细',
	joins: {
		Scorecard: { relationship: 'belongsTo', sql: `${CUBE}.goal_id = ${Scorecard}.goal_id` },
	},
	measures: {
		points: { sql: 'points', type: 'sum', title: 'Points 得分' },
		weight: { sql: 'weight', type: 'sum', title: 'Weight 权重' },
		attainment: { sql: `100.0 * ${points} / NULLIF(${weight}, 0)`, type: 'number', format: 'percent', title: 'Points of the weight 完成率' },
	},
	dimensions: {
		key: { sql: 'scorecard_part_key', type: 'string', primaryKey: true },
		indicator: { sql: 'indicator', type: 'string' },
		name: { sql: 'name', type: 'string' },
		nameZh: { sql: 'name_zh', type: 'string', title: '名称' },
	},
});
