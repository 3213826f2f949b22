-- allocate: quotas, and what each member of staff holds

CREATE TABLE crm.holding_quota (
  staff_id bigint PRIMARY KEY REFERENCES crm.staff,
  quota integer NOT NULL CHECK (quota >= 0),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.holding_quota IS 'What a member of staff may hold, where not as the setting holding_quota says.';
COMMENT ON COLUMN crm.holding_quota.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.holding_quota.quota IS 'Load at most: customers, each as often as the setting tier_load counts it. Who holds more already keeps them and gets no other.';
COMMENT ON COLUMN crm.holding_quota.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.holding_quota.set_by IS 'Who set it.';
CREATE TRIGGER stamp BEFORE UPDATE ON crm.holding_quota FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE TABLE crm.holding_count (
  staff_id bigint PRIMARY KEY REFERENCES crm.staff,
  held bigint NOT NULL,
  load bigint NOT NULL DEFAULT 0,
  last_given_at timestamptz
);
COMMENT ON TABLE crm.holding_count IS 'How many customers each member of staff holds: kept by triggers on crm.holding, and the row that those who give a member of staff another customer lock.';
COMMENT ON COLUMN crm.holding_count.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.holding_count.held IS 'Open holdings.';
COMMENT ON COLUMN crm.holding_count.load IS 'What they count together: the sum of crm.holding.load. 负荷';
COMMENT ON COLUMN crm.holding_count.last_given_at IS 'Last allocation to this member of staff: who waited longest is the next of a round robin. Those of one allocation stand a microsecond apart, in their order. 上次分配';

CREATE FUNCTION crm._holding_count_given() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_count_given() IS 'Trigger: a count that comes from a data-only restore and not from crm.holding is passed over.';
CREATE TRIGGER given BEFORE INSERT ON crm.holding_count
  FOR EACH ROW WHEN (NEW.held <> 0 AND pg_catalog.pg_trigger_depth() = 0) EXECUTE FUNCTION crm._holding_count_given();

CREATE FUNCTION crm._holding_counted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held, load)
    SELECT n.staff_id, count(*), sum(n.load) FROM new_rows n
    WHERE n.staff_id IS NOT NULL AND n.held_to IS NULL
    GROUP BY n.staff_id ORDER BY n.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held, load = q.load + excluded.load;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held, load)
    SELECT d.staff_id, sum(d.n), sum(d.load)
    FROM (SELECT o.staff_id, -1 AS n, -o.load AS load FROM old_rows o WHERE o.held_to IS NULL
          UNION ALL SELECT n.staff_id, 1, n.load FROM new_rows n WHERE n.held_to IS NULL) d
    WHERE d.staff_id IS NOT NULL
    GROUP BY d.staff_id HAVING sum(d.n) <> 0 OR sum(d.load) <> 0 ORDER BY d.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held, load = q.load + excluded.load;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held, load)
    SELECT o.staff_id, -count(*), -sum(o.load) FROM old_rows o
    WHERE o.staff_id IS NOT NULL AND o.held_to IS NULL
    GROUP BY o.staff_id ORDER BY o.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held, load = q.load + excluded.load;
  ELSE
    UPDATE crm.holding_count SET held = 0, load = 0 WHERE held <> 0 OR load <> 0;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_counted() IS 'Trigger: keeps crm.holding_count, in order of the staff.';
REVOKE ALL ON FUNCTION crm._holding_counted() FROM PUBLIC;
CREATE TRIGGER counted_insert AFTER INSERT ON crm.holding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_update AFTER UPDATE ON crm.holding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_delete AFTER DELETE ON crm.holding REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_truncate AFTER TRUNCATE ON crm.holding
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();

CREATE FUNCTION crm._lock_counts(staff_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm.holding_count (staff_id, held)
  SELECT DISTINCT s.id, 0 FROM unnest(_lock_counts.staff_ids) s(id) WHERE s.id IS NOT NULL ORDER BY s.id
  ON CONFLICT (staff_id) DO NOTHING;
  PERFORM FROM crm.holding_count q WHERE q.staff_id = ANY (_lock_counts.staff_ids) ORDER BY q.staff_id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION crm._lock_counts(bigint[]) IS 'Locks what these members of staff hold in order of the staff; after the customers, before anything is given to them.';
REVOKE ALL ON FUNCTION crm._lock_counts(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._quota(staff crm.staff, as_of date) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((SELECT q.quota FROM crm.holding_quota q WHERE q.staff_id = (_quota.staff).id),
                  crm._setting_for('holding_quota', (_quota.staff).org_id, (_quota.staff).channel_id, _quota.as_of)::integer);
END;
COMMENT ON FUNCTION crm._quota(crm.staff, date) IS 'The load that a member of staff may hold: their own quota, else the setting for their unit and channel.';

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.holding_quota'),
  ('manager', 'INSERT (staff_id, quota)', 'TABLE', 'crm.holding_quota'),
  ('manager', 'UPDATE (staff_id, quota)', 'TABLE', 'crm.holding_quota'),
  ('manager', 'DELETE', 'TABLE', 'crm.holding_quota');
