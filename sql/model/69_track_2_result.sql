-- track: what came of each customer of a plan by crm.today(), and of whom it held out

CREATE VIEW crm._plan_start AS
SELECT c.plan_id, l.stage, (pg_catalog.min(c.done_at) AT TIME ZONE crm.setting_value('business_time_zone'))::date AS started_on
FROM crm.plan_customer c JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
WHERE c.outcome <> 'given_up'
GROUP BY c.plan_id, l.stage;
COMMENT ON VIEW crm._plan_start IS 'When plans were begun to be carried out: one row for each plan and stage.';
COMMENT ON COLUMN crm._plan_start.plan_id IS 'Plan.';
COMMENT ON COLUMN crm._plan_start.stage IS 'Stage; NULL: the plan has none.';
COMMENT ON COLUMN crm._plan_start.started_on IS 'First day.';

CREATE VIEW crm._plan_result AS
SELECT c.plan_id, c.customer_id, c.line, l.stage, l.channel_id, l.org_id, c.arm, h.first_day AS allocated_on, k.contacted_on, f.result AS feedback, f.contacted AS feedback_contacted,
       b.bought_on, coalesce(b.policies, 0) AS policies, pg_catalog.round(coalesce(b.premium, 0), 2) AS premium, coalesce(x.cost, 0) + coalesce(e.cost, 0) AS cost,
       coalesce(a.policies, 0) AS attributed_policies, coalesce(a.premium, 0) AS attributed_premium
FROM crm.plan_customer c
JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone, crm.today() AS today OFFSET 0) z
LEFT JOIN crm._holding_days h ON h.customer_id = c.customer_id AND h.id = c.holding_id AND h.first_day <= z.today
LEFT JOIN LATERAL (SELECT least(h.last_day, z.today) AS upto) u ON true
LEFT JOIN LATERAL (
  SELECT (pg_catalog.min(y.at) AT TIME ZONE z.zone)::date AS contacted_on FROM crm.contact y
  WHERE y.customer_id = c.customer_id AND y.channel_id = h.channel_id AND y.at >= h.first_day::timestamp AT TIME ZONE z.zone AND y.at < (u.upto + 1)::timestamp AT TIME ZONE z.zone) k ON true
LEFT JOIN LATERAL (
  SELECT y.result, r.contacted FROM crm.feedback y JOIN crm.feedback_result r ON r.code = y.result
  WHERE y.customer_id = c.customer_id AND y.plan_id = c.plan_id AND y.given_at < (z.today + 1)::timestamp AT TIME ZONE z.zone
  ORDER BY y.given_at DESC, y.id DESC LIMIT 1) f ON true
LEFT JOIN LATERAL (
  SELECT pg_catalog.min(v.issued_on) AS bought_on, pg_catalog.count(*) AS policies, pg_catalog.sum(v.annual_premium) / 100.0 AS premium, pg_catalog.array_agg(v.policy_id) AS ids
  FROM crm.cover v
  WHERE v.customer_id = c.customer_id AND v.role = 'policyholder' AND v.seq = 1 AND v.to_date > v.from_date AND v.issued_on BETWEEN h.first_day AND u.upto) b ON true
LEFT JOIN LATERAL (
  SELECT pg_catalog.sum(y.amount) AS cost FROM crm.customer_cost y JOIN crm.cost_kind q ON q.code = y.kind AND q.purpose = 'selling'
  WHERE y.customer_id = c.customer_id AND y.incurred_on BETWEEN h.first_day AND u.upto) x ON true
LEFT JOIN LATERAL (
  SELECT pg_catalog.sum(y.amount) AS cost FROM crm.commission y WHERE y.customer_id = c.customer_id AND y.policy_id = ANY (b.ids) AND y.earned_on <= z.today) e ON true
LEFT JOIN LATERAL (
  SELECT pg_catalog.sum(y.share) AS policies, pg_catalog.round(pg_catalog.sum(p.annual_premium * y.share), 2) AS premium
  FROM crm.policy p JOIN crm.policy_attribution y ON y.policy_id = p.id AND y.plan_id = c.plan_id
  WHERE p.customer_id = c.customer_id AND p.issued_on <= z.today) a ON true;
