-- allocate: who is away

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('leave_notice_days', 'integer', '0', true, false,
   'Days before a leave on which a member of staff gets no further customer.');

CREATE TABLE crm.staff_leave (
  staff_id bigint NOT NULL REFERENCES crm.staff ON DELETE CASCADE,
  from_date date NOT NULL CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  to_date date CHECK (to_date BETWEEN '1900-01-01' AND '2199-12-31'),
  reason text CHECK (pg_catalog.btrim(reason) <> ''),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (staff_id, from_date),
  CONSTRAINT staff_leave_dates_check CHECK (to_date > from_date),
  CONSTRAINT staff_leave_overlap EXCLUDE USING gist
    (pg_catalog.int8range(staff_id, staff_id, '[]') WITH OPERATOR(pg_catalog.&&), pg_catalog.daterange(from_date, to_date) WITH OPERATOR(pg_catalog.&&))
);
COMMENT ON TABLE crm.staff_leave IS 'When members of staff are away: they keep whom they hold, get nobody by allocation and claim nobody. 休假';
COMMENT ON COLUMN crm.staff_leave.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.staff_leave.from_date IS 'First day away.';
COMMENT ON COLUMN crm.staff_leave.to_date IS 'First day back; NULL: not known yet.';
COMMENT ON COLUMN crm.staff_leave.reason IS 'Why.';
COMMENT ON COLUMN crm.staff_leave.set_at IS 'When it was entered or last changed.';
COMMENT ON COLUMN crm.staff_leave.set_by IS 'Who entered or changed it.';
CREATE TRIGGER stamp BEFORE UPDATE ON crm.staff_leave FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE FUNCTION crm._on_leave(staff_id bigint, as_of date, notice_days integer) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(l.to_date, 'infinity') FROM crm.staff_leave l
  WHERE l.staff_id = _on_leave.staff_id AND l.from_date <= _on_leave.as_of + _on_leave.notice_days AND (l.to_date > _on_leave.as_of OR l.to_date IS NULL)
  ORDER BY l.from_date DESC LIMIT 1;
END;
COMMENT ON FUNCTION crm._on_leave(bigint, date, integer) IS 'First day back of a member of staff who is on leave on a day or within some days after; NULL: at work.';

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.staff_leave'),
  ('manager', 'INSERT (staff_id, from_date, to_date, reason)', 'TABLE', 'crm.staff_leave'),
  ('manager', 'UPDATE (from_date, to_date, reason)', 'TABLE', 'crm.staff_leave'),
  ('manager', 'DELETE', 'TABLE', 'crm.staff_leave');
