# The sweep: what it reads for 1000 due of ever more held, beside a rule that is computed for each row; then many due at once.
# SWEEP_HELD are the sizes, by default "10000 100000 1000000"; SWEEP_DUE (200000) how many are due at once in the last of them.
sweep_due=${SWEEP_DUE:-200000}
sweep_sql() { sql -d bench_sweep "$@"; }
sweep_buffers() {
	sweep_sql -c "BEGIN" -c "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $1" -c "ROLLBACK" | awk -F '[:,]' '/"Shared Hit Blocks"|"Shared Read Blocks"/ && n++ < 2 {s += $2} END {print s}'
}
sweep_row() {
	read -r t c < <(timed "$work/sweep.sql" -d bench_sweep)
	base=${base:-$t}
	printf '%-44s %9.1f %9s %9.0f %9s\n' "$1" "$t" "$c" "$(awk -v t="$t" -v n="$sweep_due" 'BEGIN {print n / t}')" "$(ratio "$t" "$base")"
}
title '1000 due: pages read'
printf '%-12s %14s %16s %24s\n' held crm.recycle crm.recycle_preview 'rule computed by row'
for n in ${SWEEP_HELD:-10000 100000 1000000}; do
	sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS bench_sweep' -c 'CREATE DATABASE bench_sweep' \
		-c 'ALTER DATABASE bench_sweep SET client_min_messages = warning'
	sweep_sql -c 'CREATE EXTENSION crm' -c 'CALL crm.create_model()' -c 'CREATE SCHEMA bench' \
		-c "CREATE FUNCTION bench.cpu() RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT (s[14]::numeric + s[15]::numeric) / 100 FROM regexp_split_to_array(pg_read_file(''/proc/self/stat''), '' '') AS s'"
	sweep_sql -v n="$n" <<-'SQL'
		SET crm.posting = deferred;
		INSERT INTO crm.organisation (id, code, name) SELECT i, 'U' || i, 'Unit ' || i FROM generate_series(1, 100) i;
		INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 1 + i % 100, 1 + i % 4, '2020-01-01' FROM generate_series(1, 5000) i;
		INSERT INTO crm.setting (name, value) VALUES ('holding_quota', '1000000'), ('recycle_rule', 'at most 365 days; cool off 90 days');
		INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1 + i % 100, 1, '2020-01-01' FROM generate_series(1, :n) i;
		INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
		SELECT i, s.channel_id, s.org_id, s.id, now() - CASE WHEN i % (:n / 1000) = 0 THEN interval '400 days' ELSE i % 300 * interval '1 day' END, 'allocation', 'at most 365 days; cool off 90 days'
		FROM generate_series(1, :n) i JOIN crm.staff s ON s.id = 1 + i % 5000;
	SQL
	sweep_sql -c 'CALL crm.rebuild()' -c 'VACUUM ANALYZE'
	printf '%-12s %14s %19s %24s\n' "$n" "$(sweep_buffers 'SELECT crm.recycle(now())')" "$(sweep_buffers 'SELECT count(*) FROM crm.recycle_preview(now())')" \
		"$(sweep_buffers "SELECT count(*) FROM crm.holding h WHERE h.held_to IS NULL AND crm.recycle_due(h.rule, h.held_from, h.last_contact_at, h.last_purchase_at) <= now()")"
done
title "$sweep_due due of $n held"
sweep_sql -v due="$sweep_due" -v n="$n" <<-'SQL'
	SET crm.posting = deferred;
	UPDATE crm.holding SET held_from = now() - interval '401 days' WHERE customer_id % (:n / :due) = 0;
	DELETE FROM crm.pending;
SQL
sweep_sql -c 'VACUUM ANALYZE crm.holding'
sweep_due=$(sweep_sql -c 'SELECT count(*) FROM crm.holding WHERE held_to IS NULL AND due_at <= now()')
printf '%-44s %9s %9s %9s %9s\n' '' s 'cpu s' 'rows a s' times
base=
echo "UPDATE crm.holding SET held_to = now(), end_cause = 'recycle', ended_by = 'x' WHERE held_to IS NULL AND due_at <= now();" >"$work/sweep.sql"
sweep_row 'UPDATE in plain SQL, posting included'
sweep_sql -c "UPDATE crm.holding SET held_to = NULL, end_cause = NULL, ended_by = NULL WHERE end_cause = 'recycle'" -c 'VACUUM ANALYZE'
echo "SELECT crm.recycle(now());" >"$work/sweep.sql"
sweep_row 'crm.recycle()'
sweep_sql -c 'VACUUM ANALYZE'
echo "SELECT count(*) FROM crm.undo_sweep((SELECT max(id) FROM crm.sweep), 'bench');" >"$work/sweep.sql"
sweep_row 'crm.undo_sweep()'
sweep_sql -c 'VACUUM ANALYZE'
echo "CALL crm.recycle_in_batches(now());" >"$work/sweep.sql"
sweep_row 'crm.recycle_in_batches(), 10000 each'
[ "$(sweep_sql -c 'SELECT ended FROM crm.sweep ORDER BY id DESC LIMIT 1')" = "$sweep_due" ] || { echo 'the sweep did not end all' >&2; exit 1; }
[ -z "$(sweep_sql -c 'SELECT * FROM crm._check_holding()')" ] || { echo 'holdings are not in order' >&2; exit 1; }
sql -d postgres -c 'DROP DATABASE bench_sweep'
rm -f "$work/sweep.sql"
