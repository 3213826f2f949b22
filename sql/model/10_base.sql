-- base: version of the model, settings, progress

CREATE TABLE crm.model (
  version text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  single boolean NOT NULL DEFAULT true UNIQUE CHECK (single)
);
COMMENT ON TABLE crm.model IS 'The version of the tables, functions and views in this database: one row.';
COMMENT ON COLUMN crm.model.version IS 'Version of crm that made the model.';
COMMENT ON COLUMN crm.model.created_at IS 'When it was made or last upgraded.';
COMMENT ON COLUMN crm.model.single IS 'Holds the table to one row.';

CREATE FUNCTION crm.model_version() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT m.version FROM crm.model m;
END;
COMMENT ON FUNCTION crm.model_version() IS 'The version of the model in this database.';

CREATE TABLE crm.duty_right (
  duty text NOT NULL CHECK (duty ~ '^[a-z][a-z_]*$'),
  privilege text NOT NULL CHECK (privilege ~ '^(SELECT|INSERT|UPDATE|DELETE)( \([a-z_]+(, [a-z_]+)*\))?$|^(EXECUTE|USAGE)$'),
  kind text NOT NULL CHECK (kind IN ('TABLE', 'FUNCTION', 'PROCEDURE', 'SCHEMA', 'ALL TABLES IN SCHEMA')),
  object text NOT NULL,
  PRIMARY KEY (duty, privilege, kind, object)
);
COMMENT ON TABLE crm.duty_right IS 'What crm.grant_duty() grants: each area names the rights to what it makes.';
COMMENT ON COLUMN crm.duty_right.duty IS 'Duty.';
COMMENT ON COLUMN crm.duty_right.privilege IS 'Privilege, of columns with their names in parentheses.';
COMMENT ON COLUMN crm.duty_right.kind IS 'Kind of object.';
COMMENT ON COLUMN crm.duty_right.object IS 'Table or schema, or function with the types of its arguments, of schema crm or crm_bi.';
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'USAGE', 'SCHEMA', 'crm_bi'),
  ('analyst', 'SELECT', 'ALL TABLES IN SCHEMA', 'crm_bi'),
  ('pool', 'EXECUTE', 'FUNCTION', 'crm._name_actor()');

CREATE TABLE crm.setting_kind (
  name text PRIMARY KEY,
  type text NOT NULL,
  initial text NOT NULL,
  by_unit boolean NOT NULL,
  rebuilds boolean NOT NULL,
  description text NOT NULL
);
COMMENT ON TABLE crm.setting_kind IS 'The settings there are: the type of each and the value it starts with.';
COMMENT ON COLUMN crm.setting_kind.name IS 'Name of the setting.';
COMMENT ON COLUMN crm.setting_kind.type IS 'Type that a value must be a literal of.';
COMMENT ON COLUMN crm.setting_kind.initial IS 'Value in force where nothing else is set.';
COMMENT ON COLUMN crm.setting_kind.by_unit IS 'Whether a subtree of the organisation or a channel may differ.';
COMMENT ON COLUMN crm.setting_kind.rebuilds IS 'Whether a change is seen by customers only after CALL crm.rebuild().';
COMMENT ON COLUMN crm.setting_kind.description IS 'What it does.';

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('activity_scale', 'crm.scale', 'active, semi_dormant 365, dormant 1095', true, true,
   'Classes of activity by days since the last purchase.'),
  ('tier_scale', 'crm.scale', 'lead, ungraded 100000, iron > 300000, gold > 500000, platinum > 1000000', true, true,
   'Tiers by the amount of the policies in force.'),
  ('reinstatement_months', 'integer', '24', false, true,
   'Months after a lapse within which a policy may be reinstated.'),
  ('long_term_months', 'integer', '12', false, true,
   'A policy is long-term when its term at issue is longer than this.'),
  ('tier_basis', 'crm.tier_basis', 'contractual_premium', false, true,
   'What the tier goes by: contractual_premium, annual_premium, sum_insured (of the policies held in force), premium_received (for them to date), or assets_held (balances of the product holdings).'),
  ('maturity_touch_days', 'integer', '90', false, true,
   'Days before and after a maturity that are a touchpoint.'),
  ('claim_touch_days', 'integer', '365', false, true,
   'Days after the report of a claim that are a touchpoint.'),
  ('appointment_touch_days', 'integer', '90', false, true,
   'Days after an appointment that are a touchpoint.'),
  ('vip_from', 'text', 'gold', false, true,
   'The lowest tier whose customers are VIP.'),
  ('near_vip_percent', 'integer', '10', false, true,
   'Percent below the limit of the first VIP tier from which on customers are near it.'),
  ('dormant_from', 'text', 'dormant', false, true,
   'The first class of activity whose customers are dormant.'),
  ('recycle_rule', 'crm.recycle_rule',
   'first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days', true, false,
   'When a holding falls due to go back to the pool.'),
  ('holding_quota', 'integer', '200', true, false,
   'Customers that one member of staff may hold where no quota of their own is set.'),
  ('horizon_months', 'integer', '2', false, false,
   'Whole months after the day of a rebuild or refresh for which changes known today are posted in advance.'),
  ('business_time_zone', 'text', 'Asia/Shanghai', false, false,
   'Time zone whose calendar day is today.');

