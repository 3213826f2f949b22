-- base: calendars of working time, and which unit works by which

CREATE TABLE crm.calendar (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> ''),
  time_zone text
);
COMMENT ON TABLE crm.calendar IS 'Calendars of working time; rows may be added. 工作日历';
COMMENT ON COLUMN crm.calendar.code IS 'Code; default is the one of units that have no other.';
COMMENT ON COLUMN crm.calendar.name IS 'Name in English.';
COMMENT ON COLUMN crm.calendar.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.calendar.time_zone IS 'Time zone of its clock; NULL: the setting business_time_zone.';
INSERT INTO crm.calendar (code, name, name_zh) VALUES ('default', 'Office', '办公日历'), ('duty', 'Weekend duty counter', '周末值班柜台');

CREATE FUNCTION crm._check_time_zone() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = NEW.time_zone) THEN
    RAISE EXCEPTION 'there is no time zone "%"', NEW.time_zone
      USING ERRCODE = 'invalid_parameter_value', HINT = 'pg_timezone_names lists the time zones.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._check_time_zone() IS 'Trigger: the time zone must be one.';
CREATE TRIGGER check_time_zone BEFORE INSERT OR UPDATE OF time_zone ON crm.calendar
  FOR EACH ROW WHEN (NEW.time_zone IS NOT NULL) EXECUTE FUNCTION crm._check_time_zone();

CREATE TABLE crm.working_hours (
  calendar text NOT NULL REFERENCES crm.calendar ON UPDATE CASCADE ON DELETE CASCADE,
  weekday integer NOT NULL CHECK (weekday BETWEEN 1 AND 7),
  from_time time NOT NULL,
  to_time time NOT NULL,
  PRIMARY KEY (calendar, weekday, from_time),
  CHECK (to_time > from_time)
);
COMMENT ON TABLE crm.working_hours IS 'When a calendar works: any number of spans on a weekday; where they overlap the time counts once. 工作时间';
COMMENT ON COLUMN crm.working_hours.calendar IS 'Calendar.';
COMMENT ON COLUMN crm.working_hours.weekday IS '1 Monday to 7 Sunday.';
COMMENT ON COLUMN crm.working_hours.from_time IS 'Start.';
COMMENT ON COLUMN crm.working_hours.to_time IS 'End, the first moment no longer worked; 24:00 is the end of the day.';
INSERT INTO crm.working_hours (calendar, weekday, from_time, to_time)
SELECT c.code, d, h.from_time, h.to_time
FROM (VALUES ('default', 5), ('duty', 7)) c (code, last), generate_series(1, c.last) d, (VALUES ('9:00'::time, '12:00'::time), ('13:00', '17:30')) h (from_time, to_time);

CREATE TABLE crm.holiday (
  calendar text NOT NULL DEFAULT 'default' REFERENCES crm.calendar ON UPDATE CASCADE ON DELETE CASCADE,
  day date NOT NULL CHECK (day BETWEEN '1900-01-01' AND '2199-12-31'),
  kind text NOT NULL DEFAULT 'holiday' CHECK (kind IN ('holiday', 'working')),
  as_weekday integer CHECK (as_weekday BETWEEN 1 AND 7),
  name text CHECK (pg_catalog.btrim(name) <> ''),
  PRIMARY KEY (calendar, day),
  CONSTRAINT holiday_weekday_check CHECK (as_weekday IS NULL OR kind = 'working')
);
COMMENT ON TABLE crm.holiday IS 'Days of a calendar that are not as their weekday: holidays, and days worked to make up for them. 节假日与调休';
COMMENT ON COLUMN crm.holiday.calendar IS 'Calendar.';
COMMENT ON COLUMN crm.holiday.day IS 'Day.';
COMMENT ON COLUMN crm.holiday.kind IS 'holiday 节假日 (nobody works) or working 调休上班.';
COMMENT ON COLUMN crm.holiday.as_weekday IS 'Of a working day, the weekday whose hours it has; NULL: the first of the week that has any.';
COMMENT ON COLUMN crm.holiday.name IS 'What for.';

CREATE TABLE crm.organisation_calendar (
  org_id bigint PRIMARY KEY REFERENCES crm.organisation ON DELETE CASCADE,
  calendar text NOT NULL REFERENCES crm.calendar ON UPDATE CASCADE
);
COMMENT ON TABLE crm.organisation_calendar IS 'Units that work by another calendar than those above; with their subtrees. 机构工作日历';
COMMENT ON COLUMN crm.organisation_calendar.org_id IS 'Unit.';
COMMENT ON COLUMN crm.organisation_calendar.calendar IS 'Calendar.';
CREATE INDEX ON crm.organisation_calendar (calendar);

