-- allocate: customers that a plan holds out, so that what it brings can be told from what would have come anyway

ALTER TABLE crm.plan
  ADD COLUMN hold_out numeric NOT NULL DEFAULT 0 CONSTRAINT plan_hold_out_check CHECK (hold_out >= 0 AND hold_out <= 0.5),
  ADD COLUMN hold_out_days integer NOT NULL DEFAULT 90 CONSTRAINT plan_hold_out_days_check CHECK (hold_out_days BETWEEN 1 AND 3660);
COMMENT ON COLUMN crm.plan.hold_out IS 'Share of its customers, those pinned by hand apart, that is drawn to be held out: not allocated, for comparison. 对照组比例';
COMMENT ON COLUMN crm.plan.hold_out_days IS 'Days from the start of a stage in which purchases of both groups are compared, and within which nobody held out is allocated.';
ALTER TABLE crm.plan_line ADD COLUMN held_out bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN crm.plan_line.held_out IS 'Of the customers those held out, of whom nothing is expected.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.plan_line', 'held_out', 'count', 'Counted at the computation.');
ALTER TABLE crm.plan_customer
  ADD COLUMN arm text CONSTRAINT plan_customer_arm_check CHECK (arm IN ('treated', 'hold_out')),
  ADD COLUMN coverage text,
  ADD COLUMN tier text,
  ADD COLUMN held_out_merged integer NOT NULL DEFAULT 0,
  ADD CONSTRAINT plan_customer_hold_out_check CHECK (arm IS DISTINCT FROM 'hold_out' OR outcome IS DISTINCT FROM 'allocated');
COMMENT ON COLUMN crm.plan_customer.arm IS 'Drawn to be treated or held out (hold_out), for good once the plan is submitted; NULL: pinned by hand or the plan holds nobody out, so outside the comparison.';
COMMENT ON COLUMN crm.plan_customer.coverage IS 'prospect, insured or former, at the computation.';
COMMENT ON COLUMN crm.plan_customer.tier IS 'Tier at the computation.';
COMMENT ON COLUMN crm.plan_customer.held_out_merged IS 'Customers who were held out and merged into this one, who was not.';
CREATE INDEX plan_customer_hold_out ON crm.plan_customer (customer_id) WHERE arm = 'hold_out';

CREATE VIEW crm._held_out AS
SELECT c.customer_id, c.plan_id
FROM crm.plan_customer c JOIN crm.plan p ON p.id = c.plan_id
WHERE c.arm = 'hold_out'
  AND CASE WHEN c.outcome IS NULL THEN p.state = 'approved'
           WHEN c.outcome = 'held_out' THEN crm._business_day(c.done_at) + p.hold_out_days >= crm._business_day(pg_catalog.clock_timestamp()) ELSE false END
  -- whoever was claimed since is served, and passed on as anybody
  AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.customer_id AND h.held_from > p.computed_at);
COMMENT ON VIEW crm._held_out IS 'Customers whom no allocation may touch now, since a plan that is approved or carried out holds them out and nobody has claimed them since: one row for each plan and customer.';
COMMENT ON COLUMN crm._held_out.customer_id IS 'Customer.';
COMMENT ON COLUMN crm._held_out.plan_id IS 'Plan.';
GRANT SELECT ON crm._held_out TO crm_bi_owner;

