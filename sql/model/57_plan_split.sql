-- allocate: the optimum of a plan where proposals of a channel share units: volumes kept exactly, units dealt out between the proposals

-- A place of a unit by a proposal is a holder of its own, within the volume of the proposal. Without the limits of shared units that is a bound; where those are passed, the
-- places of a unit are dealt out by who is worth most there, and what stays free goes where it is worth most.
CREATE FUNCTION crm._plan_split(plan crm.plan, INOUT bound double precision, OUT is_found boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  edges CONSTANT text := 'SELECT e.customer_id, c.cell AS holder_id, e.benefit FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_part c ON c.holder_id = e.holder_id AND c.proposal_id = e.proposal_id
                          UNION ALL SELECT DISTINCT e.customer_id, 0, 0 FROM pg_temp.crm_plan_edge e';
  holders CONSTANT text := 'SELECT c.cell AS holder_id, c.capacity, c.floor, - c.proposal_id AS within FROM pg_temp.crm_plan_part c
                            UNION ALL SELECT - a.proposal_id, a.wants, 0, - a.proposal_id FROM pg_temp.crm_plan_ask a UNION ALL SELECT 0, 1000000000, 0, 0';
  rounds CONSTANT integer := greatest(4, least(24, 4000000 / greatest((SELECT count(*) FROM pg_temp.crm_plan_edge e), 1)));
  dealt crm.assignment;
  best double precision;
  n bigint;
BEGIN
  is_found := false;
  CREATE TEMPORARY TABLE crm_plan_part ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY x.holder_id, x.proposal_id) AS cell, x.holder_id, x.proposal_id, x.shared, s.room, s.room AS capacity,
         CASE WHEN x.shared THEN 0 ELSE s.floor END AS floor, s.floor AS unit_floor, 0::bigint AS got, 0::double precision AS price
  FROM (SELECT d.holder_id, d.proposal_id, count(*) OVER (PARTITION BY d.holder_id) > 1 AS shared
        FROM (SELECT DISTINCT e.holder_id, e.proposal_id FROM pg_temp.crm_plan_edge e WHERE e.proposal_id > 0) d) x
  JOIN (SELECT y.holder_id, least(y.places, CASE WHEN y.capacity IS NOT NULL THEN greatest(y.capacity - y.taken, 0) END) AS room, greatest(y.floor - y.taken, 0) AS floor
        FROM pg_temp.crm_plan_seat y) s ON s.holder_id = x.holder_id;
  CREATE TEMPORARY TABLE crm_plan_found (customer_id bigint, holder_id bigint, proposal_id bigint, benefit double precision) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_best (customer_id bigint, holder_id bigint, proposal_id bigint, benefit double precision) ON COMMIT DROP;
  FOR i IN 0 .. rounds LOOP
    IF i = 1 THEN
      -- floors of shared units by the proposals that the assignment at prices gives them, as far as these ask
      UPDATE pg_temp.crm_plan_part c SET floor = f.floor
      FROM (SELECT p.cell, count(*) AS floor
            FROM crm.assigned(crm.solve_assignment(
              'SELECT c.holder_id * 1000000 + k.k AS customer_id, c.proposal_id AS holder_id, coalesce(y.got, 0) / (1 + k.k::double precision) AS benefit
               FROM pg_temp.crm_plan_part c CROSS JOIN LATERAL generate_series(1, least(c.unit_floor, 999999)) k (k)
               LEFT JOIN (SELECT g.holder_id, g.proposal_id, count(*) AS got FROM pg_temp.crm_plan_priced g GROUP BY g.holder_id, g.proposal_id) y
                 ON y.holder_id = c.holder_id AND y.proposal_id = c.proposal_id
               WHERE c.unit_floor > 0',
              'SELECT a.proposal_id AS holder_id, a.wants AS capacity FROM pg_temp.crm_plan_ask a')) a
            JOIN pg_temp.crm_plan_part p ON p.holder_id = a.customer_id / 1000000 AND p.proposal_id = a.holder_id GROUP BY p.cell) f
      WHERE f.cell = c.cell;
    END IF;
    BEGIN
      dealt := crm.solve_assignment(edges, holders);
    EXCEPTION WHEN invalid_parameter_value THEN
      EXIT WHEN i > 0;
      RAISE EXCEPTION 'floors of plan "%" cannot be met', plan.name
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Some proposal asks for fewer customers than the floors of units take that only it is for.',
              HINT = 'Lower them with crm.set_plan_limit(), or let the proposal ask for more.';
    END;
    TRUNCATE pg_temp.crm_plan_found;
    INSERT INTO pg_temp.crm_plan_found
    SELECT a.customer_id, c.holder_id, c.proposal_id, a.benefit FROM crm.assigned(dealt) a JOIN pg_temp.crm_plan_part c ON c.cell = a.holder_id;
    UPDATE pg_temp.crm_plan_part c SET got = h.customers, price = h.place_price FROM crm.assigned_holders(dealt) h WHERE h.holder_id = c.cell;
    IF i = 0 THEN
      bound := least(bound, dealt.bound);
    END IF;
    -- shared units with too many: those stay who are worth most, after what the floors take
    UPDATE pg_temp.crm_plan_part c SET capacity = greatest(c.floor, coalesce(x.stay, 0))
    FROM (SELECT p.cell, k.stay
          FROM pg_temp.crm_plan_part p
          JOIN (SELECT y.holder_id FROM pg_temp.crm_plan_part y WHERE y.shared GROUP BY y.holder_id, y.room HAVING sum(y.got) > y.room) o ON o.holder_id = p.holder_id
          LEFT JOIN (SELECT z.holder_id, z.proposal_id, count(*) AS stay
                     FROM (SELECT f.holder_id, f.proposal_id, q.room, row_number() OVER (PARTITION BY f.holder_id ORDER BY f.n <= q.floor DESC, f.benefit DESC, f.customer_id) AS place
                           FROM (SELECT b.*, row_number() OVER (PARTITION BY b.holder_id, b.proposal_id ORDER BY b.benefit DESC, b.customer_id) AS n FROM pg_temp.crm_plan_found b) f
                           JOIN pg_temp.crm_plan_part q ON q.holder_id = f.holder_id AND q.proposal_id = f.proposal_id) z
                     WHERE z.place <= z.room GROUP BY z.holder_id, z.proposal_id) k ON k.holder_id = p.holder_id AND k.proposal_id = p.proposal_id) x
    WHERE x.cell = c.cell;
    GET DIAGNOSTICS n = ROW_COUNT;
    CONTINUE WHEN n > 0;
    IF NOT EXISTS (SELECT FROM pg_temp.crm_plan_part c GROUP BY c.holder_id, c.unit_floor HAVING sum(c.got) < c.unit_floor) THEN
      IF best IS NULL OR dealt.total > best THEN
        best := dealt.total;
        is_found := true;
        TRUNCATE pg_temp.crm_plan_best;
        INSERT INTO pg_temp.crm_plan_best SELECT * FROM pg_temp.crm_plan_found;
      ELSE
        EXIT;
      END IF;
      EXIT WHEN best >= bound - 1e-9 * abs(bound);
    END IF;
    -- places that stay free go to the proposal to which one more is worth most
    UPDATE pg_temp.crm_plan_part c SET capacity = greatest(c.floor, c.got) + CASE WHEN c.cell = x.cell THEN x.free ELSE 0 END
    FROM (SELECT DISTINCT ON (y.holder_id) y.holder_id, y.cell, t.free
          FROM pg_temp.crm_plan_part y
          JOIN (SELECT z.holder_id, z.room - sum(greatest(z.floor, z.got))::bigint AS free FROM pg_temp.crm_plan_part z WHERE z.shared AND z.capacity < z.room GROUP BY z.holder_id, z.room) t
            ON t.holder_id = y.holder_id AND t.free > 0
          WHERE y.price > 0 AND y.capacity < y.room ORDER BY y.holder_id, y.price DESC, y.cell) x
    WHERE x.holder_id = c.holder_id;
    GET DIAGNOSTICS n = ROW_COUNT;
    EXIT WHEN n = 0 AND i > 0;
  END LOOP;
  IF is_found THEN
    DELETE FROM pg_temp.crm_plan_edge e
    WHERE NOT EXISTS (SELECT FROM pg_temp.crm_plan_best b WHERE b.customer_id = e.customer_id AND b.holder_id = e.holder_id AND b.proposal_id = e.proposal_id);
    ANALYZE pg_temp.crm_plan_edge;
  END IF;
  DROP TABLE pg_temp.crm_plan_part, pg_temp.crm_plan_found, pg_temp.crm_plan_best;
END
$$;
COMMENT ON FUNCTION crm._plan_split(crm.plan, double precision) IS
  'Where proposals share units: the best assignment found that keeps volumes, capacities and floors, the only edges that it leaves, and the better of two bounds; tells whether one was found. Errors: 55000 a floor that cannot be met.';
REVOKE ALL ON FUNCTION crm._plan_split(crm.plan, double precision) FROM PUBLIC;