-- what stands by itself, and what was changed ---------------------------------------

CREATE FUNCTION crm._keep_default_calendar() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'calendar "default" can be neither deleted nor renamed'
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Units without a calendar of their own work by it; change its hours and holidays, or give units another.';
END
$$;
COMMENT ON FUNCTION crm._keep_default_calendar() IS 'Trigger: the calendar of units that have no other stays. Errors: 55000.';
CREATE TRIGGER keep_default BEFORE DELETE ON crm.calendar
  FOR EACH ROW WHEN (OLD.code = 'default') EXECUTE FUNCTION crm._keep_default_calendar();
CREATE TRIGGER keep_default_code BEFORE UPDATE OF code ON crm.calendar
  FOR EACH ROW WHEN (OLD.code = 'default' AND NEW.code <> 'default') EXECUTE FUNCTION crm._keep_default_calendar();

CREATE TABLE crm.calendar_change (
  id bigint GENERATED ALWAYS AS IDENTITY,
  relation text NOT NULL CHECK (relation IN ('calendar', 'working_hours', 'holiday', 'organisation_calendar')),
  before jsonb,
  after jsonb,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_by text NOT NULL DEFAULT crm.actor(),
  -- a data-only restore writes calendars, and with them rows of its own, before it copies those there were
  PRIMARY KEY (changed_at, id),
  CHECK (before IS DISTINCT FROM after)
);
COMMENT ON TABLE crm.calendar_change IS 'What was changed of calendars, hours, holidays and who works by which; written by triggers. 日历变更';
COMMENT ON COLUMN crm.calendar_change.id IS 'In order of change; with changed_at the key.';
COMMENT ON COLUMN crm.calendar_change.relation IS 'Table: calendar, working_hours, holiday or organisation_calendar.';
COMMENT ON COLUMN crm.calendar_change.before IS 'Row before; NULL: it was new.';
COMMENT ON COLUMN crm.calendar_change.after IS 'Row since; NULL: it was deleted.';
COMMENT ON COLUMN crm.calendar_change.changed_at IS 'When.';
COMMENT ON COLUMN crm.calendar_change.changed_by IS 'Who.';