CREATE FUNCTION crm.set_hold_out(plan_id bigint, share numeric, days integer DEFAULT 90) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(set_hold_out.plan_id);
BEGIN
  IF num_nulls(set_hold_out.share, set_hold_out.days) > 0 THEN
    RAISE EXCEPTION 'share and days must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT (set_hold_out.share >= 0 AND set_hold_out.share <= 0.5) THEN
    RAISE EXCEPTION 'share % to be held out is out of range', set_hold_out.share USING ERRCODE = 'invalid_parameter_value', HINT = 'Give 0 to 0.5, such as 0.1.';
  ELSIF set_hold_out.days NOT BETWEEN 1 AND 3660 THEN
    RAISE EXCEPTION 'a window of % days is out of range', set_hold_out.days USING ERRCODE = 'invalid_parameter_value', HINT = 'Give 1 to 3660 days.';
  END IF;
  INSERT INTO crm.cycle_change (cycle_id, plan_id, kind, subject, before, after)
  SELECT plan.cycle_id, plan.id, 'hold_out', plan.id, c.before, c.after
  FROM (SELECT jsonb_build_object('share', plan.hold_out, 'days', plan.hold_out_days) AS before, jsonb_build_object('share', set_hold_out.share, 'days', set_hold_out.days) AS after) c
  WHERE c.before <> c.after;
  UPDATE crm.plan p SET hold_out = set_hold_out.share, hold_out_days = set_hold_out.days WHERE p.id = plan.id;
END
$$;
COMMENT ON FUNCTION crm.set_hold_out(bigint, numeric, integer) IS
  'Sets which share of the customers of a draft plan is drawn to be held out at its computation (0: nobody), and for how many days from the start of a stage purchases are compared. Errors: 22004, 22023, 23503, 42501, 55000 not a draft. 设定对照组';
REVOKE ALL ON FUNCTION crm.set_hold_out(bigint, numeric, integer) FROM PUBLIC;

-- A systematic draw from strata laid end to end, in each of them in the order of a hash: everybody is drawn with the same probability, and of each run of
-- strata the share is met to less than one customer.
CREATE FUNCTION crm._draw_hold_out(seed bigint, share numeric, customers bigint[], strata text[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(pg_catalog.array_agg(d.customer_id ORDER BY d.customer_id), '{}')
  FROM (SELECT u.customer_id, pg_catalog.row_number() OVER (ORDER BY u.stratum COLLATE "C", pg_catalog.hashint8extended(u.customer_id, _draw_hold_out.seed), u.customer_id) AS n
        FROM ROWS FROM (pg_catalog.unnest(_draw_hold_out.customers), pg_catalog.unnest(_draw_hold_out.strata)) u (customer_id, stratum)) d
  CROSS JOIN (SELECT (pg_catalog.hashint8extended(_draw_hold_out.seed, 1) & 1048575) / 1048576.0 AS start OFFSET 0) s
  WHERE pg_catalog.floor(d.n * _draw_hold_out.share + s.start) > pg_catalog.floor((d.n - 1) * _draw_hold_out.share + s.start);
END;
COMMENT ON FUNCTION crm._draw_hold_out(bigint, numeric, bigint[], text[]) IS
  'The customers drawn of those given, each of the stratum at the same place; the same seed draws the same.';

CREATE FUNCTION crm._plan_hold_out(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  customers bigint[];
  strata text[];
BEGIN
  IF plan.hold_out > 0 THEN
    SELECT array_agg(w.customer_id), array_agg(format('%s %s %s %s %s', lpad(coalesce(w.stage, 0)::text, 10, '0'), w.channel_id, w.proposal_id, w.coverage, w.tier))
    INTO customers, strata FROM pg_temp.crm_plan_work w WHERE w.why IS DISTINCT FROM 'pin';
    UPDATE pg_temp.crm_plan_work w SET arm = 'treated' WHERE w.why IS DISTINCT FROM 'pin';
    UPDATE pg_temp.crm_plan_work w SET arm = 'hold_out'
    FROM unnest(crm._draw_hold_out(plan.id, plan.hold_out, customers, strata)) d(customer_id) WHERE w.customer_id = d.customer_id;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._plan_hold_out(crm.plan) IS
  'Draws who of the customers of a plan is held out, by the key of the plan, within stage, channel, proposal and class; not of those pinned by hand.';
REVOKE ALL ON FUNCTION crm._plan_hold_out(crm.plan) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.set_hold_out(bigint, numeric, integer)' FROM (VALUES ('planner'), ('resource_manager')) d(duty);
