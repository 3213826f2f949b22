// The islands form in DuckDB: node duckdb.mjs islands.sql FOLDER AS_OF, FOLDER with the tables as CSV.
// Prints rows, seconds and cpu seconds of the statements, loading apart.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const { DuckDBInstance } = createRequire(`${process.env.DUCKDB_DIR}/`)('@duckdb/node-api');

const [file, folder, asOf] = process.argv.slice(2);
const c = await (await DuckDBInstance.create(':memory:')).connect();
await c.run('CREATE SCHEMA crm; CREATE SCHEMA islands');
const cover = `{'customer_id': 'BIGINT', 'policy_id': 'BIGINT', 'seq': 'INTEGER', 'role': 'VARCHAR', 'from_date': 'DATE', 'to_date': 'DATE',
  'ended_by': 'VARCHAR', 'issued_on': 'DATE', 'channel_id': 'BIGINT', 'long_term': 'BOOLEAN', 'own_book': 'BOOLEAN', 'amount': 'BIGINT', 'annual_premium': 'BIGINT'}`;
for (const t of ['cover', 'customer', 'customer_organisation', 'organisation_tree'])
	await c.run(`CREATE TABLE crm.${t} AS SELECT * FROM read_csv('${folder}/${t}.csv', header = true${t === 'cover' ? `, columns = ${cover}` : ''})`);

const text = readFileSync(file, 'utf8').replace(/^--.*$/gm, '').replace(/\s+--.*$/gm, '').replaceAll(":'as_of'", `'${asOf}'`)
	.replaceAll('CREATE UNLOGGED TABLE', 'CREATE TABLE').replace(/^ANALYZE .*$/gm, '')
	// DuckDB divides integers with // and calls a lateral series differently
	.replaceAll(' / ', ' // ').replace(/CROSS JOIN LATERAL generate_series\((.*)\) AS g \(m\)/, 'CROSS JOIN LATERAL (SELECT unnest(generate_series($1)) AS m) AS g');
const t0 = process.hrtime.bigint();
const u0 = process.cpuUsage();
for (const statement of text.split(';').filter((s) => s.trim()))
	await c.run(statement);
const u = process.cpuUsage(u0);
const s = Number(process.hrtime.bigint() - t0) / 1e9;
const rows = (await c.runAndReadAll('SELECT count(*) FROM islands.kpi')).getRows()[0][0];
console.log(`${rows} ${s.toFixed(3)} ${((u.user + u.system) / 1e6).toFixed(2)}`);
