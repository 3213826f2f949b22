#!/bin/bash
# alone: it installs crm
# The demonstration runs from the Makefile to its last report, on a server of its own.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$CRM_ROOT"
mkdir -p "$CRM_TMP/demo"
chmod 755 "$CRM_TMP/demo"
export TMPDIR=$CRM_TMP/demo
unset PGHOST PGUSER PGDATABASE
trap 'test/private-server stop "$TMPDIR/crm-demo-$(id -u)" >/dev/null 2>&1 || true' EXIT

status=0
out=$(make -s demo CUSTOMERS=1000 2>&1) || status=$?
is "$status" 0 "make demo ends well"
[ "$status" -eq 0 ] || sed 's/^/# /' <<<"$out" | tail -n 20
is "$(grep -c 'psql' <<<"$out" | sed 's/[1-9][0-9]*/some/')" some "and says how to connect"
is "$(test/private-server psql "$TMPDIR/crm-demo-$(id -u)" -AqtX -d crm_demo -c 'SELECT count(*) FROM crm.customer')" 1000 "its book stands"
if [ -d "$CRM_DATA/cdnow" ]; then
	status=0
	make -s demo DATA="$CRM_DATA/cdnow" >/dev/null 2>&1 || status=$?
	is "$status" 0 "so it does on the CDNOW data set"
else
	skip "the demonstration on CDNOW" "there is no folder cdnow with data"
fi
done_testing
