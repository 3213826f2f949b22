#!/bin/bash
# Plans made while the tables are known to be empty still go by key when the same session fills them.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

remake crm_empty crm_model
query crm_empty "VACUUM ANALYZE" "SELECT pg_stat_force_next_flush()" >/dev/null
read_whole() {
	query crm_empty "SELECT coalesce(max(s.seq_scan), 0) FROM pg_stat_user_tables s WHERE s.relid = 'crm.$1'::regclass"
}
declare -A before
tables="cover policy standing contact_point holding"
for table in $tables; do before[$table]=$(read_whole "$table"); done
# a book written change by change, each posted, in one session
query crm_empty "SET client_min_messages = warning" "SET crm.as_of = '2025-12-31'" "CALL crm.rebuild('2025-12-31')" "
DO \$do\$
BEGIN
  INSERT INTO crm.organisation (id, code, name) VALUES (1, 'u', 'Unit');
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 's', 'Staff', 1, 1, '2010-01-01');
  INSERT INTO crm.product (id, code, name, line) VALUES (1, 'p', 'Product', 'life');
END
\$do\$" "
CREATE PROCEDURE public.write(first integer, last integer) LANGUAGE plpgsql AS \$do\$
BEGIN
  FOR n IN first .. last LOOP
    INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (n, 'person', 'C' || n, 1, 1, '2020-01-01');
    INSERT INTO crm.contact_point (customer_id, kind, value) VALUES (n, 'phone', '0755-' || n);
    INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments)
    VALUES (n, 1, 1, '2021-01-01', 240, '2041-01-01', 'yearly', 1000, 10);
    COMMIT;
  END LOOP;
END
\$do\$" "CALL public.write(1, 100)" "SELECT pg_stat_force_next_flush()" >/dev/null
for table in $tables; do
	is "$(($(read_whole "$table") - before[$table] < 20))" 1 "crm.$table is not read whole for each change"
done
is "$(query crm_empty "SELECT count(*) FROM crm.check()")" 0 "all agrees"
query postgres "DROP DATABASE crm_empty"
done_testing
