# Splitting premium receipts between channels, beside a plain INSERT ... SELECT of the same lines into the same table, with its keys and triggers,
# and into a bare table without any; a second posting, which finds nothing; and a month settled.
# SETTLEMENT_RECEIPTS are the sizes, by default "10000 100000 1000000", five for each policy.
settlement_sql() { sql -d bench_settlement "$@"; }
declare -A settlement_before
settlement_row() { # NAME STATEMENT ROWS [RUNS [BEFORE]]: the least of 3 runs, each after BEFORE; compared by the time of the processor
	local i
	echo "$2;" >"$work/settlement.sql"
	for ((i = 0; i < ${4:-3}; i++)); do
		[ -z "${5:-}" ] || "$5"
		timed "$work/settlement.sql" -d bench_settlement
	done >"$work/settlement.runs"
	read -r t c < <(sort -g -k 2 "$work/settlement.runs" | head -n 1)
	case $1 in *'the same lines') base=$c ;; *'a bare table') bare=$c ;; esac
	printf '%-10s %-46s %8.2f %8.2f %10.0f %7s %7s %7s\n' "$n" "$1" "$t" "$c" "$(awk -v t="$c" -v n="$3" 'BEGIN {print n / (t > 0 ? t : 0.01)}')" \
		"$(ratio "$c" "$base")" "$(ratio "$c" "$bare")" "$([ -z "${settlement_before[$1]:-}" ] || awk -v c="$c" -v n="$3" -v before="${settlement_before[$1]}" 'BEGIN {printf "%.2f", c / n / before}')"
	settlement_before[$1]=$(awk -v c="$c" -v n="$3" 'BEGIN {print (c > 0 ? c : 0.01) / n}')
}
# the table as it was before anything was posted, its keys included
settlement_emptied() {
	settlement_sql -c 'ALTER TABLE crm.settlement_line DISABLE TRIGGER USER' -c 'TRUNCATE crm.settlement_line' -c 'ALTER TABLE crm.settlement_line ENABLE TRIGGER USER' \
		-c 'DELETE FROM crm.settlement' -c 'DELETE FROM crm.settlement_period' -c 'VACUUM ANALYZE crm.settlement_line' -c CHECKPOINT
}
settlement_kept() {
	settlement_emptied
	settlement_sql -c 'INSERT INTO crm.settlement_period SELECT DISTINCT month FROM bench.settlement' -c 'INSERT INTO crm.settlement OVERRIDING SYSTEM VALUE SELECT * FROM bench.settlement'
}
settlement_bare() { settlement_sql -c 'DROP TABLE IF EXISTS bench.bare'; }
title 'Receipts split between channels'
# times: the plain INSERT into the same table, and into the bare one; growth: of the time for each receipt, from the size before
printf '%-10s %-46s %8s %8s %10s %7s %7s %7s\n' receipts '' s 'cpu s' 'rows a s' times 'bare' growth
for n in ${SETTLEMENT_RECEIPTS:-10000 100000 1000000}; do
	sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS bench_settlement' -c 'CREATE DATABASE bench_settlement' \
		-c 'ALTER DATABASE bench_settlement SET client_min_messages = warning'
	settlement_sql -c 'CREATE EXTENSION crm' -c 'CALL crm.create_model()' -c 'CREATE SCHEMA bench' \
		-c "CREATE FUNCTION bench.cpu() RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT (s[14]::numeric + s[15]::numeric) / 100 FROM regexp_split_to_array(pg_read_file(''/proc/self/stat''), '' '') AS s'"
	settlement_sql -v n="$n" >/dev/null <<-'SQL'
		SET crm.posting = deferred;
		INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
		INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 1, 1 + i % 4, '2020-01-01' FROM generate_series(1, 1000) i;
		INSERT INTO crm.setting (name, value) VALUES ('holding_quota', '1000000');
		INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');
		INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1, :n / 5) i;
		INSERT INTO crm.cycle (name, org_id, from_date, to_date) VALUES ('c', 1, '2025-01-01', '2025-12-31');
		INSERT INTO crm.plan (cycle_id, name, weighing, strategy, level, state) SELECT id, 'p', 'net', 'even', 'staff', 'carried_out' FROM crm.cycle;
		INSERT INTO crm.plan_line (plan_id, line, provider_id, channel_id, customers, expected_contacts, expected_purchases, expected_premium, expected_cost)
		SELECT p.id, h, 1, h, 1, 0, 0, 0, 0 FROM crm.plan p, generate_series(1, 4) h;
		INSERT INTO crm.plan_terms (plan_id, provider_channel_id, user_channel_id, thing, provider_share, user_share)
		SELECT p.id, 1, h, t, h * 0.1, 1 - h * 0.1 FROM crm.plan p, generate_series(2, 4) h, unnest('{premium,assessment,commission,cost}'::text[]) t;
		INSERT INTO crm.plan_terms_acceptance (plan_id, provider_channel_id, user_channel_id, channel_id, accepted_by)
		SELECT p.id, 1, h, c, 'person ' || c FROM crm.plan p, generate_series(2, 4) h, LATERAL unnest(ARRAY[1, h]) c;
		INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule, plan_id)
		SELECT i, s.channel_id, s.org_id, s.id, '2025-01-01', 'allocation', 'at most 3650 days', p.id FROM generate_series(1, :n / 5) i JOIN crm.staff s ON s.id = 1 + i % 1000 CROSS JOIN crm.plan p;
		INSERT INTO crm.plan_customer (plan_id, customer_id, line, why, outcome, holding_id, done_at)
		SELECT h.plan_id, h.customer_id, h.channel_id, 'home', 'allocated', h.id, now() FROM crm.holding h;
		INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) SELECT i, i, 1, s.channel_id, '2025-01-02', 0 FROM generate_series(1, :n / 5) i JOIN crm.staff s ON s.id = 1 + i % 1000;
		INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount) SELECT i, i, 1, '2025-01-02', 1000000 FROM generate_series(1, :n / 5) i;
		INSERT INTO crm.premium_receipt (customer_id, policy_id, number, received_on, amount)
		SELECT i, i, 1, date '2025-01-02' + (i * 7 + k * 73) % 360, (1 + (i * 7919::bigint + k * 104729) % 1000000) / 100.0 FROM generate_series(1, :n / 5) i, generate_series(1, 5) k;
		SELECT crm.attribute_policies();
	SQL
	settlement_sql -c 'VACUUM ANALYZE'
	# what is inserted plainly
	settlement_sql -c 'SELECT crm.post_settlement()' -c 'CREATE TABLE bench.line AS SELECT * FROM crm.settlement_line' -c 'CREATE TABLE bench.settlement AS SELECT * FROM crm.settlement' >/dev/null
	[ "$(settlement_sql -c 'SELECT count(*) FROM bench.line')" = "$n" ] || { echo 'not every receipt was split' >&2; exit 1; }
	[ -z "$(settlement_sql -c 'SELECT * FROM crm._check_settlement()')" ] || { echo 'the settlement is not in order' >&2; exit 1; }
	base=
	bare=
	settlement_row 'INSERT into a bare table' 'CREATE TABLE bench.bare AS SELECT * FROM bench.line' "$n" 3 settlement_bare
	settlement_row 'INSERT of the same lines' "INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by)
		SELECT settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by FROM bench.line" "$n" 3 settlement_kept
	settlement_row 'crm.post_settlement()' 'SELECT crm.post_settlement()' "$n" 3 settlement_emptied
	settlement_sql -c 'VACUUM ANALYZE crm.settlement_line'
	settlement_row 'crm.post_settlement() again, nothing new' 'SELECT crm.post_settlement()' "$n"
	settlement_row 'crm.close_settlement() of the first month' "SELECT crm.close_settlement('2025-01-01')" "$n" 1
done
sql -d postgres -c 'DROP DATABASE bench_settlement'
rm -f "$work/settlement.sql" "$work/settlement.runs"
