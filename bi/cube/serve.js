// Cube on 127.0.0.1 alone: its own server would listen everywhere. Told by the environment, which bi/cube/run sets.
const { createRequire } = require('module');
const http = require('http');
const here = createRequire(process.env.CRM_CUBE_MODULES + '/package.json');
const express = here('express');
const { CubejsServerCore } = here('@cubejs-backend/server-core');

const app = express();
app.use(express.json({ limit: '1mb' }));
// the playground would fetch fonts and statistics of its use from elsewhere
app.use((request, response, next) => {
	response.set('Content-Security-Policy', "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:");
	next();
});
const core = CubejsServerCore.create({ telemetry: false });
core.initApp(app).then(() => {
	const server = http.createServer(app);
	server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
});
