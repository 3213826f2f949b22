-- allocate: releases of customers into the inventory of a cycle, and their withdrawal

-- Who is released is a fact, so that it goes by the day on which it happens, whatever crm.as_of says.
CREATE FUNCTION crm._judge_release(cycle crm.cycle, provider crm.provider, customers bigint[]) RETURNS TABLE (customer_id bigint, outcome text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET jit = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._take_day(crm._business_day(clock_timestamp()));
  RETURN QUERY
  SELECT a.id,
         CASE WHEN b.customer_id IS NULL THEN 'unknown'
              WHEN NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = cycle.org_id AND t.descendant_id = b.org_id) THEN 'elsewhere'
              WHEN provider.kind = 'channel' AND b.channel <> h.code
                   OR provider.kind <> 'centre' AND provider.org_id IS NOT NULL
                      AND NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = provider.org_id AND t.descendant_id = b.org_id) THEN 'not_own'
              WHEN b.service = 'served' THEN 'served'
              WHEN EXISTS (SELECT FROM crm.cycle_offer o WHERE o.cycle_id = cycle.id AND o.provider_id = provider.id AND o.customer_id = a.id AND o.withdrawn_at IS NULL) THEN 'already'
              ELSE 'released' END
  FROM (SELECT DISTINCT u.id FROM unnest(_judge_release.customers) u(id)) a
  LEFT JOIN crm_bi.customer b ON b.customer_id = a.id
  LEFT JOIN crm.channel h ON h.id = provider.channel_id;
END
$$;
COMMENT ON FUNCTION crm._judge_release(crm.cycle, crm.provider, bigint[]) IS 'What becomes of each customer that a provider releases into a cycle today.';
REVOKE ALL ON FUNCTION crm._judge_release(crm.cycle, crm.provider, bigint[]) FROM PUBLIC;

