-- allocate: more strategies, under the locks of the allocation

DROP FUNCTION crm._allocation_state(bigint[], bigint[]);
@model/52_allocate crm._allocation_state
@model/52_allocate crm._allocation_edges
@model/52_allocate crm._deal_out
@model/52_allocate crm.allocate

REVOKE ALL ON FUNCTION crm._allocation_state(bigint[], bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION crm._deal_out(bigint[], bigint[], text, bigint[], boolean, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._deal_out(bigint[], bigint[], text, bigint[], boolean, text)');
