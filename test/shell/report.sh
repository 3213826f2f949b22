#!/bin/bash
# The monthly report in a browser: both languages at the width of a desk and of a telephone, with nothing that overflows, nothing fetched and nothing to complain about.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
work=$CRM_TMP/report
mkdir -p "$work"

remake crm_report crm_model
fill crm_report
query crm_report "UPDATE crm.organisation SET name = '<img src=\"http://127.0.0.1:9/a\" onerror=\"console.error(1)\">' || repeat('长机构名', 20) WHERE id = 2" \
	"UPDATE crm.channel SET name = '<script>console.error(2)</script>', name_zh = '<script>console.error(2)</script>' WHERE id = 2" \
	"INSERT INTO crm.target (org_id, code, grain, period_start, value, purpose, label) VALUES
	   (1, 'plan_customers', 'year', '2025-01-01', 300, 'target', NULL), (1, 'repeat_purchase', 'year', '2025-01-01', 0.06, 'target', NULL), (1, 'repeat_purchase', 'year', '2024-01-01', 0.0815, 'benchmark', repeat('Others ', 12))" \
	"INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
	 SELECT c.id, s.channel_id, s.org_id, s.id, '2025-11-20', CASE WHEN c.id % 2 = 0 THEN timestamptz '2025-12-10' END, 'claim', CASE WHEN c.id % 2 = 0 THEN 'recycle' END, CASE WHEN c.id % 2 = 0 THEN 'test' END, 'first contact within 7 days'
	 FROM crm.customer c CROSS JOIN (SELECT * FROM crm.staff x WHERE x.left_on IS NULL ORDER BY x.id LIMIT 1) s WHERE c.id % 9 = 0" >/dev/null
for language in en zh; do
	psql -XAtq -v ON_ERROR_STOP=1 -d crm_report -o "$work/$language.html" -c "SELECT crm.report('2025-12-31', 1, '$language')"
	is "$(head -c 15 "$work/$language.html") $(tail -n 2 "$work/$language.html" | head -n 1 | tail -c 15)" "<!DOCTYPE html> </body></html>" "psql writes the page: $language"
done

if ! browser=$(command -v chromium || command -v chromium-browser); then
	skip "the report in a browser" "there is no chromium"
	done_testing
	exit
fi

# browse PAGE WIDTH ARGUMENT...: what the browser says of a page goes to page.out and page.err
browse() {
	local page=$1 width=$2
	shift 2
	timeout 300 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-component-update --no-first-run \
		--user-data-dir="$work/profile" --window-size="$width,1600" --enable-logging=stderr "$@" "file://$work/$page.html" >"$work/page.out" 2>"$work/page.err"
}

# what to complain about, line by line, and how much was looked at
cat >"$work/measure.js" <<'JS'
const faults = [];
const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) faults.push('the page is wider than the window');
for (const svg of document.querySelectorAll('svg')) {
  const box = svg.getBoundingClientRect();
  if (box.width < 20 || box.height < 4) faults.push('a picture of ' + box.width + ' by ' + box.height);
  const texts = [...svg.querySelectorAll('text')];
  texts.forEach((t, i) => {
    const place = t.getBoundingClientRect();
    if (!inside(place, box)) faults.push('outside its picture: ' + t.textContent);
    if (place.height < 8) faults.push('too small to read: ' + t.textContent);
    for (const u of texts.slice(i + 1)) if (meet(place, u.getBoundingClientRect())) faults.push('on each other: ' + t.textContent + ', ' + u.textContent);
  });
}
for (const e of document.querySelectorAll('header, section, .cards, .card, .card *, .charts, .charts > *, figcaption, h1, h2, h3, li, .bars, .bars th, .bars td')) {
  if (e.closest('svg') || e.closest('.wide')) continue;
  if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) faults.push('overflows: ' + e.tagName + ' ' + e.textContent.slice(0, 60));
  if (e.parentElement && e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1) faults.push('leaves its parent: ' + e.tagName + ' ' + e.textContent.slice(0, 60));
}
for (const r of performance.getEntriesByType('resource')) faults.push('fetched: ' + r.name);
parent.postMessage('width ' + innerWidth + '\n' + [...new Set(faults)].join('\n') + '\nlooked at ' + document.querySelectorAll('figure svg').length + ' charts, ' + document.querySelectorAll('.card').length + ' cards\n', '*');
JS

# measured PAGE WIDTH: what the script tells of a copy of the page that allows scripts, in a frame, which may be narrower than a window
measured() {
	{
		sed 's/<meta http-equiv="Content-Security-Policy"[^>]*>//; s/<\/body><\/html>//' "$work/$1.html"
		echo '<script>window.addEventListener("load", () => {'
		cat "$work/measure.js"
		echo '});</script></body></html>'
	} >"$work/copy.html"
	cat >"$work/frame.html" <<-HTML
		<!DOCTYPE html><html><body><script>
		addEventListener('message', (m) => { const told = document.createElement('pre'); told.id = 'told'; told.textContent = m.data; document.body.append(told); });
		</script><iframe src="copy.html" style="border: 0; width: $2px; height: 1600px"></iframe></body></html>
	HTML
	browse frame 1400 --virtual-time-budget=10000 --dump-dom
	sed -n '/<pre id="told">/,/<\/pre>/p' "$work/page.out" | sed 's/<[^>]*>//g; /^$/d'
}

cards=$(query crm_report "SELECT 6 + count(*) FROM crm.report_figure f JOIN crm_bi.kpi_code k ON k.code = f.code WHERE f.card IS NOT NULL")
for language in en zh; do
	for width in 1200 390; do
		is "$(measured "$language" "$width")" "width $width
looked at 7 charts, $cards cards" "$language, $width wide: nothing overflows, nothing is fetched"
	done
	browse "$language" 1200 --dump-dom
	is "$(grep -a CONSOLE "$work/page.err" | head -n 5)" "" "$language: the console is silent"
	is "$(grep -c '<section id=' "$work/page.out")" "1" "and the page is there"
done

# what would be wrong is seen
sed 's/<\/header>/<\/header><p style="width:3000px">wide<\/p><img src="http:\/\/127.0.0.1:9\/x.png"\/><svg viewBox="0 0 100 40" width="100" height="40"><text x="80" y="20">outside<\/text><text x="1" y="20">one<\/text><text x="3" y="20">two<\/text><\/svg>/' "$work/en.html" >"$work/bad.html"
is "$(measured bad 1200 | grep -cE '^(the page is wider|fetched: http://127.0.0.1:9/x.png|outside its picture: outside|on each other: one, two)')" 4 "a page that overflows and fetches is found out"
sed 's/<\/header>/<\/header><script>console.error("loud")<\/script>/' "$work/en.html" >"$work/bad.html"
browse bad 1200 --dump-dom
is "$(grep -ac 'CONSOLE.*Content Security Policy' "$work/page.err")" "1" "a script that comes in all the same does not run"
done_testing
