#!/bin/bash
# crm.assign() and crm.solve_assignment() beside GLPK on hundreds of small instances: floors that can and cannot be met, ties, too little room,
# customers of different loads. Every price is compared with the answer without the limit.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.bash"
if ! command -v glpsol >/dev/null; then
	echo 'glpsol (package glpk-utils) is missing'
	exit 77
fi

db=shell_assign
work=$(mktemp -d)
trap 'rm -rf "$work"; dropdb --if-exists "$db"' EXIT
remake "$db"
psql -XqAt -v ON_ERROR_STOP=1 -v cases=360 -d "$db" -f "$here/assign.sql" >/dev/null

query "$db" "SELECT E'\\\\ ' || k || ' ' || objective || E'\n' || program(k, objective) FROM ours" |
	awk -v work="$work" '/^\\ / { if (file) close(file); file = work "/" $2 "_" $3 ".lp" } { print > file }'
for file in "$work"/*.lp; do
	glpsol --lp "$file" --write "$file.raw" >/dev/null </dev/null
	name=$(basename "$file" .lp)
	awk -v name="$name" '$1 == "s" { print name, $5, $6 }' "$file.raw"
done >"$work/theirs"
query "$db" "CREATE TABLE theirs (name text, status text, value numeric)" "\\copy theirs FROM $work/theirs (DELIMITER ' ')" "
	CREATE TABLE compared AS
	SELECT o.*, CASE t.status WHEN 'o' THEN 'best' WHEN 'n' THEN 'impossible' ELSE t.status END AS their_state,
		ceil(t.value / 100000 - 0.5) AS their_n, CASE o.objective WHEN 'max' THEN 1 ELSE -1 END * (t.value - 100000 * ceil(t.value / 100000 - 0.5)) AS their_total
	FROM ours o JOIN theirs t ON t.name = o.k || '_' || o.objective"

# none SQL NAME: a query that finds no fault
none() {
	is "$(query "$db" "SELECT 'none' WHERE NOT EXISTS ($1)" "SELECT f FROM ($1) f LIMIT 20")" none "$2"
}

is "$(query "$db" "SELECT kind, count(*) > 200, count(*) FILTER (WHERE state = 'impossible') > 20, count(*) FILTER (WHERE n < (s).customers) > 50 FROM compared GROUP BY kind ORDER BY kind")" \
	"floors|t|t|t
groups|t|t|f
loads|t|f|t
places|t|f|t" 'there are hundreds of instances, infeasible ones and ones with too little room'
none "SELECT k, kind, objective, state, n, total, their_state, their_n, their_total FROM compared
	WHERE (state, n, total) IS DISTINCT FROM (their_state, CASE their_state WHEN 'best' THEN their_n END, CASE their_state WHEN 'best' THEN their_total END)" \
	'number, total and impossibility are those of GLPK, and proven'
none "
	SELECT k, objective FROM compared, LATERAL (SELECT count(*) AS n, sum(a.benefit) AS total, count(e.k) AS edges FROM crm.assigned(s) a LEFT JOIN edge e USING (customer_id, holder_id, benefit, load) WHERE e.k = compared.k) a
	WHERE state = 'best' AND (a.n, coalesce(a.total, 0), a.edges) IS DISTINCT FROM (compared.n, compared.total::float8, compared.n)
	UNION ALL SELECT compared.k, objective FROM compared, crm.assigned(s) a WHERE state = 'best' GROUP BY compared.k, objective, a.customer_id HAVING count(*) > 1
	UNION ALL SELECT compared.k, objective FROM compared, crm.assigned_holders(s) h JOIN capacity c USING (holder_id)
	WHERE state = 'best' AND c.k = compared.k AND (h.load > c.capacity OR h.customers < c.floor
		OR ROW(h.customers, h.load) IS DISTINCT FROM (SELECT ROW(count(*), coalesce(sum(a.load), 0)::bigint) FROM crm.assigned(s) a JOIN capacity m ON m.k = compared.k AND m.holder_id = a.holder_id WHERE h.holder_id IN (a.holder_id, m.within)))" \
	'the pairs are edges, nobody comes twice, capacities and floors are kept, the figures of the holders are right'
none "
	SELECT k, objective FROM compared WHERE state = 'best' AND ROW(compared.n, compared.total) IS DISTINCT FROM (
		SELECT ROW(count(*), coalesce(sum(a.benefit), 0)::numeric) FROM crm.assign(format('SELECT customer_id, holder_id, benefit, load FROM edge WHERE k = %s', k),
			format('SELECT holder_id, capacity, floor, within FROM capacity WHERE k = %s', k), objective) a)" \
	'crm.assign() gives the same'
is "$(query "$db" "
	SELECT count(*) > 500, count(*) FILTER (WHERE h.place_price <> 0) > 100, count(*) FILTER (WHERE h.floor_price > 0) > 10
	FROM compared, crm.assigned_holders(s) h WHERE state = 'best' AND kind <> 'loads'")" 't|t|t' 'there are prices to compare'
none "
	SELECT k, objective, h.*, r.n - compared.n AS more, r.total - compared.total AS better FROM compared, crm.assigned_holders(s) h, LATERAL answer(k, objective, h.holder_id::int, 1, 0) r
	WHERE compared.state = 'best' AND kind <> 'loads'
		AND (r.n - compared.n, (r.total - compared.total) * CASE objective WHEN 'max' THEN 1 ELSE -1 END) IS DISTINCT FROM (h.serves_one_more::int::bigint, h.place_price::numeric)" \
	'one more place brings what its price says'
none "
	SELECT k, objective, h.*, r.n - compared.n AS more, r.total - compared.total AS better FROM compared, crm.assigned_holders(s) h, LATERAL answer(k, objective, h.holder_id::int, 0, 1) r
	WHERE compared.state = 'best' AND h.floor > 0
		AND (r.n, (r.total - compared.total) * CASE objective WHEN 'max' THEN 1 ELSE -1 END) IS DISTINCT FROM (compared.n, h.floor_price::numeric)" \
	'a lower floor brings what its price says'
done_testing
