-- base: workflows: what must hold, and the clock of the views

CREATE FUNCTION crm._check_workflow() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT 'workflow_responsible', format('item %s of workflow %s is in the hands of %s, who is not in post', i.id, i.workflow, i.responsible),
         format('SELECT crm.assign_item(%s, ...).', i.id)
  FROM crm.workflow_item i JOIN crm.staff s ON s.login::text COLLATE "C" = i.responsible
  WHERE i.closed_at IS NULL AND (crm.today() < s.joined_on OR crm.today() >= s.left_on);

  RETURN QUERY
  SELECT 'workflow_state', format('item %s is in state %s, its log says %s', i.id, i.state, coalesce(l.to_state, 'nothing')), 'Find out who wrote crm.workflow_item by hand.'
  FROM crm.workflow_item i
  JOIN crm.workflow_state s ON s.workflow = i.workflow AND s.version = i.version AND s.state = i.state
  LEFT JOIN LATERAL (SELECT l.* FROM crm.workflow_log l WHERE l.item_id = i.id ORDER BY l.id DESC LIMIT 1) l ON true
  WHERE (l.to_state, l.data_after, l.responsible, l.due_at) IS DISTINCT FROM (i.state, i.data, i.responsible, i.due_at) OR s.final <> (i.closed_at IS NOT NULL);

  RETURN QUERY
  SELECT 'workflow_log', format('row %s of the log of item %s does not begin where the one before ended', l.id, l.item_id), 'Find out who wrote crm.workflow_log by hand.'
  FROM (SELECT l.id, l.item_id, l.from_state, l.at, l.data_before, lag(l.to_state) OVER w AS state, lag(l.data_after) OVER w AS data, lag(l.at) OVER w AS earlier
        FROM crm.workflow_log l WINDOW w AS (PARTITION BY l.item_id ORDER BY l.id)) l
  WHERE (l.from_state, l.data_before) IS DISTINCT FROM (l.state, l.data) OR l.at < l.earlier;
END
$$;
COMMENT ON FUNCTION crm._check_workflow() IS 'Invariants of workflow items that do not hold, each with what to do.';
REVOKE ALL ON FUNCTION crm._check_workflow() FROM PUBLIC;

CREATE VIEW crm._workflow_clock AS
SELECT CASE WHEN d.today = (pg_catalog.now() AT TIME ZONE d.zone)::date THEN pg_catalog.now() ELSE (d.today + 1)::timestamp AT TIME ZONE d.zone END AS at, d.zone
FROM (SELECT crm.today() AS today, crm.setting_value('business_time_zone') AS zone OFFSET 0) d;
COMMENT ON VIEW crm._workflow_clock IS 'The moment that the views of workflows take for now, the end of crm.today() where that is another day; and the business time zone.';
GRANT SELECT ON crm._workflow_clock TO crm_bi_owner;
