-- base: which duties the acting person has where, and for which channel or unit they may speak

CREATE FUNCTION crm._has_duty(duty text, org_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  RETURN pg_has_role(crm._login(), current_user, 'MEMBER')
      OR EXISTS (SELECT FROM crm._in_charge(_has_duty.org_id, _has_duty.duty, false, day) c WHERE c.staff_id = crm._own_staff(crm.actor(), day));
END
$$;
COMMENT ON FUNCTION crm._has_duty(text, bigint) IS
  'Whether the acting person has a duty at a unit or above it, by crm.position. A login that is a member of the owner of the model has all of them.';
REVOKE ALL ON FUNCTION crm._has_duty(text, bigint) FROM PUBLIC;

CREATE FUNCTION crm._ask_duty(duties text[], org_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM unnest(_ask_duty.duties) d(duty) WHERE crm._has_duty(d.duty, _ask_duty.org_id)) THEN
    RAISE EXCEPTION '"%" has not the duty % at unit "%"', crm.actor(), array_to_string(_ask_duty.duties, ' or '), (SELECT o.code FROM crm.organisation o WHERE o.id = _ask_duty.org_id)
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Add a row to crm.position, for that unit or one above it, for the member of staff in post whose login is the acting person.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._ask_duty(text[], bigint) IS 'Raises 42501 unless the acting person has one of these duties at a unit or above it.';
REVOKE ALL ON FUNCTION crm._ask_duty(text[], bigint) FROM PUBLIC;

CREATE FUNCTION crm._act_for_side(channel_id bigint, home_id bigint, duty text, duty_org_id bigint, manager_org_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  unit CONSTANT bigint := coalesce(_act_for_side.home_id, _act_for_side.duty_org_id);
BEGIN
  IF unit IS NOT NULL
     AND EXISTS (SELECT FROM crm.staff s
                 WHERE s.id = crm._own_staff(crm.actor(), crm._business_day(clock_timestamp()))
                   AND (_act_for_side.channel_id IS NULL OR s.channel_id = _act_for_side.channel_id)
                   AND (_act_for_side.home_id IS NULL
                        OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = _act_for_side.home_id AND t.descendant_id = s.org_id)))
     AND (_act_for_side.duty IS NULL OR crm._has_duty(_act_for_side.duty, _act_for_side.duty_org_id))
     OR crm._has_duty('resource_manager', _act_for_side.manager_org_id) THEN
    RETURN;
  END IF;
  RAISE EXCEPTION '"%" may not act for %', crm.actor(),
      CASE WHEN _act_for_side.channel_id IS NOT NULL THEN format('channel "%s"', coalesce((SELECT c.code FROM crm.channel c WHERE c.id = _act_for_side.channel_id), _act_for_side.channel_id::text))
           WHEN unit IS NOT NULL THEN format('unit "%s"', coalesce((SELECT o.code FROM crm.organisation o WHERE o.id = unit), unit::text))
           ELSE 'a centre without a unit' END
    USING ERRCODE = 'insufficient_privilege',
          HINT = concat_ws('', 'That takes a member of staff in post whose login is the acting person',
            CASE WHEN _act_for_side.channel_id IS NOT NULL THEN ', of that channel' END,
            CASE WHEN _act_for_side.home_id IS NOT NULL THEN ', at work in that unit' END,
            CASE WHEN _act_for_side.duty IS NOT NULL THEN format(', with the duty %s at unit "%s" or above it in crm.position', _act_for_side.duty,
              (SELECT o.code FROM crm.organisation o WHERE o.id = coalesce(_act_for_side.duty_org_id, _act_for_side.manager_org_id))) END,
            CASE WHEN _act_for_side.manager_org_id IS NOT NULL THEN '; or the duty resource_manager, for anyone' END, '.');
END
$$;
COMMENT ON FUNCTION crm._act_for_side(bigint, bigint, text, bigint, bigint) IS
  'Whether the acting person may speak for a channel or unit: in post, of the channel (NULL: any), at work in the unit home_id (NULL: any), with the duty (NULL: none) at duty_org_id or above; or a resource manager at manager_org_id (NULL: not even that) or above. Errors: 42501.';
REVOKE ALL ON FUNCTION crm._act_for_side(bigint, bigint, text, bigint, bigint) FROM PUBLIC;
