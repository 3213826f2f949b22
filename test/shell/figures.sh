#!/bin/bash
# Figures of random books equal the oracle's in every cell: rebuilt, posted change by change, and refreshed from day to day.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=test/shell/writers.bash
. "$(dirname "$0")/writers.bash"

# equal DB DAY NAME
equal() {
	is "$(query "$1" "SELECT * FROM oracle.compare('$2') LIMIT 20" "SELECT b.* FROM oracle.unbalanced() b LIMIT 20")" "" "$3"
}

first=${SEED:-$((RANDOM % 1000))}
workshop crm_workshop
for seed in $first $((first + 1)); do
	echo "# SEED=$seed"
	remake crm_figures crm_workshop
	query crm_figures "SET client_min_messages = warning" "CALL crm.rebuild('2023-08-30')"
	query crm_figures "CALL oracle.random_book($seed, 25, '2020-06-01', '2024-03-31')" "CALL oracle.random_service($seed, '2020-06-01', '2024-03-31')" "ANALYZE"
	equal crm_figures 2023-08-30 "seed $seed: posted as loaded"
	query crm_figures "SELECT count(*) FROM (SELECT writers.change(($seed * 7919 + i * 104729) % 1000000000) FROM generate_series(1, 60) i) x" >/dev/null
	for i in {1..60}; do
		echo "SELECT writers.change(($seed * 6151 + $i * 1299709) % 1000000000);"
	done | psql -Xq -v ON_ERROR_STOP=1 -d crm_figures -o /dev/null
	equal crm_figures 2023-08-31 "seed $seed: posted as changed"
	same_book crm_figures "seed $seed"
	for day in 2023-09-01 2024-01-01 2024-02-29; do
		query crm_figures "CALL crm.refresh('$day')"
		equal crm_figures "$day" "seed $seed: refreshed on $day"
	done
	query crm_figures "SET client_min_messages = warning" "CALL crm.rebuild('2022-12-31')"
	equal crm_figures 2022-12-31 "seed $seed: rebuilt as of an earlier day"
done

# a wrong account shows
for change in "INSERT INTO crm.kpi_entry (slot, account, org_id, day, n, entries) SELECT g.slot, 1, 105, '2022-12-31', 1, '0/1/2022-12-31/0/p/1=1' FROM crm.generation g WHERE g.state = 'current'" \
	"DELETE FROM crm.kpi_cell WHERE grain = 3 AND subtree" \
	"UPDATE crm.kpi_cell SET cells = crm._cells_add(cells, '0/0/p/1=1') WHERE account = 2 AND NOT subtree" \
	"UPDATE crm.generation SET settled = settled - 400 WHERE state = 'current'"; do
	isnt "$(query crm_figures "BEGIN" "$change" "SELECT count(*) FROM oracle.compare('2022-12-31')" "ROLLBACK")" 0 "seen: ${change:0:60}"
done

query postgres "DROP DATABASE crm_figures" "DROP DATABASE crm_workshop"
done_testing
