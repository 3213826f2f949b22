-- allocate: what an inventory holds, what overlaps in it and what stands in the way of use

CREATE FUNCTION crm.inventory(cycle_id bigint, as_of date,
  OUT customer_id bigint, OUT provider_id bigint, OUT providers integer, OUT org_id bigint, OUT channel text, OUT coverage text, OUT tier text, OUT activity text,
  OUT service text, OUT line text, OUT conflicts text)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 10000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = ''
SET jit = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
  needs_consent CONSTANT boolean := crm.setting_value('cycle_consent', inventory.as_of)::boolean;
BEGIN
  PERFORM crm._take_day(inventory.as_of);
  IF inventory.cycle_id IS NULL THEN
    RAISE EXCEPTION 'the cycle must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT EXISTS (SELECT FROM crm.cycle y WHERE y.id = inventory.cycle_id) THEN
    RAISE EXCEPTION 'there is no cycle "%"', inventory.cycle_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm.open_cycle() opens one.';
  END IF;
  -- statistics lag behind a release, so that row by row would look cheap
  RETURN QUERY
  WITH offered AS MATERIALIZED (
    SELECT o.customer_id, count(*)::integer AS providers, (array_agg(o.provider_id ORDER BY o.release_id, o.provider_id))[1] AS provider_id, min(o.release_id) AS release_id
    FROM crm.cycle_offer o WHERE o.cycle_id = inventory.cycle_id AND o.withdrawn_at IS NULL GROUP BY o.customer_id),
  held AS (
    SELECT h.customer_id, h.locked OR coalesce(h.protected_until > crm._business_time(inventory.as_of), false) AS protected FROM crm.holding h JOIN offered o ON o.customer_id = h.customer_id WHERE h.held_to IS NULL),
  serviced AS (
    SELECT DISTINCT c.customer_id
    FROM offered o JOIN crm.cover c ON c.customer_id = o.customer_id JOIN crm.staff s ON s.id = c.servicer_id
    WHERE c.from_date <= inventory.as_of AND c.to_date > inventory.as_of AND s.joined_on <= inventory.as_of AND (s.left_on IS NULL OR s.left_on > inventory.as_of)),
  blacklisted AS (
    SELECT DISTINCT b.customer_id FROM crm.blacklist b WHERE b.from_date <= inventory.as_of AND (b.to_date IS NULL OR b.to_date > inventory.as_of)),
  left_alone AS (
    SELECT DISTINCT d.customer_id FROM crm.do_not_contact d
    WHERE d.way = 'any' AND d.channel_id IS NULL AND d.from_date <= inventory.as_of AND (d.to_date IS NULL OR d.to_date > inventory.as_of)),
  consent AS (
    SELECT DISTINCT ON (c.customer_id) c.customer_id, c.state FROM crm.consent c
    WHERE c.purpose = 'marketing' AND c.way = 'any' AND c.on_date <= inventory.as_of
    ORDER BY c.customer_id, c.on_date DESC, c.id DESC),
  held_out AS (
    SELECT DISTINCT h.customer_id FROM crm._held_out h JOIN offered o ON o.customer_id = h.customer_id),
  elsewhere AS (
    SELECT DISTINCT e.customer_id
    FROM offered o
    JOIN crm.cycle_offer e ON e.customer_id = o.customer_id AND e.cycle_id <> inventory.cycle_id AND e.withdrawn_at IS NULL AND e.release_id < o.release_id
    JOIN crm.cycle y ON y.id = e.cycle_id AND y.state = 'open'
    WHERE NOT EXISTS (SELECT FROM crm.plan_customer n JOIN crm.plan p ON p.id = n.plan_id
                      WHERE n.customer_id = e.customer_id AND p.cycle_id = e.cycle_id AND n.outcome = 'allocated')),
  line AS (
    SELECT DISTINCT ON (v.customer_id) v.customer_id, r.line
    FROM offered o
    JOIN crm.cover v ON v.customer_id = o.customer_id
    JOIN crm.policy p ON p.id = v.policy_id
    JOIN crm.product r ON r.id = p.product_id
    WHERE v.from_date <= inventory.as_of AND v.to_date > inventory.as_of
    ORDER BY v.customer_id, v.issued_on DESC, v.policy_id DESC)
  SELECT o.customer_id, o.provider_id, o.providers, b.org_id, b.channel, b.coverage, b.tier, b.activity, b.service, n.line,
         nullif(concat_ws(', ', CASE WHEN h.customer_id IS NOT NULL THEN 'held' END, CASE WHEN h.protected THEN 'protected' END,
                          CASE WHEN v.customer_id IS NOT NULL THEN 'served' END, CASE WHEN x.customer_id IS NOT NULL THEN 'blacklisted' END, CASE WHEN d.customer_id IS NOT NULL THEN 'do_not_contact' END,
                          CASE WHEN c.state = 'withdrawn' THEN 'consent_withdrawn' WHEN c.state IS NULL AND needs_consent THEN 'no_consent' END,
                          CASE WHEN e.customer_id IS NOT NULL THEN 'other_cycle' END, CASE WHEN u.customer_id IS NOT NULL THEN 'held_out' END), '')
  FROM offered o
  JOIN crm_bi.customer b ON b.customer_id = o.customer_id
  LEFT JOIN held h ON h.customer_id = o.customer_id
  LEFT JOIN serviced v ON v.customer_id = o.customer_id
  LEFT JOIN blacklisted x ON x.customer_id = o.customer_id
  LEFT JOIN left_alone d ON d.customer_id = o.customer_id
  LEFT JOIN consent c ON c.customer_id = o.customer_id
  LEFT JOIN elsewhere e ON e.customer_id = o.customer_id
  LEFT JOIN held_out u ON u.customer_id = o.customer_id
  LEFT JOIN line n ON n.customer_id = o.customer_id
  ORDER BY o.customer_id;
END
$$;
COMMENT ON FUNCTION crm.inventory(bigint, date) IS
  'The inventory of a cycle with the classes of a day, by key: one row for each customer offered. provider_id is the one whose release counts, providers how many offer the customer, line that of the policy in force issued last. conflicts, separated by comma and space, NULL: free for use: held, protected (locked, or within the protection of its holder), served (staff in post are named servicer of a policy in force, since the release), blacklisted, do_not_contact, consent_withdrawn, no_consent (setting cycle_consent), other_cycle (an earlier release into another open cycle that has not allocated the customer), held_out (by a plan, for comparison). Errors: 22004, 22023, 23503. 资源盘点';
REVOKE ALL ON FUNCTION crm.inventory(bigint, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm.inventory(bigint, date) TO crm_bi_owner;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.inventory(bigint, date)' FROM (VALUES ('analyst'), ('resource_manager'), ('planner'), ('approver')) d(duty);
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.inventory' FROM (VALUES ('resource_manager'), ('planner'), ('approver')) d(duty);
