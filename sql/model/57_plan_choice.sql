-- allocate: the optimum of a plan: what customers are worth to proposals, and the optimum of a plan for channels

CREATE FUNCTION crm._plan_values(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- nobody is worth nothing: whoever has room takes a customer of whom little is expected rather than none
  CREATE TEMPORARY TABLE crm_plan_value ON COMMIT DROP AS
  SELECT r.proposal_id, r.coverage, r.tier,
         (CASE plan.weighing WHEN 'demand' THEN 1 WHEN 'result' THEN greatest(r.expected_premium, 0.01) ELSE greatest(r.expected_premium - r.expected_cost, 0.01) END)::double precision AS value
  FROM pg_temp.crm_plan_rate r;
  ANALYZE pg_temp.crm_plan_value;
END
$$;
COMMENT ON FUNCTION crm._plan_values(crm.plan) IS 'What a customer of a class is worth to a proposal: 1 by demand, else the premium expected, by net and best less the cost, at least 0.01.';
REVOKE ALL ON FUNCTION crm._plan_values(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_wants(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  CREATE TEMPORARY TABLE crm_plan_want ON COMMIT DROP AS
  WITH kind AS (SELECT DISTINCT w.kind FROM pg_temp.crm_plan_work w),
  -- so that whoever comes fits
  load AS (
    SELECT l.channel_id, max(l.load) AS load FROM pg_temp.crm_plan_load l JOIN kind k ON k.kind = l.kind GROUP BY l.channel_id),
  room AS (
    SELECT s.channel_id, l.load,
           greatest(CASE l.load WHEN 0 THEN 1000000000 ELSE sum(s.room)::bigint / l.load END
                    - (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.channel_id = s.channel_id AND w.staff_id IS NULL), 0)::bigint AS seats
    FROM pg_temp.crm_plan_staff s JOIN load l ON l.channel_id = s.channel_id GROUP BY s.channel_id, l.load)
  SELECT p.id AS proposal_id, p.channel_id, r.seats,
         least(greatest(p.volume - (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id), 0), CASE r.load WHEN 0 THEN 1000000000 ELSE p.room / r.load END) AS places
  FROM pg_temp.crm_plan_proposal p JOIN room r ON r.channel_id = p.channel_id;
END
$$;
COMMENT ON FUNCTION crm._plan_wants(crm.plan) IS 'What each proposal still asks for, as far as staff where it asks have room, and what the staff of its channel have.';
REVOKE ALL ON FUNCTION crm._plan_wants(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_choose(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  chosen crm.assignment;
BEGIN
  PERFORM crm._plan_values(plan), crm._plan_wants(plan);
  chosen := crm.solve_assignment(
    'SELECT m.customer_id, m.proposal_id AS holder_id, v.value AS benefit
     FROM pg_temp.crm_plan_match m
     JOIN pg_temp.crm_plan_want n ON n.proposal_id = m.proposal_id
     JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id
     JOIN pg_temp.crm_plan_value v ON v.proposal_id = m.proposal_id AND v.coverage = w.coverage AND v.tier = w.tier
     WHERE w.why IS NULL
     UNION ALL
     SELECT w.customer_id, 0, 0 FROM pg_temp.crm_plan_work w WHERE w.why IS NULL',
    'SELECT n.proposal_id AS holder_id, n.places AS capacity, - n.channel_id AS within FROM pg_temp.crm_plan_want n
     UNION ALL SELECT DISTINCT - n.channel_id, n.seats, - n.channel_id FROM pg_temp.crm_plan_want n
     UNION ALL SELECT 0, 1000000000, 0');
  INSERT INTO pg_temp.crm_plan_price (kind, channel_id, org_id, proposal_id, value, price, is_exact)
  SELECT 'proposal', p.channel_id, p.org_id, p.id, p.volume, h.place_price, true
  FROM crm.assigned_holders(chosen) h JOIN pg_temp.crm_plan_proposal p ON p.id = h.holder_id;
  UPDATE pg_temp.crm_plan_work w SET proposal_id = p.id, channel_id = p.channel_id, org_id = p.org_id, why = 'channel'
  FROM crm.assigned(chosen) b JOIN pg_temp.crm_plan_proposal p ON p.id = b.holder_id WHERE w.customer_id = b.customer_id;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.channel_id IS NULL;
  INSERT INTO pg_temp.crm_plan_solved (worth, bound, is_proven) VALUES (chosen.total, chosen.bound, chosen.is_proven);
  DROP TABLE pg_temp.crm_plan_value, pg_temp.crm_plan_want;
END
$$;
COMMENT ON FUNCTION crm._plan_choose(crm.plan) IS
  'Step 4 of the optimum of a plan for channels: customers go to proposals, within volumes and the room of each channel, for the most that they are worth together.';
REVOKE ALL ON FUNCTION crm._plan_choose(crm.plan) FROM PUBLIC;
