# COPY of many policies into a standing book, each time into a copy of the database.
n=1000000
# new business, and policies of past years, which touch every period since
for days in 30 2000; do
	title "COPY of $n policies, issued in the last $days days, into a standing book"
	sql -c "COPY (SELECT 1 + (hashint8extended(i, 7) & 9223372036854775807) % $customers, 1 + i % 13, 1 + i % 4, 'own', date '$as_of' - (i % $days)::integer, 240,
  (date '$as_of' - (i % $days)::integer + interval '20 years')::date, 'yearly', 1000 + i % 9000, 10 FROM generate_series(1, $n) i) TO '$work/policies'"
	copy="COPY crm.policy (customer_id, product_id, channel_id, book, issued_on, term_months, matures_on, payment, premium, payments) FROM '$work/policies'"
	printf '%-40s %9s %9s %9s %9s\n' '' s 'cpu s' 'us a row' times
	base=
	for form in none commit deferred; do
		sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS bench_copy' -c 'CHECKPOINT' -c "CREATE DATABASE bench_copy TEMPLATE $db STRATEGY file_copy" \
			-c "ALTER DATABASE bench_copy SET crm.as_of = '$as_of'" -c 'ALTER DATABASE bench_copy SET client_min_messages = warning'
		# the pages come from disk for each alike
		sql -d bench_copy -c 'SELECT sum(hashtext(c::text)) FROM crm.customer c' -c 'SELECT count(p.premium) FROM crm.policy p' -c 'SELECT count(c.amount) FROM crm.cover c' >/dev/null
		case $form in
		none)
			name='no posting'
			echo "$copy;" >"$work/copy.sql"
			sql -d bench_copy -c 'ALTER TABLE crm.policy DISABLE TRIGGER touch_insert'
			;;
		commit)
			name='posted at commit'
			echo "$copy;" >"$work/copy.sql"
			;;
		deferred)
			name='deferred, then CALL crm.refresh()'
			printf '%s;\n%s;\n%s;\n' "SET crm.posting = 'deferred'" "$copy" 'CALL crm.refresh()' >"$work/copy.sql"
			;;
		esac
		read -r t c < <(timed "$work/copy.sql" -d bench_copy)
		base=${base:-$t}
		printf '%-40s %9.1f %9s %9.1f %9s\n' "$name" "$t" "$c" "$(awk -v t="$t" -v n="$n" 'BEGIN {print t / n * 1e6}')" "$(ratio "$t" "$base")"
	done
	sql -d postgres -c 'DROP DATABASE bench_copy'
done
rm -f "$work/policies"
