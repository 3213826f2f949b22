// Figures, a cube for each figure and grain: rows of different figures or grains must never be added. All on crm_bi.kpi_own and kpi_event_own, whose units add up.
// Codes.js has the figures of crm_bi.kpi_code; bi/cube/run writes it.
// Parameters of functions named sql are what Cube puts in for them: CUBE and other cubes, or members of this one.
import { codes } from './Codes';

// what the classes of a figure are joined to: the scales that facts have, too, otherwise all classes there are
const classes = {
	coverage: ['Coverage', (CUBE, Coverage) => `${CUBE}.class = ${Coverage}.coverage`],
	activity: ['Activity', (CUBE, Activity) => `${CUBE}.class = ${Activity}.activity`],
	tier: ['Tier', (CUBE, Tier) => `${CUBE}.class = ${Tier}.tier`],
	staff: ['Staff', (CUBE, Staff) => `${CUBE}.class = ${Staff}.staff`],
};
const anyClass = ['Class', (CUBE, Class) => `${CUBE}.class_key = ${Class}.class_key`];

const base = ({ code, name, name_zh: nameZh, dimension, shown_in: view }, grain) => {
	const figure = {
		sql: () => `SELECT * FROM crm_bi.${view}_own WHERE code = '${code}' AND grain = '${grain}'`,
		title: `${name} ${nameZh}, by ${grain}`,
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
	};
	if (dimension) {
		const [scale, sql] = classes[dimension] || anyClass;
		figure.joins[scale] = { relationship: 'belongsTo', sql };
	}
	return figure;
};

// numerators and denominators are added, then divided; of several periods that is the figure over all of them together, each with its own opening
const ratio = ({ unit, denominator_unit: under }) => ({
	numerator: { sql: () => 'numerator', type: 'sum' },
	denominator: { sql: () => 'denominator', type: 'sum' },
	...(unit === under
		? { rate: { sql: (numerator, denominator) => `100.0 * ${numerator} / NULLIF(${denominator}, 0)`, type: 'number', format: 'percent' } }
		: { average: { sql: (numerator, denominator) => `1.0 * ${numerator} / NULLIF(${denominator}, 0)`, type: 'number', title: `Average: ${unit} over ${under}` } }),
});
// where periods do not add up: of one period the number itself, of several the mean of those with any
const count = ({ unit }) => ({
	periods: { sql: () => 'period_start', type: 'countDistinct', title: 'Periods' },
	sum: { sql: () => 'numerator', type: 'sum', shown: false },
	[unit]: { sql: (sum, periods) => `${sum} / NULLIF(${periods}, 0)`, type: 'number', title: 'Of one period the number, of several the mean of those with any' },
});
const total = ({ unit }) => ({ [unit]: { sql: () => 'numerator', type: 'sum' } });

const words = text => text.split('_').map(word => word[0].toUpperCase() + word.slice(1)).join('');
codes.forEach(code => ['month', 'year'].forEach(grain => {
	const figure = base(code, grain);
	figure.measures = (code.has_denominator ? ratio : code.adds_over_periods ? total : count)(code);
	cube(`${code.code === code.dimension ? 'By' : ''}${words(code.code)}${words(grain)}`, figure);
}));
