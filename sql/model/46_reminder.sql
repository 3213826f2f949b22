-- recycle: reminders before a holding goes back to the pool

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('reminder_days', 'crm.reminder_days', '7, 3, 1 supervisor', true, false,
   'Days before a holding goes back to the pool at which its holder is reminded, and from which of them on the supervisor too.');

CREATE TABLE crm.reminder (
  customer_id bigint NOT NULL,
  holding_id bigint NOT NULL,
  due_at timestamptz NOT NULL,
  stage integer NOT NULL CHECK (stage > 0),
  to_supervisor boolean NOT NULL,
  supervisor_id bigint REFERENCES crm.staff ON DELETE SET NULL,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL DEFAULT crm.actor(),
  taken_at timestamptz,
  taken_by text,
  PRIMARY KEY (customer_id, holding_id, due_at, stage),
  FOREIGN KEY (customer_id, holding_id) REFERENCES crm.holding ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT reminder_supervisor_check CHECK (to_supervisor OR supervisor_id IS NULL),
  CONSTRAINT reminder_taken_check CHECK ((taken_at IS NULL) = (taken_by IS NULL))
);
COMMENT ON TABLE crm.reminder IS 'Reminders that a customer goes back to the pool soon: one for each holding, time and stage. Made by crm.remind(), sent by whoever takes them with crm.take_reminders(). 回收提醒';
COMMENT ON COLUMN crm.reminder.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.reminder.holding_id IS 'Holding of that customer.';
COMMENT ON COLUMN crm.reminder.due_at IS 'When the holding goes back to the pool, as it stood: it is due, and no exemption or protection keeps it.';
COMMENT ON COLUMN crm.reminder.stage IS 'Days before that.';
COMMENT ON COLUMN crm.reminder.to_supervisor IS 'For whoever leads the holder''s unit as well.';
COMMENT ON COLUMN crm.reminder.supervisor_id IS 'Who that is: has the duty manager (crm.position) at the holder''s unit or the nearest above it; NULL: nobody has, or not for them.';
COMMENT ON COLUMN crm.reminder.made_at IS 'When it was made.';
COMMENT ON COLUMN crm.reminder.made_by IS 'By whom.';
COMMENT ON COLUMN crm.reminder.taken_at IS 'When it was taken to be sent; NULL: not yet.';
COMMENT ON COLUMN crm.reminder.taken_by IS 'By whom.';
CREATE INDEX ON crm.reminder (made_at) WHERE taken_at IS NULL;
CREATE INDEX ON crm.reminder (supervisor_id);

CREATE FUNCTION crm._supervisor(org_id bigint, channel_id bigint, staff_id bigint, day date) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN (SELECT c.staff_id FROM crm._in_charge(_supervisor.org_id, 'manager', false, _supervisor.day) c JOIN crm.staff s ON s.id = c.staff_id
          WHERE c.staff_id IS DISTINCT FROM _supervisor.staff_id
          ORDER BY c.depth, s.channel_id <> _supervisor.channel_id, c.staff_id LIMIT 1);
END
$$;
COMMENT ON FUNCTION crm._supervisor(bigint, bigint, bigint, date) IS
  'Who leads a holder on a day: the nearest manager at or above the unit but not the holder, of the same channel before others; NULL: nobody.';

CREATE FUNCTION crm._reminds(reminder crm.reminder, holding crm.holding) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((_reminds.holding).held_to IS NULL AND NOT (_reminds.holding).locked
                  AND greatest((_reminds.holding).due_at, crm._kept_until(_reminds.holding)) = (_reminds.reminder).due_at, false);
END;
COMMENT ON FUNCTION crm._reminds(crm.reminder, crm.holding) IS 'Whether a reminder of a holding still tells the truth: it is open and goes back at that time.';

CREATE FUNCTION crm.recycle_reminder(as_of timestamptz,
  OUT customer_id bigint, OUT holding_id bigint, OUT channel_id bigint, OUT org_id bigint, OUT staff_id bigint, OUT due_at timestamptz, OUT due_cause text,
  OUT stage integer, OUT to_supervisor boolean, OUT supervisor_id bigint)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  -- the earliest stage of any unit
  reach CONSTANT integer := (SELECT max(s.stage) FROM (SELECT x.value FROM crm.setting x WHERE x.name = 'reminder_days'
                                                       UNION ALL SELECT k.initial FROM crm.setting_kind k WHERE k.name = 'reminder_days') v
                             CROSS JOIN LATERAL crm._reminder_stages(v.value) s);
  day date;
