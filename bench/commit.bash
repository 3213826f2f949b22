# 1,000 commits of one policy each, with posting and without.
title 'Commit of one policy: median of 1,000, in milliseconds'
policy_script >"$work/policy.pgbench"
# latency: milliseconds of the median
latency() {
	rm -f "$work"/latency.*
	(cd "$work" && pgbench -n -c 1 -t 1000 -l --log-prefix="$work/latency" -f "$work/policy.pgbench" -D customers="$customers" "$db" >/dev/null 2>&1)
	cat "$work"/latency.* | awk '{print $3 / 1000}' | median
}
trigger() { sql -c "ALTER TABLE crm.policy $1 TRIGGER touch_insert"; }
: >"$work/posted"
: >"$work/plain"
# not a server that has just started: pages in memory, as far as they fit, and the system's caches warm
sql -c 'CREATE EXTENSION IF NOT EXISTS pg_prewarm' \
	-c "SELECT count(pg_prewarm(c.oid)) FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'i')" >/dev/null
pgbench -n -c 1 -t 3000 -f "$work/policy.pgbench" -D customers="$customers" "$db" >/dev/null 2>&1
for round in 1 2 3; do
	latency >>"$work/posted"
	trigger DISABLE
	latency >>"$work/plain"
	trigger ENABLE
done
posted=$(median <"$work/posted")
plain=$(median <"$work/plain")
printf 'with posting %.3f, without %.3f, posting adds %.3f (at most 1)   [medians of 3 rounds: %s | %s]\n' "$posted" "$plain" \
	"$(awk -v a="$posted" -v b="$plain" 'BEGIN {print a - b}')" "$(paste -sd' ' "$work/posted")" "$(paste -sd' ' "$work/plain")"
# what was written without posting is no part of the book
sql -c 'ALTER TABLE crm.policy DISABLE TRIGGER touch_insert' \
	-c 'DELETE FROM crm.policy p WHERE p.premium = 1234.56 AND NOT EXISTS (SELECT FROM crm.cover c WHERE c.policy_id = p.id)' \
	-c 'ALTER TABLE crm.policy ENABLE TRIGGER touch_insert'
