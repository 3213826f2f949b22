#!/bin/bash
# The rows of a book outlive the extension, and what is refused on the way.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
trap 'query postgres "DROP ROLE IF EXISTS crm_test_other, crm_test_super, crm_test_bypass" 2>/dev/null || true' EXIT

query postgres "DROP ROLE IF EXISTS crm_test_other, crm_test_super, crm_test_bypass" \
	"CREATE ROLE crm_test_other LOGIN" "CREATE ROLE crm_test_super SUPERUSER" "CREATE ROLE crm_test_bypass BYPASSRLS" 2>/dev/null

remake crm_drop crm_model
fill crm_drop
before=$(tables crm_drop count)
is "$(query crm_drop "SELECT count(*) > 0 FROM crm.policy")" t "there is a book"
is "$(sqlstate crm_drop "DROP EXTENSION crm")" 2BP01 "DROP EXTENSION is refused while a model stands"
is "$(query crm_drop "DROP SCHEMA public CASCADE" 2>&1)" "" "DROP SCHEMA public CASCADE reaches nothing of crm"
is "$(tables crm_drop count)" "$before" "every row is there after DROP SCHEMA public CASCADE"

columns="SELECT attrelid::regclass || '.' || attname FROM pg_attribute
	WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r') AND attnum > 0 AND NOT attisdropped"
own="SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_type'::regclass AND deptype = 'e'"
expected=$(query crm_drop "$columns AND atttypid NOT IN ($own) AND attgenerated = ''
	UNION $columns AND atttypid NOT IN ($own) AND attgenerated <> '' AND NOT EXISTS (
		SELECT FROM pg_attrdef d JOIN pg_depend e ON e.classid = 'pg_attrdef'::regclass AND e.objid = d.oid
		JOIN pg_depend x ON x.classid = e.refclassid AND x.objid = e.refobjid AND x.refclassid = 'pg_extension'::regclass AND x.deptype = 'e'
		WHERE d.adrelid = attrelid AND d.adnum = attnum) ORDER BY 1")
query crm_drop "DROP EXTENSION crm CASCADE" 2>/dev/null
is "$(tables crm_drop count)" "$before" "every row is there after DROP EXTENSION CASCADE"
is "$(query crm_drop "$columns ORDER BY 1")" "$expected" "only columns of the extension's own types went, and what its functions generate from them"
is "$(query crm_drop "SELECT count(*) FROM pg_extension WHERE extname = 'crm'")" 0 "the extension itself went"

remake crm_drop
query crm_drop "CREATE SCHEMA crm AUTHORIZATION crm_test_other"
is "$(sqlstate crm_drop "CREATE EXTENSION crm")" 42501 "a schema crm of somebody else is refused"
query crm_drop "ALTER SCHEMA crm OWNER TO CURRENT_USER"
is "$(PGUSER=crm_test_other sqlstate crm_drop "CREATE EXTENSION crm")" 42501 "only a superuser makes the extension"
is "$(sqlstate crm_drop "CREATE EXTENSION crm")" 00000 "a schema crm of a superuser is taken"

is "$(PGUSER=crm_test_other sqlstate crm_drop "CALL crm.create_model()")" 42501 "nobody makes the model unless allowed to"
is "$(sqlstate crm_drop "CALL crm.create_model('crm_test_super')")" 22023 "a superuser is refused as owner"
is "$(sqlstate crm_drop "CALL crm.create_model('crm_test_bypass')")" 22023 "an owner exempt from row security is refused"
is "$(sqlstate crm_drop "CALL crm.create_model('crm_bi_owner')")" 22023 "tables and views with one owner are refused"
is "$(sqlstate crm_drop "CALL crm.create_model(NULL)")" 22004 "an owner without a name is refused"
is "$(sqlstate crm_drop "CALL crm.upgrade_model()")" 55000 "there is no model to upgrade"
is "$(query crm_drop "SELECT count(*) FROM pg_class WHERE relnamespace = 'crm'::regnamespace AND relkind = 'r'")" 0 "a refusal leaves nothing behind"

query crm_drop "REVOKE TEMPORARY ON DATABASE crm_drop FROM PUBLIC"
is "$(query crm_drop "CALL crm.create_model()" 2>&1)" "" "the model is made"
is "$(query crm_drop "SELECT has_database_privilege('crm_owner', 'crm_drop', 'TEMPORARY')")" t "its owner may make temporary tables"
before=$(tables crm_drop rows)
is "$(query crm_drop "CALL crm.create_model()" 2>&1)" "NOTICE:  the model of crm $(query crm_drop "SELECT crm.model_version()") stands already" \
	"making it again gives a notice"
is "$(tables crm_drop rows)" "$before" "and changes nothing"
is "$(query crm_drop "SELECT current_user = session_user")" t "the caller's role is back"

query postgres "DROP DATABASE crm_drop"
done_testing
