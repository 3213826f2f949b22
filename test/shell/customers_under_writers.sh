#!/bin/bash
# Customers by all dimensions while what they are made of changes in many ways at once: crm_bi.customer is what the histories say at every moment, on every day.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
seed=${SEED:-$((RANDOM % 1000))}
echo "# SEED=$seed"

trap 'query postgres "DROP DATABASE IF EXISTS crm_customers WITH (FORCE)"' EXIT

# book BASIS: a generated book whose tiers go by BASIS, and a function that changes it at random
book() {
	remake crm_customers crm_model
	psql -Xq -v ON_ERROR_STOP=1 -d crm_customers -v seed="$seed" -v basis="$1" 2>/dev/null <<-'SQL'
		CALL crm.generate(customers => 150, seed => :seed, as_of => crm.today());
		INSERT INTO crm.setting (name, valid_from, value) SELECT 'tier_basis', '2000-01-01', :'basis' WHERE :'basis' <> 'contractual_premium';
		INSERT INTO crm.prospect_source (code, name, name_zh, kind) VALUES ('fair', 'fair', '集市', 'activity');
		CALL crm.rebuild();
		CREATE SCHEMA writers;
		CREATE FUNCTION writers.customer() RETURNS bigint LANGUAGE sql AS $$ SELECT c.id FROM crm.customer c ORDER BY random() LIMIT 1 $$;
		CREATE FUNCTION writers.staff() RETURNS bigint LANGUAGE sql AS $$ SELECT s.id FROM crm.staff s ORDER BY random() LIMIT 1 $$;
		CREATE FUNCTION writers.policy() RETURNS crm.policy LANGUAGE sql AS $$ SELECT p FROM crm.policy p ORDER BY random() LIMIT 1 $$;
		-- around today, one in two within the days that the customers are shown on
		CREATE FUNCTION writers.day() RETURNS date LANGUAGE sql AS $$
		  SELECT crm.today() + CASE WHEN random() < 0.5 THEN (random() * 40)::integer ELSE (random() * 900)::integer - 600 END $$;
		-- one random change, with rows_only none that locks customers before the end of the transaction; what breaks a rule is rolled back, and what is broken off is not
		CREATE FUNCTION writers.change(seed bigint, rows_only boolean) RETURNS void LANGUAGE plpgsql AS $$
		DECLARE
		  p crm.policy;
		BEGIN
		  PERFORM setseed(seed / 1000000000.0);
		  p := writers.policy();
		  CASE floor(random() * CASE WHEN rows_only THEN 16 ELSE 24 END)::integer
		    WHEN 0, 1 THEN
		      INSERT INTO crm.contact_point (customer_id, kind, value, valid_from, valid_to)
		      SELECT writers.customer(), 'email', seed || '@example.cn', d, d + 1 + (random() * 20)::integer FROM writers.day() d;
		    WHEN 2 THEN
		      UPDATE crm.contact_point SET wrong = NOT wrong, valid_to = writers.day() WHERE id = (SELECT x.id FROM crm.contact_point x ORDER BY random() LIMIT 1);
		    WHEN 3 THEN
		      DELETE FROM crm.contact_point WHERE id = (SELECT x.id FROM crm.contact_point x ORDER BY random() LIMIT 1);
		    WHEN 4 THEN
		      INSERT INTO crm.policy_claim (customer_id, policy_id, insured_id, kind, occurred_on, reported_on)
		      SELECT p.customer_id, p.id, (SELECT n.insured_id FROM crm.policy_insured n WHERE n.policy_id = p.id LIMIT 1), 'illness', d, d FROM writers.day() d;
		    WHEN 5 THEN
		      DELETE FROM crm.policy_claim WHERE id = (SELECT x.id FROM crm.policy_claim x ORDER BY random() LIMIT 1);
		    WHEN 6 THEN
		      INSERT INTO crm.appointment (customer_id, at, recorded_at) SELECT writers.customer(), d, d - 3 FROM writers.day() d;
		    WHEN 7 THEN
		      UPDATE crm.appointment SET result = (ARRAY['kept', 'missed', 'moved', NULL])[1 + floor(random() * 4)::integer], at = writers.day()
		      WHERE id = (SELECT x.id FROM crm.appointment x ORDER BY random() LIMIT 1);
		    WHEN 8 THEN
		      INSERT INTO crm.prospect (customer_id, source, entered_on)
		      VALUES (writers.customer(), (ARRAY['fair', 'web', 'appointment'])[1 + floor(random() * 3)::integer], writers.day());
		    WHEN 9 THEN
		      INSERT INTO crm.premium_receipt (customer_id, policy_id, number, received_on, amount)
		      VALUES (p.customer_id, p.id, 1 + (random() * 30)::integer, writers.day(), (random() * 9)::integer * 100000);
		    WHEN 10 THEN
		      UPDATE crm.policy SET servicer_id = writers.staff(), sector_line = NOT sector_line WHERE (customer_id, id) = (p.customer_id, p.id);
		    WHEN 11 THEN
		      INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason)
		      SELECT p.customer_id, p.id, w, writers.day(), CASE WHEN w = 'end' THEN 'surrender' END
		      FROM (SELECT (ARRAY['lapse', 'reinstatement', 'end'])[1 + floor(random() * 3)::integer] AS w) x;
		    WHEN 12 THEN
		      UPDATE crm.customer SET name = 'n' || seed, kind = CASE kind WHEN 'person' THEN 'company' ELSE 'person' END WHERE id = (SELECT writers.customer()) AND NOT rows_only;
		    WHEN 13 THEN
		      INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from) SELECT 'person', 'new', c.org_id, c.source_channel_id, writers.day()
		      FROM crm.customer c WHERE c.id = (SELECT writers.customer());
		    WHEN 14 THEN
		      DELETE FROM crm.customer c WHERE c.id = (SELECT max(x.id) FROM crm.customer x) AND NOT rows_only;
		    WHEN 15 THEN
		      INSERT INTO crm.policy (customer_id, product_id, channel_id, servicer_id, issued_on, term_months, premium)
		      SELECT writers.customer(), p.product_id, (SELECT h.id FROM crm.channel h ORDER BY random() LIMIT 1), writers.staff(), writers.day(), 12, 400000;
		    WHEN 16, 17 THEN
		      PERFORM crm.claim(writers.customer(), writers.staff());
		    WHEN 18 THEN
		      PERFORM crm.transfer(h.customer_id, writers.staff()) FROM crm.holding h WHERE h.held_to IS NULL ORDER BY random() LIMIT 1;
		    WHEN 19 THEN
		      PERFORM crm.release(h.customer_id) FROM crm.holding h WHERE h.held_to IS NULL ORDER BY random() LIMIT 1;
		    WHEN 20 THEN
		      PERFORM crm.record_contact(h.customer_id, h.staff_id, 'sales', 'reached') FROM crm.holding h WHERE h.held_to IS NULL ORDER BY random() LIMIT 1;
		    WHEN 21 THEN
		      PERFORM crm.release_departed(crm.today());
		      PERFORM crm.recycle(now());
		    WHEN 22 THEN
		      UPDATE crm.staff SET left_on = CASE WHEN left_on IS NULL THEN crm.today() + (random() * 20)::integer - 10 END WHERE id = (SELECT writers.staff());
		    ELSE
		      IF random() < 0.5 THEN
		        UPDATE crm.prospect_source SET kind = CASE kind WHEN 'activity' THEN 'other' ELSE 'activity' END WHERE code = 'fair';
		      ELSE
		        UPDATE crm.channel SET code = CASE WHEN code LIKE '%!' THEN rtrim(code, '!') ELSE code || '!' END WHERE id = (SELECT min(h.id) FROM crm.channel h);
		      END IF;
		  END CASE;
		EXCEPTION WHEN integrity_constraint_violation OR data_exception OR object_not_in_prerequisite_state OR active_sql_transaction OR configuration_limit_exceeded
		          OR no_data_found OR insufficient_privilege OR object_in_use THEN
		  NULL;
		END
		$$;
		-- where the columns stored are not what timeline and facets say on a day
		CREATE FUNCTION writers.wrong() RETURNS TABLE (on_day date, customer text) LANGUAGE plpgsql AS $$
		BEGIN
		  FOR on_day IN SELECT g.shown_on + n FROM crm.generation g, unnest('{0,5,-30,60}'::integer[]) n WHERE g.state = 'current' LOOP
		    PERFORM set_config('crm.as_of', on_day::text, true);
		    RETURN QUERY
		    WITH have AS (
		      SELECT ROW(b.customer_id, b.kind, b.name, b.org_id, b.channel, b.coverage, b.role, b.activity, b.tier, b.amount, b.channels, b.service, b.reach, b.prospect_kind,
		                 b.touchpoints)::text AS v
		      FROM crm_bi.customer b WHERE NOT EXISTS (SELECT FROM crm.pending q WHERE q.customer_id = b.customer_id)),
		    want AS (
		      SELECT ROW(b.customer_id, b.kind, b.name, b.org_id, b.channel, b.coverage, b.role, b.activity, b.tier, b.amount, b.channels, b.service, b.reach, b.prospect_kind,
		                 b.touchpoints)::text AS v
		      FROM crm.classify(on_day) b WHERE NOT EXISTS (SELECT FROM crm.pending q WHERE q.customer_id = b.customer_id))
		    SELECT on_day, 'have ' || x.v FROM (TABLE have EXCEPT TABLE want) x UNION ALL SELECT on_day, 'want ' || x.v FROM (TABLE want EXCEPT TABLE have) x;
		  END LOOP;
		END
		$$;
	SQL
	mkdir -p "$CRM_TMP/customers"
	local change='\set r random(0, 999999999)'$'\n''SELECT writers.change(:r, '
	printf 'BEGIN;\n%strue);\n%strue);\nCOMMIT;\n' "$change" "$change" >"$CRM_TMP/customers/rows.sql"
	printf 'BEGIN ISOLATION LEVEL REPEATABLE READ;\n%strue);\n\\sleep 20 ms\n%strue);\nCOMMIT;\n' "$change" "$change" >"$CRM_TMP/customers/old.sql"
	printf '%sfalse);\n' "$change" >"$CRM_TMP/customers/calls.sql"
	printf 'BEGIN;\nSET LOCAL crm.posting = deferred;\n%sfalse);\nCOMMIT;\n' "$change" >"$CRM_TMP/customers/deferred.sql"
	printf "BEGIN;\n%strue);\nPREPARE TRANSACTION 'c:client_id';\nCOMMIT PREPARED 'c:client_id';\n" "$change" >"$CRM_TMP/customers/prepared.sql"
}

