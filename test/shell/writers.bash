# Sourced by tests that change a book from several sessions at once.
# shellcheck shell=bash disable=SC2154

AS_OF=2024-05-17

# workshop DB: an empty book with the oracle beside it, and what the writers call
workshop() {
	remake "$1" crm_model
	psql -Xq -v ON_ERROR_STOP=1 -d "$1" -f test/oracle/oracle.sql -f test/oracle/random_book.sql -f test/oracle/random_service.sql -f test/oracle/compare.sql
	psql -Xq -v ON_ERROR_STOP=1 -d "$1" <<-'SQL'
		CREATE SCHEMA writers;
		CREATE FUNCTION writers.day() RETURNS date LANGUAGE sql AS $$ SELECT date '2019-06-01' + (random() * 2100)::integer $$;
		CREATE FUNCTION writers.customer() RETURNS bigint LANGUAGE sql AS $$
		  SELECT c.id FROM crm.customer c OFFSET (random() * (SELECT count(*) - 1 FROM crm.customer))::integer LIMIT 1 $$;
		CREATE FUNCTION writers.policy() RETURNS crm.policy LANGUAGE sql AS $$
		  SELECT p FROM crm.policy p OFFSET (random() * (SELECT count(*) - 1 FROM crm.policy))::integer LIMIT 1 $$;
		CREATE FUNCTION writers.unit() RETURNS bigint LANGUAGE sql AS $$ SELECT 101 + (random() * 13)::bigint $$;

		-- one random change of the book; what breaks a rule is rolled back
		CREATE FUNCTION writers.change(seed bigint) RETURNS void LANGUAGE plpgsql AS $$
		DECLARE
		  p crm.policy;
		  c bigint;
		  what text;
		BEGIN
		  PERFORM setseed(seed / 1000000000.0);
		  p := writers.policy();
		  CASE (random() * 20)::integer
		    WHEN 0, 1, 2 THEN
		      INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, premium)
		      SELECT writers.customer(), 1 + (random() * 2)::bigint, 1 + (random() * 3)::bigint, writers.day(), 6 + (random() * 20)::integer, (random() * 9)::integer * 100000
		      FROM generate_series(1, 1 + (random() * 2)::integer);
		    WHEN 3, 4, 5 THEN
		      what := (ARRAY['lapse', 'lapse', 'reinstatement', 'end'])[1 + (random() * 3)::integer];
		      INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason)
		      VALUES (p.customer_id, p.id, what, writers.day(), CASE WHEN what = 'end' THEN 'surrender' END);
		    WHEN 6 THEN
		      DELETE FROM crm.policy_event e WHERE (e.customer_id, e.policy_id) = (p.customer_id, p.id);
		    WHEN 7 THEN
		      UPDATE crm.policy_event e SET on_date = writers.day() WHERE e.policy_id BETWEEN p.id - 2 AND p.id;
		    WHEN 8 THEN
		      INSERT INTO crm.policy_insured VALUES (p.customer_id, p.id, writers.customer());
		    WHEN 9 THEN
		      DELETE FROM crm.policy_insured n WHERE n.policy_id BETWEEN p.id - 3 AND p.id;
		    WHEN 10 THEN
		      UPDATE crm.policy SET customer_id = writers.customer() WHERE (customer_id, id) = (p.customer_id, p.id);
		    WHEN 11 THEN
		      UPDATE crm.policy SET premium = (random() * 9)::integer * 100000, channel_id = 1 + (random() * 3)::bigint, issued_on = issued_on - 40
		      WHERE id BETWEEN p.id - 1 AND p.id;
		    WHEN 12 THEN
		      DELETE FROM crm.policy WHERE (customer_id, id) = (p.customer_id, p.id);
		    WHEN 13 THEN
		      INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from) VALUES ('person', 'new', writers.unit(), 1, writers.day());
		    WHEN 14 THEN
		      UPDATE crm.customer SET org_id = writers.unit(), kind = CASE kind WHEN 'person' THEN 'company' ELSE 'person' END, known_from = writers.day()
		      WHERE id = (SELECT writers.customer());
		    WHEN 15 THEN
		      -- those below 1040 are named in the file that COPY reads
		      c := writers.customer();
		      IF c >= 1040 THEN
		        DELETE FROM crm.product_holding h WHERE h.customer_id = c;
		        DELETE FROM crm.holding h WHERE h.customer_id = c;
		        DELETE FROM crm.customer x WHERE x.id = c;
		      END IF;
		    WHEN 16 THEN
		      INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (writers.customer(), writers.day(), writers.unit());
		    WHEN 17 THEN
		      c := writers.customer();
		      UPDATE crm.contact_point n SET wrong = NOT n.wrong WHERE n.customer_id = c;
		      INSERT INTO crm.contact_point (customer_id, kind, value, valid_from) VALUES (c, 'address', 'Street ' || seed, writers.day());
		    WHEN 18 THEN
		      c := writers.customer();
		      UPDATE crm.product_holding h SET closed_on = greatest(h.opened_on, writers.day()) WHERE h.customer_id = c;
		      INSERT INTO crm.product_holding (customer_id, category_id, opened_on) VALUES (c, (SELECT min(k.id) FROM crm.product_category k), writers.day());
		    WHEN 19 THEN
		      UPDATE crm.policy SET servicer_id = 1 + (random() * 11)::bigint WHERE id BETWEEN p.id - 2 AND p.id;
		      DELETE FROM crm.holding h WHERE h.customer_id = p.customer_id AND random() < 0.3;
		    ELSE
		      IF random() < 0.05 THEN
		        UPDATE crm.organisation SET parent_id = 107 + (random() * 3)::bigint WHERE id = 112;
		        UPDATE crm.product SET guaranteed_renewable = NOT guaranteed_renewable WHERE id = 1;
		      ELSE
		        DELETE FROM crm.customer_organisation m WHERE m.customer_id BETWEEN p.customer_id - 9 AND p.customer_id;
		      END IF;
		  END CASE;
		EXCEPTION WHEN integrity_constraint_violation OR active_sql_transaction THEN
		  NULL;
		END
		$$;
	SQL
}

