#!/bin/bash
# Databases of other encodings: names, numbers and records give the same answers in every encoding that holds them; the scripts are UTF-8
# whatever the database is in, and one that has no Chinese refuses the extension whole.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
export PGCLIENTENCODING=UTF8

# answers DB NAMES: what the functions say of each two of a list of names
answers() {
	local db=$1
	query "$db" "SET client_min_messages = warning" "
		SELECT a, b, crm.normal_name(a), crm.name_keys(a), crm.name_similarity(a, b), crm.digits_distance(a, b), crm.phone_digits(a),
		       crm.match_score(ROW(NULL, a, a, a, ARRAY[a], ARRAY[a], ARRAY[a])::crm.identity, ROW(NULL, b, b, b, ARRAY[b], ARRAY[b], ARRAY[b])::crm.identity)
		FROM unnest(ARRAY[$2]) a, unnest(ARRAY[$2]) b" "SELECT '+86 138-1234-5678'::crm.mobile" 2>&1
}

western="'José Müller', 'JOSE MULLER', 'O''Brien', 'Straße 12', '+86 138-1234-5678', ''"
chinese="'王小明', '王晓明', '１３８１２３４５６７８', '人民路 5 号', 'Smith, J.', '・'"
# the functions alone: comments of the extension are in Chinese, which not every encoding holds
functions() {
	cat sql/install/12_mobile.sql sql/install/27_identity.sql
}
prepare() {
	query "$1" "CREATE SCHEMA crm" >/dev/null
	functions | sed -e '1i SET client_min_messages = warning;' -e "s/'MODULE_PATHNAME'/'crm'/" | psql -Xq -v ON_ERROR_STOP=1 -d "$1"
}
cd "$CRM_ROOT"
remake crm_encodings
prepare crm_encodings
utf8_western=$(answers crm_encodings "$western")
utf8_chinese=$(answers crm_encodings "$chinese")
is "$(wc -l <<<"$utf8_western")" 37 "names in UTF8"

while read -r encoding names; do
	query postgres "SET client_min_messages = warning" "DROP DATABASE crm_encodings WITH (FORCE)" \
		"CREATE DATABASE crm_encodings ENCODING '$encoding' LOCALE 'C' TEMPLATE template0"
	prepare crm_encodings
	case $names in
	western) is "$(answers crm_encodings "$western")" "$utf8_western" "names in $encoding" ;;
	chinese) is "$(answers crm_encodings "$chinese")" "$utf8_chinese" "names in $encoding" ;;
	esac
done <<-ENCODINGS
	LATIN1 western
	WIN1252 western
	LATIN9 western
	EUC_CN chinese
	SQL_ASCII western
	SQL_ASCII chinese
ENCODINGS

# bytes that are no text of any encoding
is "$(PGCLIENTENCODING=SQL_ASCII query crm_encodings "SELECT crm.normal_name(E'a\\377b\\344\\270'), crm.name_similarity(E'\\377', E'\\377\\376') IS NULL, crm.phone_digits(E'\\357\\2741')")" "a b|t|1" "stray bytes divide words"
is "$(PGCLIENTENCODING=SQL_ASCII sqlstate crm_encodings "SELECT E'138\\3771234 5678'::crm.mobile")" 22P02 "stray bytes in a mobile number are refused"

query postgres "DROP DATABASE crm_encodings"

query postgres "CREATE DATABASE crm_euc ENCODING 'EUC_CN' LOCALE 'C' TEMPLATE template0" \
	"CREATE DATABASE crm_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
query crm_euc "CREATE EXTENSION crm" "CALL crm.create_model()"
fill crm_euc
is "$(query crm_euc "SELECT name_zh FROM crm.kpi_code WHERE code = 'insured'")" 有效客户数 "names read well in EUC_CN"
is "$(query crm_euc "SELECT crm.labels('低, 中 100, 高 > 200')" "SELECT crm.grade('低, 中 100, 高 > 200', 150)")" "{低,中,高}
中" "scales too"
is "$(query crm_euc "SELECT * FROM crm.check()")" "" "and a book stands"
is "$(sqlstate crm_latin "CREATE EXTENSION crm")" 22P05 "LATIN1 is refused"
is "$(query crm_latin "SELECT count(*) FROM pg_namespace WHERE nspname = 'crm'")" 0 "and nothing is left behind"
query postgres "DROP DATABASE crm_euc" "DROP DATABASE crm_latin"
done_testing
