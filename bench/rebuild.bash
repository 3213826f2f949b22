# CALL crm.rebuild() beside the oracle, the islands form and DuckDB.
title 'Rebuild: every account of the whole book'
printf '%-52s %10s %9s %9s %9s\n' '' rows s 'cpu s' 'times'
echo 'CALL crm.rebuild();' >"$work/rebuild.sql"
read -r base c < <(runs 3 "$work/rebuild.sql")
line() { printf '%-52s %10s %9.1f %9s %9s\n' "$1" "$2" "$3" "$4" "$(ratio "$3" "$base")"; }
line 'CALL crm.rebuild()' "$(sql -c "SELECT count(*) FROM crm.kpi_cell c JOIN crm.generation g ON g.slot = c.slot AND g.state = 'current'")" "$base" "$c"

{
	echo "SET work_mem = '512MB'; SET hash_mem_multiplier = 2; SET jit = off; SET max_parallel_workers_per_gather = 2;"
	cat "$here/islands.sql"
} >"$work/islands.sql"
sql -c 'DROP SCHEMA IF EXISTS islands CASCADE' -c 'CREATE SCHEMA islands'
read -r t c < <(timed "$work/islands.sql" -v as_of="$as_of")
line 'islands and gaps in SQL' "$(sql -c 'SELECT count(*) FROM islands.kpi')" "$t" "$c"
# the time of parallel workers is not in cpu s
units=$((customers <= 20000 ? 1000000 : 20))
different=$(sql -v units="$units" -c "SET work_mem = '512MB'" -c 'SET jit = off' -f "$here/islands_check.sql")
[ -z "$different" ] && echo "  equal to crm_bi.kpi in every cell of $([ "$units" -gt 20 ] && echo every || echo "the first $units") unit$([ "$units" -gt 20 ] || echo s)" || { echo '  NOT EQUAL to crm_bi.kpi:'; printf '  %s\n' "$different"; }

if [ "${DUCKDB:-}" != no ]; then
	modules=${DUCKDB:-$here}
	if [ ! -d "$modules/node_modules/@duckdb/node-api" ] && [ -z "${DUCKDB:-}" ]; then
		npm install --prefix "$here" --ignore-scripts --no-audit --no-fund --no-save --silent @duckdb/node-api >/dev/null 2>&1 || true
	fi
	if [ -d "$modules/node_modules/@duckdb/node-api" ]; then
		for table in cover customer customer_organisation organisation_tree; do
			columns='*'
			[ "$table" != customer ] || columns='id, kind, org_id, source_channel_id, known_from'
			[ "$table" != cover ] || columns='customer_id, policy_id, seq, role, from_date, to_date, ended_by, issued_on, channel_id, long_term, own_book, amount, annual_premium'
			sql -c "COPY (SELECT $columns FROM crm.$table) TO '$work/$table.csv' (FORMAT csv, HEADER)"
		done
		if out=$(cd "$modules" && DUCKDB_DIR="$modules" timeout 1200 node "$here/duckdb.mjs" "$here/islands.sql" "$work" "$as_of" 2>&1); then
			read -r rows t c <<<"$out"
			line 'the islands form in DuckDB, data loaded before' "$rows" "$t" "$c"
		else
			echo "DuckDB failed: $(tail -n 3 <<<"$out")"
		fi
		rm -f "$work"/*.csv
	else
		echo 'DuckDB left out: @duckdb/node-api is not there.'
	fi
fi
sql -c 'DROP SCHEMA islands CASCADE'
if [ "$oracle" = yes ]; then
	echo "SELECT count(*) FROM oracle.kpi('$as_of', (date '$as_of' - interval '5 years' + interval '1 day')::date);" >"$work/o.sql"
	read -r t c < <(timed "$work/o.sql" -c "SET work_mem = '256MB'")
	line 'the oracle, 60 months of every grain' '' "$t" "$c"
fi