BEGIN
  IF recycle_reminder.as_of IS NULL THEN
    RAISE EXCEPTION 'the time must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF recycle_reminder.as_of NOT BETWEEN '1900-01-01' AND '2199-12-31' THEN
    RAISE EXCEPTION 'time "%" is out of range', recycle_reminder.as_of USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a time from 1900 to 2199.';
  END IF;
  day := crm._business_day(recycle_reminder.as_of);
  RETURN QUERY
  WITH near AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.channel_id, h.org_id, h.staff_id, h.due_cause, greatest(h.due_at, crm._kept_until(h)) AS at
    FROM crm.holding h
    WHERE h.held_to IS NULL AND NOT h.locked AND h.due_at <= recycle_reminder.as_of + reach * interval '24 hours'
      AND greatest(h.due_at, crm._kept_until(h)) > recycle_reminder.as_of),
  unit AS MATERIALIZED (
    SELECT u.channel_id, u.org_id, s.stage, s.to_supervisor
    FROM (SELECT DISTINCT n.channel_id, n.org_id FROM near n) u
    CROSS JOIN LATERAL crm._reminder_stages(crm._setting_for('reminder_days', u.org_id, u.channel_id, day)) s)
  SELECT d.*, CASE WHEN d.supervised THEN crm._supervisor(d.org_id, d.channel_id, d.staff_id, day) END
  FROM (SELECT n.customer_id, n.id, n.channel_id, n.org_id, n.staff_id, n.at, n.due_cause, min(u.stage),
         bool_or(u.to_supervisor) AND NOT EXISTS (
           SELECT FROM crm.reminder r
           WHERE r.customer_id = n.customer_id AND r.holding_id = n.id AND r.due_at = n.at AND r.to_supervisor AND r.stage <> min(u.stage)) AS supervised
  FROM near n
  JOIN unit u ON u.channel_id = n.channel_id AND u.org_id IS NOT DISTINCT FROM n.org_id
    AND n.at - u.stage * interval '24 hours' <= recycle_reminder.as_of
  GROUP BY n.customer_id, n.id, n.channel_id, n.org_id, n.staff_id, n.at, n.due_cause) d
  ORDER BY d.at, d.customer_id;
END
$$;
COMMENT ON FUNCTION crm.recycle_reminder(timestamptz) IS
  'The open holdings that go back to the pool soon after as_of and have reached a stage of the setting reminder_days for their unit and channel, the first to go first: due_at is when (exemption and protection count), stage the last one reached, to_supervisor whether one meant for the supervisor is reached of which the supervisor was not told, and supervisor_id who that is. Not those locked, or due already. Errors: 22004, 22023. 回收提醒';
REVOKE ALL ON FUNCTION crm.recycle_reminder(timestamptz) FROM PUBLIC;

CREATE FUNCTION crm.remind(as_of timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made bigint;
BEGIN
  INSERT INTO crm.reminder (customer_id, holding_id, due_at, stage, to_supervisor, supervisor_id)
  SELECT r.customer_id, r.holding_id, r.due_at, r.stage, r.to_supervisor, r.supervisor_id FROM crm.recycle_reminder(remind.as_of) r
  ORDER BY r.customer_id
  ON CONFLICT (customer_id, holding_id, due_at, stage) DO NOTHING;
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END
$$;
COMMENT ON FUNCTION crm.remind(timestamptz) IS
  'Makes the reminders of crm.recycle_reminder(as_of) that were not made yet, however often and by however many at once it is called; returns how many. A due time that has moved is reminded of anew. Errors: 22004, 22023. 生成回收提醒';
REVOKE ALL ON FUNCTION crm.remind(timestamptz) FROM PUBLIC;

CREATE FUNCTION crm.take_reminders(at_most integer DEFAULT 1000) RETURNS SETOF crm.reminder
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF take_reminders.at_most IS NULL OR take_reminders.at_most <= 0 THEN
    RAISE EXCEPTION 'at_most must be positive' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
  WITH next AS MATERIALIZED (
    SELECT r.customer_id, r.holding_id, r.due_at, r.stage FROM crm.reminder r
    WHERE r.taken_at IS NULL ORDER BY r.made_at, r.customer_id, r.holding_id, r.stage LIMIT take_reminders.at_most FOR UPDATE SKIP LOCKED)
  UPDATE crm.reminder r SET taken_at = clock_timestamp(), taken_by = crm.actor()
  FROM next n
  WHERE r.customer_id = n.customer_id AND r.holding_id = n.holding_id AND r.due_at = n.due_at AND r.stage = n.stage
  RETURNING r.*;
END
$$;
COMMENT ON FUNCTION crm.take_reminders(integer) IS
  'Takes the oldest reminders that nobody has taken, to send them; of several at once each gets others. A rollback gives them back. Those whose due time has moved, or whose holding has ended since, are among them: compare with crm_bi.reminder. Errors: 22023. 取回收提醒';
REVOKE ALL ON FUNCTION crm.take_reminders(integer) FROM PUBLIC;

GRANT SELECT ON crm.reminder TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.reminder'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.recycle_reminder(timestamptz)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.remind(timestamptz)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.take_reminders(integer)');
