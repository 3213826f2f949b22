-- base: workflows: who may do what, who becomes responsible, what is filled in

CREATE FUNCTION crm._own_staff(person text, day date) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT s.id FROM crm.staff s
  WHERE s.login = _own_staff.person::name AND s.login::text COLLATE "C" = _own_staff.person
    AND s.joined_on <= _own_staff.day AND coalesce(s.left_on > _own_staff.day, true);
END;
COMMENT ON FUNCTION crm._own_staff(text, date) IS 'The member of staff in post on a day who is the acting person of that name.';

CREATE FUNCTION crm._has_left(person text, day date) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM crm.staff s WHERE s.login = _has_left.person::name AND s.login::text COLLATE "C" = _has_left.person)
    AND crm._own_staff(_has_left.person, _has_left.day) IS NULL;
END;
COMMENT ON FUNCTION crm._has_left(text, date) IS 'Whether the acting person of that name is a member of staff who is not in post on a day.';

CREATE FUNCTION crm._workflow_may(item crm.workflow_item, rules text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  actor CONSTANT text := crm.actor();
  day CONSTANT date := crm._business_day(clock_timestamp());
  staff bigint;
  rule text;
  what text;
BEGIN
  IF pg_has_role(crm._login(), current_user, 'MEMBER') THEN
    RETURN true;
  ELSIF crm._has_left(actor, day) THEN
    RETURN false;
  ELSIF 'anyone' = ANY (rules) OR 'opener' = ANY (rules) AND item.opened_by = actor OR 'responsible' = ANY (rules) AND item.responsible = actor THEN
    RETURN true;
  END IF;
  staff := crm._own_staff(actor, day);
  IF staff IS NULL THEN
    RETURN false;
  END IF;
  FOREACH rule IN ARRAY rules LOOP
    what := substr(rule, strpos(rule, ':') + 1);
    IF (CASE split_part(rule, ':', 1)
         WHEN 'holder' THEN EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = item.subject_id AND h.held_to IS NULL AND h.staff_id = staff)
         WHEN 'field' THEN (item.data ->> what)::bigint = staff
         WHEN 'duty' THEN EXISTS (SELECT FROM crm._in_charge(item.org_id, what, false, day) c WHERE c.staff_id = staff)
         WHEN 'above' THEN EXISTS (SELECT FROM crm._in_charge(item.org_id, what, true, day) c WHERE c.staff_id = staff) END) THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._workflow_may(crm.workflow_item, text[]) IS
  'Whether the acting person is one of those named. A login that is a member of the owner of the model always is, a member of staff who left never.';
REVOKE ALL ON FUNCTION crm._workflow_may(crm.workflow_item, text[]) FROM PUBLIC;

