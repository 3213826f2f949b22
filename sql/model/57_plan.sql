-- allocate: plans, several variants for a cycle: what they are made of, and what they come to

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('history_months', 'integer', '24', false, false, 'Months of holdings that tell plans what to expect.'),
  ('history_sample', 'integer', '30', false, false, 'Holdings that what is known beforehand counts as much as, where plans judge a sample: of a channel, or of a class in it.');

CREATE TABLE crm.plan (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cycle_id bigint NOT NULL REFERENCES crm.cycle,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  weighing text NOT NULL CHECK (weighing IN ('demand', 'result', 'net', 'best')),
  strategy text NOT NULL CHECK (strategy IN ('even', 'least_loaded', 'optimal')),
  level text NOT NULL CHECK (level IN ('channel', 'unit', 'staff')),
  recycle_rule crm.recycle_rule,
  state text NOT NULL DEFAULT 'draft',
  item_id bigint REFERENCES crm.workflow_item,
  version integer NOT NULL DEFAULT 0,
  as_of date,
  computed_at timestamptz,
  computed_by text,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL DEFAULT crm.actor(),
  submitted_by text,
  like_id bigint REFERENCES crm.plan,
  UNIQUE (cycle_id, name)
);
COMMENT ON TABLE crm.plan IS 'Plans of pre-allocation: one row for each variant of a cycle. 预分配计划';
COMMENT ON COLUMN crm.plan.id IS 'Key.';
COMMENT ON COLUMN crm.plan.cycle_id IS 'Cycle.';
COMMENT ON COLUMN crm.plan.name IS 'Name, one of its kind in the cycle.';
COMMENT ON COLUMN crm.plan.weighing IS 'What apportions customers wanted by several: demand (volumes), result (volumes by premium expected), net (volumes by premium less cost expected) or best (the best net result first).';
COMMENT ON COLUMN crm.plan.strategy IS 'even or least_loaded: how units deal customers to staff, after channels and nearness have decided; optimal: the most worth over all units and staff.';
COMMENT ON COLUMN crm.plan.level IS 'Who gets customers: channel, unit or staff.';
COMMENT ON COLUMN crm.plan.recycle_rule IS 'Rule by which its holdings fall due, before every other; NULL: as of any holding.';
COMMENT ON COLUMN crm.plan.state IS 'State in the workflow "plan".';
COMMENT ON COLUMN crm.plan.item_id IS 'Its item in the workflow.';
COMMENT ON COLUMN crm.plan.version IS 'How often it was computed; 0: never.';
COMMENT ON COLUMN crm.plan.as_of IS 'Day as of which it was computed; NULL: not since the last change.';
COMMENT ON COLUMN crm.plan.computed_at IS 'When.';
COMMENT ON COLUMN crm.plan.computed_by IS 'By whom.';
COMMENT ON COLUMN crm.plan.made_at IS 'When it was made.';
COMMENT ON COLUMN crm.plan.made_by IS 'Who made it.';
COMMENT ON COLUMN crm.plan.submitted_by IS 'Who submitted it last.';
COMMENT ON COLUMN crm.plan.like_id IS 'Plan that it began as a copy of; NULL: of none.';
CREATE INDEX ON crm.plan (item_id);
CREATE INDEX ON crm.plan (like_id);
-- no foreign key: a data-only dump could not order the two tables
ALTER TABLE crm.cycle ADD COLUMN approved_plan_id bigint;
COMMENT ON COLUMN crm.cycle.approved_plan_id IS 'Plan that is approved and not yet carried out.';
ALTER TABLE crm.holding ADD COLUMN plan_id bigint REFERENCES crm.plan;
COMMENT ON COLUMN crm.holding.plan_id IS 'Plan that allocated it; NULL: none.';
CREATE INDEX holding_plan ON crm.holding (plan_id) WHERE plan_id IS NOT NULL;

