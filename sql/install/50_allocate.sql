-- Who holds whom: the solver.

CREATE FUNCTION crm.assign(edges text, capacities text, objective text DEFAULT 'max')
RETURNS TABLE (customer_id bigint, holder_id bigint, benefit double precision)
AS 'MODULE_PATHNAME', 'crm_allocate_assign'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION crm.assign(text, text, text) IS
'the best assignment with capacities: as many customers as possible get one holder each, no holder more than its capacity, and then the total benefit is the largest (''max'') or least (''min''); edges is a query of customer_id, holder_id, benefit, capacities one of holder_id, capacity; both only read, with the rights of the caller';
