#!/bin/bash
# The queue of waiting customers is drained in batches, each committed: whoever is allocated is held before the end, and claims go on beside it.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

remake crm_drain crm_model
query crm_drain "SET client_min_messages = warning" "
	INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
	INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 6) i;
	INSERT INTO crm.setting (name, value) VALUES ('holding_quota', '600');
	INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(1, 3000) i;
	DO \$\$BEGIN
		PERFORM crm.await_allocation(ARRAY(SELECT i FROM generate_series(1, 1500) i), ARRAY[1, 2, 3]);
		PERFORM crm.await_allocation(ARRAY(SELECT i FROM generate_series(1501, 2500) i), ARRAY[4], strategy => 'best_fit');
	END\$\$"
held="SELECT staff_id, count(*) FROM crm.holding WHERE held_to IS NULL GROUP BY 1 ORDER BY 1"

# somebody keeps the second wish and three customers of the first from going on
query crm_drain "BEGIN; SELECT FROM crm.customer WHERE id <= 3 FOR NO KEY UPDATE; SELECT FROM crm._lock_counts(ARRAY[4]); SELECT pg_sleep(600)" >/dev/null 2>&1 &
until [ "$(query crm_drain "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'crm_drain'")" = 1 ]; do sleep 0.1; done
query crm_drain "CALL crm.drain_waiting_in_batches(batch => 400)" >"$CRM_TMP/drained" 2>&1 &
drain=$!
until [ "$(query crm_drain "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%drain%'")" = 1 ]; do sleep 0.1; done
is "$(query crm_drain "$held")" $'1|499\n2|499\n3|499' "the first wish is served while the second waits for somebody"
is "$(query crm_drain "SET lock_timeout = '5s'" "SELECT crm.claim(2900, 1) > 0")" t "its staff claim meanwhile"
is "$(sqlstate crm_drain "SET lock_timeout = '100ms'; SELECT * FROM crm.drain_waiting('{5}')")" 55P03 "nobody drains beside it"
query crm_drain "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'crm_drain'" >/dev/null
wait "$drain"
is "$(cat "$CRM_TMP/drained")" 2097 "how many were allocated"
is "$(query crm_drain "$held")" $'1|500\n2|499\n3|499\n4|600' "up to the quota"
is "$(query crm_drain "SELECT last_outcome, count(*), min(tries), max(tries) FROM crm.waiting GROUP BY 1 ORDER BY 1")" $'busy|3|1|1\nleft_over|400|1|1' "who could not be served, or was being changed, keeps waiting"
is "$(query crm_drain "CALL crm.drain_waiting_in_batches()")" 3 "the next call serves who was being changed"
is "$(query crm_drain "SELECT * FROM crm._check_holding()")" "" "all agrees"
query postgres "DROP DATABASE crm_drain"
done_testing
