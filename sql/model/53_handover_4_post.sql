-- allocate: nobody holds who is not in post: the count of a holder is what a holding that begins and a departure wait for each other by

CREATE FUNCTION crm._holders_in_post() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  holder crm.staff;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- who left since the snapshot was taken is not seen, but fails here
    PERFORM FROM crm.staff s WHERE s.id IN (SELECT n.staff_id FROM new_rows n WHERE n.held_to IS NULL) ORDER BY s.id FOR SHARE;
  END IF;
  IF TG_OP = 'INSERT' THEN
    SELECT s.* INTO holder FROM crm.staff s
    WHERE s.left_on <= day AND s.id IN (SELECT n.staff_id FROM new_rows n WHERE n.held_to IS NULL) ORDER BY s.id LIMIT 1;
  ELSE
    SELECT s.* INTO holder FROM new_rows n JOIN crm.staff s ON s.id = n.staff_id
    WHERE s.left_on <= day AND n.held_to IS NULL
      AND NOT EXISTS (SELECT FROM old_rows o WHERE o.id = n.id AND o.staff_id = n.staff_id AND o.held_to IS NULL) ORDER BY s.id LIMIT 1;
  END IF;
  IF holder.id IS NOT NULL THEN
    RAISE EXCEPTION 'staff member "%" is not in post', holder.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Left on %s.', holder.left_on), HINT = 'Choose somebody in post.';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holders_in_post() IS 'Trigger, by its name after those that count: nobody who left begins to hold, or holds again. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._holders_in_post() FROM PUBLIC;
CREATE TRIGGER in_post_insert AFTER INSERT ON crm.holding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holders_in_post();
CREATE TRIGGER in_post_update AFTER UPDATE ON crm.holding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holders_in_post();

CREATE FUNCTION crm._staff_left() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  staff crm.staff;
BEGIN
  SELECT * INTO staff FROM crm.staff s WHERE s.id = NEW.id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE crm.hand_over p SET on_date = staff.left_on
  WHERE p.staff_id = staff.id AND p.state = 'planned' AND p.kind = 'departure' AND p.on_date <> staff.left_on;
  UPDATE crm.hand_over p SET state = 'cancelled', ended_at = clock_timestamp(), ended_by = crm.actor(), end_reason = 'no longer leaving'
  WHERE p.staff_id = staff.id AND p.state = 'planned' AND p.kind = 'departure' AND staff.left_on IS NULL;
  IF staff.left_on <= crm._business_day(clock_timestamp()) THEN
    PERFORM crm._lock_leavers(ARRAY[staff.id], true);
    IF crm._leaves_behind(staff, crm._business_day(clock_timestamp())) THEN
      PERFORM crm._hand_over(crm._departure_of(staff.id));
    END IF;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._staff_left() IS 'Trigger, at commit: who left holds nobody any more; a plan follows the last day, and goes with it.';
REVOKE ALL ON FUNCTION crm._staff_left() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER left_holds_nobody AFTER UPDATE ON crm.staff DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.left_on IS DISTINCT FROM NEW.left_on) EXECUTE FUNCTION crm._staff_left();
