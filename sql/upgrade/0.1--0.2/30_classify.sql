-- classify: facets beside the timelines, columns as of today, what a generation was made by

@model/30_classify crm._cover_by

ALTER TABLE crm.pending ADD COLUMN policies integer NOT NULL DEFAULT 1 CHECK (policies > 0),
  ADD COLUMN held boolean NOT NULL DEFAULT false, ADD CHECK (NOT held OR customer_id IS NOT NULL);
@model/30_classify crm.pending comments

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
  ADD COLUMN rolling boolean NOT NULL DEFAULT false,
  ADD COLUMN vip_from text NOT NULL DEFAULT crm.setting_value('vip_from'),
  ADD COLUMN near_vip_percent integer NOT NULL DEFAULT crm.setting_value('near_vip_percent')::integer,
  ADD COLUMN dormant_from text NOT NULL DEFAULT crm.setting_value('dormant_from');
@model/30_classify crm.generation comments
UPDATE crm.generation SET cover_by = cover_by || ' contractual_premium';
@model/30_classify crm._stale_scale

-- crm.upgrade_model() makes the rows anew once everything stands, and drops the timeline of before, which views still read
ALTER TABLE crm.standing RENAME COLUMN timeline TO timeline_0_1;
ALTER TABLE crm.standing
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
  ADD COLUMN touchpoints text NOT NULL DEFAULT '',
  ADD COLUMN timeline crm.timeline,
  ADD COLUMN facets crm.facets NOT NULL DEFAULT '';
ALTER TABLE crm.standing
  ALTER COLUMN timeline TYPE crm.timeline USING timeline_0_1,
  ALTER COLUMN timeline SET NOT NULL,
  ALTER COLUMN timeline_0_1 DROP NOT NULL,
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
@model/30_classify crm.standing comments
