#!/bin/bash
# The views of crm_bi as a tool in Java sees them: metadata, prepared queries and cursors of an analyst who logs in over TCP with a password.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$CRM_ROOT"
jar=/usr/share/java/postgresql.jar
if ! command -v java >/dev/null || ! command -v ecj >/dev/null || [ ! -e "$jar" ]; then
	echo 'there is no java, ecj or libpostgresql-jdbc-java'
	exit 77
fi
classes=$(mktemp -d "$CRM_TMP/jdbc.XXXXXX")
server=$CRM_TMP/jdbc-server
trap 'test/private-server stop "$server" >/dev/null 2>&1 || true; rm -rf "$server" "$classes"' EXIT
ecj -11 -nowarn -proc:none -cp "$jar" -d "$classes" test/shell/Bi.java

# a server of its own, which listens where nobody else does and asks for passwords there
test/private-server start "$server"
printf 'local all all trust\nhost all bi_reader 127.0.0.1/32 scram-sha-256\n' >"$server/data/pg_hba.conf"
test/private-server stop "$server"
for try in 1 2 3 4 5 6 7 8; do
	port=$((20000 + RANDOM % 20000))
	if test/private-server start "$server" "listen_addresses = '127.0.0.1'" "port = $port" 2>/dev/null; then
		break
	fi
	[ "$try" -lt 8 ] || { echo 'no port is free'; exit 77; }
done
export PGHOST=$server PGPORT=$port
remake bi
query bi 'CREATE EXTENSION crm' 'CALL crm.create_model()'
fill bi
query bi "CREATE ROLE bi_reader LOGIN PASSWORD 'Ein langes Wort'" "CALL crm.grant_duty('analyst', 'bi_reader')" "
	INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
	SELECT c.id, s.channel_id, s.org_id, s.id, '2025-12-01 15:30:00+00'::timestamptz + c.id * interval '1 minute', 'claim', 'at most 90 days'
	FROM crm.customer c CROSS JOIN LATERAL (SELECT s.* FROM crm.staff s WHERE s.left_on IS NULL AND s.joined_on < '2025-01-01' ORDER BY (s.id + c.id) % 7, s.id LIMIT 1) s WHERE c.id <= 60"

# jdbc TASK...: what the program prints
jdbc() {
	java -cp "$jar:$classes" Bi "jdbc:postgresql://127.0.0.1:$port/bi" bi_reader 'Ein langes Wort' "$@"
}
answers=$classes/answers
jdbc schemas tables others columns keys rights prepared cursor holdings 'SELECT 1 FROM crm.customer' "SELECT * FROM crm_bi.date WHERE date = 'the 5th'" 'DELETE FROM crm.customer' \
	"SELECT crm.claim(1, 1)" 'SELECT 1' >"$answers"
# answer TASK
answer() {
	awk -v task="== $1" '/^== / { inside = $0 == task; next } inside' "$answers"
}

is "$(answer schemas)" $'crm\ncrm_bi' "both schemas are seen"
is "$(answer tables | LC_ALL=C sort)" "$(query bi "SELECT c.relname, 'VIEW', obj_description(c.oid) FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace" | LC_ALL=C sort)" \
	"every view, with what it says about itself"
is "$(answer others)" "" "and nothing but views"
is "$(answer columns | LC_ALL=C sort)" "$(query bi "
	SELECT c.relname, a.attnum, a.attname, j.code, j.name, col_description(c.oid, a.attnum)
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	LEFT JOIN (VALUES ('bigint', -5, 'int8'), ('integer', 4, 'int4'), ('numeric', 2, 'numeric'), ('text', 12, 'text'), ('date', 91, 'date'),
	                  ('timestamp with time zone', 93, 'timestamptz'), ('boolean', -7, 'bool')) j (type, code, name) ON j.type = format_type(a.atttypid, NULL)
	WHERE c.relnamespace = 'crm_bi'::regnamespace" | LC_ALL=C sort)" "every column has a type that JDBC knows, and its comment in both languages"
is "$(answer columns | grep -cP '[^\x00-\x7F]')" "$(query bi "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'crm_bi'::regnamespace AND a.attnum > 0")" "Chinese arrives as it is"
is "$(answer keys)" $'id\nparent_id|organisation' "tables have keys, views none"
is "$(answer rights | sort | grep bi_reader)" "bi_reader|SELECT" "the analyst may read"
is "$(answer prepared)" "$(query bi "SET crm.as_of = '2025-12-31'" "
	SELECT extract(year FROM p.issued_on), (SELECT coalesce((SELECT n.name FROM crm.organisation_tree t JOIN crm.organisation n ON n.id = t.ancestor_id WHERE t.descendant_id = u.id AND n.level = 1), u.name) FROM crm.organisation u WHERE u.id = crm._home_unit(p.customer_id, p.issued_on)) AS unit,
	       sum(p.annual_premium), count(*), max(p.issued_on),
	       bool_and(EXISTS (SELECT FROM crm.cover c WHERE c.policy_id = p.id AND c.from_date <= '2025-12-31' AND c.to_date > '2025-12-31'))
	FROM crm.policy p WHERE p.issued_on >= '2020-01-01' AND p.issued_on < '2025-01-01' AND p.annual_premium >= 500.50 AND p.channel_id <> 2 AND p.book = 'own' AND NOT p.sector_line
	GROUP BY 1, 2 ORDER BY 1, 2")" "a prepared query gives the same in text and binary, to the cent"
isnt "$(answer prepared | wc -l)" 0 "and something"
is "$(answer cursor)" "customer_id|int8|java.lang.Long
$(query bi "SET crm.as_of = '2025-12-31'" 'SELECT count(*), count(c.birth_date), sum(s.amount) FROM crm.customer c JOIN crm_bi.customer s ON s.customer_id = c.id')" "a cursor reads every customer"
is "$(answer holdings)" "$(query bi "SELECT extract(epoch FROM h.held_from)::bigint, (h.held_from AT TIME ZONE 'Asia/Shanghai')::date, c.name_zh FROM crm.holding h JOIN crm.channel c ON c.id = h.channel_id ORDER BY (h.customer_id || '/' || h.id) COLLATE \"C\"")" \
	"times are the moment they were, days those of the business"
is "$(answer 'SELECT 1 FROM crm.customer') $(answer "SELECT * FROM crm_bi.date WHERE date = 'the 5th'") $(answer 'DELETE FROM crm.customer') $(answer 'SELECT crm.claim(1, 1)') $(answer 'SELECT 1')" \
	'42501 22007 42501 42501 00000' "tables, nonsense, writing and what an analyst may not do are refused with their codes"
status=0
java -cp "$jar:$classes" Bi "jdbc:postgresql://127.0.0.1:$port/bi" bi_reader 'another word' schemas >/dev/null 2>&1 || status=$?
isnt "$status" 0 "nobody comes in without the password"
done_testing
