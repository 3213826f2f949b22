-- allocate: limits of units in plans, floors and capacities, and what each limit of a plan costs

CREATE TABLE crm.plan_limit (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint NOT NULL REFERENCES crm.organisation,
  floor bigint CHECK (floor >= 0),
  capacity bigint CHECK (capacity >= 0),
  note text,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (plan_id, channel_id, org_id),
  CONSTRAINT plan_limit_of_check CHECK (pg_catalog.num_nonnulls(floor, capacity) > 0 AND (floor IS NULL OR capacity IS NULL OR floor <= capacity))
);
COMMENT ON TABLE crm.plan_limit IS 'Limits that a plan sets by hand: how many customers each unit of a subtree gets at least and at most in a channel. 机构上下限';
COMMENT ON COLUMN crm.plan_limit.plan_id IS 'Plan, of strategy optimal.';
COMMENT ON COLUMN crm.plan_limit.channel_id IS 'Channel.';
COMMENT ON COLUMN crm.plan_limit.org_id IS 'Unit; it stands for each unit of its subtree that no row further down does.';
COMMENT ON COLUMN crm.plan_limit.floor IS 'Customers that each of them gets at least; NULL: not said here.';
COMMENT ON COLUMN crm.plan_limit.capacity IS 'Customers that each of them gets at most; NULL: not said here.';
COMMENT ON COLUMN crm.plan_limit.note IS 'Why.';
COMMENT ON COLUMN crm.plan_limit.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.plan_limit.set_by IS 'Who set it.';
CREATE INDEX ON crm.plan_limit (channel_id);
CREATE INDEX ON crm.plan_limit (org_id);

CREATE TABLE crm.plan_price (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  id integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('room', 'capacity', 'volume', 'floor', 'proposal')),
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  proposal_id bigint REFERENCES crm.proposal,
  value bigint NOT NULL,
  used bigint NOT NULL,
  price numeric NOT NULL,
  is_exact boolean NOT NULL,
  PRIMARY KEY (plan_id, id)
);
COMMENT ON TABLE crm.plan_price IS 'The limits within which a plan of strategy optimal was computed, and what each costs it. 约束与价格';
COMMENT ON COLUMN crm.plan_price.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_price.id IS 'Number within the plan.';
COMMENT ON COLUMN crm.plan_price.kind IS 'Of a unit: room (of its staff, by quota), capacity, floor (crm.set_plan_limit) or volume (adjusted by hand); proposal: the volume that it asks for.';
COMMENT ON COLUMN crm.plan_price.channel_id IS 'Channel.';
COMMENT ON COLUMN crm.plan_price.org_id IS 'Unit; NULL: a proposal of the whole channel.';
COMMENT ON COLUMN crm.plan_price.proposal_id IS 'Proposal, of its volume.';
COMMENT ON COLUMN crm.plan_price.value IS 'The limit, in customers; of a room where customers count differently in load.';
COMMENT ON COLUMN crm.plan_price.used IS 'What the plan gives, in the same.';
COMMENT ON COLUMN crm.plan_price.price IS 'By how much crm.plan.worth would be more with the limit one higher, of a floor with one lower.';
COMMENT ON COLUMN crm.plan_price.is_exact IS 'Whether that is exact; where customers of a unit count differently, or proposals of a channel share units, it is what a relaxation gives, of load where they count differently.';
CREATE INDEX ON crm.plan_price (channel_id);
CREATE INDEX ON crm.plan_price (org_id);
CREATE INDEX ON crm.plan_price (proposal_id);
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.plan_price', 'used', 'count', 'Counted at the computation.');

ALTER TABLE crm.plan
  ADD COLUMN worth numeric,
  ADD COLUMN worth_bound numeric,
  ADD COLUMN is_proven boolean;
COMMENT ON COLUMN crm.plan.worth IS 'What the customers whom strategy optimal distributes are worth together where they go, by what the plan weighs; NULL: another strategy.';
COMMENT ON COLUMN crm.plan.worth_bound IS 'No choice and distribution of customers within the same volumes and limits is worth more; NULL: there are too many pairs of customers and units for a bound.';
COMMENT ON COLUMN crm.plan.is_proven IS 'Whether worth reaches the bound.';
GRANT SELECT ON crm.plan_limit, crm.plan_price TO crm_bi_owner;

