// Serves the folder of a built site on 127.0.0.1.
//   serve.js FOLDER PORT        port 0 takes any that is free; the first line of output is the address
import { createServer } from 'node:http';
import { createReadStream, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';

const [folder, port] = process.argv.slice(2);
const types = {
	'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm',
	'.svg': 'image/svg+xml', '.png': 'image/png', '.ico': 'image/x-icon', '.woff2': 'font/woff2', '.webmanifest': 'application/manifest+json'
};

// the file behind a path, that of a folder being its index.html
function find(path) {
	let file = join(folder, normalize('/' + path));
	let status = statSync(file, { throwIfNoEntry: false });
	if (status?.isDirectory()) {
		file = join(file, 'index.html');
		status = statSync(file, { throwIfNoEntry: false });
	}
	return status?.isFile() ? { file, size: status.size } : null;
}

const server = createServer((request, response) => {
	let found = null;
	try {
		found = find(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
	} catch {
		// a path that is none
	}
	if (!found || !['GET', 'HEAD'].includes(request.method)) {
		response.writeHead(found ? 405 : 404).end();
		return;
	}
	// parts of a file, as the database in the browser asks for them
	const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
	const from = range ? Number(range[1]) : 0;
	const to = range && range[2] ? Math.min(Number(range[2]), found.size - 1) : found.size - 1;
	if (from > to && found.size > 0) {
		response.writeHead(416, { 'Content-Range': `bytes */${found.size}` }).end();
		return;
	}
	response.writeHead(range ? 206 : 200, {
		'Content-Type': types[extname(found.file)] ?? 'application/octet-stream', 'Content-Length': to - from + 1, 'Accept-Ranges': 'bytes', 'Cache-Control': 'no-cache',
		...(range && { 'Content-Range': `bytes ${from}-${to}/${found.size}` })
	});
	if (request.method === 'HEAD' || found.size === 0) {
		response.end();
		return;
	}
	createReadStream(found.file, { start: from, end: to }).pipe(response);
});
server.on('error', (error) => {
	console.error(error.code === 'EADDRINUSE' ? `port ${port} is taken; say another by PORT=` : error.message);
	process.exit(1);
});
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