CREATE TABLE crm.plan_stage (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  stage integer NOT NULL CHECK (stage >= 1),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  area text CHECK (area IN ('city', 'suburb')),
  org_ids bigint[] NOT NULL DEFAULT '{}' CHECK (pg_catalog.array_position(org_ids, NULL) IS NULL),
  from_date date NOT NULL CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  to_date date NOT NULL CHECK (to_date BETWEEN '1900-01-01' AND '2199-12-31'),
  note text,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (plan_id, stage),
  CHECK (to_date >= from_date)
);
COMMENT ON TABLE crm.plan_stage IS 'Stages of a roll-out, in order: a unit belongs to the first that names it or a unit above it, or else its area. 分批推广';
COMMENT ON COLUMN crm.plan_stage.plan_id IS 'Plan; without stages all units begin at once.';
COMMENT ON COLUMN crm.plan_stage.stage IS 'Place in the order, from 1.';
COMMENT ON COLUMN crm.plan_stage.name IS 'Name: pilot, suburbs, city.';
COMMENT ON COLUMN crm.plan_stage.area IS 'Units of this area that no stage names; NULL: only those named.';
COMMENT ON COLUMN crm.plan_stage.org_ids IS 'Units named, each with its subtree.';
COMMENT ON COLUMN crm.plan_stage.from_date IS 'First day: not carried out before.';
COMMENT ON COLUMN crm.plan_stage.to_date IS 'Last day, up to which its result is compared; it may be carried out later, without a result to compare.';
COMMENT ON COLUMN crm.plan_stage.note IS 'Why it is as it is.';
COMMENT ON COLUMN crm.plan_stage.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.plan_stage.set_by IS 'Who set it.';

CREATE TABLE crm.plan_adjustment (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('pin', 'bar', 'volume')),
  customer_id bigint REFERENCES crm.customer ON DELETE CASCADE,
  channel_id bigint REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  staff_id bigint REFERENCES crm.staff,
  volume bigint CHECK (volume >= 0),
  note text,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (plan_id, id),
  CONSTRAINT plan_adjustment_of_check CHECK (CASE kind
    WHEN 'pin' THEN pg_catalog.num_nonnulls(customer_id, channel_id) = 2 AND volume IS NULL
    WHEN 'bar' THEN customer_id IS NOT NULL AND volume IS NULL
    ELSE pg_catalog.num_nonnulls(channel_id, org_id, volume) = 3 AND pg_catalog.num_nulls(customer_id, staff_id) = 2 END)
);
COMMENT ON TABLE crm.plan_adjustment IS 'Adjustments by hand, which every computation keeps to. 人工调整';
COMMENT ON COLUMN crm.plan_adjustment.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_adjustment.id IS 'Key within the plan.';
COMMENT ON COLUMN crm.plan_adjustment.kind IS 'pin a customer to a holder, bar a customer (from a holder), or set the volume of a unit in a channel.';
COMMENT ON COLUMN crm.plan_adjustment.customer_id IS 'Customer pinned or barred.';
COMMENT ON COLUMN crm.plan_adjustment.channel_id IS 'Channel; of a bar NULL: any.';
COMMENT ON COLUMN crm.plan_adjustment.org_id IS 'Unit.';
COMMENT ON COLUMN crm.plan_adjustment.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.plan_adjustment.volume IS 'Customers that the unit gets, as far as there are any and its staff have room.';
COMMENT ON COLUMN crm.plan_adjustment.note IS 'Why.';
COMMENT ON COLUMN crm.plan_adjustment.made_at IS 'When it was made.';
COMMENT ON COLUMN crm.plan_adjustment.made_by IS 'Who made it.';
CREATE UNIQUE INDEX plan_adjustment_volume ON crm.plan_adjustment (plan_id, channel_id, org_id) WHERE kind = 'volume';
CREATE INDEX ON crm.plan_adjustment (customer_id);
CREATE INDEX ON crm.plan_adjustment (channel_id);
CREATE INDEX ON crm.plan_adjustment (org_id);
CREATE INDEX ON crm.plan_adjustment (staff_id);
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES
  ('crm.plan_adjustment', 'customer_id', 'move', false, 'Of several pins of a customer the last holds.');

CREATE TABLE crm.plan_proposal (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  proposal_id bigint NOT NULL,
  version integer NOT NULL,
  matching bigint NOT NULL,
  room bigint NOT NULL,
  planned bigint NOT NULL,
  planned_load bigint NOT NULL,
  PRIMARY KEY (plan_id, proposal_id),
  FOREIGN KEY (proposal_id, version) REFERENCES crm.proposal_version
);
COMMENT ON TABLE crm.plan_proposal IS 'Proposals that a plan took in. 计划所用方案';
COMMENT ON COLUMN crm.plan_proposal.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_proposal.proposal_id IS 'Proposal.';
COMMENT ON COLUMN crm.plan_proposal.version IS 'Its version.';
COMMENT ON COLUMN crm.plan_proposal.matching IS 'Free customers of the inventory in the segment.';
COMMENT ON COLUMN crm.plan_proposal.room IS 'Load that the staff of the channel, in the unit, may still take on.';
COMMENT ON COLUMN crm.plan_proposal.planned IS 'Customers planned for it.';
COMMENT ON COLUMN crm.plan_proposal.planned_load IS 'What they count against the room, by the setting tier_load.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.plan_proposal', 'matching', 'count', 'Counted at the computation.'),
  ('crm.plan_proposal', 'planned', 'count', 'Counted at the computation.');