CREATE FUNCTION crm.release_to_inventory(cycle_id bigint, provider_id bigint, customers bigint[] DEFAULT NULL, condition crm.condition DEFAULT NULL, note text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  cycle CONSTANT crm.cycle := crm._open_cycle(release_to_inventory.cycle_id);
  provider CONSTANT crm.provider := crm._providing(release_to_inventory.provider_id, cycle);
  release_id bigint;
  asked bigint[];
  outcomes text[];
BEGIN
  IF num_nonnulls(release_to_inventory.customers, release_to_inventory.condition) <> 1 THEN
    RAISE EXCEPTION 'either customers or a condition must be given'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A saved list gives its condition by crm.list_condition().';
  ELSIF array_position(release_to_inventory.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers must be given without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  INSERT INTO crm.cycle_release AS r (cycle_id, provider_id, condition, as_of, note)
  VALUES (cycle.id, provider.id, release_to_inventory.condition,
          CASE WHEN release_to_inventory.condition IS NULL THEN crm._business_day(clock_timestamp()) ELSE crm.today() END, release_to_inventory.note)
  RETURNING r.id INTO release_id;
  SELECT coalesce(array_agg(j.customer_id ORDER BY j.customer_id), '{}'), coalesce(array_agg(j.outcome ORDER BY j.customer_id), '{}') INTO asked, outcomes
  FROM crm._judge_release(cycle, provider, coalesce(release_to_inventory.customers, crm.list_members(release_to_inventory.condition))) j;

  INSERT INTO crm.cycle_offer AS o (cycle_id, customer_id, provider_id, release_id)
  SELECT cycle.id, w.id, provider.id, release_id FROM unnest(asked, outcomes) w(id, outcome) WHERE w.outcome = 'released' ORDER BY w.id
  ON CONFLICT ON CONSTRAINT cycle_offer_pkey DO UPDATE SET release_id = excluded.release_id, withdrawn_at = NULL, withdrawn_by = NULL, withdrawal_reason = NULL;
  INSERT INTO crm.cycle_refusal (release_id, customer_id, cause)
  SELECT release_id, w.id, w.outcome FROM unnest(asked, outcomes) w(id, outcome) WHERE w.outcome NOT IN ('released', 'already');
  UPDATE crm.cycle_release r SET released = n.released, refused = n.refused
  FROM (SELECT count(*) FILTER (WHERE w.outcome = 'released') AS released, count(*) FILTER (WHERE w.outcome NOT IN ('released', 'already')) AS refused
        FROM unnest(outcomes) w(outcome)) n
  WHERE r.id = release_id;
  RETURN QUERY SELECT w.id, w.outcome FROM unnest(asked, outcomes) w(id, outcome) ORDER BY w.id;
END
$$;
COMMENT ON FUNCTION crm.release_to_inventory(bigint, bigint, bigint[], crm.condition, text) IS
  'A provider releases customers into the inventory of a cycle, given or by a condition as of crm.today(). One row for each customer, by key; outcome, by what is known on the day of the release, is released, already, or refused for one cause: unknown, elsewhere (outside the unit of the cycle), not_own (a channel releases those whose main channel it is, a unit those at home in it, a centre any) or served (those whom somebody serves stay out). Errors: 22004, 22023, 23503, 42501 not for that provider, 55000 closed. 释放客户';
REVOKE ALL ON FUNCTION crm.release_to_inventory(bigint, bigint, bigint[], crm.condition, text) FROM PUBLIC;

CREATE FUNCTION crm.withdraw_from_inventory(cycle_id bigint, provider_id bigint, customers bigint[] DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  cycle CONSTANT crm.cycle := crm._open_cycle(withdraw_from_inventory.cycle_id);
  provider CONSTANT crm.provider := crm._providing(withdraw_from_inventory.provider_id, cycle);
  asked bigint[];
  outcomes text[];
  gone bigint[];
BEGIN
  IF array_position(withdraw_from_inventory.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers must be given without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- by key one by one, and all at once by an array: statistics lag behind releases, so that joins would look cheap
  SELECT coalesce(array_agg(j.id ORDER BY j.id), '{}'), coalesce(array_agg(j.outcome ORDER BY j.id), '{}') INTO asked, outcomes
  FROM (SELECT a.id,
               CASE WHEN NOT EXISTS (SELECT FROM crm.cycle_offer o
                                     WHERE o.cycle_id = cycle.id AND o.provider_id = provider.id AND o.customer_id = a.id AND o.withdrawn_at IS NULL) THEN 'not_offered'
                    WHEN EXISTS (SELECT FROM crm.plan_customer n JOIN crm.plan p ON p.id = n.plan_id JOIN crm.plan_line l ON l.plan_id = n.plan_id AND l.line = n.line
                                 WHERE p.cycle_id = cycle.id AND p.state IN ('submitted', 'approved', 'carried_out') AND n.customer_id = a.id
                                   AND l.provider_id = provider.id) THEN 'planned'
                    ELSE 'withdrawn' END AS outcome
        FROM (SELECT DISTINCT u.id FROM unnest(withdraw_from_inventory.customers) u(id)
              UNION
              SELECT o.customer_id FROM crm.cycle_offer o
              WHERE withdraw_from_inventory.customers IS NULL AND o.cycle_id = cycle.id AND o.provider_id = provider.id AND o.withdrawn_at IS NULL) a) j;
  gone := ARRAY(SELECT w.id FROM unnest(asked, outcomes) w(id, outcome) WHERE w.outcome = 'withdrawn');
  UPDATE crm.cycle_offer o SET withdrawn_at = clock_timestamp(), withdrawn_by = crm.actor(), withdrawal_reason = withdraw_from_inventory.reason
  WHERE o.cycle_id = cycle.id AND o.provider_id = provider.id AND o.customer_id = ANY (gone);
  RETURN QUERY SELECT w.id, w.outcome FROM unnest(asked, outcomes) w(id, outcome) ORDER BY w.id;
END
$$;
COMMENT ON FUNCTION crm.withdraw_from_inventory(bigint, bigint, bigint[], text) IS
  'A provider takes customers, or all its customers, out of the inventory of a cycle. One row for each, by key; outcome is withdrawn, not_offered, or planned: a plan that is submitted, approved or carried out has the customer, who stays. Errors: 22004, 23503, 42501 not for that provider, 55000 closed. 撤回客户';
REVOKE ALL ON FUNCTION crm.withdraw_from_inventory(bigint, bigint, bigint[], text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('provider'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.release_to_inventory(bigint, bigint, bigint[], crm.condition, text)'),
                   ('crm.withdraw_from_inventory(bigint, bigint, bigint[], text)'),
                   ('crm.list_condition(text, text)')) f(name);