CREATE FUNCTION crm._calendar_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR OLD IS DISTINCT FROM NEW THEN
    INSERT INTO crm.calendar_change (relation, before, after)
    VALUES (TG_TABLE_NAME, CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._calendar_changed() IS 'Trigger: writes what was changed of calendars to crm.calendar_change.';
REVOKE ALL ON FUNCTION crm._calendar_changed() FROM PUBLIC;
CREATE TRIGGER calendar_changed AFTER INSERT OR UPDATE OR DELETE ON crm.calendar FOR EACH ROW EXECUTE FUNCTION crm._calendar_changed();
CREATE TRIGGER calendar_changed AFTER INSERT OR UPDATE OR DELETE ON crm.working_hours FOR EACH ROW EXECUTE FUNCTION crm._calendar_changed();
CREATE TRIGGER calendar_changed AFTER INSERT OR UPDATE OR DELETE ON crm.holiday FOR EACH ROW EXECUTE FUNCTION crm._calendar_changed();
CREATE TRIGGER calendar_changed AFTER INSERT OR UPDATE OR DELETE ON crm.organisation_calendar FOR EACH ROW EXECUTE FUNCTION crm._calendar_changed();

CREATE VIEW crm._calendar AS
SELECT c.code, coalesce(c.time_zone, crm.setting_value('business_time_zone')) AS zone,
       ARRAY(SELECT w.weekday FROM crm.working_hours w WHERE w.calendar = c.code ORDER BY w.weekday, w.from_time) AS weekdays,
       ARRAY(SELECT w.from_time FROM crm.working_hours w WHERE w.calendar = c.code ORDER BY w.weekday, w.from_time) AS starts,
       ARRAY(SELECT w.to_time FROM crm.working_hours w WHERE w.calendar = c.code ORDER BY w.weekday, w.from_time) AS ends,
       ARRAY(SELECT h.day FROM crm.holiday h WHERE h.calendar = c.code ORDER BY h.day) AS days,
       ARRAY(SELECT CASE h.kind WHEN 'working' THEN coalesce(h.as_weekday, (SELECT pg_catalog.min(w.weekday) FROM crm.working_hours w WHERE w.calendar = c.code), 0) ELSE 0 END
             FROM crm.holiday h WHERE h.calendar = c.code ORDER BY h.day) AS day_weekdays
FROM crm.calendar c;
COMMENT ON VIEW crm._calendar IS 'Each calendar as crm._working_time_add() takes it.';

CREATE FUNCTION crm.calendar_of(org_id bigint) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce((SELECT c.calendar FROM crm.organisation_calendar c
                   JOIN crm.organisation_tree t ON t.ancestor_id = c.org_id AND t.descendant_id = calendar_of.org_id
                   ORDER BY t.depth LIMIT 1), 'default');
END
$$;
COMMENT ON FUNCTION crm.calendar_of(bigint) IS 'The calendar by which a unit works: its own, else that of the nearest unit above that has one, else default.';
REVOKE ALL ON FUNCTION crm.calendar_of(bigint) FROM PUBLIC;

CREATE FUNCTION crm._require_calendar(code text) RETURNS crm._calendar
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  calendar crm._calendar;
BEGIN
  SELECT * INTO calendar FROM crm._calendar c WHERE c.code = _require_calendar.code;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no calendar "%"', code USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.calendar lists the calendars.';
  END IF;
  RETURN calendar;
END
$$;
COMMENT ON FUNCTION crm._require_calendar(text) IS 'A calendar by its code. Errors: 22023.';

CREATE FUNCTION crm.add_working_time(at timestamptz, amount interval, calendar text DEFAULT 'default') RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c CONSTANT crm._calendar := crm._require_calendar(add_working_time.calendar);
BEGIN
  RETURN crm._working_time_add(at, amount, c.zone, c.weekdays, c.starts, c.ends, c.days, c.day_weekdays);
END
$$;
COMMENT ON FUNCTION crm.add_working_time(timestamptz, interval, text) IS
  'The earliest instant by which there has been that much working time since at, in a calendar: an amount that the day has left ends that day, at its last moment too. The amount in hours, minutes and seconds. NULL when at or the amount is. Errors: 22023 no such calendar, an amount below zero or of days or months; 22008 outside 1900 to 2199, or never reached.';
REVOKE ALL ON FUNCTION crm.add_working_time(timestamptz, interval, text) FROM PUBLIC;

CREATE FUNCTION crm.add_working_time(at timestamptz, amount interval, org_id bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT crm.add_working_time(add_working_time.at, add_working_time.amount, crm.calendar_of(add_working_time.org_id));
END;
COMMENT ON FUNCTION crm.add_working_time(timestamptz, interval, bigint) IS 'The same in the calendar by which a unit works.';

CREATE FUNCTION crm.working_time(start timestamptz, until timestamptz, calendar text DEFAULT 'default') RETURNS interval
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c CONSTANT crm._calendar := crm._require_calendar(working_time.calendar);
BEGIN
  RETURN crm._working_time_between(start, until, c.zone, c.weekdays, c.starts, c.ends, c.days, c.day_weekdays);
END
$$;
COMMENT ON FUNCTION crm.working_time(timestamptz, timestamptz, text) IS
  'The working time from one instant to another in a calendar, in hours, minutes and seconds; negative when the second is the earlier, NULL when one is. Errors: 22023 no such calendar, 22008 outside 1900 to 2199.';
REVOKE ALL ON FUNCTION crm.working_time(timestamptz, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION crm.working_time(start timestamptz, until timestamptz, org_id bigint) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT crm.working_time(working_time.start, working_time.until, crm.calendar_of(working_time.org_id));
END;
COMMENT ON FUNCTION crm.working_time(timestamptz, timestamptz, bigint) IS 'The same in the calendar by which a unit works.';

GRANT SELECT ON crm.calendar, crm.working_hours, crm.holiday, crm.organisation_calendar, crm.calendar_change, crm._calendar TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('analyst'), ('sales'), ('manager')) d (duty),
     (VALUES ('crm.calendar_of(bigint)'), ('crm.add_working_time(timestamptz, interval, text)'), ('crm.working_time(timestamptz, timestamptz, text)')) f (name);
-- calendars are the owner's to write, as settings are; holidays are announced each year
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT 'manager', 'SELECT', 'TABLE', t.name
FROM (VALUES ('crm.calendar'), ('crm.working_hours'), ('crm.holiday'), ('crm.organisation_calendar'), ('crm.calendar_change')) t (name)
UNION ALL
SELECT 'manager', p.privilege, 'TABLE', 'crm.holiday' FROM (VALUES ('INSERT'), ('UPDATE'), ('DELETE')) p (privilege);
