# Import of customers into a book without any: checked, with keys kept, beside an INSERT ... SELECT that trusts the file.
fresh() {
	sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS bench_import' -c 'CHECKPOINT' -c 'CREATE DATABASE bench_import' \
		-c 'ALTER DATABASE bench_import SET client_min_messages = warning'
	sql -d bench_import -c 'CREATE EXTENSION crm' -c 'CALL crm.create_model()' -c "INSERT INTO crm.organisation (code, name) SELECT 'B' || i, 'Branch ' || i FROM generate_series(0, 99) i" \
		-c 'CREATE SCHEMA bench' -c "CREATE FUNCTION bench.cpu() RETURNS numeric LANGUAGE sql VOLATILE AS 'SELECT (s[14]::numeric + s[15]::numeric) / 100 FROM regexp_split_to_array(pg_read_file(''/proc/self/stat''), '' '') AS s'"
}
columns='source_key, kind, name, birth_date, sex, org_code, channel_code, known_from'
for n in ${IMPORT_ROWS:-10000 100000 1000000}; do
	title "Import of $n customers"
	sql -c "COPY (SELECT 'K' || i, 'person', 'Customer ' || i, date '1950-01-01' + (i % 18000)::integer, CASE i % 2 WHEN 0 THEN 'male' ELSE 'female' END, 'B' || i % 100,
	  (ARRAY['individual', 'bancassurance', 'group', 'telesales'])[1 + i % 4], date '2010-01-01' + (i % 5000)::integer FROM generate_series(1, $n) i) TO '$work/customers'"
	copy="COPY crm.import_customer ($columns) FROM '$work/customers'"
	printf '%-40s %9s %9s %9s %9s\n' '' s 'cpu s' 'rows a s' times
	base=
	for form in plain import again steps; do
		case $form in
		plain)
			name='INSERT ... SELECT, nothing checked'
			cat >"$work/import.sql" <<-'SQL'
				INSERT INTO crm.customer (id, kind, name, birth_date, sex, org_id, source_channel_id, known_from)
				SELECT s.row_no, s.kind, s.name, s.birth_date::date, s.sex, o.id, h.id, s.known_from::date
				FROM crm.import_customer s JOIN crm.organisation o ON o.code = s.org_code JOIN crm.channel h ON h.code = s.channel_code;
				INSERT INTO crm.customer_key (source_system, source_key, customer_id) SELECT 'core', s.source_key, s.row_no FROM crm.import_customer s;
			SQL
			;;
		import | again)
			name='CALL crm.import()'
			[ "$form" = import ] || name='the same file again'
			echo "CALL crm.import('core');" >"$work/import.sql"
			;;
		steps)
			name='CALL crm.import_in_steps()'
			echo "CALL crm.import_in_steps('core');" >"$work/import.sql"
			;;
		esac
		[ "$form" = again ] || fresh
		sql -d bench_import -c "$copy"
		read -r t c < <(timed "$work/import.sql" -d bench_import)
		base=${base:-$t}
		printf '%-40s %9.1f %9s %9.0f %9s\n' "$name" "$t" "$c" "$(awk -v t="$t" -v n="$n" 'BEGIN {print n / t}')" "$(ratio "$t" "$base")"
	done
	[ "$(sql -d bench_import -c 'SELECT count(*) FROM crm.customer_key')" = "$n" ] || { echo 'some customers are missing' >&2; exit 1; }
	sql -d postgres -c 'DROP DATABASE bench_import'
done
rm -f "$work/customers"
