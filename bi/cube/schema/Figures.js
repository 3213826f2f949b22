// Figures, a cube for each figure and grain: rows of different figures or grains must never be added. All on crm_bi.kpi_own, whose units add up.
// Parameters of functions named sql are what Cube puts in for them: CUBE and other cubes, or members of this one.

const base = (code, grain, title) => ({
	sql: () => `SELECT * FROM crm_bi.kpi_own WHERE code = '${code}' AND grain = '${grain}'`,
	title,
	joins: {
		Organisation: { relationship: 'belongsTo', sql: (CUBE, Organisation) => `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: (CUBE, Channel) => `${CUBE}.channel_id = ${Channel}.channel_id` },
		Kind: { relationship: 'belongsTo', sql: (CUBE, Kind) => `${CUBE}.kind = ${Kind}.kind` },
	},
	segments: {
		complete: { sql: CUBE => `${CUBE}.is_complete` },
	},
	dimensions: {
		key: { sql: () => 'kpi_key', type: 'string', primaryKey: true },
		period: { sql: CUBE => `${CUBE}.period_start::timestamp`, type: 'time', title: 'First day of the period' },
		isComplete: { sql: () => 'is_complete', type: 'boolean' },
	},
});

// at the end of each month: of one month the number itself, of several the mean of those with any
const balances = [
	['Insured', 'insured', 'Insured customers 有效客户数'], ['InsuredLongTerm', 'insured_long_term', 'Insured long-term 长险有效客户数'],
	['PlanCustomers', 'plan_customers', 'Plan population 股份长险投保客户数'],
	['ByCoverage', 'coverage', 'Customers by coverage 新老客户分类', 'Coverage'], ['ByActivity', 'activity', 'Customers by activity 客户活跃度分类', 'Activity'],
	['ByTier', 'tier', 'Customers by tier 客户等级分类', 'Tier'],
];
balances.forEach(([name, code, title, dimension]) => {
	const figure = base(code, 'month', title);
	figure.measures = {
		months: { sql: () => 'period_start', type: 'countDistinct', title: 'Months' },
		sum: { sql: () => 'numerator', type: 'sum', shown: false },
		customers: { sql: (sum, months) => `${sum} / NULLIF(${months}, 0)`, type: 'number', title: 'Customers at month end (of several months the mean of those with any)' },
	};
	if (dimension === 'Coverage')
		figure.joins.Coverage = { relationship: 'belongsTo', sql: (CUBE, Coverage) => `${CUBE}.class = ${Coverage}.coverage` };
	if (dimension === 'Activity')
		figure.joins.Activity = { relationship: 'belongsTo', sql: (CUBE, Activity) => `${CUBE}.class = ${Activity}.activity` };
	if (dimension === 'Tier')
		figure.joins.Tier = { relationship: 'belongsTo', sql: (CUBE, Tier) => `${CUBE}.class = ${Tier}.tier` };
	cube(`${name}Month`, figure);
});

// rates: numerators and denominators are added, then divided; of several periods that is the rate over all of them together, each period with its own opening
const rates = [
	['RepeatPurchase', 'repeat_purchase', 'Repeat-purchase rate 二次购买率'], ['RepeatPurchaseAny', 'repeat_purchase_any', 'Repeat-purchase rate, any product 加保率'],
	['TotalChurn', 'total_churn', 'Total churn 客户总流失比率'], ['LapseChurn', 'lapse_churn', 'Lapse churn 失效保单客户流失率'], ['WinBack', 'win_back', 'Win-back rate 流失客户赢回率'],
	['InsuredGrowth', 'insured_growth', 'Growth of insured customers 有效客户增长率'], ['PlanGrowth', 'plan_growth', 'Growth of the plan population 长险投保客户增长率'],
];
[['Month', 'month', 'by month'], ['Year', 'year', 'by year']].forEach(([suffix, grain, by]) => rates.forEach(([name, code, title]) => {
	const figure = base(code, grain, `${title}, ${by}`);
	figure.measures = {
		numerator: { sql: () => 'numerator', type: 'sum' },
		denominator: { sql: () => 'denominator', type: 'sum' },
		rate: { sql: (numerator, denominator) => `100.0 * ${numerator} / NULLIF(${denominator}, 0)`, type: 'number', format: 'percent' },
	};
	cube(`${name}${suffix}`, figure);
}));

// months of this one add up to longer periods
const fresh = base('new_customers', 'month', 'New customers 新增客户数');
fresh.measures = { customers: { sql: () => 'numerator', type: 'sum' } };
cube('NewCustomersMonth', fresh);
