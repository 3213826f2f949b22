-- allocate: a holding starts on the terms of its day

@model/51_holder crm._staff_in_post
@model/51_holder crm._act_for
@model/51_holder crm._open_holding
@model/51_holder crm._lies_within
@model/51_holder crm._held_by
@model/51_holder crm._hold_one

REVOKE ALL ON FUNCTION crm._staff_in_post(bigint, date) FROM PUBLIC;
