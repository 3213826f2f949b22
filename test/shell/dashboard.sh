#!/bin/bash
# alone: it installs crm
# The dashboards are built on a small book of their own and looked at in a headless Chromium: every page shows its charts, and every number of its
# values and tables is that of the book.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$CRM_ROOT"
if ! test/deps pictures >"$CRM_TMP/dashboard.deps" 2>&1; then
	tail -n 1 "$CRM_TMP/dashboard.deps"
	echo 'npm or chromium cannot be had'
	exit 77
fi
mkdir -p "$CRM_TMP/dashboard"
chmod 755 "$CRM_TMP/dashboard"
export TMPDIR=$CRM_TMP/dashboard
unset PGHOST PGUSER PGDATABASE
server=$TMPDIR/crm-demo-$(id -u)
trap 'test/private-server stop "$server" >/dev/null 2>&1 || true' EXIT

status=0
out=$(nice bi/evidence/run CUSTOMERS=3000 LOOK="$TMPDIR/look" 2>&1) || status=$?
if [ "$status" -ne 0 ] && grep -q 'npm error.*\(ENOTFOUND\|ECONNREFUSED\|EAI_AGAIN\|ETIMEDOUT\|network\)' <<<"$out"; then
	echo 'no packages of npm can be had'
	exit 77
fi
is "$status" 0 "the pages are built and looked at"
[ "$status" -eq 0 ] || sed 's/^/# /' <<<"$out" | tail -n 20
while IFS=$'\t' read -r name differs; do
	is "$differs" "" "$name"
done < <(test/private-server psql "$server" -d crm_dashboard -f test/shell/dashboard.sql <"$TMPDIR/look/pages.tsv" || printf 'the comparison runs\tit broke off\n')
is "$(find "$TMPDIR/look" -name '*.png' -size +20k | wc -l)" 8 "there is a picture of each page"

# bad input
status=0
out=$(bi/evidence/run PORT=many 2>&1) || status=$?
is "$status $out" '2 PORT must be a number from 0 to 65535, not "many"' "a port that is none is refused"
status=0
bi/evidence/run NOBODY=1 >"$TMPDIR/usage" 2>&1 || status=$?
is "$status" 2 "so is an option that there is not"
is "$(grep -c '^run \[\| run \[' "$TMPDIR/usage")" 1 "with how to call it"
site=$TMPDIR/crm-dashboard-$(id -u)
exec {address}< <(exec node bi/evidence/serve.js "$site/build" 0)
pid=$!
read -r url <&"$address"
for path in '' structure/ nothing %2e%2e/package.json ../package.json '%00' '%'; do
	printf '%s ' "$(node -e "
		require('http').get({ host: '127.0.0.1', port: new URL(process.argv[1]).port, path: '/' + process.argv[2] }, (r) => { console.log(r.statusCode); r.resume(); })" "$url" "$path")"
done >"$TMPDIR/paths"
is "$(cat "$TMPDIR/paths")" '200 200 404 404 404 404 404 ' "the server gives the site and nothing beside it"
status=0
node bi/evidence/serve.js "$site/build" "$(sed -E 's|.*:([0-9]+)/|\1|' <<<"$url")" >"$TMPDIR/taken" 2>&1 || status=$?
is "$status $(grep -c 'is taken' "$TMPDIR/taken")" '1 1' "and says when a port is taken"
kill "$pid"
done_testing
