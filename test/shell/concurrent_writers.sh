#!/bin/bash
# Sessions that change one book at once, at every isolation level, leave exact figures.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=test/shell/writers.bash
. "$(dirname "$0")/writers.bash"

seed=${SEED:-$((RANDOM % 1000))}
echo "# SEED=$seed"
book crm_writers "$seed" 40
settled_book crm_writers "before"
write crm_writers "$seed" 10 >"$CRM_TMP/writers/log" || true
is "$(grep aborted "$CRM_TMP/writers/log")" "" "no session was broken off"
is "$(sed -n 's/^number of failed transactions: \([0-9]*\) .*/\1/p' "$CRM_TMP/writers/log" | head -n 1)" 0 "everything was written in the end"
is "$(query crm_writers "SELECT count(*) FROM pg_prepared_xacts WHERE database = 'crm_writers'")" 0 "nothing is left prepared"
settled_book crm_writers "after"
isnt "$(query crm_writers "SELECT min(version), max(version) FROM crm.customer WHERE id < 1100")" "0|0" "there were changes"

rm -f "$PGHOST/writers_crm_writers.csv"
query postgres "DROP DATABASE crm_writers"
done_testing
