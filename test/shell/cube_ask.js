// Asks Cube over REST: node cube_ask.js ADDRESS SECRET, a query a line on stdin; prints each as rows with | between the fields, in the order of the query.
const crypto = require('crypto');
const [address, secret] = process.argv.slice(2);
const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}`;
const token = `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;

async function ask(path) {
	for (;;) {
		const response = await fetch(`${address}cubejs-api/v1/${path}`, { headers: { authorization: token } });
		const answer = await response.json();
		if (answer.error !== 'Continue wait')
			return { status: response.status, ...answer };
	}
}

(async () => {
	for (const line of require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
		console.log(`== ${line}`);
		if (line === 'meta') {
			const { status, cubes } = await ask('meta');
			console.log((cubes || [{ name: status }]).map(cube => cube.name).sort().join('\n'));
			continue;
		}
		const query = JSON.parse(line);
		const { status, error, data } = await ask(`load?query=${encodeURIComponent(line)}`);
		const fields = [...(query.dimensions || []), ...(query.timeDimensions || []).filter(t => t.granularity).map(t => `${t.dimension}.${t.granularity}`), ...(query.measures || [])];
		if (data)
			data.forEach(row => console.log(fields.map(field => row[field] === null ? '' : String(row[field]).replace(/T00:00:00.000$/, '')).join('|')));
		else
			console.log(`status ${status} ${error}`);
	}
})();