CREATE TABLE crm.setting (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL REFERENCES crm.setting_kind,
  org_id bigint,
  channel_id bigint,
  valid_from date NOT NULL DEFAULT '1900-01-01',
  value text NOT NULL,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  UNIQUE NULLS NOT DISTINCT (name, org_id, channel_id, valid_from),
  CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31')
);
COMMENT ON TABLE crm.setting IS 'Values of settings; without a row here the initial value of crm.setting_kind holds.';
COMMENT ON COLUMN crm.setting.id IS 'Key.';
COMMENT ON COLUMN crm.setting.name IS 'Which setting.';
COMMENT ON COLUMN crm.setting.org_id IS 'Unit with its subtree for which it holds; NULL: everywhere.';
COMMENT ON COLUMN crm.setting.channel_id IS 'Channel for which it holds; NULL: every channel.';
COMMENT ON COLUMN crm.setting.valid_from IS 'First day on which it holds, until a later row for the same unit and channel.';
COMMENT ON COLUMN crm.setting.value IS 'The value, a literal of the type in crm.setting_kind.';
COMMENT ON COLUMN crm.setting.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.setting.set_by IS 'Who set it.';
CREATE INDEX ON crm.setting (org_id);
CREATE INDEX ON crm.setting (channel_id);

CREATE FUNCTION crm._setting_check() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k crm.setting_kind;
BEGIN
  SELECT * INTO k FROM crm.setting_kind WHERE name = NEW.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no setting "%"', NEW.name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.setting_kind lists the settings.';
  END IF;
  IF NOT k.by_unit AND (NEW.org_id IS NOT NULL OR NEW.channel_id IS NOT NULL) THEN
    RAISE EXCEPTION 'setting "%" holds for the whole company', NEW.name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave org_id and channel_id NULL.';
  END IF;
  EXECUTE pg_catalog.format('SELECT %L::%s', NEW.value, k.type);
  IF k.type = 'integer' AND NEW.value::integer NOT BETWEEN 0 AND (CASE NEW.name WHEN 'reinstatement_months' THEN 1200 WHEN 'near_vip_percent' THEN 100 ELSE 1000000 END) THEN
    RAISE EXCEPTION 'value % of setting "%" is out of range', NEW.value, NEW.name USING ERRCODE = 'numeric_value_out_of_range';
  END IF;
  IF NEW.name = 'business_time_zone' AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names z WHERE z.name = NEW.value) THEN
    RAISE EXCEPTION 'there is no time zone "%"', NEW.value
      USING ERRCODE = 'invalid_parameter_value', HINT = 'pg_timezone_names lists the time zones.';
  END IF;
  IF NEW.name IN ('vip_from', 'dormant_from')
     AND NOT EXISTS (SELECT FROM crm._rule_source r WHERE r.kind = CASE NEW.name WHEN 'vip_from' THEN 'tier' ELSE 'activity' END AND NEW.value = ANY (crm.labels(r.scale))) THEN
    RAISE EXCEPTION 'no scale has the class "%"', NEW.value
      USING ERRCODE = 'invalid_parameter_value', HINT = pg_catalog.format('Name a class of %s.', CASE NEW.name WHEN 'vip_from' THEN 'tier_scale' ELSE 'activity_scale' END);
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._setting_check() IS 'Trigger: a value must be a literal of its setting''s type.';
CREATE TRIGGER setting_check BEFORE INSERT OR UPDATE ON crm.setting
  FOR EACH ROW EXECUTE FUNCTION crm._setting_check();

