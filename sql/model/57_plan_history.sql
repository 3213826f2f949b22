-- allocate: what came of customers held before: result and cost by channel and class

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('history_days', 'integer', '90', false, false, 'Days from its beginning for which each holding of the past is followed: what comes later tells plans nothing, nor does a holding that is not as old.');

-- who holds at the end of a day has what the customer does on it, so that nothing counts twice
CREATE VIEW crm._holding_days AS
SELECT h.customer_id, h.id, h.channel_id, h.staff_id, h.plan_id, (h.held_from AT TIME ZONE z.zone)::date AS first_day,
       least((e.held_to AT TIME ZONE z.zone)::date, (n.held_from AT TIME ZONE z.zone)::date - 1) AS last_day,
       greatest(h.last_contact_at, e.last_contact_at) AS last_contact_at, e.staff_id AS last_staff_id, h.end_cause, e.held_to, e.end_cause AS last_end_cause
FROM crm.holding h
CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone OFFSET 0) z
CROSS JOIN LATERAL (SELECT x.* FROM crm.holding x
                    WHERE x.customer_id = h.customer_id AND (x.held_from, x.id) >= (h.held_from, h.id) AND x.end_cause IS DISTINCT FROM 'narrowing'
                    ORDER BY x.held_from, x.id LIMIT 1) e
LEFT JOIN LATERAL (SELECT x.held_from FROM crm.holding x
                   WHERE x.customer_id = h.customer_id AND (x.held_from, x.id) > (e.held_from, e.id)
                   ORDER BY x.held_from, x.id LIMIT 1) n ON true;
COMMENT ON VIEW crm._holding_days IS 'Holdings with the days of which the result is theirs: one row each, one narrowed to a unit or person with that of who holds after it.';
COMMENT ON COLUMN crm._holding_days.customer_id IS 'Customer.';
COMMENT ON COLUMN crm._holding_days.id IS 'Key within the customer.';
COMMENT ON COLUMN crm._holding_days.channel_id IS 'Channel.';
COMMENT ON COLUMN crm._holding_days.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm._holding_days.plan_id IS 'Plan.';
COMMENT ON COLUMN crm._holding_days.first_day IS 'First day.';
COMMENT ON COLUMN crm._holding_days.last_day IS 'Last day; NULL: none yet. Before the first where the customer went on to somebody else on that day.';
COMMENT ON COLUMN crm._holding_days.last_contact_at IS 'Last contact by the holder.';
COMMENT ON COLUMN crm._holding_days.last_staff_id IS 'Who held last, after what it was narrowed to.';
COMMENT ON COLUMN crm._holding_days.end_cause IS 'Cause of its end.';
COMMENT ON COLUMN crm._holding_days.held_to IS 'End of the last.';
COMMENT ON COLUMN crm._holding_days.last_end_cause IS 'And its cause.';
GRANT SELECT ON crm._holding_days TO crm_bi_owner;

CREATE FUNCTION crm._holding_result(as_of date)
RETURNS TABLE (channel_id bigint, staff_id bigint, coverage text, tier text, contacted boolean, purchased boolean, premium numeric, cost numeric, days integer)
LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  zone CONSTANT text := crm.setting_value('business_time_zone');
  -- more months than this reach before the first day there is
  since CONSTANT date := (_holding_result.as_of - make_interval(months => least(crm.setting_value('history_months', _holding_result.as_of)::integer, 24000)))::date;
  followed CONSTANT integer := greatest(crm.setting_value('history_days', _holding_result.as_of)::integer, 1);
  slot CONSTANT smallint := crm._slot();
BEGIN
  RETURN QUERY
  WITH past AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.channel_id, h.staff_id, h.day, h.day + followed AS until, least(h.last_day, h.next_day - 1, h.day + followed - 1) AS upto,
           h.last_contact_at < (h.day + followed)::timestamp AT TIME ZONE zone
             OR EXISTS (SELECT FROM crm.contact k
                        WHERE k.customer_id = h.customer_id AND h.last_contact_at >= (h.day + followed)::timestamp AT TIME ZONE zone AND (k.staff_id = h.staff_id OR h.staff_id IS NULL AND k.channel_id = h.channel_id)
                          AND k.at >= h.held_from AND k.at < (h.day + followed)::timestamp AT TIME ZONE zone) AS contacted
    FROM (SELECT x.customer_id, x.id, x.channel_id, x.staff_id, x.held_from, x.last_contact_at, x.end_cause, (x.held_from AT TIME ZONE zone)::date AS day, (x.held_to AT TIME ZONE zone)::date AS last_day,
                 lead((x.held_from AT TIME ZONE zone)::date) OVER (PARTITION BY x.customer_id ORDER BY x.held_from, x.id) AS next_day
          FROM crm.holding x WHERE x.held_from >= crm._business_time(since)) h
    WHERE h.day <= _holding_result.as_of - followed AND h.end_cause IS DISTINCT FROM 'narrowing'),
  bought AS (
    SELECT p.customer_id, p.id, sum(c.annual_premium) / 100.0 AS premium, array_agg(c.policy_id) AS policies, min(c.issued_on) AS first_on
    FROM past p
    JOIN crm.cover c ON c.customer_id = p.customer_id AND c.role = 'policyholder' AND c.seq = 1 AND c.to_date > c.from_date AND c.issued_on BETWEEN p.day AND p.upto
    GROUP BY p.customer_id, p.id),
  spent AS (
    SELECT p.customer_id, p.id, sum(x.amount) AS cost
    FROM past p
    JOIN crm.customer_cost x ON x.customer_id = p.customer_id AND x.incurred_on BETWEEN p.day AND p.upto
    JOIN crm.cost_kind k ON k.code = x.kind AND k.purpose = 'selling'
    GROUP BY p.customer_id, p.id),
  earned AS (
    SELECT b.customer_id, b.id, sum(x.amount) AS cost
    FROM bought b JOIN past p ON p.customer_id = b.customer_id AND p.id = b.id
    JOIN crm.commission x ON x.customer_id = b.customer_id AND x.policy_id = ANY (b.policies) AND x.earned_on < p.until
    GROUP BY b.customer_id, b.id)
  SELECT p.channel_id, p.staff_id, coalesce(s.coverage, 'none'), coalesce(t.label, 'none'), coalesce(p.contacted, false), b.id IS NOT NULL, coalesce(b.premium, 0),
         coalesce(x.cost, 0) + coalesce(e.cost, 0),
         CASE WHEN b.id IS NOT NULL THEN
           b.first_on - coalesce((SELECT min((k.at AT TIME ZONE zone)::date) FROM crm.contact k
                                  WHERE k.customer_id = p.customer_id AND k.channel_id = p.channel_id
                                    AND k.at >= crm._business_time(p.day) AND k.at < crm._business_time(b.first_on + 1)), p.day) END
  FROM past p
  JOIN crm.standing g ON g.slot = slot AND g.customer_id = p.customer_id
  CROSS JOIN LATERAL crm.at(g.timeline, p.day) s
  LEFT JOIN crm.class t ON t.id = s.tier
  LEFT JOIN bought b ON b.customer_id = p.customer_id AND b.id = p.id
  LEFT JOIN spent x ON x.customer_id = p.customer_id AND x.id = p.id
  LEFT JOIN earned e ON e.customer_id = p.customer_id AND e.id = p.id;
