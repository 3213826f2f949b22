#!/bin/bash
# Figures of real books, and of a generated one, equal the oracle's in every cell.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

remake crm_real_model crm_model
psql -Xq -v ON_ERROR_STOP=1 -d crm_real_model -f test/oracle/oracle.sql -f test/oracle/compare.sql

# compare NAME DAY: the book in crm_real, rebuilt as of a day
compare() {
	query crm_real "SET client_min_messages = warning" "VACUUM ANALYZE" "CALL crm.rebuild('$2')"
	is "$(query crm_real "SELECT * FROM oracle.compare('$2') LIMIT 20" "SELECT b.* FROM oracle.unbalanced() b LIMIT 20")" "" "$1 as of $2"
}

remake crm_real crm_real_model
query crm_real "SET client_min_messages = warning" "CALL crm.generate(customers => 2000, seed => 7, as_of => '2025-08-17', years => 3)"
compare "generated book" 2025-08-17

while read -r name day; do
	if [ ! -d "${CRM_DATA:-}/$name" ]; then
		skip "$name as of $day" "there is no folder $name with data"
		continue
	fi
	remake crm_real crm_real_model
	PGOPTIONS='-c crm.posting=deferred' psql -Xq -v ON_ERROR_STOP=1 -d crm_real --set data="$CRM_DATA" -f "test/oracle/load_$name.sql" >/dev/null
	is "$(query crm_real "SELECT count(*) > 10000 FROM crm.policy")" t "$name is loaded"
	compare "$name" "$day"
done <<-SETS
	cdnow 1998-06-30
	life_eu_unit_linked 2007-12-31
	life_us_whole_life 2008-11-15
SETS

query postgres "DROP DATABASE crm_real" "DROP DATABASE crm_real_model"
done_testing
