// The dimensions of the star. Names are in English, `nameZh` has the Chinese ones.

cube('Organisation', {
	sql: 'SELECT * FROM crm_bi.organisation',
	title: 'Unit 机构',
	dimensions: {
		id: { sql: 'org_id', type: 'number', primaryKey: true },
		code: { sql: 'code', type: 'string' },
		name: { sql: 'name', type: 'string' },
		level: { sql: 'level', type: 'number' },
		path: { sql: 'path', type: 'string' },
		level0: { sql: 'drill_0_name', type: 'string', title: 'Level 0' },
		level1: { sql: 'drill_1_name', type: 'string', title: 'Level 1' },
		level2: { sql: 'drill_2_name', type: 'string', title: 'Level 2' },
		level3: { sql: 'drill_3_name', type: 'string', title: 'Level 3' },
		level4: { sql: 'drill_4_name', type: 'string', title: 'Level 4' },
		level5: { sql: 'drill_5_name', type: 'string', title: 'Level 5' },
	},
});

cube('Channel', {
	sql: 'SELECT * FROM crm_bi.channel',
	title: 'Channel 渠道',
	dimensions: {
		id: { sql: 'channel_id', type: 'number', primaryKey: true },
		code: { sql: 'channel', type: 'string' },
		name: { sql: 'name', type: 'string' },
		nameZh: { sql: 'name_zh', type: 'string', title: '名称' },
		kind: { sql: 'kind', type: 'string' },
	},
});
cube('ProviderChannel', { extends: Channel, title: 'Channel that provides 提供渠道' });
cube('UserChannel', { extends: Channel, title: 'Channel that uses 使用渠道' });

cube('Product', {
	sql: 'SELECT * FROM crm_bi.product',
	title: 'Product 产品',
	dimensions: {
		id: { sql: 'product_id', type: 'number', primaryKey: true },
		code: { sql: 'product', type: 'string' },
		name: { sql: 'name', type: 'string' },
		line: { sql: 'product_line', type: 'string' },
	},
});

cube('Staff', {
	sql: 'SELECT * FROM crm_bi.staff',
	title: 'Member of staff 人员',
	dimensions: {
		id: { sql: 'staff_id', type: 'number', primaryKey: true },
		code: { sql: 'staff', type: 'string' },
		name: { sql: 'name', type: 'string' },
		inPost: { sql: 'in_post', type: 'boolean' },
	},
});

// coded values: a view of crm_bi each, whose key has the name of the column in the facts
const codes = [
	['Tier', 'tier', 'tier', 'Tier 等级'], ['Activity', 'activity', 'activity', 'Activity 活跃度'], ['Coverage', 'coverage', 'coverage', 'Coverage 新老客户'],
	['Kind', 'kind', 'kind', 'Kind 客户类型'], ['Book', 'book', 'book', 'Book 业务归属'], ['Payment', 'payment', 'payment', 'Payment 缴费方式'],
	['StartCause', 'start_cause', 'start_cause', 'Start 开始方式'], ['EndCause', 'end_cause', 'end_cause', 'End 结束方式'],
	['Way', 'contact_way', 'way', 'Way 联系方式'], ['Direction', 'contact_direction', 'direction', 'Direction 联系方向'], ['Thing', 'settlement_thing', 'thing', 'Thing 结算内容'],
];
codes.forEach(([name, view, key, title]) => cube(name, {
	sql: `SELECT * FROM crm_bi.${view}`,
	title,
	dimensions: {
		code: { sql: key, type: 'string', primaryKey: true, shown: true },
		name: { sql: 'name', type: 'string' },
		nameZh: { sql: 'name_zh', type: 'string', title: '名称' },
		place: { sql: 'place', type: 'number' },
	},
}));

cube('Class', {
	sql: 'SELECT * FROM crm_bi.class',
	title: 'Class of a figure 类别',
	dimensions: {
		key: { sql: 'class_key', type: 'string', primaryKey: true },
		dimension: { sql: 'dimension', type: 'string' },
		code: { sql: 'class', type: 'string' },
		name: { sql: 'name', type: 'string' },
		nameZh: { sql: 'name_zh', type: 'string', title: '名称' },
		place: { sql: 'class_order', type: 'number' },
	},
});

cube('Figure', {
	sql: 'SELECT * FROM crm_bi.kpi_code',
	title: 'Figure 指标',
	dimensions: {
		code: { sql: 'code', type: 'string', primaryKey: true, shown: true },
		name: { sql: 'name', type: 'string' },
		nameZh: { sql: 'name_zh', type: 'string', title: '名称' },
		unit: { sql: 'unit', type: 'string' },
	},
});
