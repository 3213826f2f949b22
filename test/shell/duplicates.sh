#!/bin/bash
# Precision and recall of the defaults where the truth is known, and the search in steps that commit.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

remake crm_duplicates crm_model

source=${CRM_DATA:-}/dedupe_febrl1
if [ -d "$source" ]; then
	query crm_duplicates "CREATE TABLE person (rec_id text, given_name text, surname text, street_number text, address_1 text, address_2 text, suburb text,
			postcode text, state text, date_of_birth text, soc_sec_id text)" \
		"CREATE TABLE truth (rec_id_1 text, rec_id_2 text)" \
		"\\copy person from '$source/febrl_dataset1.csv' with (format csv, header)" \
		"\\copy truth from '$source/febrl_dataset1_true_pairs.csv' with (format csv, header)" \
		"ALTER TABLE person ADD id bigint GENERATED ALWAYS AS IDENTITY"
	figures=$(query crm_duplicates "
		WITH found AS (
		  SELECT * FROM crm.match_pairs(\$\$SELECT id, ROW(NULL, concat_ws(' ', given_name, surname), soc_sec_id, date_of_birth, NULL, NULL,
		    ARRAY[concat_ws(' ', street_number, address_1, address_2, suburb, postcode, state)])::crm.identity FROM public.person\$\$)),
		truth AS (SELECT least(x.id, y.id) AS a, greatest(x.id, y.id) AS b FROM truth t JOIN person x ON x.rec_id = t.rec_id_1 JOIN person y ON y.rec_id = t.rec_id_2)
		SELECT round(count(t.a)::numeric / count(*), 4), round(count(t.a)::numeric / (SELECT count(*) FROM truth), 4) FROM found f LEFT JOIN truth t USING (a, b)")
	echo "# precision ${figures%|*}, recall ${figures#*|}"
	is "$(awk -F'|' '{print ($1 > 0.99 && $2 > 0.95)}' <<<"$figures")" 1 "precision above 0.99 and recall above 0.95"
else
	skip "precision and recall" "there is no folder dedupe_febrl1 with data"
fi

# each hundredth customer once more, from another channel, with a slip of the pen in the name
query crm_duplicates "SET client_min_messages = warning" "CALL crm.generate(customers => 3000, seed => 3, policies_per_customer => 1.2)" \
	"INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, org_id, source_channel_id, known_from)
	 SELECT c.id + 100000, c.kind, overlay(c.name PLACING '骏' FROM length(c.name) FOR 1), c.resident_id, c.birth_date, c.org_id, 1 + c.source_channel_id % 4, c.known_from
	 FROM crm.customer c WHERE c.id % 100 = 7 AND c.kind = 'person' AND (c.resident_id IS NOT NULL OR length(c.name) = 3 AND c.birth_date IS NOT NULL)"
planted=$(query crm_duplicates "SELECT count(*) FROM crm.customer c WHERE c.id > 100000")
is "$([ "$planted" -gt 20 ] && echo many)" many "duplicates are planted"
one=$(query crm_duplicates "SET client_min_messages = warning" "CALL crm.find_duplicates(batch => NULL)")
rows=$(query crm_duplicates "SELECT customer_id, other_id, score, reasons FROM crm.duplicate_candidate ORDER BY 1, 2")
query crm_duplicates "DELETE FROM crm.duplicate_candidate"
is "$(query crm_duplicates "SET client_min_messages = warning" "CALL crm.find_duplicates(batch => 100)" | cut -d'|' -f1,3,4)" "$(cut -d'|' -f1,3,4 <<<"$one")" "steps of a hundred find as many as one"
is "$(query crm_duplicates "SELECT customer_id, other_id, score, reasons FROM crm.duplicate_candidate ORDER BY 1, 2")" "$rows" "and the same"
is "$(query crm_duplicates "SELECT count(*) FROM crm.duplicate_candidate d WHERE d.other_id = d.customer_id + 100000 AND d.state = 'open'")" "$planted" "every planted one is found"
is "$(query crm_duplicates "SELECT count(*), count(finished_at), count(*) FILTER (WHERE step = 'done') FROM crm.progress WHERE task = 'find duplicates'")" "2|2|2" "both runs are in the progress"
is "$(query crm_duplicates "SHOW search_path")|$(query crm_duplicates "SET client_min_messages = warning" "SET search_path = public" "CALL crm.find_duplicates()" "SHOW search_path" | tail -n 1)" \
	'"$user", public|public' "the search path of the session stays"

# one that ends early leaves nothing in the way of the next
is "$(sqlstate crm_duplicates "SET statement_timeout = '30ms'; CALL crm.find_duplicates(batch => NULL)")" 57014 "a run is broken off"
is "$(query crm_duplicates "SET client_min_messages = warning" "CALL crm.find_duplicates(batch => 500)" "CALL crm.find_duplicates(batch => 700)" | sort -u | cut -d'|' -f1)" "$(cut -d'|' -f1 <<<"$one")" "twice in one session, with other steps"

# two at once
query crm_duplicates "DELETE FROM crm.duplicate_candidate" "DELETE FROM crm.progress"
for i in 1 2; do
	query crm_duplicates "SET client_min_messages = warning" "CALL crm.find_duplicates(batch => 200)" >"$CRM_TMP/duplicates.$i" 2>&1 &
done
wait
is "$(cut -d'|' -f1 "$CRM_TMP/duplicates.1" "$CRM_TMP/duplicates.2" | sort -u)" "$(cut -d'|' -f1 <<<"$one")" "two at once both end"
is "$(query crm_duplicates "SELECT customer_id, other_id, score, reasons FROM crm.duplicate_candidate ORDER BY 1, 2")" "$rows" "with the queue of one"

query postgres "DROP DATABASE crm_duplicates"
done_testing
