-- allocate: customers dealt to staff

CREATE FUNCTION crm.deal(customers bigint[], staff bigint[], loads bigint[], rooms bigint[],
                         barred_customers bigint[] DEFAULT '{}', barred_staff bigint[] DEFAULT '{}')
RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'crm_allocate_deal';
COMMENT ON FUNCTION crm.deal(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) IS
  'The member of staff for each customer, NULL where none has room: one after the other goes to the least loaded, ties to the smaller key. loads: what each has already; rooms: how many more each may take; the pairs of barred_customers and barred_staff never meet. The order of the input does not matter. Errors: 22004, 22023, 22003, 2202E.';
