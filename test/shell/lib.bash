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
	query "$1" "SET client_min_messages = warning" "CALL crm.generate(customers => 500, seed => 1)" "CALL crm.rebuild('2025-12-31')" >/dev/null
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
	query "$1" "SET crm.as_of = '2025-12-31'" "SELECT count(*), md5(string_agg(k::text, E'\n' ORDER BY k.kpi_key)) FROM crm_bi.kpi k"
}
