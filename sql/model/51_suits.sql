-- allocate: whom a customer suits

CREATE FUNCTION crm._suits(customers bigint[], staff bigint[], as_of date) RETURNS TABLE (customer_id bigint, staff_id bigint, benefit integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH pair AS (
    SELECT c.id AS customer_id, s.id AS staff_id, 1 AS benefit
    FROM (SELECT u.id, crm._home_unit(u.id, _suits.as_of) AS org_id FROM unnest(_suits.customers) u(id)) c
    JOIN crm.staff s ON s.org_id = c.org_id AND s.id = ANY (_suits.staff)
    UNION ALL
    SELECT DISTINCT p.customer_id, p.servicer_id, 2 FROM unnest(_suits.customers) u(id) JOIN crm.policy p ON p.customer_id = u.id
    WHERE p.servicer_id = ANY (_suits.staff)
    UNION ALL
    SELECT t.customer_id, k.staff_id, 1 FROM crm._customer_traits(_suits.customers, _suits.as_of) t
    JOIN crm.staff_skill k ON k.kind = t.kind AND k.value = t.value AND k.staff_id = ANY (_suits.staff))
  SELECT p.customer_id, p.staff_id, sum(p.benefit)::integer FROM pair p GROUP BY p.customer_id, p.staff_id;
END
$$;
COMMENT ON FUNCTION crm._suits(bigint[], bigint[], date) IS
  'What speaks for a pair of customer and member of staff, where anything does: 2 for the servicer of a policy of the customer, 1 for the customer''s home unit, 1 for each skill that suits: language, tier, product line, community.';
REVOKE ALL ON FUNCTION crm._suits(bigint[], bigint[], date) FROM PUBLIC;
