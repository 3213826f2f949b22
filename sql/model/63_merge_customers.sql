-- book: who an old key names now, what stands against a merge, merging two customers

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('duplicate_merge_score', 'crm.probability', '0.98', false, false,
   'Score from which crm.merge_duplicates() merges two customers where nothing stands against it.');

CREATE FUNCTION crm.customer_of(customer_id bigint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  WITH RECURSIVE chain AS (
    SELECT customer_of.customer_id AS id, 0 AS n
    UNION ALL
    SELECT m.kept_id, c.n + 1 FROM chain c JOIN crm.merge_record m ON m.dropped_id = c.id AND m.state = 'merged'
    WHERE NOT EXISTS (SELECT FROM crm.customer x WHERE x.id = c.id))
  SELECT c.id FROM chain c WHERE EXISTS (SELECT FROM crm.customer x WHERE x.id = c.id) ORDER BY c.n LIMIT 1;
END;
COMMENT ON FUNCTION crm.customer_of(bigint) IS
  'The customer whom a key names now: the key itself, or of a customer merged into another that other one, however often. NULL when there is none.';
REVOKE ALL ON FUNCTION crm.customer_of(bigint) FROM PUBLIC;

CREATE FUNCTION crm.customer_of(source_system text, source_key text) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
BEGIN ATOMIC
  SELECT k.customer_id FROM crm.customer_key k
  WHERE k.source_system = customer_of.source_system AND k.source_key = customer_of.source_key;
END;
COMMENT ON FUNCTION crm.customer_of(text, text) IS 'The customer whom a key in another system names; after a merge both keys name the customer kept. NULL when there is none.';
REVOKE ALL ON FUNCTION crm.customer_of(text, text) FROM PUBLIC;

CREATE FUNCTION crm._lock_customer(customer_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF _lock_customer.customer_id IS NULL THEN
    RAISE EXCEPTION 'the customer must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM FROM crm.customer c WHERE c.id = _lock_customer.customer_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no customer "%"', _lock_customer.customer_id
      USING ERRCODE = 'foreign_key_violation', HINT = coalesce('The customer was merged into customer ' || crm.customer_of(_lock_customer.customer_id) || '.', 'crm_bi.customer shows the customers.');
  END IF;
END
$$;
COMMENT ON FUNCTION crm._lock_customer(bigint) IS 'Locks a customer until the transaction ends. Errors: 22004, 23503 unknown.';
REVOKE ALL ON FUNCTION crm._lock_customer(bigint) FROM PUBLIC;

CREATE FUNCTION crm.merge_conflicts(keep bigint, "drop" bigint) RETURNS TABLE (conflict text, detail text, bars text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k crm.customer;
  d crm.customer;
BEGIN
  SELECT * INTO k FROM crm.customer c WHERE c.id = merge_conflicts.keep;
  SELECT * INTO d FROM crm.customer c WHERE c.id = merge_conflicts.drop;
  RETURN QUERY
  SELECT 'kind', format('Customer %s is a %s, customer %s a %s.', k.id, k.kind, d.id, d.kind), 'all' WHERE k.kind <> d.kind
  UNION ALL
  SELECT 'resident_id', format('Customers %s and %s have different resident numbers, both valid.', k.id, d.id), 'unless forced'
  WHERE k.resident_id OPERATOR(crm.<>) d.resident_id
  UNION ALL
  SELECT 'rejected', format('%s said on %s that they are two customers.', x.decided_by, x.decided_at::date), 'unless forced'
  FROM crm.duplicate_candidate x
  WHERE x.customer_id = least(k.id, d.id) AND x.other_id = greatest(k.id, d.id) AND x.state = 'rejected'
  UNION ALL
  SELECT 'birth_date', format('Customer %s was born on %s, customer %s on %s.', k.id, b.k, d.id, b.d), 'automatic'
  FROM (SELECT coalesce(k.birth_date, crm.birth_date(k.resident_id)) AS k, coalesce(d.birth_date, crm.birth_date(d.resident_id)) AS d) b WHERE b.k <> b.d
  UNION ALL
  SELECT 'sex', format('Customer %s is %s, customer %s %s.', k.id, b.k, d.id, b.d), 'automatic'
  FROM (SELECT coalesce(k.sex, crm.sex(k.resident_id)) AS k, coalesce(d.sex, crm.sex(d.resident_id)) AS d) b WHERE b.k <> b.d
  UNION ALL
  SELECT 'blacklist', format('Customer %s is on the blacklist.', b.customer_id), 'automatic'
  FROM crm.blacklist b WHERE b.customer_id IN (k.id, d.id) AND b.to_date IS NULL
  UNION ALL
  SELECT 'relation', format('Customer %s is %s of customer %s.', r.customer_id, n.name, r.other_id), 'automatic'
  FROM crm.relation r JOIN crm.relation_kind n ON n.code = r.kind
  WHERE (r.customer_id, r.other_id) IN ((k.id, d.id), (d.id, k.id))
  UNION ALL
  SELECT 'holding', format('Customer %s is held by %s, customer %s by %s.', k.id, crm._held_by(a), d.id, crm._held_by(b)), 'automatic'
  FROM crm.holding a JOIN crm.holding b ON b.customer_id = d.id AND b.held_to IS NULL
  WHERE a.customer_id = k.id AND a.held_to IS NULL AND crm._held_by(a) <> crm._held_by(b)
  UNION ALL
  SELECT 'workflow', format('Items %s and %s of workflow "%s" are both open.', a.id, b.id, a.workflow), 'all'
  FROM crm.workflow_item a JOIN crm.workflow_item b ON b.workflow = a.workflow AND b.customer_id = d.id AND b.sole AND b.closed_at IS NULL
  WHERE a.customer_id = k.id AND a.sole AND a.closed_at IS NULL
  ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION crm.merge_conflicts(bigint, bigint) IS
  'What stands against merging two customers. bars: all (no merge), unless forced (a merge that is not forced), or automatic (crm.merge_duplicates() only). No row for customers that do not exist.';
REVOKE ALL ON FUNCTION crm.merge_conflicts(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._there_to_merge(customer_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  kept bigint;
BEGIN
  IF EXISTS (SELECT FROM crm.customer c WHERE c.id = _there_to_merge.customer_id) THEN
    RETURN;
  END IF;
  SELECT m.kept_id INTO kept FROM crm.merge_record m WHERE m.dropped_id = _there_to_merge.customer_id AND m.state = 'merged' ORDER BY m.id DESC LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'customer "%" was merged into customer "%" already', _there_to_merge.customer_id, kept
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.customer_of() tells whom an old key names now.';
  END IF;
  RAISE EXCEPTION 'there is no customer "%"', _there_to_merge.customer_id USING ERRCODE = 'foreign_key_violation';
END
$$;
COMMENT ON FUNCTION crm._there_to_merge(bigint) IS 'Whether a customer exists. Errors: 23503 unknown, 55000 merged into another.';
REVOKE ALL ON FUNCTION crm._there_to_merge(bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge(kept bigint, dropped bigint, reason text, forced boolean, automatic boolean, query text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  relations regclass[];
  before crm.merge_row[];
  after crm.merge_row[];
  x record;
  made bigint;
BEGIN
  relations := crm._lock_for_merge(ARRAY[kept, dropped], dropped, NOT automatic);
  PERFORM crm._there_to_merge(kept);
  PERFORM crm._there_to_merge(dropped);
  SELECT c.* INTO x FROM crm.merge_conflicts(kept, dropped) c
  WHERE c.bars = 'all' OR c.bars = 'unless forced' AND NOT forced OR c.bars = 'automatic' AND automatic
  ORDER BY array_position('{all,unless forced,automatic}', c.bars), c.conflict LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'customers "%" and "%" cannot be merged: %', kept, dropped, x.conflict
      USING ERRCODE = 'check_violation', DETAIL = x.detail,
            HINT = CASE x.bars WHEN 'all' THEN 'Correct the customer that is wrong, or end an item, first.'
                               ELSE 'If they are one nevertheless, add forced => true; what the customer kept has stays.' END;
  END IF;
  INSERT INTO crm.merge_record (kept_id, dropped_id, reason, automatic, score, reasons)
  SELECT kept, dropped, _merge.reason, _merge.automatic, d.score, d.reasons
  FROM (VALUES (1)) one (n)
  LEFT JOIN crm.duplicate_candidate d ON (d.customer_id, d.other_id) = (least(kept, dropped), greatest(kept, dropped))
  RETURNING id INTO made;
  UPDATE crm.merge_record m SET renumbered = crm._merge_renumber(relations, kept, dropped) WHERE m.id = made;
  SELECT array_agg(ROW(NULL, 0, r.relation, r.key, NULL, r.image, NULL)::crm.merge_row) INTO before FROM crm._customer_rows(ARRAY[kept, dropped], query) r;
  PERFORM crm._merge_rows(relations, kept, dropped);
  SELECT array_agg(ROW(NULL, 0, r.relation, NULL, r.key, NULL, r.image)::crm.merge_row) INTO after FROM crm._customer_rows(ARRAY[kept, dropped], query) r;
  INSERT INTO crm.merge_row (merge_id, n, relation, key_before, key_after, before, after)
  SELECT made, d.n, d.relation, d.key_before, d.key_after, d.before, d.after FROM crm._merge_difference(before, after, kept, dropped) d;
  UPDATE crm.merge_record m SET state = 'merged', kept_keys = crm._bound_keys(after, kept) WHERE m.id = made;
  RETURN made;
END
$$;
COMMENT ON FUNCTION crm._merge(bigint, bigint, text, boolean, boolean, text) IS 'Merges one customer into another and records it. query: of crm._customer_query(). Errors as crm.merge().';
REVOKE ALL ON FUNCTION crm._merge(bigint, bigint, text, boolean, boolean, text) FROM PUBLIC;

CREATE FUNCTION crm.merge(keep bigint, "drop" bigint, reason text DEFAULT 'duplicate', forced boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF merge.keep IS NULL OR merge.drop IS NULL OR merge.reason IS NULL OR merge.forced IS NULL THEN
    RAISE EXCEPTION 'keep, drop, reason and forced must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF btrim(merge.reason) = '' THEN
    RAISE EXCEPTION 'a merge needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say why the two customers are one.';
  ELSIF merge.keep = merge.drop THEN
    RAISE EXCEPTION 'customer "%" cannot be merged with itself', merge.keep USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN crm._merge(merge.keep, merge.drop, merge.reason, merge.forced, false, crm._customer_query());
END
$$;
COMMENT ON FUNCTION crm.merge(bigint, bigint, text, boolean) IS
  'Merges the customer drop into the customer keep: everything that names the one names the other from then on, both keeping their keys in other systems; what is empty on the one kept is filled; the one dropped is gone. Figures follow at commit. Returns the key of the merge, by which crm.unmerge() undoes it. forced: in spite of different resident numbers or a rejected pair. Errors: 22004; 22023 no reason, or one customer twice; 23503 unknown; 55000 merged already; 23514 what crm.merge_conflicts() tells, or a circle of relations; 25001 beyond read committed; 40P01, to be retried, in a transaction that has locked customers before. 合并客户';
REVOKE ALL ON FUNCTION crm.merge(bigint, bigint, text, boolean) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.merge_record'),
  ('manager', 'SELECT', 'TABLE', 'crm.merge_row'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.merge_conflicts(bigint, bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.merge(bigint, bigint, text, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.customer_of(bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.customer_of(text, text)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.customer_of(bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.customer_of(text, text)'),
  ('loader', 'EXECUTE', 'FUNCTION', 'crm.customer_of(bigint)'),
  ('loader', 'EXECUTE', 'FUNCTION', 'crm.customer_of(text, text)');
