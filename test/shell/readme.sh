#!/bin/bash
# The SQL of the README runs, block after block in one session on an empty database; a block marked "fails" must fail.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
readme=$(dirname "$0")/../../README.md
trap 'query postgres "SET client_min_messages = warning" "DROP DATABASE IF EXISTS crm_readme WITH (FORCE)" \
	"DROP ROLE IF EXISTS crm_analyst" "DROP ROLE IF EXISTS crm_app" "DROP ROLE IF EXISTS crm_desk" "DROP ROLE IF EXISTS crm_night"' EXIT

remake crm_readme
blocks=$(grep -c '^```sql' "$readme")
output=$(awk '
	/^```sql/ {
		line = NR
		fails = / fails$/
		if (fails)
			print "\\set ON_ERROR_STOP off"
		inside = 1
		next
	}
	/^```$/ && inside {
		inside = 0
		if (fails)
			print "\\if :ERROR\n\\set ON_ERROR_STOP on\n\\else\n\\echo @not failed\n\\quit\n\\endif"
		print "\\echo @done", line
		next
	}
	inside' "$readme" | psql -Xq -v ON_ERROR_STOP=1 -d crm_readme 2>&1 | grep -E '^@|^ERROR|^psql' || true)
done_blocks=$(grep -c '^@done' <<<"$output" || true)
is "$([ "$blocks" -gt 20 ] && echo many)" many "the README has its blocks"
if [ "$done_blocks" != "$blocks" ]; then
	tail -n 3 <<<"$output" | sed 's/^/# /'
fi
is "$done_blocks" "$blocks" "every block of the README runs"
done_testing
