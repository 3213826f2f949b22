-- allocate: for how long a holder is protected

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('protection_days', 'integer', '0', true, false,
   'Days from the start of a holding by a member of staff for which nobody else gets the customer; 0: no protection.'),
  ('protection_renewal_days', 'integer', '0', true, false,
   'Days from each contact by the holder, and each purchase, for which a holding with protection stays protected.'),
  ('protection_max_days', 'integer', '365', true, false,
   'Days from the start of a holding beyond which nothing protects it.');

CREATE FUNCTION crm._terms(org_id bigint, channel_id bigint, as_of date,
  OUT rule crm.recycle_rule, OUT protection_days integer, OUT protection_renewal_days integer, OUT protection_max_days integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  rule := crm._setting_for('recycle_rule', _terms.org_id, _terms.channel_id, _terms.as_of);
  protection_days := nullif(crm._setting_for('protection_days', _terms.org_id, _terms.channel_id, _terms.as_of)::integer, 0);
  IF protection_days IS NOT NULL THEN
    protection_renewal_days := crm._setting_for('protection_renewal_days', _terms.org_id, _terms.channel_id, _terms.as_of)::integer;
    protection_max_days := crm._setting_for('protection_max_days', _terms.org_id, _terms.channel_id, _terms.as_of)::integer;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._terms(bigint, bigint, date) IS 'On what terms a member of staff of a unit and channel begins to hold a customer on a day.';

CREATE FUNCTION crm._refuse_protected(held crm.holding) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- who has left hands over everything
  IF held.protected_until > clock_timestamp() AND EXISTS (SELECT FROM crm.staff s WHERE s.id = held.staff_id AND (s.left_on IS NULL OR s.left_on > crm._business_day(clock_timestamp()))) THEN
    RAISE EXCEPTION 'customer "%" is protected for %', held.customer_id, crm._held_by(held)
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The protection ends at %s.', held.protected_until),
            HINT = 'crm.override_protection() ends it, for a reason.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._refuse_protected(crm.holding) IS 'Nothing while a holding is not protected. Errors: 55000.';

CREATE FUNCTION crm.override_protection(customer_id bigint, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(override_protection.customer_id);
BEGIN
  IF override_protection.reason IS NULL OR btrim(override_protection.reason) = '' THEN
    RAISE EXCEPTION 'to end a protection needs a reason' USING ERRCODE = 'check_violation', HINT = 'Give it as reason.';
  END IF;
  IF held.protected_until IS NULL OR held.protected_until <= clock_timestamp() THEN
    RAISE EXCEPTION 'customer "%" is not protected', held.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = coalesce('The protection ended at ' || held.protected_until || '.', 'The holding has no protection.');
  END IF;
  UPDATE crm.holding h SET overridden_at = clock_timestamp(), overridden_by = crm.actor(), override_reason = override_protection.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id;
  RETURN held.id;
END
$$;
COMMENT ON FUNCTION crm.override_protection(bigint, text) IS
  'Ends the protection of the open holding of a customer now, for a reason that the holding keeps: before a transfer, release or sweep that cannot wait; returns its key. Errors: 55000 held by nobody or not protected, 23514 no reason, 23503 unknown, 22004; 40P01 as crm.claim. 解除保护';
REVOKE ALL ON FUNCTION crm.override_protection(bigint, text) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.override_protection(bigint, text)');