# book DB SEED CUSTOMERS: a workshop with a random book, rebuilt as of AS_OF, and the transactions of the writers
book() {
	workshop "$1"
	query "$1" "CALL oracle.random_book($2, $3, '2020-01-01', '2024-06-30')" "CALL oracle.random_service($2, '2020-01-01', '2024-06-30')" "ANALYZE" "SET client_min_messages = warning" "CALL crm.rebuild('$AS_OF')"
	query "$1" "COPY (SELECT c.id, 1, 1 + c.id % 4, date '2019-06-01' + (c.id % 1800)::integer, 250000 FROM crm.customer c WHERE c.id < 1040 ORDER BY c.id DESC)
		TO '$PGHOST/writers_$1.csv'"
	mkdir -p "$CRM_TMP/writers"
	local change='\set r random(0, 999999999)'$'\n''SELECT writers.change(:r);'
	for level in 'READ COMMITTED' 'REPEATABLE READ' SERIALIZABLE; do
		printf 'BEGIN ISOLATION LEVEL %s;\n%s\n%s\nCOMMIT;\n' "$level" "$change" "$change" >"$CRM_TMP/writers/${level// /_}.sql"
	done
	printf 'BEGIN;\n%s\nSAVEPOINT s;\n%s\nSELECT crm.post();\nROLLBACK TO s;\n%s\nCOMMIT;\n' "$change" "$change" "$change" >"$CRM_TMP/writers/savepoint.sql"
	printf 'BEGIN;\n%s\nSELECT crm.post();\n%s\nCOMMIT;\n' "$change" "$change" >"$CRM_TMP/writers/post.sql"
	printf "BEGIN;\n%s\nPREPARE TRANSACTION 'w:client_id';\nCOMMIT PREPARED 'w:client_id';\n" "$change" >"$CRM_TMP/writers/prepared.sql"
	printf "BEGIN;\n%s\nPREPARE TRANSACTION 'w:client_id';\nROLLBACK PREPARED 'w:client_id';\n" "$change" >"$CRM_TMP/writers/unprepared.sql"
	printf 'BEGIN;\nSET LOCAL crm.posting = deferred;\n%s\n%s\nCOMMIT;\n' "$change" "$change" >"$CRM_TMP/writers/deferred.sql"
	echo "COPY crm.policy (customer_id, product_id, channel_id, issued_on, premium) FROM '$PGHOST/writers_$1.csv';" >"$CRM_TMP/writers/copy.sql"
}

# write DB SEED SECONDS: the book is changed by six sessions at once
write() {
	local scripts=(-f "$CRM_TMP/writers/READ_COMMITTED.sql@6" -f "$CRM_TMP/writers/REPEATABLE_READ.sql@4" -f "$CRM_TMP/writers/SERIALIZABLE.sql@3")
	for script in savepoint post prepared unprepared deferred; do
		scripts+=(-f "$CRM_TMP/writers/$script.sql@2")
	done
	pgbench -n -c 6 -j 2 -T "$3" --random-seed="$2" --max-tries=200 --failures-detailed -f "$CRM_TMP/writers/copy.sql@1" "${scripts[@]}" "$1" 2>&1
}

# settled_book DB NAME: figures, standings and cover are what they should be
settled_book() {
	query "$1" "SET client_min_messages = warning" "CALL crm.refresh('$AS_OF')"
	is "$(query "$1" "SELECT count(*) FROM crm.pending")" 0 "$2: nothing is queued"
	same_book "$1" "$2"
	is "$(query "$1" "SELECT * FROM oracle.compare('$AS_OF') LIMIT 20" "SELECT b.* FROM oracle.unbalanced() b LIMIT 20")" "" "$2: every figure equals the oracle's"
}

# same_book DB NAME: standings and cover are the same when made anew
same_book() {
	is "$(query "$1" "
		(TABLE crm.cover EXCEPT TABLE crm._cover_source) UNION ALL (TABLE crm._cover_source EXCEPT TABLE crm.cover) LIMIT 20")" "" "$2: cover follows the policies"
	is "$(query "$1" "
		WITH g AS (SELECT g.id, g.slot FROM crm.generation g WHERE g.state = 'current'),
		have AS (SELECT s.customer_id, s.first_day, s.timeline::text, s.facets::text FROM crm.standing s, g WHERE s.slot = g.slot),
		want AS (SELECT s.customer_id, s.first_day, s.timeline::text, s.facets::text FROM g, crm._standings(g.id, 0, 9223372036854775807) s)
		(TABLE have EXCEPT TABLE want) UNION ALL (TABLE want EXCEPT TABLE have) LIMIT 20")" "" "$2: standings are what they are when made anew"
}
