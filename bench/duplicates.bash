# The search for duplicates, from a tenth of the book to the whole, each in a copy of the database with a hundredth of the customers
# entered once more (half of them with a slip in name, birth date or telephone), and the search for one customer.
sizes=("$customers")
[ "$customers" -lt 20000 ] || sizes=($((customers / 10)) "$customers")
printf '%-40s %9s %9s %9s %9s %9s %9s\n' '' s 'cpu s' pairs pairs/s 'us a row' times
base=
for n in "${sizes[@]}"; do
	sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS bench_duplicates' -c 'CREATE DATABASE bench_duplicates' \
		-c 'ALTER DATABASE bench_duplicates SET client_min_messages = error'
	sql -d bench_duplicates -c 'CREATE EXTENSION crm' -c 'CALL crm.create_model()' -c 'CREATE SCHEMA bench' \
		-c "CALL crm.generate(customers => $n, seed => 1, as_of => '$as_of', policies_per_customer => 1.2)" \
		-c 'CREATE FUNCTION bench.cpu() RETURNS numeric LANGUAGE sql VOLATILE AS $$
		      SELECT (s[14]::numeric + s[15]::numeric) / 100 FROM regexp_split_to_array(pg_read_file('"'/proc/self/stat'"'), '"' '"') AS s $$' \
		-c "CREATE TABLE bench.planted AS
		    SELECT c.id, c.id + 100000000 AS other_id, c.id / 100 % 6 AS slip FROM crm.customer c
		    WHERE c.id % 100 = 7 AND c.kind = 'person' AND c.birth_date IS NOT NULL AND length(c.name) = 3
		      AND EXISTS (SELECT FROM crm.contact_point p WHERE p.customer_id = c.id AND p.kind = 'mobile')" \
		-c "INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, org_id, source_channel_id, known_from)
		    SELECT p.other_id, c.kind, CASE p.slip WHEN 3 THEN overlay(c.name PLACING '骏' FROM 2 FOR 1) ELSE c.name END, CASE p.slip WHEN 0 THEN c.resident_id END,
		           CASE p.slip WHEN 4 THEN c.birth_date + 1 WHEN 5 THEN NULL ELSE c.birth_date END, c.org_id, 1 + c.source_channel_id % 4, c.known_from
		    FROM bench.planted p JOIN crm.customer c ON c.id = p.id" \
		-c "INSERT INTO crm.contact_point (customer_id, kind, value)
		    SELECT p.other_id, t.kind, CASE p.slip WHEN 5 THEN overlay(t.value PLACING ((substr(t.value, 9, 1)::integer + 1) % 10)::text FROM 9 FOR 1) ELSE t.value END
		    FROM bench.planted p JOIN crm.contact_point t ON t.customer_id = p.id AND t.kind = 'mobile' WHERE p.slip >= 3" \
		-c 'VACUUM ANALYZE'
	echo 'CALL crm.find_duplicates();' >"$work/duplicates.sql"
	read -r t c < <(timed "$work/duplicates.sql" -d bench_duplicates)
	# the pairs, from a second run, which has nothing to write
	pairs=$(sql -d bench_duplicates -c 'CALL crm.find_duplicates()' | cut -d'|' -f2)
	printf '%-40s %9.1f %9s %9s %9.0f %9.1f %9s\n' "$n customers" "$t" "$c" "$pairs" "$(ratio "$pairs" "$t")" "$(awk -v t="$t" -v n="$n" 'BEGIN {print t / n * 1e6}')" "$(ratio "$t" "${base:-$t}")"
	base=${base:-$t}
	sql -d bench_duplicates -c "SELECT format('  planted %s, found %s; candidates %s, of them not planted %s', (SELECT count(*) FROM bench.planted),
		count(p.id), count(*), count(*) - count(p.id)) FROM crm.duplicate_candidate d LEFT JOIN bench.planted p ON p.id = d.customer_id AND p.other_id = d.other_id"
	echo "SELECT count(d.other_id) FROM (SELECT id FROM crm.customer WHERE id % ($n / 500) = 0 LIMIT 500) c LEFT JOIN LATERAL crm.duplicates_of(c.id) d ON true;" >"$work/duplicates.sql"
	timed "$work/duplicates.sql" -d bench_duplicates >/dev/null
	read -r t c < <(timed "$work/duplicates.sql" -d bench_duplicates)
	printf '%-40s %9s\n' '  crm.duplicates_of, ms each' "$(awk -v t="$t" 'BEGIN {printf "%.2f", t * 1000 / 500}')"
done
sql -d postgres -c 'DROP DATABASE bench_duplicates'
