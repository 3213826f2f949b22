-- book: what was known about customers before it was corrected

CREATE TABLE crm.customer_change (
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  subject text NOT NULL,
  subject_key text,
  field text NOT NULL,
  old_value text,
  new_value text,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, id)
);
COMMENT ON TABLE crm.customer_change IS 'What was changed about customers, field by field; written by triggers. 客户信息变更';
COMMENT ON COLUMN crm.customer_change.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.customer_change.id IS 'Key within the customer, in order of change.';
COMMENT ON COLUMN crm.customer_change.subject IS 'Table in which it was changed.';
COMMENT ON COLUMN crm.customer_change.subject_key IS 'Key of the row there within the customer; NULL where a customer has one row.';
COMMENT ON COLUMN crm.customer_change.field IS 'Column that was changed.';
COMMENT ON COLUMN crm.customer_change.old_value IS 'What stood there before.';
COMMENT ON COLUMN crm.customer_change.new_value IS 'What stands there since; NULL also when the row was deleted.';
COMMENT ON COLUMN crm.customer_change.changed_at IS 'When.';
COMMENT ON COLUMN crm.customer_change.changed_by IS 'Who.';

-- Nobody needs the right to write the history. Of a customer deleted as a whole nothing is kept.
CREATE FUNCTION crm._keep_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  was json := to_json(OLD);
  now json := CASE TG_OP WHEN 'UPDATE' THEN to_json(NEW) ELSE '{}' END;
  owner_column text := CASE TG_TABLE_NAME WHEN 'customer' THEN 'id' ELSE 'customer_id' END;
BEGIN
  IF crm._merging() THEN
    RETURN NULL;
  END IF;
  INSERT INTO crm.customer_change (customer_id, subject, subject_key, field, old_value, new_value)
  SELECT c.id, TG_TABLE_NAME, CASE TG_TABLE_NAME WHEN 'customer' THEN NULL ELSE was ->> 'id' END, f.key, f.value, now ->> f.key
  FROM crm.customer c CROSS JOIN LATERAL json_each_text(was) WITH ORDINALITY f (key, value, n)
  WHERE c.id = (coalesce(now ->> owner_column, was ->> owner_column))::bigint
    AND f.key NOT IN ('id', 'customer_id', 'version', 'created_at', 'created_by', 'updated_at', 'updated_by', 'recorded_at', 'recorded_by')
    AND f.value IS DISTINCT FROM now ->> f.key
  ORDER BY f.n;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._keep_change() IS 'Trigger: writes each field changed, and each field of a row deleted, to crm.customer_change; what a merge changes stands in crm.merge_row.';
REVOKE ALL ON FUNCTION crm._keep_change() FROM PUBLIC;

CREATE TRIGGER keep_change AFTER UPDATE OF kind, name, resident_id, birth_date, sex, org_id, source_channel_id, known_from ON crm.customer
  FOR EACH ROW EXECUTE FUNCTION crm._keep_change();
CREATE TRIGGER keep_change AFTER UPDATE OR DELETE ON crm.contact_point
  FOR EACH ROW EXECUTE FUNCTION crm._keep_change();

CREATE FUNCTION crm._require_kind() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted CONSTANT text := TG_ARGV[0];
  kind text := (SELECT c.kind FROM crm.customer c WHERE c.id = NEW.customer_id);
BEGIN
  IF kind <> wanted THEN
    RAISE EXCEPTION 'customer "%" is no %', NEW.customer_id, wanted
      USING ERRCODE = 'check_violation', HINT = format('Rows of crm.%s are for customers of kind %s.', TG_TABLE_NAME, wanted);
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._require_kind() IS 'Trigger: the customer must be of the kind given, person or company.';
REVOKE ALL ON FUNCTION crm._require_kind() FROM PUBLIC;

GRANT SELECT ON crm.customer_change TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.customer_change');
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES
  ('crm.customer_change', 'customer_id', 'move', false, 'History goes on after a merge.');
