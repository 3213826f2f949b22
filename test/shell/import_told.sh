#!/bin/bash
# What an import says while it runs.
# shellcheck source=test/shell/lib.bash
. "$(dirname "$0")/lib.bash"

told() {
	psql -Xq -v ON_ERROR_STOP=1 -d crm_told -o /dev/null -c "CALL crm.import('$1')" 2>&1
}

remake crm_told crm_model
is "$(told core)" 'NOTICE:  no row was waiting from "core"' "the first system is none that was misspelt"
is "$(told core)" 'NOTICE:  no row was waiting from "core"' "nor one known"
is "$(told Core)" 'NOTICE:  source system "Core" is new here; known are "core"
NOTICE:  no row was waiting from "Core"' "a new one is told beside those known"
query postgres "DROP DATABASE crm_told"
done_testing
