# One node and its children, all codes, 60 months, by channel.
title 'Dashboard: a node and its children, every code, 60 months, by channel and kind'
printf '%-46s %9s %9s %9s %9s\n' '' rows ms 'cpu ms' 'times'
list=$(sql -c "SELECT string_agg(o.id::text, ',') FROM crm.organisation o WHERE o.id = 1 OR o.parent_id = 1")
read_kpi() {
	local what
	case $1 in
	list) what="FROM crm_bi.kpi k WHERE k.org_id IN ($list)" ;;
	join) what="FROM crm_bi.kpi k JOIN crm_bi.organisation o USING (org_id) WHERE (o.org_id = 1 OR o.parent_id = 1)" ;;
	esac
	echo "SELECT k.code, k.class, k.org_id, k.period_start, k.channel, k.kind, k.numerator, k.denominator, k.value
		$what AND k.grain = 'month' AND k.period_start BETWEEN date '$as_of' - interval '1 year' * 5 + interval '1 day' AND '$as_of'"
}
# dashboard NAME FORM RUNS [psql argument ...]
dashboard() {
	local name=$1 form=$2 n=$3 t c rows
	shift 3
	read_kpi "$form" >"$work/q"
	rows=$(sql -c "SELECT count(*) FROM ($(cat "$work/q")) AS q")
	echo "COPY ($(tr '\n' ' ' <"$work/q")) TO '/dev/null';" >"$work/dashboard.sql"
	read -r t c < <(runs "$n" "$work/dashboard.sql" "$@")
	ms=$(awk -v t="$t" 'BEGIN {print t * 1000}')
	printf '%-46s %9d %9.0f %9.0f %9s\n' "$name" "$rows" "$ms" "$(awk -v c="$c" 'BEGIN {print c * 1000}')" "$(ratio "$ms" "${base:-$ms}")"
}
base=
dashboard 'crm_bi.kpi, units listed, jit off' list 7 -c 'SET jit = off'
base=$ms
dashboard 'crm_bi.kpi, units listed, jit on' list 7 -c 'SET jit = on'
dashboard 'crm_bi.kpi, units by a join, jit off' join 3 -c 'SET jit = off'
if [ "$oracle" = yes ]; then
	echo "SELECT count(*) FROM oracle_month.kpi('$as_of', (date '$as_of' - interval '5 years' + interval '1 day')::date);" >"$work/o.sql"
	read -r t c < <(timed "$work/o.sql" -c "SET work_mem = '256MB'")
	printf '%-46s %9s %9.0f %9.0f %9s\n' 'the oracle, months alone, every unit' '' "$(awk -v t="$t" 'BEGIN {print t * 1000}')" "$(awk -v t="$c" 'BEGIN {print t * 1000}')" \
		"$(ratio "$(awk -v t="$t" 'BEGIN {print t * 1000}')" "$base")"
fi
printf 'One figure (insured, month, a node of %s units): ' "$(sql -c "SELECT count(*) FROM crm.organisation_tree WHERE ancestor_id = 20")"
sql -c "EXPLAIN (ANALYZE, BUFFERS, TIMING off, COSTS off) SELECT * FROM crm_bi.kpi WHERE grain = 'month' AND org_id = 20 AND period_start = '2024-01-01' AND code = 'insured'" |
	awk '/Buffers:/ && !b {sub(/^ */, ""); b = $0} /^Execution Time/ {print b "; " $0}'

# entries by real commits, a policy each
# the policies of past days, which touch more periods
entries() { sql -c "SELECT coalesce(sum(e.n), 0) FROM crm.kpi_entry e JOIN crm.generation g ON g.slot = e.slot AND g.state = 'current' WHERE e.day <= '$as_of'"; }
policy_script "date '$as_of' - :h * 150" >"$work/policy.pgbench"
before=$(entries)
while [ "$(entries)" -lt 100000 ]; do
	pgbench -n -c 2 -t 500 -f "$work/policy.pgbench" -D customers="$customers" "$db" >/dev/null 2>&1
done
sql -c 'ANALYZE crm.kpi_entry'
dashboard "$(entries) entries not folded, jit off" list 5 -c 'SET jit = off'
unfolded=$ms
echo "CALL crm.refresh(('$as_of'::date + 1));" >"$work/refresh.sql"
read -r t c < <(timed "$work/refresh.sql")
dashboard "after CALL crm.refresh() ($t s), jit off" list 5 -c 'SET jit = off'
echo "Not folded to folded: $(ratio "$unfolded" "$ms") times (at most 2)."
