#!/bin/bash
# Background sessions that help a rebuild: the same figures with and without them, and nothing of them is left when something goes wrong.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

remake crm_parts crm_model
fill crm_parts
query crm_parts "CREATE TABLE made (who integer, what bigint)" \
	"CREATE FUNCTION note(args bigint[], part bigint[]) RETURNS void LANGUAGE plpgsql AS \$\$
	 BEGIN
	   IF args[1] = ANY (part) THEN
	     RAISE EXCEPTION 'no % here', args[1] USING ERRCODE = 'CR123', DETAIL = 'It was asked for.';
	   END IF;
	   IF args[2] < 1000 OR (SELECT a.backend_type FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()) = 'crm parts' THEN
	     PERFORM pg_sleep(args[2] / 1000.0);
	   ELSIF current_setting('test.waited', true) IS NULL THEN
	     -- the caller leaves the long sleep to a session
	     WHILE NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.backend_type = 'crm parts' AND a.wait_event = 'PgSleep') LOOP
	       PERFORM pg_sleep(0.02), pg_stat_clear_snapshot();
	     END LOOP;
	     PERFORM set_config('test.waited', 'yes', false);
	   END IF;
	   INSERT INTO public.made SELECT pg_backend_pid(), p FROM unnest(part) p;
	 END \$\$"
left="SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'crm parts'"
parts() { echo "SELECT crm._in_parts('note(bigint[], bigint[])', '$1', ARRAY(SELECT generate_series(1, $2)), $3)"; }

# every item once, in sessions of their own
is "$(query crm_parts "SET max_parallel_maintenance_workers = 3" "$(parts '{0, 200}' 47 5)" "SELECT count(*), count(DISTINCT what), min(what), max(what), count(DISTINCT who) BETWEEN 2 AND 4 FROM made" "TRUNCATE made")" \
	$'3\n47|47|1|47|t' "each item is worked on once, by several sessions"
is "$(query crm_parts "SET max_parallel_maintenance_workers = 0" "$(parts '{0, 0}' 47 5)" "SELECT count(*), count(DISTINCT who) FROM made" "TRUNCATE made")" $'0\n47|1' "or by the caller alone"
is "$(query crm_parts "$(parts '{0, 0}' 5 5)" "SELECT count(*) FROM made" "TRUNCATE made")" $'0\n5' "one part needs no session"
is "$(query crm_parts "$(parts '{0, 0}' 0 5)" "SELECT count(*) FROM made")" $'0\n0' "nothing to do"
is "$(query crm_parts "BEGIN" "SET LOCAL max_parallel_maintenance_workers = 2" "SELECT pg_sleep(0) FROM ($(parts '{0, 100}' 40 1)) x" "ROLLBACK" "SELECT count(*) > 0 AND count(*) < 40 FROM made" "TRUNCATE made")" \
	$'\nt' "what sessions did is committed whatever the caller does"

