-- allocate: many holdings at once, with loads

DROP FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text);
@model/52_hold crm._lock_pool
@model/52_hold crm._kinds
@model/52_hold crm._rooms
@model/52_hold crm._pair_loads
@model/52_hold crm._start
@model/52_hold crm._judge
@model/52_hold crm._hold
@model/52_hold crm._allocate

REVOKE ALL ON FUNCTION crm._lock_pool(bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._kinds(bigint[], bigint[], date) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._rooms(bigint[], date) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._pair_loads(bigint[], bigint[], bigint[], bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._start(bigint[], bigint[], bigint[], bigint, bigint, boolean, text, bigint, crm.recycle_rule) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._judge(bigint[], bigint[], bigint, bigint, bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text, bigint, crm.recycle_rule) FROM PUBLIC;