CREATE INDEX ON crm.plan_proposal (proposal_id, version);

CREATE TABLE crm.plan_cell (
  plan_id bigint NOT NULL,
  proposal_id bigint NOT NULL,
  coverage text NOT NULL,
  tier text NOT NULL,
  customers bigint NOT NULL,
  planned bigint NOT NULL,
  basis text NOT NULL CHECK (basis IN ('class', 'channel', 'company', 'proposal')),
  allocated bigint NOT NULL,
  contacted bigint NOT NULL,
  purchased bigint NOT NULL,
  premium numeric NOT NULL,
  cost numeric NOT NULL,
  PRIMARY KEY (plan_id, proposal_id, coverage, tier),
  FOREIGN KEY (plan_id, proposal_id) REFERENCES crm.plan_proposal
);
COMMENT ON TABLE crm.plan_cell IS 'Classes of customers in the segment of each proposal of a plan, and the past it expects them to repeat. 历史效果依据';
COMMENT ON COLUMN crm.plan_cell.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_cell.proposal_id IS 'Proposal.';
COMMENT ON COLUMN crm.plan_cell.coverage IS 'prospect, insured or former.';
COMMENT ON COLUMN crm.plan_cell.tier IS 'Tier.';
COMMENT ON COLUMN crm.plan_cell.customers IS 'Free customers in it.';
COMMENT ON COLUMN crm.plan_cell.planned IS 'Those planned for the proposal.';
COMMENT ON COLUMN crm.plan_cell.basis IS 'Which past: of the class in the channel; where there is none of the channel, of the company; where nothing is known, what the proposal promises of its volume.';
COMMENT ON COLUMN crm.plan_cell.allocated IS 'Sample: holdings of that past, or the volume promised on.';
COMMENT ON COLUMN crm.plan_cell.contacted IS 'Of those contacted by the holder.';
COMMENT ON COLUMN crm.plan_cell.purchased IS 'Of those in which the customer bought.';
COMMENT ON COLUMN crm.plan_cell.premium IS 'Annual premium of what was bought.';
COMMENT ON COLUMN crm.plan_cell.cost IS 'Selling cost within them, and commissions for what was bought.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.plan_cell', 'customers', 'count', 'Counted at the computation.');

CREATE TABLE crm.plan_line (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  line integer NOT NULL,
  proposal_id bigint REFERENCES crm.proposal,
  provider_id bigint NOT NULL REFERENCES crm.provider,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  stage integer,
  customers bigint NOT NULL,
  expected_contacts numeric NOT NULL,
  expected_purchases numeric NOT NULL,
  expected_premium numeric NOT NULL,
  expected_cost numeric NOT NULL,
  PRIMARY KEY (plan_id, line)
);
COMMENT ON TABLE crm.plan_line IS 'What a plan comes to: customers by proposal, provider, channel, unit and stage, with the effect expected. 计划明细';
COMMENT ON COLUMN crm.plan_line.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_line.line IS 'Number of the line.';
COMMENT ON COLUMN crm.plan_line.proposal_id IS 'Proposal; NULL: customers pinned to a holder beside any.';
COMMENT ON COLUMN crm.plan_line.provider_id IS 'Provider whose customers they are.';
COMMENT ON COLUMN crm.plan_line.channel_id IS 'Channel that gets them.';
COMMENT ON COLUMN crm.plan_line.org_id IS 'Unit that gets them; NULL: the whole channel.';
COMMENT ON COLUMN crm.plan_line.stage IS 'Stage; NULL: the plan has none.';
COMMENT ON COLUMN crm.plan_line.customers IS 'How many.';
COMMENT ON COLUMN crm.plan_line.expected_contacts IS 'Customers expected to be contacted, as in the past of their classes.';
COMMENT ON COLUMN crm.plan_line.expected_purchases IS 'Customers expected to buy.';
COMMENT ON COLUMN crm.plan_line.expected_premium IS 'Annual premium expected.';
COMMENT ON COLUMN crm.plan_line.expected_cost IS 'Cost expected.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.plan_line', 'customers', 'count', 'Counted at the computation.');
CREATE INDEX ON crm.plan_line (proposal_id);
CREATE INDEX ON crm.plan_line (provider_id);
CREATE INDEX ON crm.plan_line (channel_id);
CREATE INDEX ON crm.plan_line (org_id);

