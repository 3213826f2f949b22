// Cube on 127.0.0.1 alone: its own server would listen everywhere. Told by the environment, which bi/cube/run sets.
const { createRequire } = require('module');
const fs = require('fs');
const http = require('http');
const path = require('path');
const here = createRequire(process.env.CRM_CUBE_MODULES + '/package.json');
const express = here('express');
const { CubejsServerCore } = here('@cubejs-backend/server-core');
const { Client } = here('pg');

// the figures that there are, for Figures.js
async function tellFigures() {
	const { CUBEJS_DB_HOST: host, CUBEJS_DB_PORT: port, CUBEJS_DB_NAME: database, CUBEJS_DB_USER: user, CUBEJS_DB_PASS: password } = process.env;
	const client = new Client({ host, port: Number(port), database, user, password });
	await client.connect();
	const { rows } = await client.query('SELECT code, name, name_zh, dimension, has_denominator, adds_over_periods, unit, denominator_unit, shown_in FROM crm_bi.kpi_code ORDER BY code');
	await client.end();
	fs.writeFileSync(path.join(process.env.CUBEJS_SCHEMA_PATH, 'Codes.js'), `export const codes = ${JSON.stringify(rows)};\n`);
}

const app = express();
app.use(express.json({ limit: '1mb' }));
// the playground would fetch fonts and statistics of its use from elsewhere
app.use((request, response, next) => {
	response.set('Content-Security-Policy', "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:");
	next();
});
tellFigures().then(() => CubejsServerCore.create({ telemetry: false }).initApp(app)).then(() => {
	const server = http.createServer(app);
	server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
}).catch(error => {
	console.error(error.message);
	process.exit(1);
});
