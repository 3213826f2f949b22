-- book: fields verified and corrected at claims, servicing and contacts

CREATE FUNCTION crm._check_place(customer_id bigint, field text, staff_id bigint) RETURNS crm.completeness_field
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  f crm.completeness_field;
BEGIN
  PERFORM crm._act_for((crm._staff_in_post(_check_place.staff_id, crm._business_day(clock_timestamp()))).id);
  SELECT * INTO f FROM crm.completeness_field x WHERE x.code = _check_place.field;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'field "%" is not known', _check_place.field
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.completeness_field lists the fields.';
  END IF;
  PERFORM crm._lock_customer(_check_place.customer_id);
  RETURN f;
END
$$;
COMMENT ON FUNCTION crm._check_place(bigint, text, bigint) IS 'The field that a member of staff is about to check, the customer locked.';
REVOKE ALL ON FUNCTION crm._check_place(bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION crm.verify_field(customer_id bigint, field text, staff_id bigint, occasion text, outcome text DEFAULT 'right', reference text DEFAULT NULL, note text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
DECLARE
  f CONSTANT crm.completeness_field := crm._check_place(verify_field.customer_id, verify_field.field, verify_field.staff_id);
  filled boolean;
  check_id bigint;
BEGIN
  IF verify_field.outcome IS NULL OR verify_field.outcome NOT IN ('right', 'none') THEN
    RAISE EXCEPTION 'outcome "%" is not known', verify_field.outcome
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Outcomes are right and none; corrections are made by crm.correct_field().';
  END IF;
  SELECT (x.filled >> f.bit) & 1 = 1 INTO filled FROM crm._filled x WHERE x.customer_id = verify_field.customer_id;
  IF verify_field.outcome = 'right' AND NOT filled THEN
    RAISE EXCEPTION 'customer "%" has no % to be right', verify_field.customer_id, f.name
      USING ERRCODE = 'check_violation', HINT = 'Fill it by crm.correct_field(), or verify that there is none.';
  ELSIF verify_field.outcome = 'none' AND filled
        AND coalesce((SELECT c.outcome FROM crm.field_check c WHERE c.customer_id = verify_field.customer_id AND c.field = f.code ORDER BY c.id DESC LIMIT 1), '') <> 'none' THEN
    RAISE EXCEPTION 'customer "%" has %', verify_field.customer_id, f.name
      USING ERRCODE = 'check_violation', HINT = 'Clear it first by crm.correct_field() with NULL, or end the rows it is found in.';
  END IF;
  INSERT INTO crm.field_check (customer_id, field, outcome, occasion, reference, staff_id, note, checked_on)
  VALUES (verify_field.customer_id, f.code, verify_field.outcome, verify_field.occasion, verify_field.reference, verify_field.staff_id, verify_field.note,
          crm._business_day(clock_timestamp()))
  RETURNING id INTO check_id;
  RETURN check_id;
END
$$;
COMMENT ON FUNCTION crm.verify_field(bigint, text, bigint, text, text, text, text) IS
  'Records that a member of staff has just verified a field of a customer, on the occasion of claim, servicing, contact, return_call, visit, application, review or other: it is right, or there is none (no debts, no cover elsewhere), which counts as filled until the next check of the field. Returns the key within the customer. Errors: 22023 unknown field or outcome, 23514 unknown occasion, nothing there to be right, or something there where none is said; 23503, 22004, 55000 and 42501 as crm.record_contact().';
REVOKE ALL ON FUNCTION crm.verify_field(bigint, text, bigint, text, text, text, text) FROM PUBLIC;

CREATE FUNCTION crm._correct_contact_point(customer_id bigint, kinds text[], value text, replaces text, occasion text, day date, OUT old_value text, OUT new_value text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  this_kind text;
  n integer := 0;
BEGIN
  IF replaces IS NOT NULL THEN
    UPDATE crm.contact_point p SET wrong = true
    WHERE p.customer_id = _correct_contact_point.customer_id AND p.kind = ANY (kinds)
      AND (p.value = replaces OR p.kind IN ('mobile', 'phone', 'fax') AND crm.phone_digits(p.value) = crm.phone_digits(replaces))
    RETURNING p.value INTO old_value;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'customer "%" has no contact point "%"', customer_id, replaces
        USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.contact_point lists them.';
    END IF;
  END IF;
  IF value IS NULL THEN
    RETURN;
  END IF;
  FOREACH this_kind IN ARRAY kinds LOOP
    n := n + 1;
    BEGIN
      new_value := CASE this_kind WHEN 'mobile' THEN value::crm.mobile::text ELSE btrim(value, E' \t\n\r\u3000') END;
      UPDATE crm.contact_point p SET wrong = false, verified_on = day, verified_source = occasion
      WHERE p.customer_id = _correct_contact_point.customer_id AND p.kind = this_kind AND p.value = new_value;
      IF NOT FOUND THEN
        INSERT INTO crm.contact_point (customer_id, kind, value, source, verified_on, verified_source)
        VALUES (_correct_contact_point.customer_id, this_kind, new_value, occasion, day, occasion);
      END IF;
      RETURN;
    EXCEPTION WHEN invalid_text_representation THEN
      IF n = cardinality(kinds) THEN
        RAISE;
      END IF;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._correct_contact_point(bigint, text[], text, text, text, date) IS 'Marks a contact point as wrong and adds the right one.';
REVOKE ALL ON FUNCTION crm._correct_contact_point(bigint, text[], text, text, text, date) FROM PUBLIC;

CREATE FUNCTION crm.correct_field(customer_id bigint, field text, value text, staff_id bigint, occasion text, reference text DEFAULT NULL, replaces text DEFAULT NULL, note text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  f CONSTANT crm.completeness_field := crm._check_place(correct_field.customer_id, correct_field.field, correct_field.staff_id);
  day CONSTANT date := crm._business_day(clock_timestamp());
  target text;
  item text;
  kinds text[];
  old_value text;
  new_value text;
  outcome text;
  check_id bigint;
BEGIN
  IF btrim(correct_field.value) = '' THEN
    RAISE EXCEPTION 'the value of a correction is blank'
      USING ERRCODE = 'check_violation', HINT = 'Give NULL to clear the field.';
  END IF;
  SELECT s.source, s.item INTO target, item
  FROM unnest(f.found_in) WITH ORDINALITY p (place, n) JOIN crm.field_source s ON s.correctable AND p.place IN (s.source || '.' || s.item, s.source || '.*')
  ORDER BY p.n, s.item LIMIT 1;
  IF target IS NULL THEN
    RAISE EXCEPTION 'field "%" is kept in rows of its own', f.code
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Write them where they stand: %s. Then verify the field.', array_to_string(f.found_in, ', '));
  ELSIF correct_field.replaces IS NOT NULL AND target <> 'contact_point' THEN
    RAISE EXCEPTION 'field "%" has one value', f.code
      USING ERRCODE = 'invalid_parameter_value', HINT = 'What is replaced is said of contact points only.';
  END IF;

  -- source and item come from crm.field_source, never from the caller
  IF target = 'contact_point' THEN
    IF num_nonnulls(correct_field.value, correct_field.replaces) = 0 THEN
      RAISE EXCEPTION 'neither value nor replaced value given' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    kinds := ARRAY(SELECT s.item FROM unnest(f.found_in) WITH ORDINALITY p (place, n)
                   JOIN crm.field_source s ON s.source = 'contact_point' AND p.place IN (s.source || '.' || s.item, s.source || '.*') ORDER BY p.n, s.item);
    SELECT c.old_value, c.new_value INTO old_value, new_value
    FROM crm._correct_contact_point(correct_field.customer_id, kinds, correct_field.value, correct_field.replaces, correct_field.occasion, day) c;
  ELSE
    EXECUTE format('SELECT t.%I::text FROM crm.%I t WHERE t.%I = $1', item, target, CASE target WHEN 'customer' THEN 'id' ELSE 'customer_id' END)
    INTO old_value USING correct_field.customer_id;
    IF target = 'customer' THEN
      EXECUTE format('UPDATE crm.customer t SET %I = %L WHERE t.id = $1 RETURNING t.%1$I::text', item, correct_field.value)
      INTO new_value USING correct_field.customer_id;
    ELSE
      EXECUTE format('INSERT INTO crm.profile AS t (customer_id, %I) VALUES ($1, %L) ON CONFLICT (customer_id) DO UPDATE SET %1$I = excluded.%1$I RETURNING t.%1$I::text', item, correct_field.value)
      INTO new_value USING correct_field.customer_id;
    END IF;
  END IF;
  IF new_value = old_value THEN
    new_value := NULL;
    old_value := NULL;
    outcome := 'right';
  ELSE
    outcome := CASE WHEN new_value IS NULL THEN 'cleared' ELSE 'corrected' END;
  END IF;
  INSERT INTO crm.field_check (customer_id, field, outcome, occasion, reference, staff_id, old_value, new_value, note, checked_on)
  VALUES (correct_field.customer_id, f.code, outcome, correct_field.occasion, correct_field.reference,
          correct_field.staff_id, old_value, new_value, correct_field.note, day)
  RETURNING id INTO check_id;
  RETURN check_id;
END
$$;
COMMENT ON FUNCTION crm.correct_field(bigint, text, text, bigint, text, text, text, text) IS
  'A member of staff corrects a field of a customer, or fills it, on an occasion as in crm.verify_field(); NULL clears it, and what stands there already is verified. The first place of the field that is a column or a contact point is written; of contact points, replaces is the one that proved wrong. Old and new value stand in crm.field_check and crm.customer_change. Returns the key of the check within the customer. Errors: 22023 unknown field, one kept in rows of its own or nothing to replace, 22P02, 22007, 23503 or 23514 for a value that does not fit or an unknown occasion; 23503, 22004, 55000 and 42501 as crm.record_contact().';
REVOKE ALL ON FUNCTION crm.correct_field(bigint, text, text, bigint, text, text, text, text) FROM PUBLIC;

CREATE VIEW crm._field_verified AS
SELECT DISTINCT ON (v.customer_id, v.field) v.customer_id, v.field, v.verified_on, v.source, v.staff_id
FROM (
  SELECT c.customer_id, c.field, c.checked_on AS verified_on, c.occasion AS source, c.staff_id, 0 AS place, c.id
  FROM crm.field_check c WHERE c.outcome <> 'cleared'
  UNION ALL
  SELECT p.customer_id, f.code, p.verified_on, p.verified_source, NULL, 1, p.id
  FROM crm.contact_point p JOIN crm.completeness_field f ON f.found_in && ARRAY['contact_point.' || p.kind, 'contact_point.*']
  WHERE p.verified_on IS NOT NULL AND NOT p.wrong
  UNION ALL
  SELECT p.customer_id, f.code, p.verified_on, p.verified_source, NULL, 2, 0
  FROM crm.profile p
  CROSS JOIN LATERAL pg_catalog.jsonb_each(pg_catalog.to_jsonb(p)) j (item, value)
  JOIN crm.completeness_field f ON f.found_in && ARRAY['profile.' || j.item, 'profile.*']
  WHERE p.verified_on IS NOT NULL AND j.value <> 'null' AND EXISTS (SELECT FROM crm.field_source s WHERE s.source = 'profile' AND s.item = j.item)
  UNION ALL
  SELECT r.customer_id, f.code, r.verified_on, 'relation', NULL, 3, r.id
  FROM crm.relation r JOIN crm.relation_kind k ON k.code = r.kind JOIN crm.completeness_field f ON f.found_in && ARRAY['relation.' || k.inverse, 'relation.*']
  WHERE r.verified_on IS NOT NULL
  UNION ALL
  SELECT r.other_id, f.code, r.verified_on, 'relation', NULL, 3, r.id
  FROM crm.relation r JOIN crm.completeness_field f ON f.found_in && ARRAY['relation.' || r.kind, 'relation.*']
  WHERE r.verified_on IS NOT NULL
  UNION ALL
  SELECT a.customer_id, f.code, a.verified_on, a.source, NULL, 4, a.id
  FROM crm.asset a JOIN crm.completeness_field f ON f.found_in && '{asset.any,asset.*}'::text[] WHERE a.verified_on IS NOT NULL
  UNION ALL
  SELECT b.customer_id, f.code, b.verified_on, b.source, NULL, 5, b.id
  FROM crm.debt b JOIN crm.completeness_field f ON f.found_in && '{debt.any,debt.*}'::text[] WHERE b.verified_on IS NOT NULL
  UNION ALL
  SELECT e.customer_id, f.code, e.verified_on, e.source, NULL, 6, e.id
  FROM crm.cover_elsewhere e JOIN crm.completeness_field f ON f.found_in && '{cover_elsewhere.any,cover_elsewhere.*}'::text[] WHERE e.verified_on IS NOT NULL) v
WHERE v.verified_on <= (SELECT crm.today())
ORDER BY v.customer_id, v.field, v.verified_on DESC, v.place, v.id DESC;
COMMENT ON VIEW crm._field_verified IS 'The last verification up to today of each field of a customer that was ever verified; of one day the check counts, then the table in the order of the view.';

GRANT SELECT ON crm._field_verified TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.verify_field(bigint, text, bigint, text, text, text, text)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.correct_field(bigint, text, text, bigint, text, text, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.verify_field(bigint, text, bigint, text, text, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.correct_field(bigint, text, text, bigint, text, text, text, text)');