CREATE TABLE crm.plan_customer (
  plan_id bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  line integer NOT NULL,
  staff_id bigint REFERENCES crm.staff,
  why text NOT NULL CHECK (why IN ('pin', 'volume', 'servicer', 'home', 'community', 'near', 'channel')),
  wanted text[],
  met text[],
  outcome text,
  holding_id bigint,
  done_at timestamptz,
  PRIMARY KEY (plan_id, id),
  UNIQUE (plan_id, customer_id),
  FOREIGN KEY (customer_id, holding_id) REFERENCES crm.holding ON UPDATE CASCADE,
  CONSTRAINT plan_customer_done_check CHECK ((outcome IS NULL) = (done_at IS NULL) AND (outcome IS NOT DISTINCT FROM 'allocated') = (holding_id IS NOT NULL))
);
COMMENT ON TABLE crm.plan_customer IS 'Who is planned for whom, and what came of it. 计划客户';
COMMENT ON COLUMN crm.plan_customer.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_customer.id IS 'Key within the plan: a merge of customers may put one row in the place of another.';
COMMENT ON COLUMN crm.plan_customer.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.plan_customer.line IS 'Line, with channel and unit.';
COMMENT ON COLUMN crm.plan_customer.staff_id IS 'Member of staff; NULL: the unit or channel.';
COMMENT ON COLUMN crm.plan_customer.why IS 'pin, volume (set by hand), servicer (of an earlier policy), home (unit), community (its outlet), near (the nearest unit above has it) or channel.';
COMMENT ON COLUMN crm.plan_customer.wanted IS 'What the customer asks of staff and somebody of the plan could give: community, language, line, tier. NULL: nothing.';
COMMENT ON COLUMN crm.plan_customer.met IS 'Of that what the member of staff, or the outlet of the community, gives.';
COMMENT ON COLUMN crm.plan_customer.outcome IS 'NULL: not carried out; allocated, or why not: held, busy (to be tried again), quota, cool_off, unknown, served, blacklisted, do_not_contact, consent_withdrawn, no_consent, not_in_post, moved (to another unit or channel), held_out (drawn for comparison by this plan, or by another that goes on), given_up or another word of crm.allocate().';
COMMENT ON COLUMN crm.plan_customer.holding_id IS 'Key, within the customer, of the holding that came of it.';
COMMENT ON COLUMN crm.plan_customer.done_at IS 'When it was carried out or tried last.';
CREATE INDEX ON crm.plan_customer (customer_id, holding_id);
CREATE INDEX ON crm.plan_customer (staff_id);
CREATE INDEX ON crm.plan_customer (plan_id, line);
INSERT INTO crm.customer_reference (relation, column_name, way, prepare, binds, note) VALUES
  ('crm.plan_customer', 'customer_id', 'move', 'crm._merge_plan_customers', false, 'Once in each plan.');

CREATE FUNCTION crm._merge_plan_customers(kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  WITH gone AS (
    DELETE FROM crm.plan_customer k
    WHERE k.customer_id = kept AND k.outcome IS DISTINCT FROM 'allocated'
      AND EXISTS (SELECT FROM crm.plan_customer c WHERE c.plan_id = k.plan_id AND c.customer_id = dropped AND c.outcome = 'allocated')
    RETURNING k.plan_id, k.arm, k.held_out_merged),
  dropped_rows AS (
    DELETE FROM crm.plan_customer c
    WHERE c.customer_id = dropped AND EXISTS (SELECT FROM crm.plan_customer k WHERE k.plan_id = c.plan_id AND k.customer_id = kept)
      AND NOT EXISTS (SELECT FROM gone g WHERE g.plan_id = c.plan_id)
    RETURNING c.plan_id, c.arm, c.held_out_merged)
  UPDATE crm.plan_customer c SET held_out_merged = c.held_out_merged + x.n
  FROM (SELECT g.plan_id, dropped AS customer_id, g.held_out_merged + (g.arm IS NOT DISTINCT FROM 'hold_out')::integer AS n FROM gone g
        UNION ALL SELECT s.plan_id, kept, s.held_out_merged + (s.arm IS NOT DISTINCT FROM 'hold_out')::integer FROM dropped_rows s) x
  WHERE c.plan_id = x.plan_id AND c.customer_id = x.customer_id AND c.arm IS DISTINCT FROM 'hold_out' AND x.n > 0;
END
$$;
COMMENT ON FUNCTION crm._merge_plan_customers(bigint, bigint) IS 'Where both are in a plan, the one allocated stays, else what it says of the customer kept, with how many were held out and are so no more; before the holdings move, whom its rows follow.';
REVOKE ALL ON FUNCTION crm._merge_plan_customers(bigint, bigint) FROM PUBLIC;

GRANT SELECT ON crm.plan, crm.plan_stage, crm.plan_adjustment, crm.plan_proposal, crm.plan_cell, crm.plan_line, crm.plan_customer TO crm_bi_owner;
