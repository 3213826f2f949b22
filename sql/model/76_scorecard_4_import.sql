-- kpi: values of scorecards from files: a value is known by its key, and a correction is entered beside what it corrects

PERFORM crm._import_declare('scorecard_value', 490, 'scorecard_value', 'value of a scorecard', '{source_key}', '{measure,staff_code>staff,org_code>organisation,grain,period_start,value,source}');
UPDATE crm.import_column c SET type = 'text', value = 'crm._target_number(w.value_)' WHERE c.kind = 'scorecard_value' AND c.name = 'value';
INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint) VALUES
  ('scorecard_value', 1, 'value', '22P02', 't.value IS NOT NULL', 'is no number', 'Write 84, 0.95 or 95%, with at most six decimals, of a percentage four.');
INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('scorecard_value', 2, 'staff_code', 'scorecard_value_subject_check', 'a value is of a member of staff or of a unit', 'Give one of the two columns.'),
  ('scorecard_value', 3, 'period_start', 'scorecard_value_period_check', 'is not the first day of such a period', 'Write the first day of the month, quarter or year.'),
  ('scorecard_value', 4, 'measure', '_scorecard_value_check', NULL, NULL);
INSERT INTO crm.import_rule (kind, nth, column_name, code, constraint_name, message, hint) VALUES
  ('scorecard_value', 5, 'value', '22003', 'scorecard_value_value_check', 'is out of range', 'Values lie between -1e12 and 1e12.');

CREATE FUNCTION crm._scorecard_value_corrected() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM crm.scorecard_value_key k WHERE k.scorecard_value_id = OLD.id) THEN
    RAISE EXCEPTION 'rows of scorecard_value stand as they are' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Enter it anew: what is entered last counts, and what is closed stays.';
  END IF;
  NEW.id := nextval(pg_get_serial_sequence('crm.scorecard_value', 'id'));
  NEW.entered_at := clock_timestamp();
  NEW.entered_by := crm.actor();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._scorecard_value_corrected() IS 'Trigger: a value that came by import is corrected by the same key, as one entered anew. Errors: 55000 entered by hand.';
REVOKE ALL ON FUNCTION crm._scorecard_value_corrected() FROM PUBLIC;
CREATE TRIGGER corrected BEFORE UPDATE ON crm.scorecard_value FOR EACH ROW EXECUTE FUNCTION crm._scorecard_value_corrected();
CREATE TRIGGER recheck BEFORE UPDATE ON crm.scorecard_value FOR EACH ROW EXECUTE FUNCTION crm._scorecard_value_check();

CREATE FUNCTION crm._scorecard_value_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO crm.scorecard_value (id, measure, staff_id, org_id, grain, period_start, value, source, entered_at, entered_by) OVERRIDING SYSTEM VALUE
  VALUES (OLD.id, OLD.measure, OLD.staff_id, OLD.org_id, OLD.grain, OLD.period_start, OLD.value, OLD.source, OLD.entered_at, OLD.entered_by);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._scorecard_value_kept() IS 'Trigger: what a correction corrects stays as it was entered.';
REVOKE ALL ON FUNCTION crm._scorecard_value_kept() FROM PUBLIC;
CREATE TRIGGER kept AFTER UPDATE ON crm.scorecard_value FOR EACH ROW EXECUTE FUNCTION crm._scorecard_value_kept();
