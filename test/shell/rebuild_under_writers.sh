#!/bin/bash
# A rebuild, also one that is killed and resumed, while others read and write: figures are exact after, and balanced throughout.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
# shellcheck source=test/shell/writers.bash
. "$(dirname "$0")/writers.bash"

# the server is killed, so it is one of our own
server=$(mktemp -d "$CRM_TMP/kill.XXXXXX")/server
chmod 755 "$(dirname "$server")"
trap 'test/private-server stop "$server" >/dev/null 2>&1 || true; rm -rf "$(dirname "$server")"' EXIT
test/private-server start "$server" "synchronous_commit = on"
export PGHOST=$server
query postgres "CREATE DATABASE crm_model"
query crm_model "CREATE EXTENSION crm" "CALL crm.create_model()"
seed=${SEED:-$((RANDOM % 1000))}
echo "# SEED=$seed"
book crm_rebuild "$seed" 40

# read_on FILE: what is out of balance, and whether there are figures, over and over until FILE goes
read_on() {
	while [ -e "$1" ]; do
		query crm_rebuild "SET crm.as_of = '$AS_OF'" "
			WITH k AS MATERIALIZED (
			  SELECT k.org_id, k.channel, k.kind, k.code, k.period_start, k.numerator, k.denominator FROM crm_bi.kpi k WHERE k.grain = 'year'
			  AND k.code IN ('total_churn', 'gained', 'won_back', 'moved_in', 'moved_out', 'insured'))
			SELECT 'unbalanced', k.period_start, k.org_id, k.channel, k.kind FROM k GROUP BY 2, 3, 4, 5
			HAVING coalesce(sum(k.denominator) FILTER (WHERE k.code = 'total_churn'), 0)
			  + coalesce(sum(CASE WHEN k.code IN ('total_churn', 'moved_out') THEN -k.numerator ELSE k.numerator END)
			             FILTER (WHERE k.code IN ('gained', 'won_back', 'moved_in', 'total_churn', 'moved_out')), 0)
			  <> coalesce(sum(k.numerator) FILTER (WHERE k.code = 'insured'), 0)
			UNION ALL SELECT 'no figures', NULL, NULL, NULL, NULL WHERE NOT EXISTS (SELECT FROM k WHERE k.code = 'insured')" >>"$1.bad" 2>&1 || true
		echo read >>"$1.reads"
	done
}

# rebuild and refresh under writers and a reader
touch "$CRM_TMP/reading"
read_on "$CRM_TMP/reading" &
reader=$!
write crm_rebuild "$seed" 12 >"$CRM_TMP/writers/log" &
writer=$!
rebuilt=0
while kill -0 "$writer" 2>/dev/null; do
	query crm_rebuild "SET client_min_messages = warning" "CALL crm.rebuild('$AS_OF', batch => 7)" >>"$CRM_TMP/reading.log" 2>&1 && rebuilt=$((rebuilt + 1))
	query crm_rebuild "CALL crm.refresh('$AS_OF')" >>"$CRM_TMP/reading.log" 2>&1 || true
done
wait "$writer" || true
rm "$CRM_TMP/reading"
wait "$reader"
is "$(cat "$CRM_TMP/reading.log")" "" "no rebuild or refresh failed"
is "$([ "$rebuilt" -ge 2 ] && echo several)" several "there were several rebuilds"
is "$(grep aborted "$CRM_TMP/writers/log")" "" "no writer was broken off"
is "$(sed -n 's/^number of failed transactions: \([0-9]*\) .*/\1/p' "$CRM_TMP/writers/log" | head -n 1)" 0 "everything was written in the end"
is "$([ -s "$CRM_TMP/reading.reads" ] && cat "$CRM_TMP/reading.bad")" "" "figures could be read and balanced throughout"
settled_book crm_rebuild "after rebuilds under writers"

# killed in each step, without and with background sessions, with writers before and after, then resumed
for killed in "0 standings" "0 accounts" "0 switch" "2 standings" "2 switch"; do
	read -r helpers step <<<"$killed"
	query crm_rebuild "
		CREATE OR REPLACE FUNCTION writers.stop() RETURNS trigger LANGUAGE plpgsql AS \$\$
		BEGIN
		  IF OLD.step = '$step' AND ('$step' <> 'standings' OR NEW.next_id > 1020) THEN
		    PERFORM pg_sleep(60);
		  END IF;
		  RETURN NULL;
		END \$\$" "DROP TRIGGER IF EXISTS stop ON crm.generation" \
		"CREATE TRIGGER stop AFTER UPDATE OF step ON crm.generation FOR EACH ROW EXECUTE FUNCTION writers.stop()" 2>/dev/null
	query crm_rebuild "SET max_parallel_maintenance_workers = $helpers" "CALL crm.rebuild('$AS_OF', batch => 7)" >/dev/null 2>&1 &
	rebuild=$!
	until [ "$(query crm_rebuild "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL crm.rebuild%' AND wait_event = 'PgSleep'")" = 1 ]; do
		sleep 0.1
	done
	kill -9 "$(query crm_rebuild "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL crm.rebuild%' AND wait_event = 'PgSleep'")"
	wait "$rebuild" || true
	until query crm_rebuild "DROP TRIGGER stop ON crm.generation" 2>/dev/null; do
		sleep 0.2
	done
	write crm_rebuild "$((seed + 1))" 2 >"$CRM_TMP/writers/log" || true
	is "$(query crm_rebuild "SELECT step FROM crm.generation WHERE state = 'building'")" "$step" "killed at $step, $helpers sessions beside: the rebuild stands half done"
	is "$(query crm_rebuild "CALL crm.rebuild('$AS_OF')" 2>&1 | grep -c 'going on with the rebuild')" 1 "killed at $step, $helpers sessions beside: it goes on"
	settled_book crm_rebuild "killed at $step, $helpers sessions beside"
done
done_testing