END
$$;
COMMENT ON FUNCTION crm._holding_result(date) IS
  'What came of each holding that began in the setting history_months up to a day and at least the setting history_days before it, within as many days of its beginning, so that the young are not taken for failures; those narrowed to a unit or person told by what followed: class of the customer at the start; contacted by the holder, bought while held, with annual premium, selling cost while held and commissions for what was bought, and days from the first contact by the channel, or else the start, to the first purchase; what happens on a day is of who holds at its end. Errors: 55000, 40001.';
REVOKE ALL ON FUNCTION crm._holding_result(date) FROM PUBLIC;

CREATE FUNCTION crm.allocation_history(as_of date)
RETURNS TABLE (channel_id bigint, coverage text, tier text, allocated bigint, contacted bigint, purchased bigint, premium numeric, cost numeric, days numeric, median_days numeric, capped_premium numeric,
  premium_low numeric, premium_high numeric, cost_low numeric, cost_high numeric, days_low numeric, days_high numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._take_day(allocation_history.as_of);
  RETURN QUERY
  WITH result AS MATERIALIZED (SELECT * FROM crm._holding_result(allocation_history.as_of))
  SELECT g.channel_id, g.coverage, g.tier, g.allocated, g.contacted, g.purchased, g.premium, g.cost, g.days, g.median_days, g.capped,
         p.lower, p.upper, k.lower, k.upper, d.lower, d.upper
  FROM (SELECT r.channel_id, r.coverage, r.tier, count(*) AS allocated, count(*) FILTER (WHERE r.contacted) AS contacted, count(*) FILTER (WHERE r.purchased) AS purchased,
               count(*) FILTER (WHERE r.cost <> 0) AS costing, sum(r.premium) AS premium, var_samp(r.premium) AS premium_variance, sum(r.cost) AS cost, var_samp(r.cost) AS cost_variance,
               avg(r.days) AS days, var_samp(r.days) AS days_variance, (percentile_cont(0.5) WITHIN GROUP (ORDER BY r.days))::numeric AS median_days, sum(least(r.premium, c.cap)) AS capped
        FROM result r CROSS JOIN (SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY x.premium) AS cap FROM result x WHERE x.purchased) c
        GROUP BY r.channel_id, r.coverage, r.tier) g
  CROSS JOIN LATERAL crm._told_interval(g.premium / g.allocated, g.premium_variance, g.allocated, g.purchased) p
  CROSS JOIN LATERAL crm._told_interval(g.cost / g.allocated, g.cost_variance, g.allocated, g.costing) k
  CROSS JOIN LATERAL crm._told_interval(g.days, g.days_variance, g.purchased, g.purchased) d
  ORDER BY g.channel_id, g.coverage, g.tier;
END
$$;
COMMENT ON FUNCTION crm.allocation_history(date) IS
  'Result and cost of customers held, by channel and by coverage and tier at the start of the holding: holdings that began in the setting history_months up to a day and at least the setting history_days before it, each with what came of it in as many days from its beginning: those with a contact by the holder, those in which the customer bought, annual premium of that, selling cost with commissions, and the length of the sales cycle: days from the first contact by the channel, or else the start of the holding, to the first purchase, their mean and median; capped_premium counts no holding above the 90th percentile of all with a purchase, so that chance weighs less. Divide sums by allocated; _low and _high are bounds at 95 % of premium and cost per holding allocated and of days per purchase, by Student; NULL: fewer than 5 holdings have any, or all the same. Errors: 22004, 22023, 55000 no standings, 40001. 分配效果历史';
REVOKE ALL ON FUNCTION crm.allocation_history(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm.allocation_history(date) TO crm_bi_owner;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.allocation_history(date)' FROM (VALUES ('analyst'), ('resource_manager'), ('planner'), ('approver')) d(duty);
