-- base: definitions of workflows: what is wrong with one, and taking it in

CREATE FUNCTION crm._texts(value jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE pg_catalog.jsonb_typeof(_texts.value)
           WHEN 'array' THEN ARRAY(SELECT e FROM pg_catalog.jsonb_array_elements_text(_texts.value) WITH ORDINALITY x (e, n) ORDER BY n)
           WHEN 'string' THEN ARRAY[_texts.value #>> '{}'] ELSE '{}' END;
END;
COMMENT ON FUNCTION crm._texts(jsonb) IS 'A text or an array of texts as an array.';

CREATE FUNCTION crm._object_faults(value jsonb, label text, required text[], keys jsonb) RETURNS SETOF text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k text;
  v jsonb;
  fit boolean;
BEGIN
  IF jsonb_typeof(value) IS DISTINCT FROM 'object' THEN
    RETURN NEXT label || ' is not an object';
    RETURN;
  END IF;
  FOREACH k IN ARRAY required LOOP
    IF NOT value ? k THEN
      RETURN NEXT format('%s has no "%s"', label, k);
    END IF;
  END LOOP;
  FOR k, v IN SELECT * FROM jsonb_each(value) ORDER BY 1 LOOP
    IF NOT keys ? k THEN
      RETURN NEXT format('%s has an unknown key "%s"', label, left(k, 100));
      CONTINUE;
    END IF;
    fit := CASE keys ->> k
      WHEN 'code' THEN jsonb_typeof(v) = 'string' AND v #>> '{}' ~ '^[a-z][a-z0-9_]{0,59}$'
      WHEN 'text' THEN jsonb_typeof(v) = 'string' AND length(btrim(v #>> '{}')) BETWEEN 1 AND 200
      WHEN 'boolean' THEN jsonb_typeof(v) = 'boolean'
      WHEN 'hours' THEN CASE WHEN jsonb_typeof(v) = 'number' THEN (v #>> '{}')::numeric BETWEEN 0.01 AND 10000 ELSE false END
      WHEN 'texts' THEN jsonb_typeof(v) = 'string'
        OR CASE WHEN jsonb_typeof(v) = 'array' THEN jsonb_array_length(v) <= 200
                  AND NOT EXISTS (SELECT FROM jsonb_array_elements(v) e WHERE jsonb_typeof(e) <> 'string')
                  AND (SELECT count(DISTINCT e) = count(*) FROM jsonb_array_elements(v) e) ELSE false END
      ELSE jsonb_typeof(v) = keys ->> k END;
    IF NOT fit THEN
      RETURN NEXT format('"%s" of %s is not %s', k, label, CASE keys ->> k
        WHEN 'code' THEN 'a name of small letters, digits and underscores' WHEN 'text' THEN 'a text of 1 to 200 characters' WHEN 'boolean' THEN 'true or false'
        WHEN 'hours' THEN 'a number of hours from 0.01 to 10000' WHEN 'texts' THEN 'a text or an array of different texts'
        WHEN 'array' THEN 'an array' WHEN 'number' THEN 'a number' ELSE 'an object' END);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._object_faults(jsonb, text, text[], jsonb) IS 'What is wrong with the form of an object: keys missing or not known, values of another kind.';

CREATE FUNCTION crm._field_faults(fields jsonb, label text) RETURNS SETOF text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k text;
  v jsonb;
  type text;
BEGIN
  IF (SELECT count(*) > 100 FROM jsonb_object_keys(fields)) THEN
    RETURN NEXT label || ' has more than 100 fields';
    RETURN;
  END IF;
  FOR k, v IN SELECT * FROM jsonb_each(fields) ORDER BY 1 LOOP
    IF k !~ '^[a-z][a-z0-9_]{0,59}$' THEN
      RETURN NEXT format('field "%s" of %s is not a name of small letters, digits and underscores', left(k, 100), label);
    END IF;
    IF jsonb_typeof(v) = 'object' THEN
      RETURN QUERY SELECT * FROM crm._object_faults(v, format('field "%s" of %s', left(k, 100), label), '{type}', '{"type": "code", "required": "boolean", "options": "texts"}');
      IF v ? 'options' AND v ->> 'type' <> 'text' THEN
        RETURN NEXT format('field "%s" of %s has options but is not a text', left(k, 100), label);
      END IF;
    ELSIF jsonb_typeof(v) <> 'string' THEN
      RETURN NEXT format('field "%s" of %s has no type', left(k, 100), label);
    END IF;
    type := CASE jsonb_typeof(v) WHEN 'object' THEN v ->> 'type' WHEN 'string' THEN v #>> '{}' END;
    IF type NOT IN ('text', 'integer', 'bigint', 'numeric', 'date', 'timestamptz', 'boolean') THEN
      RETURN NEXT format('field "%s" of %s has an unknown type "%s"', left(k, 100), label, left(type, 100));
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._field_faults(jsonb, text) IS 'What is wrong with the fields of a transition or opening.';

CREATE FUNCTION crm._person_fault(rule text, allowed text[], fields text[], subject text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind CONSTANT text := split_part(rule, ':', 1);
  what CONSTANT text := substr(rule, length(kind) + 2);
BEGIN
  RETURN CASE
    WHEN kind <> ALL (allowed) OR (kind IN ('duty', 'above', 'field')) <> (strpos(rule, ':') > 0) THEN format('names "%s"', left(rule, 100))
    WHEN kind IN ('duty', 'above') AND NOT EXISTS (SELECT FROM crm.position_kind k WHERE k.duty = what) THEN format('names an unknown duty "%s"', left(what, 100))
    WHEN kind = 'field' AND what <> ALL (fields) THEN format('names a field "%s" that no opening or transition fills as bigint', left(what, 100))
    WHEN kind = 'holder' AND subject <> 'customer' THEN 'names the holder, though the subject is no customer' END;
END
$$;
COMMENT ON FUNCTION crm._person_fault(text, text[], text[], text) IS 'What is wrong with a word that says who may do something; NULL: nothing.';

CREATE FUNCTION crm.workflow_faults(definition jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  d jsonb;
  faults text[];
  subject text;
  staff_fields text[];
BEGIN
  IF definition IS NULL THEN
    RETURN NEXT 'the definition is null';
    RETURN;
  ELSIF pg_column_size(definition) > 1000000 THEN
    RETURN NEXT 'the definition has more than 1000000 bytes';
    RETURN;
  END IF;
  d := jsonb_strip_nulls(definition);

  -- the form; what follows trusts it
  faults := ARRAY(SELECT * FROM crm._object_faults(d, 'the definition', '{states,transitions}',
    '{"name": "text", "name_zh": "text", "subject": "code", "one_per_subject": "boolean", "open_by": "texts", "assign_by": "texts", "fields": "object", "states": "array", "transitions": "array"}'));
  IF faults = '{}' THEN
    faults := CASE WHEN jsonb_array_length(d -> 'states') > 200 THEN ARRAY['the definition has more than 200 states']
                   WHEN jsonb_array_length(d -> 'transitions') > 1000 THEN ARRAY['the definition has more than 1000 transitions']
                   WHEN jsonb_array_length(d -> 'states') = 0 THEN ARRAY['the definition has no state'] ELSE '{}' END;
  END IF;
  IF faults = '{}' THEN
    faults := ARRAY(
      SELECT f.* FROM jsonb_array_elements(d -> 'states') WITH ORDINALITY s (o, n),
        crm._object_faults(s.o, coalesce('state "' || left(s.o ->> 'state', 60) || '"', 'state ' || s.n), '{state}',
          '{"state": "code", "name": "text", "name_zh": "text", "initial": "boolean", "final": "boolean", "limit_hours": "hours", "responsible": "text", "action": "code"}') f
      UNION ALL
      SELECT f.* FROM jsonb_array_elements(d -> 'transitions') WITH ORDINALITY t (o, n),
        crm._object_faults(t.o, coalesce('transition "' || left(t.o ->> 'transition', 60) || '"', 'transition ' || t.n), '{transition,from,to,by}',
          '{"transition": "code", "name": "text", "name_zh": "text", "from": "texts", "to": "code", "by": "texts", "not_by": "texts", "reason_required": "boolean", "fields": "object"}') f
      LIMIT 100);
  END IF;
  IF faults <> '{}' THEN
    RETURN QUERY SELECT u FROM unnest(faults) u;
    RETURN;
  END IF;
  faults := ARRAY(
    SELECT f.* FROM crm._field_faults(coalesce(d -> 'fields', '{}'), 'the opening') f
    UNION ALL
    SELECT f.* FROM jsonb_array_elements(d -> 'transitions') t, crm._field_faults(coalesce(t -> 'fields', '{}'), format('transition "%s"', t ->> 'transition')) f
    LIMIT 100);

  subject := coalesce(d ->> 'subject', 'subject');
  SELECT array_agg(x.field) FILTER (WHERE x.types = '{bigint}'),
         faults || coalesce(array_agg(format('field "%s" has several types', left(x.field, 100)) ORDER BY x.field) FILTER (WHERE cardinality(x.types) > 1), '{}')
  INTO staff_fields, faults
  FROM (SELECT f.key AS field, array_agg(DISTINCT coalesce(f.value ->> 'type', f.value #>> '{}')) AS types
        FROM (SELECT d -> 'fields' AS fields UNION ALL SELECT t -> 'fields' FROM jsonb_array_elements(d -> 'transitions') t) x, jsonb_each(x.fields) f
        GROUP BY f.key) x;
  staff_fields := coalesce(staff_fields, '{}');
  RETURN QUERY
  WITH RECURSIVE state AS (
    SELECT s.o ->> 'state' AS state, coalesce((s.o ->> 'initial')::boolean, false) AS initial, coalesce((s.o ->> 'final')::boolean, false) AS final,
           s.o ->> 'responsible' AS responsible, s.o ->> 'action' AS action, s.o ? 'limit_hours' AS limited, s.n
    FROM jsonb_array_elements(d -> 'states') WITH ORDINALITY s (o, n)),
  transition AS (
    SELECT t.o ->> 'transition' AS transition, crm._texts(t.o -> 'from') AS sources, t.o ->> 'to' AS target, crm._texts(t.o -> 'by') AS by,
           crm._texts(t.o -> 'not_by') AS not_by, t.n
    FROM jsonb_array_elements(d -> 'transitions') WITH ORDINALITY t (o, n)),
  step AS (SELECT DISTINCT f.source, t.target FROM transition t, unnest(t.sources) f (source)),
  reached AS (
    SELECT s.state FROM state s WHERE s.initial
    UNION SELECT p.target FROM reached r JOIN step p ON p.source = r.state),
  ending AS (
    SELECT s.state FROM state s WHERE s.final
    UNION SELECT p.source FROM ending e JOIN step p ON p.target = e.state)
  SELECT u FROM unnest(faults) u
  UNION ALL (SELECT format('state "%s" is named twice', s.state) FROM state s GROUP BY s.state HAVING count(*) > 1 ORDER BY 1)
  UNION ALL (SELECT format('transition "%s" is named twice', t.transition) FROM transition t GROUP BY t.transition HAVING count(*) > 1 ORDER BY 1)
  UNION ALL SELECT 'no state is initial' FROM state s HAVING NOT bool_or(s.initial)
  UNION ALL SELECT format('several states are initial: %s', string_agg(format('"%s"', s.state), ', ' ORDER BY s.n)) FROM state s WHERE s.initial HAVING count(*) > 1
  UNION ALL SELECT 'no state is final' FROM state s HAVING NOT bool_or(s.final)
  UNION ALL (SELECT format('state "%s" is both initial and final', s.state) FROM state s WHERE s.initial AND s.final ORDER BY s.n)
  UNION ALL (SELECT format('final state "%s" has a time limit', s.state) FROM state s WHERE s.final AND s.limited ORDER BY s.n)
  UNION ALL (SELECT format('final state "%s" has somebody responsible', s.state) FROM state s WHERE s.final AND s.responsible IS NOT NULL ORDER BY s.n)
  UNION ALL (SELECT format('transition "%s" begins nowhere', t.transition) FROM transition t WHERE t.sources = '{}' ORDER BY t.n)
  UNION ALL (SELECT format('transition "%s" begins at an unknown state "%s"', t.transition, left(f, 100)) FROM transition t, unnest(t.sources) f
             WHERE f NOT IN (SELECT s.state FROM state s) ORDER BY t.n, f)
  UNION ALL (SELECT format('transition "%s" leads to an unknown state "%s"', t.transition, t.target) FROM transition t
             WHERE t.target NOT IN (SELECT s.state FROM state s) ORDER BY t.n)
  UNION ALL (SELECT format('transition "%s" begins at the final state "%s"', t.transition, f) FROM transition t, unnest(t.sources) f
             WHERE f IN (SELECT s.state FROM state s WHERE s.final) ORDER BY t.n, f)
  UNION ALL (SELECT format('state "%s" cannot be reached', s.state) FROM state s
             WHERE s.state NOT IN (SELECT r.state FROM reached r) AND EXISTS (SELECT FROM state i WHERE i.initial) ORDER BY s.n)
  UNION ALL (SELECT format('from state "%s" there is no way to a final state', s.state) FROM state s
             WHERE s.state NOT IN (SELECT e.state FROM ending e) AND EXISTS (SELECT FROM state f WHERE f.final) ORDER BY s.n)
  UNION ALL (SELECT format('state "%s" has an unknown action "%s"', s.state, s.action) FROM state s
             WHERE s.action IS NOT NULL AND s.action NOT IN (SELECT a.code FROM crm.workflow_action a) ORDER BY s.n)
  UNION ALL (SELECT format('the person responsible for state "%s" %s', s.state, p) FROM state s,
               crm._person_fault(s.responsible, '{opener,actor,duty,above,field}', staff_fields, subject) p WHERE s.responsible IS NOT NULL AND p IS NOT NULL ORDER BY s.n)
  UNION ALL (SELECT format('transition "%s" may be made by nobody', t.transition) FROM transition t WHERE t.by = '{}' ORDER BY t.n)
  UNION ALL (SELECT format('who may make transition "%s" %s', t.transition, p) FROM transition t, unnest(t.by) b,
               crm._person_fault(b, '{anyone,opener,responsible,holder,duty,above,field}', staff_fields, subject) p WHERE p IS NOT NULL ORDER BY t.n, 1)
  UNION ALL (SELECT format('who may not make transition "%s" %s', t.transition, p) FROM transition t, unnest(t.not_by) b,
               crm._person_fault(b, '{opener,responsible,field}', staff_fields, subject) p WHERE p IS NOT NULL AND b NOT IN (SELECT x.transition FROM transition x) ORDER BY t.n, 1)
  UNION ALL (SELECT format('who may open %s', p) FROM unnest(crm._texts(d -> 'open_by')) b,
               crm._person_fault(b, '{anyone,holder,duty,above,field}', staff_fields, subject) p WHERE p IS NOT NULL ORDER BY 1)
  UNION ALL (SELECT format('who may assign %s', p) FROM unnest(crm._texts(d -> 'assign_by')) b,
               crm._person_fault(b, '{anyone,opener,responsible,holder,duty,above,field}', staff_fields, subject) p WHERE p IS NOT NULL ORDER BY 1)
  LIMIT 100;
END
$$;
COMMENT ON FUNCTION crm.workflow_faults(jsonb) IS 'What is wrong with the definition of a workflow, at most 100 faults; no row: it may be given to crm.define_workflow().';
REVOKE ALL ON FUNCTION crm.workflow_faults(jsonb) FROM PUBLIC;

CREATE FUNCTION crm._define_fields(workflow text, version integer, transition text, fields jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO crm.workflow_field (workflow, version, transition, field, place, type, required, options)
  SELECT _define_fields.workflow, _define_fields.version, _define_fields.transition, f.key,
         pg_catalog.row_number() OVER (ORDER BY f.key COLLATE "C"), coalesce(f.value ->> 'type', f.value #>> '{}'),
         coalesce((f.value ->> 'required')::boolean, true), CASE WHEN f.value ? 'options' THEN crm._texts(f.value -> 'options') END
  FROM pg_catalog.jsonb_each(_define_fields.fields) f;
END;
COMMENT ON FUNCTION crm._define_fields(text, integer, text, jsonb) IS 'Writes the fields of a transition or opening.';
REVOKE ALL ON FUNCTION crm._define_fields(text, integer, text, jsonb) FROM PUBLIC;

CREATE FUNCTION crm.define_workflow(code text, definition jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  faults CONSTANT text[] := ARRAY(SELECT * FROM crm.workflow_faults(define_workflow.definition));
  d CONSTANT jsonb := CASE WHEN faults = '{}' THEN jsonb_strip_nulls(define_workflow.definition) END;
  n integer;
  label text;
BEGIN
  IF define_workflow.code IS NULL THEN
    RAISE EXCEPTION 'the workflow must be named' USING ERRCODE = 'null_value_not_allowed';
  ELSIF define_workflow.code !~ '^[a-z][a-z0-9_]{0,59}$' THEN
    RAISE EXCEPTION 'name "%" of a workflow is not of small letters, digits and underscores', left(define_workflow.code, 100) USING ERRCODE = 'invalid_parameter_value';
  ELSIF faults <> '{}' THEN
    RAISE EXCEPTION 'definition of workflow "%" is faulty: %', define_workflow.code, faults[1]
      USING ERRCODE = 'invalid_parameter_value', DETAIL = CASE WHEN cardinality(faults) > 1 THEN left('Also: ' || array_to_string(faults[2:], '; ') || '.', 2000) ELSE '' END,
            HINT = 'crm.workflow_faults() lists all that is wrong with a definition.';
  END IF;

  INSERT INTO crm.workflow (code, version) VALUES (define_workflow.code, 0) ON CONFLICT DO NOTHING;
  SELECT w.version INTO n FROM crm.workflow w WHERE w.code = define_workflow.code FOR UPDATE;
  IF EXISTS (SELECT FROM crm.workflow_version v WHERE v.workflow = define_workflow.code AND v.version = n AND v.definition = d) THEN
    RETURN n;
  END IF;
  n := n + 1;
  label := initcap(replace(define_workflow.code, '_', ' '));
  INSERT INTO crm.workflow_version (workflow, version, name, name_zh, subject, one_per_subject, open_by, assign_by, definition)
  VALUES (define_workflow.code, n, coalesce(d ->> 'name', label), coalesce(d ->> 'name_zh', d ->> 'name', label), coalesce(d ->> 'subject', 'subject'),
          coalesce((d ->> 'one_per_subject')::boolean, false), CASE WHEN d ? 'open_by' THEN crm._texts(d -> 'open_by') ELSE '{anyone}' END,
          CASE WHEN d ? 'assign_by' THEN crm._texts(d -> 'assign_by') ELSE '{responsible,duty:manager}' END, d);
  INSERT INTO crm.workflow_state (workflow, version, state, place, name, name_zh, initial, final, limit_hours, responsible, action)
  SELECT define_workflow.code, n, s.o ->> 'state', s.place, coalesce(s.o ->> 'name', s.o ->> 'state'), coalesce(s.o ->> 'name_zh', s.o ->> 'name', s.o ->> 'state'),
         coalesce((s.o ->> 'initial')::boolean, false), coalesce((s.o ->> 'final')::boolean, false), (s.o ->> 'limit_hours')::numeric, s.o ->> 'responsible', s.o ->> 'action'
  FROM jsonb_array_elements(d -> 'states') WITH ORDINALITY s (o, place);
  INSERT INTO crm.workflow_transition (workflow, version, transition, place, name, name_zh, to_state, made_by, not_made_by, reason_required)
  SELECT define_workflow.code, n, t.o ->> 'transition', t.place, coalesce(t.o ->> 'name', t.o ->> 'transition'),
         coalesce(t.o ->> 'name_zh', t.o ->> 'name', t.o ->> 'transition'), t.o ->> 'to', crm._texts(t.o -> 'by'), crm._texts(t.o -> 'not_by'),
         coalesce((t.o ->> 'reason_required')::boolean, false)
  FROM jsonb_array_elements(d -> 'transitions') WITH ORDINALITY t (o, place);
  INSERT INTO crm.workflow_transition_from (workflow, version, transition, from_state)
  SELECT define_workflow.code, n, t ->> 'transition', f FROM jsonb_array_elements(d -> 'transitions') t, unnest(crm._texts(t -> 'from')) f;
  PERFORM crm._define_fields(define_workflow.code, n, x.transition, x.fields)
  FROM (SELECT NULL AS transition, d -> 'fields' AS fields UNION ALL SELECT t ->> 'transition', t -> 'fields' FROM jsonb_array_elements(d -> 'transitions') t) x
  WHERE x.fields IS NOT NULL;
  UPDATE crm.workflow w SET version = n WHERE w.code = define_workflow.code;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm.define_workflow(text, jsonb) IS
  'Takes in the definition of a workflow and returns its version: a new one, which new items take, or the current one when nothing differs. Errors: 22023 a fault, which the message names, or no name for a workflow; 22004.';
REVOKE ALL ON FUNCTION crm.define_workflow(text, jsonb) FROM PUBLIC;