CREATE FUNCTION crm._stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.set_at := now();
  NEW.set_by := crm.actor();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._stamp() IS 'Trigger: who changes a value is who set it.';
CREATE TRIGGER stamp BEFORE UPDATE ON crm.setting FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE FUNCTION crm.setting_value(name text, as_of date DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(
    (SELECT s.value FROM crm.setting s
     WHERE s.name = setting_value.name AND s.org_id IS NULL AND s.channel_id IS NULL
       AND (setting_value.as_of IS NULL OR s.valid_from <= setting_value.as_of)
     ORDER BY s.valid_from DESC LIMIT 1),
    (SELECT k.initial FROM crm.setting_kind k WHERE k.name = setting_value.name));
END
$$;
COMMENT ON FUNCTION crm.setting_value(text, date) IS
  'The company''s value of a setting on a day; without a day the latest. NULL when there is no such setting.';

CREATE FUNCTION crm.today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(nullif(pg_catalog.current_setting('crm.as_of', true), '')::date,
                  (pg_catalog.now() AT TIME ZONE crm.setting_value('business_time_zone'))::date);
END;
COMMENT ON FUNCTION crm.today() IS
  'The day that crm_bi takes for today: the parameter crm.as_of, else the calendar day in the business time zone.';

-- The views read crm.today(); a function with SET crm.as_of = '' says here which day that is until it ends.
CREATE FUNCTION crm._take_day(day date) RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF day IS NULL THEN
    RAISE EXCEPTION 'as_of must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF day NOT BETWEEN '1900-01-01' AND '2199-12-31' THEN
    RAISE EXCEPTION 'day "%" is out of range', day USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a day from 1900 to 2199.';
  END IF;
  PERFORM set_config('crm.as_of', to_char(day::timestamp, 'YYYY-MM-DD'), true);
END
$$;
COMMENT ON FUNCTION crm._take_day(date) IS 'Makes a day crm.today() until the end of the function that calls it, which must have SET crm.as_of. Errors: 22004, 22023.';

CREATE TABLE crm.progress (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task text NOT NULL,
  step text NOT NULL,
  done bigint NOT NULL DEFAULT 0,
  total bigint,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  by_whom text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.progress IS 'Long tasks, running and past: what they are at.';
COMMENT ON COLUMN crm.progress.id IS 'Key, in order of start.';
COMMENT ON COLUMN crm.progress.task IS 'Which task.';
COMMENT ON COLUMN crm.progress.step IS 'The step it is at, or ended with.';
COMMENT ON COLUMN crm.progress.done IS 'Rows done in this step.';
COMMENT ON COLUMN crm.progress.total IS 'Rows of this step, where known.';
COMMENT ON COLUMN crm.progress.started_at IS 'Start of the task.';
COMMENT ON COLUMN crm.progress.changed_at IS 'Last sign of life.';
COMMENT ON COLUMN crm.progress.finished_at IS 'End of the task; NULL while it runs or was broken off.';
COMMENT ON COLUMN crm.progress.by_whom IS 'Who started it.';
