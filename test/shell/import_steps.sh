#!/bin/bash
# A stepwise import: seen from another session, broken off and gone on with, in two sessions at once.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

db=crm_steps
remake $db crm_model
load() {
	query $db "INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from)
		SELECT 'K' || i, 'person', 'Name ' || i, 'B', 'individual', '2010-01-01' FROM generate_series($1, $2) i" \
		"INSERT INTO crm.import_contact_point (source_key, customer_key, kind, value) SELECT 'P' || i, 'K' || i, 'email', i || '@example.com' FROM generate_series($1, $2) i"
}
run() {
	psql -Xq -v ON_ERROR_STOP=1 -d $db -o /dev/null -c 'SET client_min_messages = warning' -c "CALL crm.import_in_steps('core', ${1:-100})"
}
book() {
	query $db 'SELECT count(*), count(DISTINCT name) FROM crm.customer' 'SELECT count(*), count(DISTINCT value) FROM crm.contact_point' \
		'SELECT count(*), count(finished_at), sum(read), sum(accepted), sum(rejected) FROM crm.import_batch'
}
query $db "INSERT INTO crm.organisation (code, name) VALUES ('B', 'Branch')" \
	"CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE query_canceled; END'" \
	"CREATE TRIGGER stop BEFORE INSERT ON crm.customer FOR EACH ROW WHEN (NEW.name = 'Name 450') EXECUTE FUNCTION stop()"

load 1 1000
isnt "$(run 2>&1)" '' 'it is broken off'
is "$(query $db 'SELECT kind, expected, read, inserted, percent, finished_at FROM crm_bi.import_progress ORDER BY kind_order' 'SELECT task, step, done, total FROM crm.progress')" \
	'customer|1000|400|400|40.0|
contact_point|1000|0|0|0.0|
import 1|customer|400|2000' 'what was committed stays, and another session sees how far it is'
query $db 'DROP TRIGGER stop ON crm.customer'
run 300
is "$(book)" '1000|1000
1000|1000
1|1|2000|2000|0' 'the next call goes on with the batch and ends it'

load 1001 4000
run 50 &
first=$!
run 70
wait $first
is "$(book)" '4000|4000
4000|4000
2|2|8000|8000|0' 'two at once do their parts of one batch'
is "$(sqlstate $db "BEGIN; CALL crm.import_in_steps('core')")" 2D000 'not inside a transaction block'
is "$(sqlstate $db "CALL crm.import_in_steps(' ')")" 22023 'nor for no system'
is "$(sqlstate $db "CALL crm.import_in_steps('core', 0)")" 22023 'nor in steps of nothing'
is "$(sqlstate $db "CALL crm.import_in_steps('core', 5, 99)")" 22023 'nor for a batch that is not there'
is "$(query $db 'SET ROLE crm_bi_owner' 'SELECT count(*) FROM crm_bi.source_key WHERE kind = '"'customer'")" 4000 'the views read what they need'
query postgres "DROP DATABASE $db"
done_testing
