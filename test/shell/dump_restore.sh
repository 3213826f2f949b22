#!/bin/bash
# A dumped database comes back whole, with what its users added to the tables of crm.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
dumps=$(mktemp -d "$CRM_TMP/dump.XXXXXX")

# closes DB: a month published, one restated, one closed
closes() {
	query "$1" "SET crm.actor = 'one'" "SELECT crm.close_month('2025-10-01'), crm.close_month('2025-11-01')" "SET crm.actor = 'two'" "SELECT crm.publish_month('2025-10-01')" \
		"DELETE FROM crm.policy WHERE issued_on BETWEEN '2025-10-01' AND '2025-10-31'" "SELECT crm.restate_month('2025-10-01', 'test')" "
		SELECT crm.define_scorecard('unit', '{\"name\": \"Unit\", \"name_zh\": \"机构\", \"subject\": \"unit\", \"grain\": \"month\", \"indicators\": [{\"measure\": \"satisfaction\", \"weight\": 100, \"floor\": 0, \"target\": 90}]}');
		INSERT INTO crm.scorecard_value (measure, org_id, grain, period_start, value, source) VALUES ('satisfaction', 1, 'month', '2025-10-01', 80, 'test');
		UPDATE crm.staff SET login = 'head' WHERE id = 1;
		INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'manager');
		SELECT crm.set_goal('unit', NULL, 1, '2025-10-01')" "SET crm.actor = 'head'" "SELECT crm.sign_goal(1)" "SET crm.actor = 'one'" "SELECT crm.close_scorecards('unit', '2025-10-01')" >/dev/null
}

remake crm_source crm_model
fill crm_source
closes crm_source
query crm_source "
	CREATE TABLE public.noted (customer_id bigint);
	CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.noted VALUES (NEW.id); RETURN NULL; END';
	ALTER TABLE crm.customer ADD COLUMN nickname text;
	UPDATE crm.customer SET nickname = 'n' || id;
	CREATE INDEX customer_nickname ON crm.customer (nickname);
	CREATE POLICY by_nickname ON crm.customer USING (nickname <> '');
	CREATE TRIGGER note AFTER UPDATE OF nickname ON crm.customer FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE ROLE crm_dump_test;
	SET ROLE crm_owner;
	CALL crm.grant_duty('sales', 'crm_dump_test');
	CALL crm.grant_duty('pool', 'crm_dump_test')"

added="
	SELECT 'column', attname, format_type(atttypid, atttypmod) FROM pg_attribute
	WHERE attrelid = 'crm.customer'::regclass AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'crm' AND tablename = 'customer'
	UNION ALL SELECT 'policy', policyname, qual FROM pg_policies WHERE schemaname = 'crm' AND tablename = 'customer'
	UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'crm.customer'::regclass AND NOT tgisinternal
	ORDER BY 1, 2"
here=$(query crm_source "$added")
content=$(tables crm_source rows)
catalogue=$(psql -XqAt -d crm_source -f test/shell/catalogue.sql)
is "$(grep -c 'crm_dump_test=X/' <<<"$catalogue")" "$(query crm_source "SELECT count(*) FROM crm.duty_right WHERE duty IN ('sales', 'pool') AND privilege = 'EXECUTE'")" "rights given by duty are among them"
for name in nickname customer_nickname by_nickname note; do
	is "$(grep -c "|$name|" <<<"$here")" 1 "a user added $name"
done

restored() { # NAME: what crm_restored must have in common with the source
	is "$(query crm_restored "$added")" "$here" "$1: column, index, policy and trigger of the user are there"
	is "$(tables crm_restored rows)" "$content" "$1: every row is there"
	is "$(psql -XqAt -d crm_restored -f test/shell/catalogue.sql)" "$catalogue" "$1: so is every object with its owner and rights"
	query crm_restored "UPDATE crm.customer SET nickname = 'again' WHERE id = (SELECT min(id) FROM crm.customer)"
	is "$(query crm_restored "SELECT count(*) FROM public.noted")" 1 "$1: the user's trigger fires"
	sound crm_restored "$1"
	equal_figures crm_restored "$1"
}