CREATE FUNCTION crm._workflow_barred(item crm.workflow_item, rules text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT r FROM pg_catalog.unnest(_workflow_barred.rules) r
  WHERE CASE r WHEN 'opener' THEN (_workflow_barred.item).opened_by = crm.actor()
               WHEN 'responsible' THEN coalesce((_workflow_barred.item).responsible = crm.actor(), false)
               WHEN 'field:' || pg_catalog.substr(r, 7)
                 THEN EXISTS (SELECT FROM crm.staff s WHERE s.id = ((_workflow_barred.item).data ->> pg_catalog.substr(r, 7))::bigint AND s.login::text COLLATE "C" = crm.actor())
               ELSE EXISTS (SELECT FROM crm.workflow_log l
                            WHERE l.item_id = (_workflow_barred.item).id AND l.transition = r AND l.by_whom = crm.actor()) END
  ORDER BY 1 LIMIT 1;
END;
COMMENT ON FUNCTION crm._workflow_barred(crm.workflow_item, text[]) IS 'By which of these rules the acting person may not decide on an item, since it is their own; NULL: none.';

CREATE FUNCTION crm._person_in_post(person text) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  IF crm._own_staff(person, day) IS NULL AND (person <> crm.actor() OR crm._has_left(person, day)) THEN
    RAISE EXCEPTION 'nobody in post acts as "%"', person
      USING ERRCODE = 'foreign_key_violation', HINT = 'Give the login of a member of staff in post, or the acting person.';
  END IF;
  RETURN person;
END
$$;
COMMENT ON FUNCTION crm._person_in_post(text) IS 'The name of an acting person who may be made responsible: a member of staff in post, or whoever acts now. NULL: nobody. Errors: 23503.';
REVOKE ALL ON FUNCTION crm._person_in_post(text) FROM PUBLIC;

CREATE FUNCTION crm._workflow_responsible(item crm.workflow_item, state crm.workflow_state) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind CONSTANT text := split_part(state.responsible, ':', 1);
  what CONSTANT text := substr(state.responsible, strpos(state.responsible, ':') + 1);
  day CONSTANT date := crm._business_day(clock_timestamp());
  person text;
BEGIN
  CASE
    WHEN state.final THEN RETURN NULL;
    WHEN state.responsible IS NULL OR kind IN ('opener', 'actor') THEN
      person := CASE kind WHEN 'opener' THEN item.opened_by WHEN 'actor' THEN crm.actor() ELSE item.responsible END;
      IF crm._has_left(person, day) THEN
        person := coalesce((SELECT c.person FROM crm._in_charge(item.org_id, 'manager', false, day) c ORDER BY c.depth, c.staff_id LIMIT 1), crm.actor());
      END IF;
    WHEN kind = 'field' THEN
      person := (SELECT s.login::text COLLATE "C" FROM crm.staff s
                 WHERE s.id = (item.data ->> what)::bigint AND s.login IS NOT NULL AND s.joined_on <= day AND coalesce(s.left_on > day, true));
      IF person IS NULL THEN
        RAISE EXCEPTION 'field "%" names nobody who can be responsible for state "%"', what, state.state
          USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'It must be the key of a member of staff in post who has a login.';
      END IF;
    ELSE
      -- who opened it comes last: they may not decide on their own
      person := (SELECT c.person FROM crm._in_charge(item.org_id, what, kind = 'above', day) c
                 ORDER BY c.person = item.opened_by, c.depth,
                          (SELECT count(*) FROM crm.workflow_item i WHERE i.responsible = c.person AND i.closed_at IS NULL), c.staff_id
                 LIMIT 1);
      IF person IS NULL THEN
        RAISE EXCEPTION 'nobody has the duty "%" % unit "%"', what, CASE kind WHEN 'above' THEN 'above' ELSE 'at or above' END, item.org_id
          USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Somebody must be responsible for state "%s" of workflow "%s".', state.state, state.workflow),
                HINT = 'Add a row to crm.position for a member of staff in post who has a login.';
      END IF;
  END CASE;
  RETURN person;
END
$$;
COMMENT ON FUNCTION crm._workflow_responsible(crm.workflow_item, crm.workflow_state) IS
  'Who becomes responsible for an item on entry into a state; of several who have the duty the nearest, then who is responsible for the fewest; in place of somebody who left the nearest manager. Errors: 55000 nobody is there.';
REVOKE ALL ON FUNCTION crm._workflow_responsible(crm.workflow_item, crm.workflow_state) FROM PUBLIC;

-- data --------------------------------------------------------------------

CREATE FUNCTION crm._fits_type(value jsonb, type text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  word CONSTANT text := value #>> '{}';
BEGIN
  CASE type
    WHEN 'text' THEN RETURN jsonb_typeof(value) = 'string';
    WHEN 'boolean' THEN RETURN jsonb_typeof(value) = 'boolean';
    WHEN 'numeric' THEN RETURN jsonb_typeof(value) = 'number';
    WHEN 'integer' THEN RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN word::integer IS NOT NULL ELSE false END;
    WHEN 'bigint' THEN RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN word::bigint IS NOT NULL ELSE false END;
    WHEN 'date' THEN
      RETURN CASE WHEN jsonb_typeof(value) = 'string' AND word ~ '^\d{4}-\d\d-\d\d$' THEN word::date IS NOT NULL ELSE false END;
    ELSE
      RETURN CASE WHEN jsonb_typeof(value) = 'string' AND word ~ '^\d{4}-\d\d-\d\d[ T]\d\d:' THEN word::timestamptz IS NOT NULL ELSE false END;
  END CASE;
EXCEPTION WHEN data_exception THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._fits_type(jsonb, text) IS 'Whether a value is of the type that a field asks for: numbers as numbers, days as yyyy-mm-dd.';

CREATE FUNCTION crm._fill(item crm.workflow_item, transition text, given jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  what CONSTANT text := CASE WHEN _fill.transition IS NULL THEN 'opening' ELSE format('transition "%s"', _fill.transition) END;
  filled CONSTANT jsonb := jsonb_strip_nulls(item.data || coalesce(given, '{}'));
  f crm.workflow_field;
  key text;
BEGIN
  IF jsonb_typeof(given) <> 'object' THEN
    RAISE EXCEPTION 'data of an item must be an object, not %', jsonb_typeof(given) USING ERRCODE = 'invalid_parameter_value';
  ELSIF pg_column_size(filled) > 1000000 THEN
    RAISE EXCEPTION 'data of an item is longer than 1000000 bytes' USING ERRCODE = 'program_limit_exceeded';
  END IF;
  SELECT k INTO key FROM jsonb_object_keys(given) k
  WHERE NOT EXISTS (SELECT FROM crm.workflow_field x
                    WHERE x.workflow = item.workflow AND x.version = item.version AND x.transition IS NOT DISTINCT FROM _fill.transition AND x.field = k)
  ORDER BY 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% of workflow "%" has no field "%"', what, item.workflow, left(key, 100)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = coalesce((SELECT 'Its fields are ' || string_agg(x.field, ', ' ORDER BY x.place) || '.' FROM crm.workflow_field x
                             WHERE x.workflow = item.workflow AND x.version = item.version AND x.transition IS NOT DISTINCT FROM _fill.transition), 'It has no fields.');
  END IF;
  FOR f IN SELECT * FROM crm.workflow_field x
           WHERE x.workflow = item.workflow AND x.version = item.version AND x.transition IS NOT DISTINCT FROM _fill.transition ORDER BY x.place LOOP
    IF f.required AND (NOT filled ? f.field OR f.type = 'text' AND btrim(filled ->> f.field) = '') THEN
      RAISE EXCEPTION '% needs field "%"', what, f.field
        USING ERRCODE = 'not_null_violation', HINT = format('Give it in the data, as %s.', f.type);
    ELSIF given ? f.field AND jsonb_typeof(given -> f.field) <> 'null'
          AND NOT (crm._fits_type(given -> f.field, f.type) AND coalesce(given ->> f.field = ANY (f.options), true)) THEN
      RAISE EXCEPTION 'field "%" of % cannot be %', f.field, what, left((given -> f.field)::text, 100)
        USING ERRCODE = 'invalid_parameter_value',
              HINT = CASE WHEN f.options IS NOT NULL THEN format('It is one of %s.', array_to_string(f.options, ', ')) ELSE format('Its type is %s.', f.type) END;
    END IF;
  END LOOP;
  RETURN filled;
END
$$;
COMMENT ON FUNCTION crm._fill(crm.workflow_item, text, jsonb) IS
  'The data of an item with what is given at a transition, or at the opening (NULL); null takes a field away. Errors: 22023 no such field or another type, 23502 a field that must be filled, 54000 too long.';
REVOKE ALL ON FUNCTION crm._fill(crm.workflow_item, text, jsonb) FROM PUBLIC;