# errors
is "$(query crm_parts "\\set VERBOSITY verbose" "$(parts '{33, 1}' 60 4)" 2>&1 | grep -cE 'ERROR:  CR123: no 33 here|DETAIL:  It was asked for.')" 2 "an error comes with its code and detail"
is "$(query crm_parts "$left")" 0 "and nobody is left at work"
is "$(PGOPTIONS='-c statement_timeout=500ms' sqlstate crm_parts "$(parts '{0, 100000}' 60 4)")" 57014 "a cancelled caller ends"
is "$(query crm_parts "$left")" 0 "and takes the sessions along"
query crm_parts "$(parts '{0, 200000}' 60 4)" >/dev/null 2>&1 &
until [ "$(query crm_parts "$left")" -gt 0 ]; do sleep 0.1; done
query crm_parts "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.backend_type = 'crm parts'" >/dev/null
wait $! || true
is "$(query crm_parts "$left")" 0 "sessions may be terminated"
query crm_parts "$(parts '{0, 200000}' 60 4)" >/dev/null 2>&1 &
until [ "$(query crm_parts "$left")" -gt 0 ]; do sleep 0.1; done
query crm_parts "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.backend_type = 'client backend' AND a.query LIKE '%200000%' AND a.pid <> pg_backend_pid()" >/dev/null
wait $! || true
until [ "$(query crm_parts "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%200000%' AND pid <> pg_backend_pid()")" = 0 ]; do sleep 0.1; done
is "$(query crm_parts "$left")" 0 "a terminated caller takes them along"
is "$(sqlstate crm_parts "SELECT crm._in_parts('note(bigint[], bigint[])', '{0}', '{1, NULL}', 1)")" 22023 "no nulls"
is "$(sqlstate crm_parts "SELECT crm._in_parts('note(bigint[], bigint[])', '{{0, 1}, {2, 3}}', '{1}', 1)")" 22023 "no tables"
is "$(sqlstate crm_parts "SELECT crm._in_parts('note(bigint[], bigint[])', '{0}', '{1}', 0)")" 22023 "no empty parts"
is "$(sqlstate crm_parts "$(parts '{0, 0}' 1100000 1)")" 54000 "no more parts than can be told"
is "$(sqlstate crm_parts "SELECT crm._in_parts('now()'::regprocedure, '{0}', '{1}', 1)")" 42883 "what cannot be called so"
is "$(sqlstate crm_parts "SELECT crm._in_parts(1::oid::regprocedure, '{0}', '{1}', 1)")" 42883 "what is no function"
is "$(sqlstate crm_parts "SELECT * FROM crm._keep_accounts(NULL, '{}', '{1}', 0::smallint, NULL, '2020-01-01', '2020-01-01', '2020-01-01', 0)")" 22004 "no tree"
keep="SELECT crm._keep_accounts(NULL, '{}', '{0, 1}', 7::smallint, 'SELECT 1::bigint, 1::bigint', '2020-01-01', '2020-01-01', '2020-01-01', 0)"
is "$(sqlstate crm_parts "$keep")" 42P01 "no slot but those there are"
is "$(sqlstate crm_parts "CREATE TABLE crm.kpi_cell_7 (slot smallint); $keep")" 42703 "no table with other columns"
is "$(sqlstate crm_parts "CREATE VIEW crm.kpi_cell_7 AS SELECT 1::smallint AS slot; $keep")" 42809 "no view"

# whoever calls: the sessions have the same rights, and a caller whose login is barred does all alone
query crm_parts "SET client_min_messages = warning" "DROP ROLE IF EXISTS crm_part_caller" "CREATE ROLE crm_part_caller" "GRANT USAGE ON SCHEMA crm TO crm_part_caller" \
	"GRANT EXECUTE ON FUNCTION crm._in_parts(regprocedure, bigint[], bigint[], integer) TO crm_part_caller"
is "$(sqlstate crm_parts "SET ROLE crm_part_caller; $(parts '{0, 0}' 20 2)")" 42501 "the table is closed to the role, in sessions as well"
query crm_parts "GRANT ALL ON made TO crm_part_caller" "TRUNCATE made"
is "$(query crm_parts "SET ROLE crm_part_caller" "$(parts '{0, 200}' 20 2)" "SELECT count(*), count(DISTINCT who) > 1 FROM made" "TRUNCATE made" 2>&1 | tail -n 1)" "20|t" "a role without login has them by its session"
is "$(query crm_parts "SET SESSION AUTHORIZATION crm_part_caller" "SELECT count(*) FROM ($(parts '{0, 5}' 20 2)) x" "SELECT count(*), count(DISTINCT who) FROM made")" $'1\n20|1' "who may not log in works alone"

# rebuilds
figures="SELECT md5(string_agg(k::text, E'\n' ORDER BY k.kpi_key)) FROM crm_bi.kpi k"
standings="SELECT md5(string_agg(format('%s %s %s', s.customer_id, s.timeline, s.facets), E'\n' ORDER BY s.customer_id)) FROM crm.standing s JOIN crm.generation g ON g.slot = s.slot AND g.state = 'current'"
seen() { query crm_parts "SET crm.as_of = '2025-12-31'" "$figures" "$standings" "SELECT p.done FROM crm.progress p ORDER BY p.task DESC LIMIT 1"; }
rebuild() { query crm_parts "SET client_min_messages = warning" "SET max_parallel_maintenance_workers = $1" "CALL crm.rebuild('2025-12-31', batch => $2)"; }
rebuild 0 7
alone=$(seen)
for batch in 7 20 499 500 501 1000000; do
	rebuild 2 $batch
	is "$(seen)" "$alone" "a rebuild with sessions, $batch customers a part, is the same"
done
query crm_parts "UPDATE crm.customer SET known_from = '1955-03-04' WHERE id = (SELECT max(id) FROM crm.customer)"
rebuild 0 100
alone=$(seen)
query crm_parts "UPDATE crm.customer SET known_from = '2020-01-01' WHERE id = (SELECT max(id) FROM crm.customer)"
rebuild 2 100
query crm_parts "SET crm.posting = 'deferred'" "UPDATE crm.customer SET known_from = '1955-03-04' WHERE id = (SELECT max(id) FROM crm.customer)"
rebuild 2 50
is "$(seen)" "$alone" "also where the last customer begins before all others"

# a load, deferred
copy="INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, premium)
	SELECT c.id, 1 + c.id % 3, 1 + c.id % 4, date '2018-01-01' + (c.id % 2900)::integer, 6 + (c.id % 200)::integer, 1000 + c.id FROM crm.customer c, generate_series(1, 3)"
query crm_parts "INSERT INTO crm.setting (name, value) VALUES ('recycle_rule', 'purchase within 400 days')" "INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (9001, 'holder', 'Holder', 1, 1, '2010-01-01')" \
	"INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
	 SELECT c.id, 1, 1, 9001, '2019-01-01', 'claim', 'purchase within 400 days' FROM crm.customer c WHERE c.id % 3 = 0"
due="SELECT count(*), count(last_purchase_at), md5(string_agg(format('%s %s %s', customer_id, last_purchase_at, due_at), E'\n' ORDER BY customer_id)) FROM crm.holding"
before=$(query crm_parts "$due")
query crm_parts "SET crm.posting = 'deferred'" "$copy"
rebuild 2 16
due_by_rebuild=$(query crm_parts "$due")
is "$([ "$before" != "$due_by_rebuild" ] && echo later)" later "who bought is due later"
is "$(query crm_parts "SELECT count(*) FROM crm.pending")" 0 "and nothing is left in the queue"
deferred=$(query crm_parts "SET crm.as_of = '2025-12-31'" "$figures")
is "$(query crm_parts "SELECT * FROM crm.check()")" "" "a deferred load is posted with sessions, and all agrees"
rebuild 0 16
is "$(query crm_parts "SET crm.as_of = '2025-12-31'" "$figures")" "$deferred" "as it is without them"
query crm_parts "ALTER TABLE crm.holding DISABLE TRIGGER USER" "UPDATE crm.holding SET last_purchase_at = NULL" "ALTER TABLE crm.holding ENABLE TRIGGER USER" \
	"SET client_min_messages = warning" "CALL crm.rebuild('2025-12-31', cover => true)" "SELECT count(*) FROM crm.pending"
is "$(query crm_parts "$due")" "$due_by_rebuild" "a rebuild with its cover mends holdings, too"
# a customer whom somebody holds is waited for at the end, alone
query crm_parts "ALTER TABLE crm.holding DISABLE TRIGGER USER" "UPDATE crm.holding SET last_purchase_at = NULL" "ALTER TABLE crm.holding ENABLE TRIGGER USER"
query crm_parts "BEGIN" "SELECT FROM crm.customer WHERE id = (SELECT min(customer_id) FROM crm.holding) FOR UPDATE" "SELECT pg_sleep(120)" >/dev/null 2>&1 &
until [ "$(query crm_parts "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(120)'")" = 1 ]; do sleep 0.1; done
is "$(PGOPTIONS='-c lock_timeout=1s' sqlstate crm_parts "CALL crm.rebuild('2025-12-31', cover => true)")" 55P03 "with a customer held the caller waits no longer than it is told"
is "$(query crm_parts "SELECT state FROM crm.generation" "SELECT string_agg(p.customer_id::text, ' ') = (SELECT min(customer_id)::text FROM crm.holding) FROM crm.pending p" \
	"SELECT count(*) FROM crm.holding WHERE last_purchase_at IS NULL AND customer_id > (SELECT min(customer_id) FROM crm.holding)")" "$(printf 'current\nt\n%s' "$(query crm_parts "SELECT count(*) FROM crm.holding h
	WHERE h.customer_id > (SELECT min(customer_id) FROM crm.holding) AND NOT EXISTS (SELECT FROM crm.cover c WHERE c.customer_id = h.customer_id AND c.role = 'policyholder' AND c.issued_on >= '2019-01-01' AND c.to_date > c.from_date)")")" "the figures are switched, and all other holdings posted"
query crm_parts "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(120)'" >/dev/null
wait $! || true
query crm_parts "SET client_min_messages = warning" "CALL crm.refresh('2025-12-31')"
is "$(query crm_parts "$due" "SELECT count(*) FROM crm.pending")" "$due_by_rebuild
0" "the last one follows"

# work fails: nothing is lost, and the next call goes on, whether sessions help before or after
for ways in '2 2' '0 2' '2 0'; do
	before=${ways% *} after=${ways#* }
	query crm_parts "CREATE FUNCTION bar() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.customer_id = 300 THEN RAISE 'not this one' USING ERRCODE = 'CR300'; END IF; RETURN NEW; END \$\$" \
		"CREATE TRIGGER bar BEFORE INSERT ON crm.standing_0 FOR EACH ROW EXECUTE FUNCTION bar()" "CREATE TRIGGER bar BEFORE INSERT ON crm.standing_1 FOR EACH ROW EXECUTE FUNCTION bar()"
	is "$(PGOPTIONS="-c max_parallel_maintenance_workers=$before" sqlstate crm_parts "CALL crm.rebuild('2025-12-31', batch => 20)")" CR300 "with $before sessions the error ends the rebuild"
	is "$(query crm_parts "$left" "SELECT step, next_id > (SELECT min(id) FROM crm.customer) FROM crm.generation WHERE state = 'building'")" "0
standings|$([ "$before" = 0 ] && echo t || echo f)" "which stands where it was"
	query crm_parts "DROP FUNCTION bar() CASCADE" 2>/dev/null
	is "$(PGOPTIONS="-c max_parallel_maintenance_workers=$after" query crm_parts "CALL crm.rebuild('2025-12-31', batch => 20)" 2>&1 | grep -c 'going on')" 1 "it goes on with $after"
	is "$(query crm_parts "SET crm.as_of = '2025-12-31'" "$figures" "SELECT * FROM crm.check()")" "$deferred" "and ends alike"
done
query postgres "DROP DATABASE crm_parts" "DROP ROLE crm_part_caller"
done_testing
