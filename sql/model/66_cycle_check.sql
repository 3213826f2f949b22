-- allocate: what must hold of cycles, plans and what they allocated

CREATE FUNCTION crm._check_cycle() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT 'plan_holding', format('holding %s of customer %s tells plan %s, which does not tell it', h.id, h.customer_id, h.plan_id), 'UPDATE crm.holding SET plan_id = NULL for that row.'
  FROM crm.holding h
  WHERE h.plan_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.plan_customer c WHERE c.plan_id = h.plan_id AND c.customer_id = h.customer_id AND c.holding_id = h.id)
    AND NOT EXISTS (SELECT FROM crm._merged_holding m WHERE m.customer_id = h.customer_id AND m.id = h.id);

  RETURN QUERY
  SELECT 'plan_customer', format('customer %s of plan %s is allocated, and holding %s tells another', c.customer_id, c.plan_id, c.holding_id), 'UPDATE crm.holding SET plan_id to that plan.'
  FROM crm.plan_customer c JOIN crm.holding h ON h.customer_id = c.customer_id AND h.id = c.holding_id
  WHERE h.plan_id IS DISTINCT FROM c.plan_id;

  RETURN QUERY
  SELECT 'plan_line', format('customer %s of plan %s stands in line %s, which is not there', c.customer_id, c.plan_id, c.line), 'Find out who wrote crm.plan_line by hand.'
  FROM crm.plan_customer c WHERE NOT EXISTS (SELECT FROM crm.plan_line l WHERE l.plan_id = c.plan_id AND l.line = c.line);

  RETURN QUERY
  SELECT 'plan_state', format('plan %s is %s, its item %s', p.id, p.state, i.state), 'UPDATE crm.plan SET state to that of its item.'
  FROM crm.plan p LEFT JOIN crm.workflow_item i ON i.id = p.item_id WHERE i.state IS DISTINCT FROM p.state;

  RETURN QUERY
  SELECT 'proposal_state', format('proposal %s is %s, its item %s', p.id, p.state, i.state), 'UPDATE crm.proposal SET state to that of its item.'
  FROM crm.proposal p LEFT JOIN crm.workflow_item i ON i.id = p.item_id WHERE i.state IS DISTINCT FROM p.state;

  RETURN QUERY
  SELECT 'cycle_plan', format('cycle %s says that plan %s is approved', y.id, coalesce(y.approved_plan_id::text, '(none)')), 'UPDATE crm.cycle SET approved_plan_id to the approved plan.'
  FROM crm.cycle y
  WHERE y.approved_plan_id IS DISTINCT FROM (SELECT min(p.id) FROM crm.plan p WHERE p.cycle_id = y.id AND p.state = 'approved')
     OR (SELECT count(*) FROM crm.plan p WHERE p.cycle_id = y.id AND p.state = 'approved') > 1;

  RETURN QUERY
  SELECT 'plan_terms', format('terms of plan %s between channels %s and %s are not accepted by both', p.id, n.provider_channel_id, n.user_channel_id), 'crm.finish_plan(), and plan anew.'
  FROM crm.plan p JOIN crm._plan_terms_needed n ON n.plan_id = p.id WHERE p.state IN ('submitted', 'approved', 'carried_out') AND NOT (n.complete AND n.accepted);

  RETURN QUERY SELECT s.check_name, s.detail, s.hint FROM crm._check_settlement() s;
END
$$;
COMMENT ON FUNCTION crm._check_cycle() IS 'Invariants of cycles that do not hold, each with what to do.';
REVOKE ALL ON FUNCTION crm._check_cycle() FROM PUBLIC;
