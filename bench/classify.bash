# Every customer on the six dimensions and tier as of a past day, and a condition on customers as they stand.
title 'Classification of every customer as of a past day: crm.classify() and plain SQL in one pass over each table'
printf '%-46s %9s %9s %9s\n' '' ms 'cpu ms' 'times'
day=2021-06-30
columns='customer_id, coverage, channel, channels, service, reach, activity, touchpoints, tier, prospect_kind'
psql_day() { sed "s/:'day'/date '$day'/g" "$here/classify.sql"; }
counts=$(sed 's/\([a-z_]*\)/count(\1)/g; s/count()//g' <<<"$columns")
echo "SELECT $counts FROM crm.classify('$day');" >"$work/classify.sql"
echo "SELECT $counts FROM ($(psql_day)) x;" >"$work/plain.sql"
differ=$(sql -c "SELECT count(*) FROM (SELECT * FROM ($(psql_day)) a EXCEPT SELECT $columns FROM crm.classify('$day')) x WHERE coverage IS NOT NULL")
read -r t c < <(runs 3 "$work/classify.sql" -c 'SET jit = off')
base=$(awk -v c="$c" 'BEGIN {print c * 1000}')
printf '%-46s %9.0f %9.0f %9s\n' 'crm.classify()' "$(awk -v t="$t" 'BEGIN {print t * 1000}')" "$base" 1.00
read -r t c < <(runs 3 "$work/plain.sql" -c 'SET jit = off' -c "SET work_mem = '1GB'" -c 'SET max_parallel_workers_per_gather = 0')
ms=$(awk -v c="$c" 'BEGIN {print c * 1000}')
printf '%-46s %9.0f %9.0f %9s\n' "plain SQL, $differ rows differ" "$(awk -v t="$t" 'BEGIN {print t * 1000}')" "$ms" "$(ratio "$ms" "$base")"

title 'A condition over ten columns of crm_bi.customer, and of a plain table with the same columns'
printf '%-46s %9s %9s %9s\n' '' ms 'cpu ms' 'times'
# the part dashboard refreshes to another day
[ "$(sql -c "SELECT shown_on = '$as_of' AND NOT rolling FROM crm.generation WHERE state = 'current'")" = t ] || sql -c 'CALL crm.rebuild()'
condition="kind = 'person' and sex = 'female' and birth_date < today - 40 years and org_id > 3 and channel in ('individual', 'telesales') and coverage = 'insured' and activity <> 'dormant' and tier in ('lead', 'ungraded', 'iron', 'gold') and service = 'served' and amount > 1000"
sql -c 'DROP TABLE IF EXISTS bench.customer_today' -c 'CREATE TABLE bench.customer_today AS SELECT * FROM crm_bi.customer' -c 'VACUUM ANALYZE bench.customer_today' -c 'VACUUM ANALYZE crm.standing'
base=
for from in bench.customer_today crm_bi.customer; do
	echo "SELECT count(*) FROM $from c WHERE crm.matches(\$\$$condition\$\$, c, crm.today());" >"$work/condition.sql"
	read -r t c < <(runs 5 "$work/condition.sql" -c 'SET jit = off' -c 'SET max_parallel_workers_per_gather = 0')
	ms=$(awk -v t="$t" 'BEGIN {print t * 1000}')
	base=${base:-$ms}
	printf '%-46s %9.0f %9.0f %9s\n' "$from" "$ms" "$(awk -v c="$c" 'BEGIN {print c * 1000}')" "$(ratio "$ms" "$base")"
done
sql -c 'DROP TABLE bench.customer_today'
