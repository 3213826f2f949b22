# Sourced by the tests of this folder: assertions in TAP, and databases on the server of the suite.
# shellcheck shell=bash
set -eu
tests=0

# is GOT WANTED NAME
is() {
	tests=$((tests + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $tests - $3"
	else
		echo "not ok $tests - $3"
		diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") | head -n 60 | sed 's/^/# /'
	fi
}

# isnt GOT UNWANTED NAME
isnt() {
	tests=$((tests + 1))
	if [ "$1" != "$2" ]; then
		echo "ok $tests - $3"
	else
		printf 'not ok %d - %s\n# got %s\n' "$tests" "$3" "$1"
	fi
}

# pass NAME
pass() {
	is yes yes "$1"
}

# skip NAME REASON
skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

done_testing() {
	echo "1..$tests"
}

# query DB SQL...: unaligned rows
query() {
	local db=$1
	shift
	psql -XqAt -v ON_ERROR_STOP=1 -d "$db" "${@/#/-c}"
}

# sqlstate DB SQL: the code of the error that the statement ends in, 00000 when it succeeds
sqlstate() {
	local out
	if out=$(psql -XqAt -v VERBOSITY=sqlstate -d "$1" -c "$2" 2>&1 >/dev/null); then
		echo 00000
	else
		sed -n 's/^ERROR:  *//p' <<<"$out"
	fi
}

# remake DB [TEMPLATE]: an empty database, or a copy of a template
remake() {
	query postgres "SET client_min_messages = warning" "DROP DATABASE IF EXISTS $1 WITH (FORCE)" "CREATE DATABASE $1 TEMPLATE ${2:-template0}"
}

# exists DB NAME: whether a relation or a function of that name is there
exists() {
	[ "$(query "$1" "SELECT to_regclass('$2') IS NOT NULL OR to_regproc('$2') IS NOT NULL")" = t ]
}

# fill DB: a book of some hundred customers, or of a few where there is no generator
fill() {
	if exists "$1" crm.generate; then
		query "$1" "SET client_min_messages = warning" "CALL crm.generate(customers => 500, seed => 1)" >/dev/null
	else
		query "$1" "
			INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
			INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 'a', 'Agent', 2, 1, '2020-01-01');
			INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
			INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
				SELECT i, 'person', '客户 ' || i, 2 + i % 2, 1 + i % 4, '2020-01-01' FROM generate_series(1, 50) i;
			INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, issued_on, premium)
				SELECT 1 + i % 40, i, 1, 1 + i % 4, 1, date '2020-01-01' + i * 7, i * 1000.5 FROM generate_series(1, 120) i;
			INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date)
				SELECT customer_id, id, 'lapse', issued_on + 400 FROM crm.policy WHERE id % 3 = 0;
			INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id)
				SELECT customer_id, id, 41 + id % 10 FROM crm.policy WHERE id % 5 = 0;
			INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, outcome)
				SELECT i, 1, 1, 'sales', 'reached' FROM generate_series(1, 20) i"
	fi
}

# tables DB count|rows: every table of the model with its number of rows, or with their content
tables() {
	query "$1" "
		SELECT format('SELECT %L, count(*)%s FROM %s t;', c.oid::regclass,
		              CASE '$2' WHEN 'rows' THEN ', md5(string_agg(t::text, E''\n'' ORDER BY t::text))' ELSE '' END, c.oid::regclass)
		FROM pg_class c WHERE c.relnamespace = to_regnamespace('crm') AND c.relkind IN ('r', 'p') ORDER BY c.oid::regclass::text" |
		psql -XqAt -v ON_ERROR_STOP=1 -d "$1"
}

# figures DB: a digest of every figure as of a fixed day
figures() {
	query "$1" "SET crm.as_of = '2024-06-30'" "SELECT count(*), md5(string_agg(k::text, E'\n' ORDER BY k.kpi_key)) FROM crm_bi.kpi k"
}
