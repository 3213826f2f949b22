-- Who holds whom: customers dealt to staff, and the solver.

CREATE FUNCTION crm.deal(customers bigint[], staff bigint[], loads bigint[], rooms bigint[],
                         barred_customers bigint[] DEFAULT '{}', barred_staff bigint[] DEFAULT '{}')
RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE COST 1000
AS 'MODULE_PATHNAME', 'crm_allocate_deal';
COMMENT ON FUNCTION crm.deal(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) IS
  'The member of staff for each customer, NULL where none has room: one after the other goes to the least loaded, ties to the smaller key. loads: what each has already; rooms: how many more each may take; the pairs of barred_customers and barred_staff never meet. The order of the input does not matter. Errors: 22004, 22023, 22003, 2202E.';

CREATE FUNCTION crm.assign(edges text, capacities text, objective text DEFAULT 'max')
RETURNS TABLE (customer_id bigint, holder_id bigint, benefit double precision)
AS 'MODULE_PATHNAME', 'crm_allocate_assign'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION crm.assign(text, text, text) IS
'the best assignment with capacities: as many customers as possible get one holder each, no holder more than its capacity, and then the total benefit is the largest (''max'') or least (''min''); edges is a query of customer_id, holder_id, benefit and perhaps load, what a customer counts, capacities one of holder_id, capacity and perhaps floor, the least number of customers; both only read, with the rights of the caller';
