-- allocate: whom nobody holds, and who is put into the hands of a channel or unit

CREATE FUNCTION crm.pool(as_of date, org_id bigint DEFAULT NULL, channel_id bigint DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT c.id FROM crm.customer c
  WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL)
    AND (pool.channel_id IS NULL OR c.source_channel_id = pool.channel_id)
    AND (pool.org_id IS NULL OR EXISTS (
      SELECT FROM crm.organisation_tree t
      WHERE t.ancestor_id = pool.org_id
        AND t.descendant_id = coalesce((SELECT o.org_id FROM crm.customer_organisation o
                                        WHERE o.customer_id = c.id AND o.from_date <= pool.as_of
                                        ORDER BY o.from_date DESC LIMIT 1), c.org_id)))
  ORDER BY c.id;
END;
COMMENT ON FUNCTION crm.pool(date, bigint, bigint) IS
  'Customers that nobody holds now, by key; with org_id those at home in that unit or below on the day, with channel_id those that channel brought.';

CREATE FUNCTION crm.entrust(customers bigint[], channel_id bigint, org_id bigint DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF array_ndims(entrust.customers) > 1 THEN
    RAISE EXCEPTION 'customers must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF entrust.customers IS NULL OR entrust.channel_id IS NULL OR array_position(entrust.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers and channel must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('channel', entrust.channel_id), crm._require_known('unit', entrust.org_id);
  RETURN QUERY
  SELECT h.customer_id, h.holding_id, h.outcome
  FROM crm._hold(ARRAY(SELECT DISTINCT u.id FROM unnest(entrust.customers) u(id)), '{}', entrust.channel_id, entrust.org_id, entrust.reason) h;
END
$$;
COMMENT ON FUNCTION crm.entrust(bigint[], bigint, bigint, text) IS
  'Puts customers from the pool into the hands of a channel, or of a unit with its subtree in a channel, or on from a channel to a unit; its staff may claim them. One row for each customer, as crm.allocate. Errors: 22004, 23503, 2202E.';
REVOKE ALL ON FUNCTION crm.entrust(bigint[], bigint, bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.entrust(bigint[], bigint, bigint, text)');
