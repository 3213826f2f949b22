#!/bin/bash
# A refresh does not wait for a prepared transaction that has posted; customers are shown right all the while.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

differ="SELECT count(*) FROM (SELECT customer_id, coverage, channels, service, reach, activity, tier, touchpoints FROM crm_bi.customer
	EXCEPT SELECT customer_id, coverage, channels, service, reach, activity, tier, touchpoints FROM crm.classify(crm.today())) x"
stand="SELECT day, fresh FROM crm_bi.freshness WHERE item = 'customers stand on'"
at() {
	query crm_prepared "SET crm.as_of = '$1'" "${@:2}"
}

remake crm_prepared crm_model
query crm_prepared "SET client_min_messages = warning" "CALL crm.generate(customers => 500, seed => 3)" "CALL crm.rebuild('2025-12-01')"
is "$(at 2025-12-01 "$stand")" "2025-12-01|t" "a rebuild stands on its day"
query crm_prepared "SET crm.as_of = '2025-12-01'" "BEGIN; UPDATE crm.contact_point SET wrong = true WHERE customer_id < 50; PREPARE TRANSACTION 'crm_refresh'"
at 2025-12-15 "SET statement_timeout = '60s'" "CALL crm.refresh()"
is "$(at 2025-12-15 "$stand")" "2025-12-15|f" "a refresh beside a prepared transaction comes to an end, and tells that it is not through"
is "$(at 2025-12-15 "$differ")" 0 "customers are right meanwhile"
is "$(sqlstate crm_prepared "SET statement_timeout = '20s'; UPDATE crm.contact_point SET wrong = NOT wrong WHERE customer_id BETWEEN 60 AND 90")" 00000 "writers go on"
is "$(at 2025-12-15 "$differ")" 0 "customers are right after them"
query crm_prepared "COMMIT PREPARED 'crm_refresh'"
is "$(at 2025-12-15 "$differ")" 0 "and after what was prepared"
at 2025-12-15 "CALL crm.refresh()"
is "$(at 2025-12-15 "$stand")" "2025-12-15|t" "the next refresh ends it"
is "$(at 2025-12-15 "$differ")" 0 "customers are right"
is "$(query crm_prepared "SELECT * FROM crm.check()")" "" "all agrees"
query postgres "DROP DATABASE crm_prepared"
done_testing
