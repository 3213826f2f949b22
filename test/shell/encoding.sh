#!/bin/bash
# The scripts are UTF-8 whatever the database is encoded in; one that has no Chinese refuses the extension whole.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

query postgres "CREATE DATABASE crm_euc ENCODING 'EUC_CN' LOCALE 'C' TEMPLATE template0" \
	"CREATE DATABASE crm_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
query crm_euc "CREATE EXTENSION crm" "CALL crm.create_model()"
fill crm_euc
is "$(PGCLIENTENCODING=UTF8 query crm_euc "SELECT name_zh FROM crm.kpi_code WHERE code = 'insured'")" 有效客户数 "names read well in EUC_CN"
is "$(PGCLIENTENCODING=UTF8 query crm_euc "SELECT crm.labels('低, 中 100, 高 > 200')" "SELECT crm.grade('低, 中 100, 高 > 200', 150)")" "{低,中,高}
中" "scales too"
is "$(query crm_euc "SELECT * FROM crm.check()")" "" "and a book stands"
is "$(sqlstate crm_latin "CREATE EXTENSION crm")" 22P05 "LATIN1 is refused"
is "$(query crm_latin "SELECT count(*) FROM pg_namespace WHERE nspname = 'crm'")" 0 "and nothing is left behind"
query postgres "DROP DATABASE crm_euc" "DROP DATABASE crm_latin"
done_testing
