#!/bin/bash
# An upgraded extension is the same as one made afresh, from every version ever released.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

newest=$(query postgres "SELECT default_version FROM pg_available_extensions WHERE name = 'crm'")
mapfile -t released < <(find sql/released -name 'crm--*.sql' 2>/dev/null | sed -nE 's/.*crm--([^-]+)\.sql$/\1/p' | sort -V)

catalogue() {
	psql -XqAt -v ON_ERROR_STOP=1 -d "$1" -f test/shell/catalogue.sql
}

# what the modules put into tables
shipped() {
	query "$1" "TABLE crm.setting_kind ORDER BY name" "TABLE crm.duty_right ORDER BY 1, 2, 3, 4" "TABLE crm.kpi_code ORDER BY code" "TABLE crm.customer_reference ORDER BY relation, column_name"
}

book() {
	tables "$1" count | grep -E '^crm\.(organisation|staff|product|customer|policy|contact|holding)\|'
}

is "$(query postgres "SELECT target FROM pg_extension_update_paths('crm') WHERE source = '$newest' AND path IS NOT NULL")" "" \
	"nothing leads on from $newest, nor back"
remake crm_fresh
query crm_fresh "CREATE EXTENSION crm" "CALL crm.create_model()"
fresh=$(catalogue crm_fresh)
is "$(catalogue crm_model)" "$fresh" "two fresh databases are the same"
# who may read the figures before an upgrade may do so after it
query postgres "CREATE ROLE crm_test_reader"
rights=("GRANT USAGE ON SCHEMA crm_bi TO crm_test_reader" "GRANT SELECT ON crm_bi.kpi TO crm_test_reader WITH GRANT OPTION" "GRANT SELECT ON crm_bi.kpi_own TO PUBLIC")
query crm_fresh "${rights[@]}"
fresh=$(catalogue crm_fresh)
query crm_fresh "GRANT EXECUTE ON PROCEDURE crm.create_model(name) TO PUBLIC"
isnt "$(catalogue crm_fresh)" "$fresh" "the comparison sees a right"

[ ${#released[@]} -gt 0 ] || skip "upgrade to $newest" "$newest is the first version"
for version in "${released[@]}"; do
	remake crm_upgraded
	is "$(query postgres "SELECT count(path) FROM pg_extension_update_paths('crm') WHERE source = '$version' AND target = '$newest'")" 1 \
		"from $version: a path leads to $newest"
	query crm_upgraded "CREATE EXTENSION crm VERSION '$version'" "CALL crm.create_model()"
	fill crm_upgraded
	if [ "$version" = 0.1 ]; then
		query crm_upgraded "INSERT INTO crm.contact_point (customer_id, id, kind, value) VALUES (1, 900001, 'mobile', '+86 138-1234-5678'), (1, 900002, 'mobile', '12345')"
	fi
	query crm_upgraded "${rights[@]}"
	before=$(book crm_upgraded)
	is "$(sqlstate crm_upgraded "ALTER EXTENSION crm UPDATE")" 00000 "from $version: the extension is brought to $newest"
	query crm_upgraded "UPDATE crm.policy SET premium = premium + 1 WHERE id % 3 = 0"
	query crm_upgraded "SET crm.posting = deferred" "UPDATE crm.policy SET premium = premium * 9, issued_on = issued_on - 4000 WHERE id % 5 = 0"
	is "$(sqlstate crm_upgraded "CALL crm.upgrade_model()")" 00000 "from $version: so is the model"
	is "$(catalogue crm_upgraded)" "$fresh" "from $version: the same as made afresh"
	is "$(shipped crm_upgraded)" "$(shipped crm_fresh)" "from $version: with the same settings, duties and figures"
	is "$(book crm_upgraded)" "$before" "from $version: every row is there"
	is "$(query crm_upgraded "SELECT * FROM crm.check() WHERE check_name <> 'nothing pending'")" "" "from $version: what was written between the two is posted"
	query crm_upgraded "CALL crm.refresh('2025-12-31')"
	is "$(query crm_upgraded "SELECT * FROM crm.check()")" "" "from $version: and what was queued, once"
	if [ "$version" = 0.1 ]; then
		is "$(query crm_upgraded "SELECT string_agg(value, ' ' ORDER BY id) FROM crm.contact_point WHERE id > 900000")" '13812345678 12345' \
			"from $version: mobile numbers are in one form, wrong ones are kept"
	fi
	query postgres "DROP DATABASE crm_upgraded"
done

query postgres "DROP DATABASE crm_fresh" "DROP ROLE crm_test_reader"
done_testing