COMMENT ON VIEW crm._plan_result IS 'What came of customers of plans up to crm.today(), while held through the plan: one row for each plan and customer.';
COMMENT ON COLUMN crm._plan_result.plan_id IS 'Plan.';
COMMENT ON COLUMN crm._plan_result.customer_id IS 'Customer.';
COMMENT ON COLUMN crm._plan_result.line IS 'Line.';
COMMENT ON COLUMN crm._plan_result.stage IS 'Stage.';
COMMENT ON COLUMN crm._plan_result.channel_id IS 'Channel planned.';
COMMENT ON COLUMN crm._plan_result.org_id IS 'Unit planned.';
COMMENT ON COLUMN crm._plan_result.arm IS 'treated or hold_out.';
COMMENT ON COLUMN crm._plan_result.allocated_on IS 'First day held; NULL: not allocated.';
COMMENT ON COLUMN crm._plan_result.contacted_on IS 'First day of a contact by the channel while held; NULL: none.';
COMMENT ON COLUMN crm._plan_result.feedback IS 'Latest feedback.';
COMMENT ON COLUMN crm._plan_result.feedback_contacted IS 'Whether by that the customer was spoken to.';
COMMENT ON COLUMN crm._plan_result.bought_on IS 'Day of the first purchase while held; NULL: none.';
COMMENT ON COLUMN crm._plan_result.policies IS 'Policies bought while held.';
COMMENT ON COLUMN crm._plan_result.premium IS 'Their annual premium.';
COMMENT ON COLUMN crm._plan_result.cost IS 'Selling cost while held, and commissions for what was bought.';
COMMENT ON COLUMN crm._plan_result.attributed_policies IS 'Policies attributed to the plan, as attributed last.';
COMMENT ON COLUMN crm._plan_result.attributed_premium IS 'Their annual premium.';

CREATE VIEW crm._plan_arm AS
SELECT c.plan_id, c.customer_id, c.arm, l.stage, l.channel_id, l.proposal_id, c.coverage, c.tier, s.started_on, w.until, s.started_on + p.hold_out_days < w.today AS is_over,
       b.premium IS NOT NULL AS bought, coalesce(b.premium, 0) AS premium,
       c.arm = 'hold_out' AND EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.customer_id AND h.held_from < (w.until + 1)::timestamp AT TIME ZONE w.zone
                                      AND (h.held_to IS NULL OR h.held_to > s.started_on::timestamp AT TIME ZONE w.zone)) AS was_held
FROM crm.plan_customer c
JOIN crm.plan p ON p.id = c.plan_id
JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
JOIN crm._plan_start s ON s.plan_id = c.plan_id AND s.stage IS NOT DISTINCT FROM l.stage
CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone, crm.today() AS today OFFSET 0) z
CROSS JOIN LATERAL (SELECT least(s.started_on + p.hold_out_days, z.today) AS until, z.today, z.zone) w
CROSS JOIN LATERAL (
  SELECT pg_catalog.sum(v.annual_premium) / 100.0 AS premium FROM crm.cover v
  WHERE v.customer_id = c.customer_id AND v.role = 'policyholder' AND v.seq = 1 AND v.to_date > v.from_date AND v.issued_on BETWEEN s.started_on AND w.until) b
WHERE c.arm IS NOT NULL AND s.started_on <= z.today;
COMMENT ON VIEW crm._plan_arm IS
  'Customers of plans that hold some out, as drawn and whatever became of them, with what they bought from the start of their stage on: one row for each plan and customer of a stage that has begun.';
COMMENT ON COLUMN crm._plan_arm.plan_id IS 'Plan.';
COMMENT ON COLUMN crm._plan_arm.customer_id IS 'Customer.';
COMMENT ON COLUMN crm._plan_arm.arm IS 'treated or hold_out.';
COMMENT ON COLUMN crm._plan_arm.stage IS 'Stage.';
COMMENT ON COLUMN crm._plan_arm.channel_id IS 'Channel planned.';
COMMENT ON COLUMN crm._plan_arm.proposal_id IS 'Proposal.';
COMMENT ON COLUMN crm._plan_arm.coverage IS 'prospect, insured or former, at the computation.';
COMMENT ON COLUMN crm._plan_arm.tier IS 'Tier at the computation.';
COMMENT ON COLUMN crm._plan_arm.started_on IS 'First day of the window, the same for both groups.';
COMMENT ON COLUMN crm._plan_arm.until IS 'Last day of it, so far.';
COMMENT ON COLUMN crm._plan_arm.is_over IS 'Whether its last day is over.';
COMMENT ON COLUMN crm._plan_arm.bought IS 'Bought within it, of anybody.';
COMMENT ON COLUMN crm._plan_arm.premium IS 'Annual premium of that.';
COMMENT ON COLUMN crm._plan_arm.was_held IS 'Held out, and held by somebody all the same, as by a claim.';
GRANT SELECT ON crm._plan_start, crm._plan_result, crm._plan_arm TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.' || v.name
FROM (VALUES ('resource_manager'), ('planner'), ('approver')) d(duty)
CROSS JOIN (VALUES ('plan_bulletin'), ('plan_channel'), ('plan_stage_comparison'), ('plan_uplift'), ('feedback'), ('channel_history')) v(name);