for basis in contractual_premium premium_received; do
	book "$basis"
	pgbench -n -c 6 -j 2 -T "${SECONDS_EACH:-6}" --random-seed="$seed" --max-tries=200 --failures-detailed -f "$CRM_TMP/customers/rows.sql@4" -f "$CRM_TMP/customers/old.sql@4" \
		-f "$CRM_TMP/customers/calls.sql@4" -f "$CRM_TMP/customers/deferred.sql@2" -f "$CRM_TMP/customers/prepared.sql@2" crm_customers >"$CRM_TMP/customers/log" 2>&1 &
	writer=$!
	: >"$CRM_TMP/customers/wrong"
	: >"$CRM_TMP/customers/failed"
	n=0
	while kill -0 "$writer" 2>/dev/null; do
		n=$((n + 1))
		query crm_customers "SET client_min_messages = warning" "CALL crm.refresh(crm.today() + $((n % 4 * 3)), 20)" 2>>"$CRM_TMP/customers/failed" &
		refresh=$!
		if [ $((n % 3)) = 0 ]; then
			query crm_customers "SET client_min_messages = warning" "CALL crm.rebuild(batch => 40)" 2>>"$CRM_TMP/customers/failed" || true
		else
			query crm_customers "SET client_min_messages = warning" "CALL crm.refresh(crm.today() + $((n % 4 * 3)), 10)" 2>>"$CRM_TMP/customers/failed" || true
		fi
		query crm_customers "BEGIN ISOLATION LEVEL REPEATABLE READ" "SELECT * FROM writers.wrong() LIMIT 6" 2>>"$CRM_TMP/customers/failed" >>"$CRM_TMP/customers/wrong" || true
		wait "$refresh" || true
	done
	wait "$writer" || true
	is "$(grep -v 'were rebuilt after the snapshot\|might succeed if retried\|^CONTEXT\|^SQL\|^PL/pgSQL' "$CRM_TMP/customers/failed")" "" "$basis: no refresh, rebuild or reader failed"
	is "$(grep -i 'aborted' "$CRM_TMP/customers/log")" "" "$basis: no writer was broken off"
	is "$(sed -n 's/^number of deadlock failures: \([0-9]*\) .*/\1/p' "$CRM_TMP/customers/log" | head -n 1)" 0 "$basis: no deadlock in the end"
	is "$(sort -u "$CRM_TMP/customers/wrong" | head -n 6)" "" "$basis: customers were what their histories say throughout"
	is "$([ "$n" -ge 3 ] && echo several)" several "$basis: there were several rolls"
	query crm_customers "CALL crm.refresh(crm.today() + 3)"
	is "$(query crm_customers "SELECT check_name, detail FROM crm.check() WHERE check_name <> 'holding_in_post' LIMIT 10")" "" "$basis: all is well when it is still"
	is "$(query crm_customers "SELECT * FROM writers.wrong() LIMIT 6")" "" "$basis: and on every day"
done
done_testing
