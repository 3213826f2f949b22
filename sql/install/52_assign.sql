-- An assignment with all that is known of it: how good it is at best, and what each limit costs.

CREATE TYPE crm.assignment AS (
  customers bigint,
  assigned bigint,
  assigned_bound bigint,
  total double precision,
  bound double precision,
  gap double precision,
  is_proven boolean,
  rounds bigint,
  customer_ids bigint[],
  holder_ids bigint[],
  benefits double precision[],
  loads bigint[],
  holders bigint[],
  capacities bigint[],
  floors bigint[],
  counts bigint[],
  taken bigint[],
  serves boolean[],
  place_prices double precision[],
  floor_prices double precision[]);
COMMENT ON TYPE crm.assignment IS 'An assignment of customers to holders as crm.solve_assignment() returns it. Its pairs: crm.assigned(); its holders and prices: crm.assigned_holders().';
COMMENT ON COLUMN crm.assignment.customers IS 'Customers of the edges query.';
COMMENT ON COLUMN crm.assignment.assigned IS 'Customers that got a holder.';
COMMENT ON COLUMN crm.assignment.assigned_bound IS 'No assignment gives more customers a holder.';
COMMENT ON COLUMN crm.assignment.total IS 'Sum of the benefits of the pairs.';
COMMENT ON COLUMN crm.assignment.bound IS 'No assignment of as many customers has a better total.';
COMMENT ON COLUMN crm.assignment.gap IS '|total - bound| / |bound|.';
COMMENT ON COLUMN crm.assignment.is_proven IS 'Whether this is the best: assigned and total reach their bounds.';
COMMENT ON COLUMN crm.assignment.rounds IS 'Rounds of the search; the same number of rounds gives the same assignment. 0: none were needed.';
COMMENT ON COLUMN crm.assignment.customer_ids IS 'Assigned customers, ascending.';
COMMENT ON COLUMN crm.assignment.holder_ids IS 'The holder of each.';
COMMENT ON COLUMN crm.assignment.benefits IS 'The benefit of each pair.';
COMMENT ON COLUMN crm.assignment.loads IS 'What each customer counts with its holder.';
COMMENT ON COLUMN crm.assignment.holders IS 'Holders of the capacities query, ascending.';
COMMENT ON COLUMN crm.assignment.capacities IS 'The capacity of each.';
COMMENT ON COLUMN crm.assignment.floors IS 'The least number of customers of each.';
COMMENT ON COLUMN crm.assignment.counts IS 'Customers that each got.';
COMMENT ON COLUMN crm.assignment.taken IS 'What they count together.';
COMMENT ON COLUMN crm.assignment.serves IS 'Whether room for one more at the holder would give one more customer a holder; NULL where customers of one holder count differently.';
COMMENT ON COLUMN crm.assignment.place_prices IS 'By how much room for one more at the holder would make the total better, exactly; where customers of one holder count differently, about how much one unit of capacity would.';
COMMENT ON COLUMN crm.assignment.floor_prices IS 'By how much a floor lower by one would make the total better, exactly.';

CREATE FUNCTION crm.solve_assignment(edges text, capacities text, objective text DEFAULT 'max', seconds double precision DEFAULT 10, rounds bigint DEFAULT NULL)
RETURNS crm.assignment
AS 'MODULE_PATHNAME', 'crm_allocate_solve_assignment'
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000;
COMMENT ON FUNCTION crm.solve_assignment(text, text, text, double precision, bigint) IS
  'The assignment of crm.assign() with bound, gap and prices. Exact where all customers of a holder count alike; else the best found until it is proven, seconds are over or rounds are done (NULL: no limit, not both).';

CREATE FUNCTION crm.assigned(assignment crm.assignment)
RETURNS TABLE (customer_id bigint, holder_id bigint, benefit double precision, load bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
  SELECT p.customer_id, p.holder_id, p.benefit, p.load
  FROM ROWS FROM (
    pg_catalog.unnest((assigned.assignment).customer_ids), pg_catalog.unnest((assigned.assignment).holder_ids),
    pg_catalog.unnest((assigned.assignment).benefits), pg_catalog.unnest((assigned.assignment).loads)) p(customer_id, holder_id, benefit, load);
END;
COMMENT ON FUNCTION crm.assigned(crm.assignment) IS 'The pairs of an assignment.';

CREATE FUNCTION crm.assigned_holders(assignment crm.assignment)
RETURNS TABLE (holder_id bigint, capacity bigint, floor bigint, customers bigint, load bigint, serves_one_more boolean, place_price double precision, floor_price double precision)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  SELECT h.holder_id, h.capacity, h.floor, h.customers, h.load, h.serves, h.place_price, h.floor_price
  FROM ROWS FROM (
    pg_catalog.unnest((assigned_holders.assignment).holders), pg_catalog.unnest((assigned_holders.assignment).capacities),
    pg_catalog.unnest((assigned_holders.assignment).floors), pg_catalog.unnest((assigned_holders.assignment).counts),
    pg_catalog.unnest((assigned_holders.assignment).taken), pg_catalog.unnest((assigned_holders.assignment).serves),
    pg_catalog.unnest((assigned_holders.assignment).place_prices), pg_catalog.unnest((assigned_holders.assignment).floor_prices))
    h(holder_id, capacity, floor, customers, load, serves, place_price, floor_price);
END;
COMMENT ON FUNCTION crm.assigned_holders(crm.assignment) IS
  'The holders of an assignment: what each got, whether room for one more would serve one more customer, and by how much it, or a floor lower by one, would make the total better.';
