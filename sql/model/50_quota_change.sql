-- allocate: what was changed of quotas, by which a holder may stand above theirs without a fault

CREATE TABLE crm.quota_change (
  id bigint GENERATED ALWAYS AS IDENTITY,
  staff_id bigint REFERENCES crm.staff ON DELETE CASCADE,
  before text,
  after text,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_by text NOT NULL DEFAULT crm.actor(),
  -- a data-only restore writes quotas, and with them rows of its own, before it copies those there were
  PRIMARY KEY (changed_at, id)
);
COMMENT ON TABLE crm.quota_change IS 'What was changed of crm.holding_quota and of the setting holding_quota; written by triggers. 配额变更';
COMMENT ON COLUMN crm.quota_change.id IS 'In order of change; with changed_at the key.';
COMMENT ON COLUMN crm.quota_change.staff_id IS 'Member of staff whose own quota it was; NULL: a row of the setting.';
COMMENT ON COLUMN crm.quota_change.before IS 'Quota, or row of the setting, before; NULL: there was none.';
COMMENT ON COLUMN crm.quota_change.after IS 'Since then; NULL: none.';
COMMENT ON COLUMN crm.quota_change.changed_at IS 'When.';
COMMENT ON COLUMN crm.quota_change.changed_by IS 'Who.';
CREATE INDEX ON crm.quota_change (staff_id);

CREATE FUNCTION crm._quota_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
  IF TG_TABLE_NAME = 'setting' THEN
    INSERT INTO crm.quota_change (before, after)
    SELECT CASE WHEN was ->> 'name' = 'holding_quota' THEN was - '{id,name,set_at,set_by}'::text[] END, CASE WHEN is_now ->> 'name' = 'holding_quota' THEN is_now - '{id,name,set_at,set_by}'::text[] END
    WHERE 'holding_quota' IN (was ->> 'name', is_now ->> 'name');
  ELSE
    INSERT INTO crm.quota_change (staff_id, before, after)
    SELECT s.id, CASE WHEN (was ->> 'staff_id')::bigint = s.id THEN was ->> 'quota' END, CASE WHEN (is_now ->> 'staff_id')::bigint = s.id THEN is_now ->> 'quota' END
    FROM crm.staff s WHERE s.id IN ((was ->> 'staff_id')::bigint, (is_now ->> 'staff_id')::bigint) ORDER BY s.id;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._quota_changed() IS 'Trigger: writes what was changed of quotas to crm.quota_change.';
REVOKE ALL ON FUNCTION crm._quota_changed() FROM PUBLIC;
CREATE TRIGGER quota_changed AFTER INSERT OR UPDATE OR DELETE ON crm.holding_quota FOR EACH ROW EXECUTE FUNCTION crm._quota_changed();
CREATE TRIGGER quota_changed AFTER INSERT OR UPDATE OR DELETE ON crm.setting FOR EACH ROW EXECUTE FUNCTION crm._quota_changed();

GRANT SELECT ON crm.quota_change TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.quota_change');
