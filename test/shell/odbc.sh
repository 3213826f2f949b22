#!/bin/bash
# The views of crm_bi as a tool over ODBC sees them: tables and columns, a query of an analyst, and long text that must not be cut.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$CRM_ROOT"
driver=$(ls /usr/lib/*/odbc/psqlodbcw.so 2>/dev/null | head -n 1)
work=$(mktemp -d "$CRM_TMP/odbc.XXXXXX")
if [ -z "$driver" ] || ! gcc -Wall -Wextra -Werror test/shell/bi_odbc.c -lodbc -o "$work/bi" 2>"$work/err"; then
	echo 'there is no odbc-postgresql or unixodbc-dev'
	exit 77
fi
chmod 755 "$work"
remake bi_odbc crm_model
fill bi_odbc
query bi_odbc 'CREATE ROLE odbc_reader LOGIN' "CALL crm.grant_duty('analyst', 'odbc_reader')" "INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, outcome, note)
	SELECT c.id, s.id, s.channel_id, (SELECT min(p.code) FROM crm.contact_purpose p), 'reached', repeat('汉字 and letters; ', 100 * c.id::integer)
	FROM crm.customer c, (SELECT * FROM crm.staff WHERE left_on IS NULL ORDER BY id LIMIT 1) s WHERE c.id <= 3"
trap 'query postgres "DROP DATABASE bi_odbc WITH (FORCE)" "DROP ROLE odbc_reader"; rm -rf "$work"' EXIT

# odbc SETTINGS TASK...: what the program prints
odbc() {
	local settings=$1
	shift
	"$work/bi" "Driver=$driver;Servername=$PGHOST;Port=${PGPORT:-5432};Database=bi_odbc;UID=odbc_reader;ConnSettings=SET crm.as_of='2025-12-31';$settings" "$@"
}

is "$(odbc '' tables | LC_ALL=C sort)" "$(query bi_odbc "SELECT 'crm_bi', c.relname, 'VIEW', '' FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace" | LC_ALL=C sort)" "every view is seen"
# text is a long text of 8190 to this driver, a boolean a text of 5; with the settings that docs/bi.md names a boolean is one
columns="SELECT c.relname, a.attname, j.code, j.name, CASE WHEN a.atttypid = 'numeric'::regtype AND a.atttypmod > 0 THEN (a.atttypmod - 4) >> 16 ELSE j.width END FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	LEFT JOIN (VALUES ('bigint', -5, 'int8', 19), ('integer', 4, 'int4', 10), ('numeric', 2, 'numeric', 28), ('text', -1, 'text', 8190), ('date', 91, 'date', 10),
	                  ('timestamp with time zone', 93, 'timestamptz', 26), ('boolean', :bool, 'bool', :width)) j (type, code, name, width) ON j.type = format_type(a.atttypid, NULL)
	WHERE c.relnamespace = 'crm_bi'::regnamespace"
is "$(odbc '' columns | LC_ALL=C sort)" "$(sed 's/:bool/12/; s/:width/5/' <<<"$columns" | psql -XqAt -d bi_odbc | LC_ALL=C sort)" "every column has a type that ODBC knows"
is "$(odbc 'BoolsAsChar=0' columns | LC_ALL=C sort)" "$(sed 's/:bool/-7/; s/:width/1/' <<<"$columns" | psql -XqAt -d bi_odbc | LC_ALL=C sort)" "with BoolsAsChar=0 booleans, too"
is "$(odbc '' primary-keys kpi)" "" "views have no keys"
business="SELECT d.year_quarter, o.drill_1_name, h.name_zh, count(*), sum(p.annual_premium) FROM crm_bi.policy p JOIN crm_bi.date d ON d.date = p.issued_on
	JOIN crm_bi.organisation o USING (org_id) JOIN crm_bi.channel h USING (channel_id) WHERE d.year = 2024 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
is "$(odbc '' rows "$business")" "$(query bi_odbc "SET crm.as_of = '2025-12-31'" "$business")" "a query over the star gives what it gives in psql, Chinese included"
isnt "$(odbc '' rows "$business" | wc -l)" 0 "and something"
is "$(odbc '' rows "SELECT sum(k.numerator) FROM crm_bi.kpi_own k WHERE k.code = 'insured' AND k.grain = 'month' AND k.period_start = '2025-12-01'")" \
	"$(query bi_odbc "SELECT count(DISTINCT c.customer_id) FROM crm.cover c WHERE c.from_date <= '2025-12-31' AND c.to_date > '2025-12-31'")" "figures stand on the day that ConnSettings names"

# whatever width is told: nothing is lost to who reads on until the end; who binds as many bytes as columns are told to have loses what is longer
notes='SELECT c.note FROM crm_bi.contact c ORDER BY c.customer_id'
is "$(odbc '' rows "$notes" | md5sum)" "$(query bi_odbc "$notes" | md5sum)" "text of any length arrives whole"
is "$(odbc 'TextAsLongVarchar=0' rows "$notes" | md5sum)" "$(query bi_odbc "$notes" | md5sum)" "and where the driver calls it 255 wide"
is "$(odbc 'TextAsLongVarchar=0' columns | grep '^contact|note|')" 'contact|note|12|text|255' "which it does then"
is "$(odbc '' bound 8191 "$notes") $(odbc '' bound 256 "$notes") $(odbc 'MaxLongVarcharSize=1000000' bound 1000001 "$notes")" 'cut 0 cut 3 cut 0' "who binds 255 has it cut, 8190 or more holds it"
longest=$(query bi_odbc "SELECT coalesce(string_agg(format('SELECT %L AS of, max(octet_length(x.%I)) AS n FROM crm_bi.%I x', c.relname || '.' || a.attname, a.attname, c.relname), ' UNION ALL '), '')
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid = 'text'::regtype
	WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname IN ('organisation', 'channel', 'product', 'staff', 'label', 'class', 'kpi_code', 'customer', 'policy', 'holding', 'standing', 'date', 'settlement')")
is "$(query bi_odbc "SET crm.as_of = '2025-12-31'" "SELECT x.of, x.n FROM ($longest) x WHERE x.n > 255")" "" "and no text of the star but notes is longer than 255"

is "$(odbc '' rows 'SELECT * FROM crm.customer') $(odbc '' rows 'DELETE FROM crm_bi.class') $(odbc '' rows 'SELECT * FROM crm_bi.nothing') $(odbc 'UID=odbc_nobody' rows 'SELECT 1')" \
	'error 42501 error 55000 error 42P01 error 08001' "tables, writing, what is not there and strangers are refused"
done_testing
