#!/bin/bash
# Eight sessions claim, release, contact, transfer, allocate and sweep at once: no quota is exceeded,
# nobody is lost or held twice, and no error comes but those documented.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

db=holding_race
remake $db crm_model
query $db "
	INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
	INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
		SELECT i, 's' || i, 'Staff ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 6) i;
	INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
		SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 300) i;
	INSERT INTO crm.holding_quota (staff_id, quota) SELECT i, 3 * i FROM generate_series(1, 4) i;
	INSERT INTO crm.setting (name, value) VALUES ('holding_quota', '15'), ('recycle_rule', 'contact every 30 days');
	CREATE TABLE outcome (call text, code text);
	CREATE TABLE exceeded (staff_id bigint, held bigint, quota bigint);
	-- a call, its code kept; then what the session sees of the quotas
	CREATE PROCEDURE try(call text) LANGUAGE plpgsql AS \$\$
	DECLARE
		code text := '00000';
	BEGIN
		BEGIN
			EXECUTE call;
		EXCEPTION WHEN OTHERS THEN
			code := SQLSTATE;
		END;
		INSERT INTO outcome VALUES (substring(call FROM 'crm\.(\w+)'), code);
		COMMIT;
		INSERT INTO exceeded
		SELECT h.staff_id, count(*), coalesce(q.quota, 15) FROM crm.holding h LEFT JOIN crm.holding_quota q ON q.staff_id = h.staff_id
		WHERE h.held_to IS NULL AND h.staff_id IS NOT NULL GROUP BY h.staff_id, q.quota HAVING count(*) > coalesce(q.quota, 15);
	END
	\$\$"

cat >"$CRM_TMP/claim.pgbench" <<'EOF2'
\set customer random(1, 80)
\set staff random(1, 6)
CALL try('SELECT crm.claim(:customer, :staff)');
EOF2
cat >"$CRM_TMP/mixed.pgbench" <<'EOF2'
\set what random(1, 100)
\set customer random(1, 300)
\set other random(1, 300)
\set staff random(1, 6)
\if :what <= 40
CALL try('SELECT crm.claim(:customer, :staff)');
\elif :what <= 60
CALL try('SELECT crm.release(:customer)');
\elif :what <= 70
CALL try('SELECT crm.transfer(:customer, :staff, waive_cool_off => true)');
\elif :what <= 80
CALL try('SELECT crm.record_contact(:customer, :staff, ''sales'', ''reached'')');
\elif :what <= 88
CALL try('SELECT count(*) FROM crm.allocate(ARRAY(SELECT generate_series(least(:customer, :other), greatest(:customer, :other))), ARRAY[6, 2, 5], ''least_loaded'')');
\elif :what <= 94
CALL try('SELECT count(*) FROM crm.entrust(ARRAY[:customer, :other], 1)');
\else
CALL try('SELECT crm.recycle(clock_timestamp() + interval ''30 days'' - interval ''300 milliseconds'', early => true)');
\endif
EOF2

race() {
	pgbench -n -c 8 -j 2 -t "$2" -f "$CRM_TMP/$1.pgbench" $db >"$CRM_TMP/pgbench.out" 2>&1 || cat "$CRM_TMP/pgbench.out" >&2
	sed -nE 's/^number of failed transactions: ([0-9]+).*/\1/p' "$CRM_TMP/pgbench.out"
}

is "$(race claim 200)" 0 "claims by eight sessions run"
is "$(query $db "SELECT DISTINCT code FROM outcome ORDER BY 1")" "$(printf '00000\n53400\n55006')" "each succeeds, or the customer is held or the quota reached"
is "$(query $db "SELECT count(*) FROM outcome WHERE code = '00000'")" "$(query $db "SELECT count(*) FROM crm.holding")" "every success is a holding"
is "$(query $db "SELECT count(*) FROM crm.holding")" 60 "and every quota is filled"
is "$(query $db "SELECT * FROM exceeded")" "" "no quota was exceeded at any time"
is "$(query $db "SELECT * FROM crm._check_holding()")" "" "the invariants hold"

query $db "TRUNCATE outcome"
is "$(race mixed 400)" 0 "claims, releases, transfers, contacts, allocations and sweeps run"
is "$(query $db "SELECT call, code, count(*) FROM outcome WHERE code NOT IN ('00000', '55006', '53400', '55000', '23514') GROUP BY 1, 2")" "" "with no error but the documented"
is "$(query $db "SELECT * FROM exceeded")" "" "no quota was exceeded at any time"
is "$(query $db "SELECT * FROM crm._check_holding()")" "" "the invariants hold"
is "$(query $db "SELECT count(*) FROM outcome WHERE call = 'recycle' AND code = '00000'" | grep -c '^0$')" 0 "sweeps took part"

query $db "INSERT INTO crm.setting (name, value, valid_from) VALUES ('recycle_rule', 'at most 5 days', '2020-01-01')"
is "$(query $db "SELECT DISTINCT check_name FROM crm._check_holding()")" holding_rule "a new rule is pending"
is "$(sqlstate $db "CALL crm.refresh_due(crm.today(), 7)")" 00000 "it is taken over in batches"
is "$(query $db "SELECT * FROM crm._check_holding()" "SELECT DISTINCT due_at - held_from FROM crm.holding WHERE held_to IS NULL")" "5 days" "by every open holding"
query postgres "DROP DATABASE $db"
done_testing
