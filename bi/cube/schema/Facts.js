// Customers as of today, policies, holdings, contacts and settlements.

cube('Customer', {
	sql: 'SELECT * FROM crm_bi.customer',
	title: 'Customer 客户',
	joins: {
		Organisation: { relationship: 'belongsTo', sql: `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: `${CUBE}.channel = ${Channel}.channel` },
		Tier: { relationship: 'belongsTo', sql: `${CUBE}.tier = ${Tier}.tier` },
		Activity: { relationship: 'belongsTo', sql: `${CUBE}.activity = ${Activity}.activity` },
		Coverage: { relationship: 'belongsTo', sql: `${CUBE}.coverage = ${Coverage}.coverage` },
		Kind: { relationship: 'belongsTo', sql: `${CUBE}.kind = ${Kind}.kind` },
	},
	segments: {
		insured: { sql: `${CUBE}.coverage = 'insured'` },
		reachable: { sql: `${CUBE}.reachable` },
	},
	measures: {
		count: { type: 'count', title: 'Customers 客户数' },
		amount: { sql: 'amount', type: 'sum', title: 'Amount of the tier 金额' },
		reachableCount: { type: 'count', filters: [{ sql: `${CUBE}.reachable` }], title: 'Reachable 可联系' },
		reachableRate: { sql: `100.0 * ${CUBE.reachableCount} / NULLIF(${CUBE.count}, 0)`, type: 'number', format: 'percent' },
	},
	dimensions: {
		id: { sql: 'customer_id', type: 'number', primaryKey: true },
		service: { sql: 'service', type: 'string' },
		role: { sql: 'role', type: 'string' },
		longTerm: { sql: 'insured_long_term', type: 'boolean' },
		since: { sql: `${CUBE}.standing_since::timestamp`, type: 'time' },
	},
});

cube('Policy', {
	sql: 'SELECT * FROM crm_bi.policy',
	title: 'Policy 保单',
	joins: {
		Customer: { relationship: 'belongsTo', sql: `${CUBE}.customer_id = ${Customer}.customer_id` },
		Organisation: { relationship: 'belongsTo', sql: `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: `${CUBE}.channel_id = ${Channel}.channel_id` },
		Product: { relationship: 'belongsTo', sql: `${CUBE}.product_id = ${Product}.product_id` },
		Staff: { relationship: 'belongsTo', sql: `${CUBE}.servicer_id = ${Staff}.staff_id` },
		Book: { relationship: 'belongsTo', sql: `${CUBE}.book = ${Book}.book` },
		Payment: { relationship: 'belongsTo', sql: `${CUBE}.payment = ${Payment}.payment` },
	},
	segments: {
		inForce: { sql: `${CUBE}.in_force` },
		longTerm: { sql: `${CUBE}.long_term` },
	},
	measures: {
		count: { type: 'count', title: 'Policies 保单数' },
		annualPremium: { sql: 'annual_premium', type: 'sum', title: 'Annual premium 年化保费' },
		sumInsured: { sql: 'sum_insured', type: 'sum', title: 'Sum insured 保额' },
		inForceCount: { type: 'count', filters: [{ sql: `${CUBE}.in_force` }], title: 'In force 有效' },
	},
	dimensions: {
		id: { sql: 'policy_id', type: 'number', primaryKey: true },
		issued: { sql: `${CUBE}.issued_on::timestamp`, type: 'time', title: 'Day of issue' },
		matures: { sql: `${CUBE}.matures_on::timestamp`, type: 'time', title: 'Maturity' },
	},
});

cube('Holding', {
	sql: 'SELECT * FROM crm_bi.holding',
	title: 'Holding 客户持有',
	joins: {
		Customer: { relationship: 'belongsTo', sql: `${CUBE}.customer_id = ${Customer}.customer_id` },
		Organisation: { relationship: 'belongsTo', sql: `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: `${CUBE}.channel_id = ${Channel}.channel_id` },
		Staff: { relationship: 'belongsTo', sql: `${CUBE}.staff_id = ${Staff}.staff_id` },
		StartCause: { relationship: 'belongsTo', sql: `${CUBE}.start_cause = ${StartCause}.start_cause` },
		EndCause: { relationship: 'belongsTo', sql: `${CUBE}.end_cause = ${EndCause}.end_cause` },
	},
	segments: {
		open: { sql: `${CUBE}.is_open` },
	},
	measures: {
		count: { type: 'count', title: 'Holdings 持有数' },
		openCount: { type: 'count', filters: [{ sql: `${CUBE}.is_open` }], title: 'Open 当前持有' },
		recycled: { type: 'count', filters: [{ sql: `${CUBE}.end_cause = 'recycle'` }], title: 'Recycled 回收' },
		load: { sql: 'load', type: 'sum', title: 'Load 负荷' },
	},
	dimensions: {
		key: { sql: 'holding_key', type: 'string', primaryKey: true },
		from: { sql: `${CUBE}.held_from_date::timestamp`, type: 'time', title: 'Start' },
		due: { sql: `${CUBE}.due_date::timestamp`, type: 'time', title: 'Due to be recycled' },
	},
});

cube('Contact', {
	sql: 'SELECT * FROM crm_bi.contact',
	title: 'Contact 联系记录',
	joins: {
		Customer: { relationship: 'belongsTo', sql: `${CUBE}.customer_id = ${Customer}.customer_id` },
		Organisation: { relationship: 'belongsTo', sql: `${CUBE}.org_id = ${Organisation}.org_id` },
		Channel: { relationship: 'belongsTo', sql: `${CUBE}.channel_id = ${Channel}.channel_id` },
		Staff: { relationship: 'belongsTo', sql: `${CUBE}.staff_id = ${Staff}.staff_id` },
		Way: { relationship: 'belongsTo', sql: `${CUBE}.way = ${Way}.way` },
		Direction: { relationship: 'belongsTo', sql: `${CUBE}.direction = ${Direction}.direction` },
	},
	measures: {
		count: { type: 'count', title: 'Contacts 联系次数' },
		customers: { sql: 'customer_id', type: 'countDistinct', title: 'Customers 联系客户数' },
	},
	dimensions: {
		key: { sql: 'contact_key', type: 'string', primaryKey: true },
		day: { sql: `${CUBE}.contact_date::timestamp`, type: 'time' },
		purpose: { sql: 'purpose', type: 'string' },
		outcome: { sql: 'outcome', type: 'string' },
	},
});

cube('Settlement', {
	sql: 'SELECT * FROM crm_bi.settlement',
	title: 'Settlement 渠道结算',
	joins: {
		ProviderChannel: { relationship: 'belongsTo', sql: `${CUBE}.provider_channel_id = ${ProviderChannel}.channel_id` },
		UserChannel: { relationship: 'belongsTo', sql: `${CUBE}.user_channel_id = ${UserChannel}.channel_id` },
		Thing: { relationship: 'belongsTo', sql: `${CUBE}.thing = ${Thing}.thing` },
	},
	measures: {
		lines: { sql: 'lines', type: 'sum', title: 'Lines 明细数' },
		amount: { sql: 'amount', type: 'sum', title: 'Amount 金额' },
		providerAmount: { sql: 'provider_amount', type: 'sum', title: 'Part of the provider 提供方金额' },
		userAmount: { sql: 'user_amount', type: 'sum', title: 'Part of the user 使用方金额' },
	},
	dimensions: {
		id: { sql: 'settlement_id', type: 'number', primaryKey: true },
		month: { sql: `${CUBE}.month::timestamp`, type: 'time' },
		state: { sql: 'state', type: 'string' },
		plan: { sql: 'plan_id', type: 'number' },
	},
});