equal_figures() { # DB NAME
	is "$(figures "$1")" "$(figures crm_source)" "$2: the figures are equal"
}

sound() { # DB NAME
	is "$(query "$1" "SELECT * FROM crm.check()")" "" "$2: crm.check() finds nothing"
}

sound crm_source "before"
for format in custom plain; do
	pg_dump -F "$format" -f "$dumps/all.$format" crm_source
	remake crm_restored
	if [ "$format" = plain ]; then
		complaints=$(psql -Xq -v ON_ERROR_STOP=1 -d crm_restored -f "$dumps/all.plain" 2>&1 >/dev/null || true)
	else
		complaints=$(pg_restore -d crm_restored "$dumps/all.custom" 2>&1 || true)
	fi
	is "$complaints" "" "$format: restored without complaint"
	restored "$format"
done

# Data alone into a model that was not emptied: rows that collide are refused, and the triggers post the book anew unless they are
# disabled: the book and the figures of every period over in both are equal, or crm.check() says what is not.
remake crm_source crm_model
fill crm_source
for format in plain custom; do
	pg_dump -F "$format" --data-only -f "$dumps/data.$format" crm_source 2>/dev/null
done
pg_dump -F plain --data-only --disable-triggers -f "$dumps/data_untriggered.plain" crm_source 2>/dev/null
book="SELECT * FROM crm.customer_organisation ORDER BY 1, 2; SELECT * FROM crm.policy_insured ORDER BY 1, 2, 3;
	SELECT * FROM crm.policy_event ORDER BY 1, 2, 3; SELECT * FROM crm.policy ORDER BY 1, 2; SELECT * FROM crm.cover ORDER BY 1, 2, 3;
	SELECT id, kind, name, org_id, source_channel_id, known_from FROM crm.customer ORDER BY 1"
over="SET crm.as_of = '2025-12-31';
	SELECT k.kpi_key, k.numerator, k.denominator FROM crm_bi.kpi k WHERE k.period_end < '2025-12-01' ORDER BY k.kpi_key"
data_only() { # NAME COMMAND...
	local name=$1
	shift
	remake crm_restored crm_model
	"$@" >/dev/null 2>&1 || true
	if [ "$(query crm_restored "$book" "$over" | md5sum)" = "$(query crm_source "$book" "$over" | md5sum)" ]; then
		pass "$name: equal"
	else
		isnt "$(query crm_restored "SELECT * FROM crm.check()")" "" "$name: different, and crm.check() says so"
	fi
}
data_only "data only, custom" pg_restore -d crm_restored --data-only "$dumps/data.custom"
data_only "data only, plain" psql -Xq -d crm_restored -f "$dumps/data.plain"
data_only "data only without triggers, custom" pg_restore -d crm_restored --data-only --disable-triggers "$dumps/data.custom"
data_only "data only without triggers, plain" psql -Xq -d crm_restored -f "$dumps/data_untriggered.plain"

# the same where the book stands on the day and in the slot of the new model, and where its scales are not the initial ones
remake crm_source crm_model
fill crm_source
query crm_source "SET client_min_messages = warning" "CALL crm.rebuild()"
pg_dump -F custom --data-only -f "$dumps/data.custom" crm_source 2>/dev/null
data_only "data only without triggers, same day and slot" pg_restore -d crm_restored --data-only --disable-triggers "$dumps/data.custom"
query crm_source "SET client_min_messages = warning" "INSERT INTO crm.setting (name, value) VALUES ('tier_scale', 'small, big 1000')" \
	"CALL crm.rebuild()"
pg_dump -F custom --data-only -f "$dumps/data.custom" crm_source 2>/dev/null
data_only "data only, other scales" pg_restore -d crm_restored --data-only "$dumps/data.custom"

