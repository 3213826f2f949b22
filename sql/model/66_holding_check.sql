-- allocate: what must hold of holdings

CREATE VIEW crm._merged_holding AS
SELECT (r.key_after ->> 'customer_id')::bigint AS customer_id, (r.key_after ->> 'id')::bigint AS id, m.merged_at
FROM crm.merge_row r JOIN crm.merge_record m ON m.id = r.merge_id AND m.state = 'merged'
WHERE r.relation = 'crm.holding' AND r.key_after IS NOT NULL;
COMMENT ON VIEW crm._merged_holding IS 'Holdings that came to a customer by a merge, and when.';

CREATE FUNCTION crm._check_holding() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  zone CONSTANT text := crm.setting_value('business_time_zone');
BEGIN
  RETURN QUERY
  SELECT 'holding_one_holder', format('customer %s has %s open holdings', h.customer_id, count(*)),
         'Rebuild the index crm.holding_open and end all holdings but one.'
  FROM crm.holding h WHERE h.held_to IS NULL GROUP BY h.customer_id HAVING count(*) > 1;

  RETURN QUERY
  SELECT 'holding_overlap', format('holding %s of customer %s starts before holding %s ended', h.id, h.customer_id, h.earlier),
         'Correct held_from or held_to of one of them.'
  FROM (SELECT h.customer_id, h.id, h.held_from, lag(h.id) OVER w AS earlier,
               max(coalesce(h.held_to, 'infinity')) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended
        FROM crm.holding h WHERE NOT EXISTS (SELECT FROM crm._merged_holding m WHERE m.customer_id = h.customer_id AND m.id = h.id)
        WINDOW w AS (PARTITION BY h.customer_id ORDER BY h.held_from, h.held_to, h.id)) h
  WHERE h.held_from < h.ended;

  -- whoever ends a holding so begins the next one in the same instant
  RETURN QUERY
  SELECT 'holding_gap', format('nobody holds customer %s from the %s of holding %s on, at %s', h.customer_id, h.end_cause, h.id, h.held_to),
         'Correct held_from of the holding after it, or held_to of this one.'
  FROM crm.holding h
  WHERE h.end_cause IN ('narrowing', 'transfer', 'departure')
    AND NOT EXISTS (SELECT FROM crm.holding n WHERE n.customer_id = h.customer_id AND n.id <> h.id AND n.held_from = h.held_to)
    -- who moves may give customers back to the pool, who leaves need not give them to anybody: as the hand-over tells that ended it
    AND CASE h.end_cause WHEN 'narrowing' THEN true ELSE
          coalesce((SELECT l.outcome FROM crm.hand_over_customer l JOIN crm.hand_over p ON p.id = l.hand_over_id
                    WHERE l.customer_id = h.customer_id AND p.staff_id = h.staff_id AND p.state = 'done' AND p.ended_at >= h.held_to
                    ORDER BY p.ended_at LIMIT 1) = 'handed_over', h.end_cause = 'transfer') END
    AND NOT EXISTS (SELECT FROM crm._merged_holding m WHERE m.customer_id = h.customer_id);

  -- as of what was given last: a quota lowered, or loads that grew since, leave a holder above the quota without a fault
  RETURN QUERY
  WITH given AS (
    SELECT h.staff_id, max(h.held_from) AS at FROM crm.holding h WHERE h.staff_id IS NOT NULL AND h.held_to IS NULL GROUP BY h.staff_id),
  -- all holders at once: changes read anew for each of them would be as many as holders times changes
  grown AS (
    SELECT h.staff_id, sum(CASE c.kind WHEN 'load' THEN c.after::bigint - c.before::bigint ELSE h.load END) AS grown
    FROM crm.holding_change c
    JOIN crm.holding h ON h.customer_id = c.customer_id AND h.id = c.holding_id AND h.held_to IS NULL
    JOIN given g ON g.staff_id = h.staff_id AND c.changed_at >= g.at
    WHERE c.kind IN ('load', 'undo') GROUP BY h.staff_id),
  quota AS (
    SELECT g.staff_id, g.at, q.load - coalesce(n.grown, 0) AS load,
           coalesce(o.quota, crm._setting_for('holding_quota', l.org_id, l.channel_id, (g.at AT TIME ZONE zone)::date)::bigint) AS quota
    FROM given g
    JOIN crm.holding_count q ON q.staff_id = g.staff_id
    CROSS JOIN LATERAL (SELECT h.org_id, h.channel_id FROM crm.holding h WHERE h.staff_id = g.staff_id AND h.held_to IS NULL AND h.held_from = g.at LIMIT 1) l
    LEFT JOIN crm.holding_quota o ON o.staff_id = g.staff_id
    LEFT JOIN grown n ON n.staff_id = g.staff_id)
  SELECT 'holding_quota', format('staff member %s was given customers up to a load of %s, above the quota of %s', u.staff_id, u.load, u.quota),
         'crm.release() or crm.transfer() some, or raise the quota.'
  FROM quota u
  WHERE u.load > u.quota
    AND NOT EXISTS (SELECT FROM crm.quota_change c WHERE (c.staff_id IS NULL OR c.staff_id = u.staff_id) AND c.changed_at >= u.at)
    AND NOT EXISTS (SELECT FROM crm._merged_holding m JOIN crm.holding h ON h.customer_id = m.customer_id AND h.id = m.id WHERE h.staff_id = u.staff_id AND m.merged_at >= u.at);

  RETURN QUERY
  SELECT 'holding_count', format('staff member %s is counted to hold %s customers of load %s and holds %s of load %s', coalesce(q.staff_id, h.staff_id),
                                 coalesce(q.held, 0), coalesce(q.load, 0), coalesce(h.held, 0), coalesce(h.load, 0)),
         'UPDATE crm.holding_count to what is held.'
  FROM crm.holding_count q
  FULL JOIN (SELECT h.staff_id, count(*) AS held, sum(h.load) AS load FROM crm.holding h
             WHERE h.staff_id IS NOT NULL AND h.held_to IS NULL GROUP BY h.staff_id) h ON h.staff_id = q.staff_id
  WHERE coalesce(q.held, 0) <> coalesce(h.held, 0) OR coalesce(q.load, 0) <> coalesce(h.load, 0);

  RETURN QUERY
  SELECT 'holding_load', format('%s holdings of unit %s and channel %s count otherwise than tier_load says', count(*), coalesce(s.org_id::text, '(any)'), s.channel_id),
         'SELECT crm.refresh_loads(crm.today()).'
  FROM crm._stale_load(crm.today()) s GROUP BY s.org_id, s.channel_id;

  RETURN QUERY
  SELECT 'holding_protection', format('holding %s of customer %s is protected until another time than its terms give', h.id, h.customer_id),
         'UPDATE crm.holding SET protection_days = protection_days for that row.'
  FROM crm.holding h
  WHERE h.protected_until IS DISTINCT FROM crm.protected_until(h.held_from, h.protection_days, h.protection_renewal_days, h.protection_max_days,
                                                               h.last_contact_at, h.last_purchase_at, h.overridden_at);

  RETURN QUERY
  SELECT 'holding_due', format('holding %s of customer %s has another due time than its rule gives', h.id, h.customer_id),
         'UPDATE crm.holding SET rule = rule for that row.'
  FROM crm.holding h
  WHERE h.due_at IS DISTINCT FROM crm.recycle_due(h.rule, h.held_from, h.last_contact_at, h.last_purchase_at)
     OR h.due_cause IS DISTINCT FROM crm.recycle_cause(h.rule, h.held_from, h.last_contact_at, h.last_purchase_at);

  RETURN QUERY
  SELECT 'holding_purchase', format('holding %s of customer %s does not tell the last purchase', h.id, h.customer_id),
         format('SELECT crm._holding_purchases(''{%s}'').', h.customer_id)
  FROM (SELECT h.customer_id, h.id, h.held_from, h.last_purchase_at,
               (SELECT max(c.issued_on) FROM crm.cover c
                WHERE c.customer_id = h.customer_id AND c.role = 'policyholder' AND c.to_date > c.from_date
                  AND c.issued_on >= (h.held_from AT TIME ZONE zone)::date) AS day
        FROM crm.holding h WHERE h.held_to IS NULL) h
  WHERE h.last_purchase_at IS DISTINCT FROM CASE WHEN h.day IS NOT NULL THEN greatest(h.held_from, h.day::timestamp AT TIME ZONE zone) END;

  RETURN QUERY
  SELECT 'holding_in_post', format('staff member %s is not in post and holds %s customers', s.id, count(*)),
         'SELECT crm.hand_over(crm.today()), or crm.transfer() each customer.'
  FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id
  WHERE h.held_to IS NULL AND (crm.today() < s.joined_on OR crm.today() >= s.left_on)
  GROUP BY s.id;

  RETURN QUERY
  SELECT 'holding_cool_off', format('holding %s of customer %s started within the cool-off of staff member %s', h.id, h.customer_id, h.staff_id),
         'End that holding with crm.release(), or record that the cool-off was waived.'
  FROM crm.holding h
  WHERE h.staff_id IS NOT NULL AND NOT h.cool_off_waived
    AND EXISTS (SELECT FROM crm.holding e
                WHERE e.customer_id = h.customer_id AND e.staff_id = h.staff_id AND e.id <> h.id
                  AND e.held_from < h.held_from AND crm._free_again(e.held_to, e.rule) > h.held_from
                  AND NOT EXISTS (SELECT FROM crm._merged_holding m
                                  WHERE m.customer_id = h.customer_id AND (m.id = h.id OR m.id = e.id AND m.merged_at > h.held_from)));

  RETURN QUERY
  SELECT 'holding_rule', format('%s holdings of unit %s and channel %s%s%s do not follow the rule in force', r.holdings, coalesce(r.org_id::text, '(any)'), r.channel_id,
                                ', line ' || nullif(r.line, ''), ', tier ' || r.tier),
         'CALL crm.refresh_due(crm.today()).'
  FROM crm._stale_rule r;

  RETURN QUERY
  SELECT 'holding_exempt', format('holding %s of customer %s is exempt until %s, by its exemptions until %s', h.id, h.customer_id, h.exempt_until, e.until),
         format('SELECT crm._exempt_until(%s, %s).', h.customer_id, h.id)
  FROM crm.holding h
  FULL JOIN (SELECT x.customer_id, x.holding_id, max(x.until) AS until FROM crm.recycle_exemption x WHERE x.withdrawn_at IS NULL
             GROUP BY x.customer_id, x.holding_id) e ON e.customer_id = h.customer_id AND e.holding_id = h.id
  WHERE h.exempt_until IS DISTINCT FROM e.until;

  RETURN QUERY
  SELECT 'holding_sweep', format('sweep %s ended %s holdings and opened %s again, and %s tell of it', s.id, s.ended, s.reopened, coalesce(h.n, 0)),
         'UPDATE crm.sweep to what the holdings tell.'
  FROM crm.sweep s LEFT JOIN (SELECT x.sweep_id, count(*) AS n FROM crm.holding x WHERE x.sweep_id IS NOT NULL GROUP BY x.sweep_id) h ON h.sweep_id = s.id
  WHERE s.ended - s.reopened <> coalesce(h.n, 0);

  RETURN QUERY
  SELECT 'hand_over_due', format('%s of staff member %s was planned for %s and is not done%s', p.kind, p.staff_id, p.on_date, coalesce(': ' || p.failure, '')), 'SELECT crm.hand_over(crm.today()).'
  FROM crm.hand_over p WHERE p.state = 'planned' AND p.on_date <= crm.today();

  RETURN QUERY
  SELECT 'appointment_owner', format('%s open appointments are with staff member %s, who left on %s', count(*), s.id, s.left_on),
         'UPDATE crm.appointment SET staff_id; or add a manager to crm.position and SELECT crm.hand_over(crm.today()).'
  FROM crm.appointment a JOIN crm.staff s ON s.id = a.staff_id WHERE a.result IS NULL AND s.left_on <= crm.today() GROUP BY s.id, s.left_on;

  RETURN QUERY SELECT c.check_name, c.detail, c.hint FROM crm._check_cycle() c;
END
$$;
COMMENT ON FUNCTION crm._check_holding() IS 'Invariants of holdings that do not hold, each with what to do. Holdings of a customer who was merged with another lie beside those of the other.';
REVOKE ALL ON FUNCTION crm._check_holding() FROM PUBLIC;