CREATE FUNCTION crm.set_plan_limit(plan_id bigint, channel_id bigint, org_id bigint, floor bigint DEFAULT NULL, capacity bigint DEFAULT NULL, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(set_plan_limit.plan_id);
BEGIN
  IF num_nulls(set_plan_limit.channel_id, set_plan_limit.org_id) > 0 THEN
    RAISE EXCEPTION 'channel and unit must be given' USING ERRCODE = 'null_value_not_allowed', HINT = 'Give channel_id and org_id: limits are of a unit in a channel.';
  ELSIF plan.strategy <> 'optimal' OR plan.level = 'channel' THEN
    RAISE EXCEPTION 'plan "%" is of strategy %, for level %', plan.name, plan.strategy, plan.level
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Only a plan of strategy optimal, for level unit or staff, keeps to limits of units.',
            HINT = 'Make a variant: crm.make_plan(..., strategy => ''optimal'', like_plan => ...).';
  ELSIF num_nonnulls(set_plan_limit.floor, set_plan_limit.capacity) = 0 THEN
    RAISE EXCEPTION 'neither a floor nor a capacity is given' USING ERRCODE = 'check_violation', HINT = 'crm.drop_plan_limit() takes a limit out.';
  ELSIF set_plan_limit.floor < 0 OR set_plan_limit.capacity < 0 THEN
    RAISE EXCEPTION 'limit % is below 0', least(set_plan_limit.floor, set_plan_limit.capacity) USING ERRCODE = 'check_violation', HINT = 'Limits are numbers of customers.';
  ELSIF set_plan_limit.floor > set_plan_limit.capacity THEN
    RAISE EXCEPTION 'floor % is above capacity %', set_plan_limit.floor, set_plan_limit.capacity USING ERRCODE = 'check_violation', HINT = 'A unit gets at least its floor and at most its capacity.';
  ELSIF NOT EXISTS (SELECT FROM crm.cycle y JOIN crm.organisation_tree t ON t.ancestor_id = y.org_id WHERE y.id = plan.cycle_id AND t.descendant_id = set_plan_limit.org_id) THEN
    RAISE EXCEPTION 'unit "%" lies outside the cycle', set_plan_limit.org_id USING ERRCODE = 'check_violation', HINT = 'Name a unit of the cycle, or one above several.';
  END IF;
  PERFORM crm._require_known('channel', set_plan_limit.channel_id);
  INSERT INTO crm.plan_limit AS l (plan_id, channel_id, org_id, floor, capacity, note)
  VALUES (plan.id, set_plan_limit.channel_id, set_plan_limit.org_id, set_plan_limit.floor, set_plan_limit.capacity, set_plan_limit.note)
  ON CONFLICT ON CONSTRAINT plan_limit_pkey DO UPDATE
  SET floor = excluded.floor, capacity = excluded.capacity, note = excluded.note, set_at = excluded.set_at, set_by = excluded.set_by;
END
$$;
COMMENT ON FUNCTION crm.set_plan_limit(bigint, bigint, bigint, bigint, bigint, text) IS
  'Sets how many customers a unit, or each unit below it for which nothing nearer is said, gets at least (floor) and at most (capacity) in a channel, by a draft plan of strategy optimal; what was set there before no longer holds. Errors: 22004, 23503, 23514 neither, below 0, floor above capacity, outside the cycle; 42501, 55000 not a draft, another strategy, a plan for channels. 设定机构上下限';
REVOKE ALL ON FUNCTION crm.set_plan_limit(bigint, bigint, bigint, bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.drop_plan_limit(plan_id bigint, channel_id bigint, org_id bigint, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(drop_plan_limit.plan_id);
BEGIN
  DELETE FROM crm.plan_limit l WHERE l.plan_id = plan.id AND l.channel_id = drop_plan_limit.channel_id AND l.org_id = drop_plan_limit.org_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'plan "%" has no limit for unit % in channel %', plan.name, coalesce(drop_plan_limit.org_id::text, '(none)'), coalesce(drop_plan_limit.channel_id::text, '(none)')
      USING ERRCODE = 'undefined_object', HINT = 'crm_bi.plan_unit_limit has those that are set.';
  END IF;
  PERFORM crm._tell_why(plan.id, drop_plan_limit.reason);
END
$$;
COMMENT ON FUNCTION crm.drop_plan_limit(bigint, bigint, bigint, text) IS 'Takes the limits set for a unit in a channel out of a draft plan. Errors: 22004, 23503, 42501, 42704, 55000. 取消机构上下限';
REVOKE ALL ON FUNCTION crm.drop_plan_limit(bigint, bigint, bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('planner'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.set_plan_limit(bigint, bigint, bigint, bigint, bigint, text)'), ('crm.drop_plan_limit(bigint, bigint, bigint, text)')) f(name);