# Data alone, as the documentation has it: the model is emptied first, and triggers are off in the session that restores. Dictionaries have rows of
# the users, to which holdings, contacts and items of workflows refer.
remake crm_source crm_model
fill crm_source
query crm_source "SET client_min_messages = warning" "
	INSERT INTO crm.return_reason (code, name, name_zh) VALUES ('own', 'Own', '自有');
	INSERT INTO crm.contact_purpose (code, kind, name, name_zh) VALUES ('own', (SELECT min(code) FROM crm.contact_kind), 'Own', '自有');
	INSERT INTO crm.prospect_source (code, kind, name, name_zh) SELECT 'own', kind, 'Own', '自有' FROM crm.prospect_source ORDER BY code LIMIT 1;
	INSERT INTO crm.exemption_kind (code, name, name_zh) VALUES ('own', 'Own', '自有');
	INSERT INTO crm.channel (id, code, name, name_zh, kind) SELECT 9, 'own', 'Own', '自有', kind FROM crm.channel WHERE id = 1;
	INSERT INTO crm.setting (name, value) VALUES ('long_term_months', '11');
	INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments)
	SELECT c.id, (SELECT min(id) FROM crm.product), 9, '2024-05-05', 240, '2044-05-05', 'yearly', 1000, 10 FROM crm.customer c ORDER BY c.id LIMIT 3" \
	"CALL crm.rebuild('2025-12-31')" "
	SELECT crm.define_workflow('own', '{\"name\": \"Own\", \"name_zh\": \"自有\", \"subject\": \"customer\", \"states\": [{\"state\": \"draft\", \"initial\": true}, {\"state\": \"done\", \"final\": true}], \"transitions\": [{\"transition\": \"end\", \"from\": \"draft\", \"to\": \"done\", \"by\": \"anyone\"}]}');
	SELECT crm.make_transition(crm.open_item('own', (SELECT min(id) FROM crm.customer), (SELECT min(org_id) FROM crm.customer), 9, '{}', NULL), 'end');
	INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, outcome)
	SELECT c.id, (SELECT min(id) FROM crm.staff WHERE left_on IS NULL), 9, 'own', 'reached' FROM crm.customer c ORDER BY c.id LIMIT 3;
	SELECT crm.claim(c.id, (SELECT min(id) FROM crm.staff WHERE left_on IS NULL)), crm.return_customer(c.id, 'own') FROM crm.customer c
	WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id) ORDER BY c.id LIMIT 1" >/dev/null
closes crm_source
content=$(tables crm_source rows)
for table in closing_figure scorecard_result return_reason contact_purpose workflow contact holding workflow_log; do
	isnt "$(query crm_source "SELECT count(*) FROM crm.$table")" 0 "$table has rows to lose"
done
pg_dump -F custom --data-only -f "$dumps/data.custom" crm_source 2>/dev/null
for owner in yes no; do
	remake crm_restored crm_model
	if [ $owner = yes ]; then
		query crm_restored "SET ROLE crm_owner" "CALL crm.empty_for_restore()"
	else
		query crm_restored "CALL crm.empty_for_restore()"
	fi
	complaints=$(PGOPTIONS='-c session_replication_role=replica' pg_restore --exit-on-error --data-only -d crm_restored "$dumps/data.custom" 2>&1 || true)
	is "$complaints" "" "data only: restored without complaint"
	is "$(tables crm_restored rows)" "$content" "data only: every row is there"
	sound crm_restored "data only"
	equal_figures crm_restored "data only"
	query crm_restored "SET client_min_messages = warning" "SELECT crm.define_workflow('later', (SELECT definition FROM crm.workflow_version WHERE workflow = 'own'))" \
		"INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments)
			SELECT customer_id, product_id, channel_id, '2025-12-31', term_months, '2045-12-31', payment, premium, payments FROM crm.policy WHERE channel_id = 9"
	sound crm_restored "data only, keys and posting go on"
done
is "$(sqlstate crm_source "CALL crm.empty_for_restore()")" 55000 "a model with a book is not emptied"
is "$(tables crm_source rows)" "$content" "and keeps every row"
query crm_restored "CREATE ROLE crm_dump_analyst; SET ROLE crm_owner; CALL crm.grant_duty('manager', 'crm_dump_analyst')"
is "$(sqlstate crm_restored "SET ROLE crm_dump_analyst; CALL crm.empty_for_restore()")" 42501 "nor by anybody but the owner"


query postgres "DROP DATABASE crm_source" "DROP DATABASE crm_restored" "DROP ROLE crm_dump_test" "DROP ROLE crm_dump_analyst"
done_testing
