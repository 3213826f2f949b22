-- book: arguments that must be given, and name what there is

CREATE FUNCTION crm._require_values(subject text, given json, hint text DEFAULT 'Give each of them a value.') RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  missing text;
BEGIN
  SELECT string_agg(g.key, ', ') INTO missing FROM json_each_text(given) g WHERE g.value IS NULL;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION '% of % must be given', missing, subject USING ERRCODE = 'not_null_violation', HINT = hint;
  END IF;
  SELECT string_agg(g.key, ', ') INTO missing FROM json_each_text(given) g WHERE btrim(g.value) = '';
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION '% of % is blank', missing, subject USING ERRCODE = 'check_violation', HINT = 'Say it in words.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_values(text, json, text) IS 'Whether all values of a row to be written are given. Errors: 23502 some are not, 23514 one is blank.';
REVOKE ALL ON FUNCTION crm._require_values(text, json, text) FROM PUBLIC;

CREATE FUNCTION crm._require_known(kind text, id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted CONSTANT bigint := _require_known.id;
  hint text;
BEGIN
  CASE _require_known.kind
    WHEN 'unit' THEN
      PERFORM FROM crm.organisation o WHERE o.id = wanted;
      hint := 'crm.organisation lists the units.';
    WHEN 'channel' THEN
      PERFORM FROM crm.channel c WHERE c.id = wanted;
      hint := 'crm.channel lists the channels.';
    WHEN 'plan' THEN
      PERFORM FROM crm.plan p WHERE p.id = wanted;
      hint := 'crm_bi.plan shows the plans.';
    WHEN 'target list' THEN
      PERFORM FROM crm.target_list t WHERE t.id = wanted;
      hint := 'crm.freeze_list() makes one.';
    WHEN 'customer' THEN
      PERFORM FROM crm.customer c WHERE c.id = wanted;
      hint := coalesce('The customer was merged into customer ' || crm.customer_of(wanted) || '.', 'crm_bi.customer shows the customers.');
  END CASE;
  IF NOT FOUND AND wanted IS NOT NULL THEN
    RAISE EXCEPTION 'there is no % "%"', _require_known.kind, wanted USING ERRCODE = 'foreign_key_violation', HINT = hint;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_known(text, bigint) IS 'Whether there is such a unit, channel, plan, target list or customer; NULL names none. Errors: 23503.';
REVOKE ALL ON FUNCTION crm._require_known(text, bigint) FROM PUBLIC;

CREATE FUNCTION crm._require_days(first_day date, last_day date) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  strange CONSTANT date := (SELECT d FROM unnest(ARRAY[first_day, last_day]) d WHERE d NOT BETWEEN '1900-01-01' AND '2199-12-31' LIMIT 1);
BEGIN
  IF strange IS NOT NULL THEN
    RAISE EXCEPTION 'day "%" is out of range', strange USING ERRCODE = 'check_violation', HINT = 'Give a day from 1900 to 2199.';
  ELSIF last_day < first_day THEN
    RAISE EXCEPTION 'the last day, %, comes before the first, %', last_day, first_day USING ERRCODE = 'check_violation', HINT = 'Give the first day first.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_days(date, date) IS 'Whether days can be, and in their order. Errors: 23514.';
REVOKE ALL ON FUNCTION crm._require_days(date, date) FROM PUBLIC;
