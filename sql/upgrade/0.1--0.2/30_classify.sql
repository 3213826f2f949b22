-- classify: facets beside the timelines, columns as of today, what a generation was made by

@model/30_classify crm._cover_by

-- a rebuild that was broken off begins anew
DELETE FROM crm.generation WHERE state <> 'current';
DELETE FROM crm.standing s WHERE NOT EXISTS (SELECT FROM crm.generation g WHERE g.slot = s.slot);
DELETE FROM crm.kpi_cell c WHERE NOT EXISTS (SELECT FROM crm.generation g WHERE g.slot = c.slot);
DELETE FROM crm.kpi_entry e WHERE NOT EXISTS (SELECT FROM crm.generation g WHERE g.slot = e.slot);
DELETE FROM crm.replay;
ALTER TABLE crm.generation
  ADD COLUMN maturity_days integer NOT NULL DEFAULT crm.setting_value('maturity_touch_days')::integer,
  ADD COLUMN claim_days integer NOT NULL DEFAULT crm.setting_value('claim_touch_days')::integer,
  ADD COLUMN appointment_days integer NOT NULL DEFAULT crm.setting_value('appointment_touch_days')::integer,
  ADD COLUMN tier_basis text NOT NULL DEFAULT crm.setting_value('tier_basis'),
  ADD COLUMN shown_on date NOT NULL DEFAULT crm.today(),
  ADD COLUMN rolling boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN crm.generation.maturity_days IS 'Days before and after a maturity that are a touchpoint.';
COMMENT ON COLUMN crm.generation.claim_days IS 'Days after the report of a claim that are a touchpoint.';
COMMENT ON COLUMN crm.generation.appointment_days IS 'Days after an appointment that are a touchpoint.';
COMMENT ON COLUMN crm.generation.tier_basis IS 'What the tiers go by.';
COMMENT ON COLUMN crm.generation.shown_on IS 'The day on which the columns of its standings stand.';
COMMENT ON COLUMN crm.generation.rolling IS 'Whether some of them stand on another day still.';
UPDATE crm.generation SET cover_by = cover_by || ' contractual_premium';
@model/30_classify crm._stale_scale

-- crm.upgrade_model() makes the rows anew once everything stands
ALTER TABLE crm.standing
  ADD COLUMN facets crm.facets NOT NULL DEFAULT '',
  ADD COLUMN valid_from date NOT NULL DEFAULT 'infinity',
  ADD COLUMN valid_to date NOT NULL DEFAULT 'infinity',
  ADD COLUMN kind text NOT NULL DEFAULT '',
  ADD COLUMN name text NOT NULL DEFAULT '',
  ADD COLUMN sex text,
  ADD COLUMN birth_date date,
  ADD COLUMN known_from date NOT NULL DEFAULT 'infinity',
  ADD COLUMN org_id bigint NOT NULL DEFAULT 0,
  ADD COLUMN channel text NOT NULL DEFAULT '',
  ADD COLUMN source_channel text NOT NULL DEFAULT '',
  ADD COLUMN coverage text,
  ADD COLUMN role text,
  ADD COLUMN insured_long_term boolean NOT NULL DEFAULT false,
  ADD COLUMN plan_customer boolean NOT NULL DEFAULT false,
  ADD COLUMN activity text NOT NULL DEFAULT '',
  ADD COLUMN tier text NOT NULL DEFAULT '',
  ADD COLUMN amount numeric NOT NULL DEFAULT 0,
  ADD COLUMN standing_since date,
  ADD COLUMN channels text NOT NULL DEFAULT '',
  ADD COLUMN service text NOT NULL DEFAULT '',
  ADD COLUMN reach text NOT NULL DEFAULT '',
  ADD COLUMN prospect_kind text,
  ADD COLUMN touchpoints text NOT NULL DEFAULT '';
ALTER TABLE crm.standing
  ALTER COLUMN facets DROP DEFAULT,
  ALTER COLUMN valid_from DROP DEFAULT,
  ALTER COLUMN valid_to DROP DEFAULT,
  ALTER COLUMN kind DROP DEFAULT,
  ALTER COLUMN name DROP DEFAULT,
  ALTER COLUMN known_from DROP DEFAULT,
  ALTER COLUMN org_id DROP DEFAULT,
  ALTER COLUMN channel DROP DEFAULT,
  ALTER COLUMN source_channel DROP DEFAULT,
  ALTER COLUMN insured_long_term DROP DEFAULT,
  ALTER COLUMN plan_customer DROP DEFAULT,
  ALTER COLUMN activity DROP DEFAULT,
  ALTER COLUMN tier DROP DEFAULT,
  ALTER COLUMN amount DROP DEFAULT,
  ALTER COLUMN channels DROP DEFAULT,
  ALTER COLUMN service DROP DEFAULT,
  ALTER COLUMN reach DROP DEFAULT,
  ALTER COLUMN touchpoints DROP DEFAULT;
COMMENT ON TABLE crm.standing IS 'The standing of each customer on every day, and in columns as it is on the days around the one it was made; kept by crm, read through crm_bi.customer, standing and facet.';
COMMENT ON COLUMN crm.standing.facets IS 'Channels, service, reach, origin and touchpoints by day.';
COMMENT ON COLUMN crm.standing.valid_from IS 'First day on which the columns that follow are so; the day that the generation is shown on is among them.';
COMMENT ON COLUMN crm.standing.valid_to IS 'First day no longer.';
COMMENT ON COLUMN crm.standing.kind IS 'person or company.';
COMMENT ON COLUMN crm.standing.name IS 'Name.';
COMMENT ON COLUMN crm.standing.sex IS 'male or female.';
COMMENT ON COLUMN crm.standing.birth_date IS 'Date of birth.';
COMMENT ON COLUMN crm.standing.known_from IS 'First day as a prospect.';
COMMENT ON COLUMN crm.standing.org_id IS 'Home organisation.';
COMMENT ON COLUMN crm.standing.channel IS 'Main channel.';
COMMENT ON COLUMN crm.standing.source_channel IS 'Channel that brought the customer.';
COMMENT ON COLUMN crm.standing.coverage IS 'prospect, insured or former; NULL before known.';
COMMENT ON COLUMN crm.standing.role IS 'policyholder or insured; NULL when not insured.';
COMMENT ON COLUMN crm.standing.insured_long_term IS 'Insured by a long-term policy.';
COMMENT ON COLUMN crm.standing.plan_customer IS 'Policyholder of a long-term policy of the own book.';
COMMENT ON COLUMN crm.standing.activity IS 'Class of activity.';
COMMENT ON COLUMN crm.standing.tier IS 'Tier.';
COMMENT ON COLUMN crm.standing.amount IS 'What the tier goes by.';
COMMENT ON COLUMN crm.standing.standing_since IS 'First day of the row of the timeline.';
COMMENT ON COLUMN crm.standing.channels IS 'Channels of the policies in force, the main channel where there are none.';
COMMENT ON COLUMN crm.standing.service IS 'served, or the kind of unserved.';
COMMENT ON COLUMN crm.standing.reach IS 'reachable, or the kind of unreachable.';
COMMENT ON COLUMN crm.standing.prospect_kind IS 'Of a prospect: where from.';
COMMENT ON COLUMN crm.standing.touchpoints IS 'Touchpoints open.';
