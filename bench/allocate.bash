# Allocation of the pool to 5,000 staff, beside an INSERT ... SELECT of the same rows into the same table with the same triggers, and beside
# PL/pgSQL that gives one customer after the other to the next member of staff; then 50 who claim from one pool.  All with crm.posting = deferred.
staff=5000
title "Allocation to $staff members of staff, in seconds: the least of 3 runs each"
sql <<-SQL
	INSERT INTO crm.setting (name, value) VALUES ('holding_quota', '1000000'), ('keeps_served', 'false') ON CONFLICT DO NOTHING;
	INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
	SELECT 900000000 + i, 'bench ' || i, 'Staff ' || i, o.id, 1 + i % 2, '2020-01-01'
	FROM generate_series(1, $staff) i
	JOIN (SELECT o.id, row_number() OVER (ORDER BY o.id) AS n, count(*) OVER () AS all_of FROM crm.organisation o WHERE NOT o.has_units) o ON o.n = 1 + i % o.all_of
	ON CONFLICT DO NOTHING;
	ALTER DATABASE $db SET crm.posting = deferred;
	DROP ROUTINE IF EXISTS bench.row_by_row;
	CREATE FUNCTION bench.row_by_row(customers bigint[], staff bigint[]) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
	  at integer := 0;
	  who crm.staff;
	BEGIN
	  FOR i IN 1 .. cardinality(customers) LOOP
	    at := at % cardinality(staff) + 1;
	    SELECT * INTO who FROM crm.staff s WHERE s.id = staff[at];
	    PERFORM FROM crm.customer c WHERE c.id = customers[i] FOR NO KEY UPDATE;
	    IF NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = customers[i] AND h.held_to IS NULL)
	       AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = customers[i] AND h.staff_id = who.id AND crm._free_again(h.held_to, h.rule) > now()) THEN
	      INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, start_cause, rule)
	      VALUES (customers[i], who.channel_id, who.org_id, who.id, 'allocation', crm._recycle_rule(who.org_id, who.channel_id, current_date));
	    END IF;
	  END LOOP;
	END
	\$\$;
SQL
# emptied: the table as it was before anything was allocated
emptied() {
	sql -c 'SET client_min_messages = warning' -c 'TRUNCATE crm.holding CASCADE' -c 'VACUUM ANALYZE crm.holding' -c 'VACUUM FULL crm.holding_count' -c 'TRUNCATE crm.pending'
}
least() { sort -g | head -n 1; }
# spent FILE: seconds of a file of statements on an empty table, the least of 3
spent() {
	: >"$work/spent"
	for ((i = 0; i < ${2:-3}; i++)); do
		emptied
		timed "$1" >>"$work/spent"
	done
	cut -d' ' -f1 "$work/spent" | least
}
customers_of="ARRAY(SELECT c.id FROM crm.customer c ORDER BY c.id LIMIT"
staff_of='ARRAY(SELECT s.id FROM crm.staff s WHERE s.id > 900000000 ORDER BY s.id)'
row() { printf '%10s %12s %8s %12s %8s %12s %8s %12s %8s\n' "$@"; }
row customers 'INSERT' '' even ratio 'round robin' ratio 'row by row' ratio
for size in 10000 100000 "$customers"; do
	[ "$size" -le "$customers" ] || continue
	[ "$size" != "${last:-}" ] || continue
	last=$size
	for strategy in even round_robin; do
		echo "SELECT count(*) FROM crm.allocate($customers_of $size), $staff_of, '$strategy');" >"$work/$strategy.sql"
	done
	emptied
	sql -o /dev/null -f "$work/round_robin.sql"
	sql -c 'DROP TABLE IF EXISTS bench.held' -c 'CREATE TABLE bench.held AS TABLE crm.holding'
	columns=$(sql -c "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = 'crm.holding'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> 'id'")
	echo "INSERT INTO crm.holding ($columns) SELECT $columns FROM bench.held ORDER BY customer_id;" >"$work/insert.sql"
	plain=$(spent "$work/insert.sql")
	even=$(spent "$work/even.sql")
	turn=$(spent "$work/round_robin.sql")
	single=
	if [ "$size" -le 10000 ]; then
		echo "SELECT bench.row_by_row($customers_of $size), $staff_of);" >"$work/single.sql"
		single=$(spent "$work/single.sql")
		each=$(awk -v s="$single" -v n="$size" 'BEGIN {print s / n}')
		set_based=$(awk -v s="$turn" -v n="$size" 'BEGIN {print s / n}')
	fi
	row "$size" "$plain" '' "$even" "$(ratio "$even" "$plain")" "$turn" "$(ratio "$turn" "$plain")" "${single:--}" "$(ratio "${single:-}" "$turn")"
done
printf 'at most 1.5 times the INSERT; from 10 thousand to %s customers %s times the time, %s times the customers; a row one by one takes %s times as long\n' \
	"$customers" "$(ratio "$turn" "$(awk -v e="$set_based" 'BEGIN {print e * 10000}')")" "$((customers / 10000))" "$(ratio "$each" "$set_based")"

title '50 who claim from one pool of 20,000 for 20 seconds'
emptied
sql <<-SQL
	DELETE FROM crm.claim_count;
	INSERT INTO crm.holding_quota (staff_id, quota) SELECT s.id, 1000 FROM crm.staff s WHERE s.id BETWEEN 900000001 AND 900000050
	ON CONFLICT (staff_id) DO UPDATE SET quota = excluded.quota;
	CREATE TABLE IF NOT EXISTS bench.claimed (code text, n bigint);
	TRUNCATE bench.claimed;
	CREATE OR REPLACE FUNCTION bench.claim(customer bigint, staff bigint) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
	  PERFORM crm.claim(customer, staff);
	  RETURN 'claimed';
	EXCEPTION
	  WHEN object_in_use THEN RETURN 'held already';
	  WHEN configuration_limit_exceeded THEN RETURN 'quota reached';
	END
	\$\$;
SQL
low=$(sql -c 'SELECT min(id) FROM crm.customer')
cat >"$work/claim.pgbench" <<-SQL
	\set c random($low, $low + 19999)
	SELECT bench.claim(:c, 900000001 + :client_id);
SQL
(cd "$work" && pgbench -n -c 50 -j 2 -T 20 -f "$work/claim.pgbench" "$db" >"$work/claim.out" 2>&1) || { cat "$work/claim.out" >&2; exit 1; }
calls=$(sed -nE 's/^number of transactions actually processed: ([0-9]+).*/\1/p' "$work/claim.out")
failed=$(sed -nE 's/^number of failed transactions: ([0-9]+).*/\1/p' "$work/claim.out")
held=$(sql -c 'SELECT count(*) FROM crm.holding WHERE held_to IS NULL')
per_second=$(sed -nE 's/^tps = ([0-9.]+).*/\1/p' "$work/claim.out")
aborted=$(grep -c 'ERROR' "$work/claim.out" || true)
printf '%s calls, %s a second; %s customers claimed, the others held already or the quota reached; %s failed, %s errors, %s deadlocks\n' "$calls" "$per_second" "$held" "${failed:-0}" "$aborted" \
	"$(sql -c "SELECT deadlocks FROM pg_stat_database WHERE datname = '$db'")"
[ "$aborted" -eq 0 ] || sed -n '/ERROR/p' "$work/claim.out" | sort | uniq -c | head >&2
emptied
sql -c 'DELETE FROM crm.holding_quota WHERE staff_id > 900000000' -c 'DELETE FROM crm.claim_count' -c "ALTER DATABASE $db RESET crm.posting"
