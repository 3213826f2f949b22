// Looks at every page of a served site in a headless Chromium and prints what it shows, tab by tab: page, kind, number, cells.
//   look.js ADDRESS [FOLDER]    keeps pictures of the pages in the folder
// Kinds are value (title, value), row (number of the table, cells), chart (number of marks, labels), error (text on the page) and fault (of the browser).
import puppeteer from 'puppeteer-core';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const [address, pictures] = process.argv.slice(2);
const patience = 120000;
const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => existsSync(file));
const browser = await puppeteer.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'], protocolTimeout: patience });

// what a reader sees
function read() {
	const text = (element) => element.innerText.replace(/\s+/g, ' ').trim();
	const lines = [];
	for (const title of document.querySelectorAll('article p.text-sm')) {
		const value = title.parentElement.querySelector('div.text-xl');
		if (value) {
			lines.push(['value', text(title), text(value)]);
		}
	}
	[...document.querySelectorAll('article table')].filter((table) => table.getBoundingClientRect().height > 0).forEach((table, n) => {
		for (const row of [...table.querySelectorAll('tr')].filter((row) => row.querySelector('td'))) {
			lines.push(['row', n + 1, ...[...row.querySelectorAll('td')].map(text)]);
		}
	});
	for (const svg of [...document.querySelectorAll('article svg')].filter((svg) => svg.getBoundingClientRect().width > 200)) {
		const painted = (paint) => paint && paint !== 'none' && paint !== 'transparent';
		const marks = [...svg.querySelectorAll('path, rect, polyline')].filter((mark) => {
			const box = mark.getBoundingClientRect();
			return box.width * box.height > 0 && (painted(mark.getAttribute('fill')) || painted(mark.getAttribute('stroke')));
		});
		lines.push(['chart', marks.length, ...[...svg.querySelectorAll('text')].map((label) => label.textContent.trim()).filter((label) => label !== '')]);
	}
	for (const error of (document.querySelector('article')?.innerText ?? 'nothing').match(/.*(Error|No Results|No Records|undefined|NaN|Infinity|nothing).*/g) ?? []) {
		lines.push(['error', error]);
	}
	return lines;
}

for (const path of ['', 'structure', 'dormancy', 'cycle', 'channels', 'targets', 'staff', 'published']) {
	const name = path || 'overview';
	const page = await browser.newPage();
	const faults = [];
	page.on('pageerror', (error) => faults.push(error.message));
	page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
	page.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(address) && faults.push(`asks ${request.url()}`));
	// a reader of Arrow ends a request at the end of its stream
	page.on('requestfailed', (request) => request.failure()?.errorText !== 'net::ERR_ABORTED' && faults.push(`${request.failure()?.errorText} ${request.url()}`));
	page.on('response', (response) => response.status() >= 400 && faults.push(`${response.status()} ${response.url()}`));
	await page.setViewport({ width: 1400, height: 980, deviceScaleFactor: 0.8 });
	await page.goto(address + (path ? path + '/' : ''), { waitUntil: 'networkidle0', timeout: patience });
	// drawn when nothing has changed for three looks, each half a second after the other
	let last = '';
	let same = 0;
	for (const until = Date.now() + patience; same < 3 && Date.now() < until; ) {
		await new Promise((resolve) => setTimeout(resolve, 500));
		const now = JSON.stringify(await page.evaluate(read));
		same = now === last && now.includes('"chart"') ? same + 1 : 0;
		last = now;
	}
	for (const line of [...JSON.parse(last), ...faults.map((fault) => ['fault', fault])]) {
		console.log([name, ...line].map((cell) => String(cell).replace(/[\t\n\\]/g, ' ')).join('\t'));
	}
	if (pictures) {
		await page.screenshot({ path: join(pictures, `${name}.png`) });
	}
	await page.close();
}
await browser.close();
