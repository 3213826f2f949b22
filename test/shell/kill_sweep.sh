#!/bin/bash
# A server killed with -9 in the middle of an allocation and of a sweep in batches: after its recovery nothing is half done,
# and running again finishes it.  On a server of its own, which is durable.  KILL_CUSTOMERS (4000) is how many.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

n=${KILL_CUSTOMERS:-4000}
server=$CRM_TMP/kill
start() {
	test/private-server start "$server" "$@"
}
finish() {
	test/private-server stop "$server" >/dev/null 2>&1 || true
	rm -rf "$server"
}
trap finish EXIT
start "fsync = on" "synchronous_commit = on" "full_page_writes = on" "shared_buffers = '64MB'" "max_wal_size = '256MB'"
export PGHOST=$server

# crash: the server and every process of it, at once
crash() {
	local postmaster children
	postmaster=$(head -n 1 "$server/data/postmaster.pid")
	children=$(pgrep -P "$postmaster" | tr '\n' ' ')
	# shellcheck disable=SC2086  # one word a process
	kill -9 "$postmaster" $children
	wait
	while pgrep -P "$postmaster" >/dev/null || kill -0 "$postmaster" 2>/dev/null; do sleep 0.1; done
	start
}
# waits_for PATTERN: until a statement like this waits for a lock, at most a minute
waits_for() {
	local i
	for ((i = 0; i < 600; i++)); do
		[ "$(query kill "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '$1'")" = 0 ] || return 0
		sleep 0.1
	done
	return 1
}
# stopped_by HOLDER PATTERN STATEMENT: the statement, stopped by the lock that another transaction keeps, and the crash
stopped_by() {
	query kill "BEGIN; $1; SELECT pg_sleep(600)" >/dev/null 2>&1 &
	until [ "$(query kill "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")" = 1 ]; do sleep 0.1; done
	query kill "$3" >/dev/null 2>&1 &
	waits_for "$2" && echo "in the middle"
	crash
}
held="SELECT count(*) FILTER (WHERE held_to IS NULL), count(*) FROM crm.holding"
check="SELECT * FROM crm.check()"

query postgres "CREATE DATABASE kill"
query kill "CREATE EXTENSION crm" "SET client_min_messages = warning" "CALL crm.create_model()"
query kill "
	INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
	INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 20) i;
	INSERT INTO crm.setting (name, value) VALUES ('holding_quota', '1000000');
	INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1, $n) i"
allocate="SELECT count(*) FROM crm.allocate(ARRAY(SELECT i FROM generate_series(1, $n) i), ARRAY(SELECT i FROM generate_series(1, 20) i)) WHERE outcome = 'allocated'"

is "$(stopped_by "INSERT INTO crm.holding (customer_id, channel_id, start_cause, rule) VALUES ($n - 10, 1, 'claim', 'never')" '%crm.allocate%' "$allocate")" "in the middle" \
	"an allocation of $n customers is killed with the server"
is "$(query kill "$held")" "0|0" "none of it is there"
is "$(query kill "$check")" "" "all is in order"
is "$(query kill "$allocate")" "$n" "running again finishes it"
is "$(query kill "$check")" "" "all is in order"

as_of="2150-01-01 00:00+00"
batch=$((n / 10))
sweep="CALL crm.recycle_in_batches('$as_of', $batch, early => true)"
is "$(stopped_by "SELECT FROM crm.holding WHERE customer_id = $batch * 6 + $batch / 2 FOR UPDATE" '%recycle_in_batches%' "$sweep")" "in the middle" \
	"a sweep in batches is killed with the server"
is "$(query kill "$held")" "$((n - batch * 6))|$n" "the batches committed are there, the one it was at is not"
is "$(query kill "SELECT ended, finished_at IS NULL FROM crm.sweep" "SELECT done, total, finished_at IS NULL FROM crm.progress WHERE task LIKE 'sweep%'")" \
	"$((batch * 6))|t"$'\n'"$((batch * 6))|$n|t" "the sweep and its progress tell so"
is "$(query kill "$check")" "" "all is in order"
is "$(query kill "SET client_min_messages = warning" "$sweep")" "1|$((n - batch * 6))" "running again goes on with the same sweep"
is "$(query kill "$held" "SELECT ended, finished_at IS NOT NULL FROM crm.sweep")" "0|$n"$'\n'"$n|t" "and finishes it"
is "$(query kill "$check")" "" "all is in order"
is "$(stopped_by "SELECT FROM crm.holding WHERE customer_id = $n / 2 FOR UPDATE" '%undo_sweep%' "SELECT crm.undo_sweep(1, 'mistake')")" "in the middle" \
	"the undo of the whole sweep is killed with the server"
is "$(query kill "$held" "SELECT reopened, undone_at IS NULL FROM crm.sweep")" "0|$n"$'\n'"0|t" "none of it is there"
is "$(query kill "SELECT DISTINCT outcome FROM crm.undo_sweep(1, 'mistake')" "$held")" "reopened"$'\n'"$n|$n" "running again finishes it"
is "$(query kill "$check")" "" "all is in order"
done_testing
