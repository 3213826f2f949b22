-- import: single values: what they mean, or what is wrong with them

CREATE FUNCTION crm._try_cast(value text, type text, OUT result text, OUT code text, OUT message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  detail text;
BEGIN
  IF type IN ('date', 'birth') AND value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
    code := '22007';
    message := 'a date is written yyyy-mm-dd';
    RETURN;
  ELSIF type = 'time' AND value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$' THEN
    code := '22007';
    message := 'a time is written yyyy-mm-dd hh:mm:ss';
    RETURN;
  END IF;
  result := CASE type
            WHEN 'date' THEN value::date::text
            WHEN 'birth' THEN value::date::text
            WHEN 'time' THEN
              (CASE WHEN value ~ '(Z|[+-][0-9:]+)$' AND value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND substr(value, 11) ~ '(Z|[+-])'
                    THEN value::timestamptz ELSE value::timestamp AT TIME ZONE crm.setting_value('business_time_zone') END)::text
            WHEN 'money' THEN value::numeric::text
            WHEN 'signed_money' THEN value::numeric::text
            WHEN 'integer' THEN value::integer::text
            WHEN 'resident_id' THEN value::crm.resident_id::text
            WHEN 'mobile' THEN value::crm.mobile::text
            END;
EXCEPTION WHEN data_exception THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := coalesce(nullif(detail, ''), message);
END
$$;
COMMENT ON FUNCTION crm._try_cast(text, text) IS 'A value as a type of crm.import_column writes it, or code and message (the detail where there is one) of the error.';
REVOKE ALL ON FUNCTION crm._try_cast(text, text) FROM PUBLIC;

CREATE FUNCTION crm._try_resident_id(value text) RETURNS crm.resident_id
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN value::crm.resident_id;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._try_resident_id(text) IS 'A resident number, NULL where it is none.';
REVOKE ALL ON FUNCTION crm._try_resident_id(text) FROM PUBLIC;

CREATE FUNCTION crm._try_mobile(value text) RETURNS crm.mobile
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN value::crm.mobile;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._try_mobile(text) IS 'A mobile number, NULL where it is none.';
REVOKE ALL ON FUNCTION crm._try_mobile(text) FROM PUBLIC;

CREATE FUNCTION crm._import_parsed(type text, value text, choices text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.format(CASE
    WHEN type IN ('key', 'text') THEN 'CASE WHEN %1$s !~ ''[\x01-\x1f\x7f\ufffd\ufeff]'' THEN %1$s END'
    WHEN type = 'note' THEN 'CASE WHEN %1$s !~ ''[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ufeff]'' THEN %1$s END'
    WHEN type = 'choice' THEN 'CASE WHEN %1$s = ANY (%2$L::text[]) THEN %1$s END'
    WHEN type = 'boolean' THEN
      'CASE WHEN lower(%1$s) IN (''true'', ''t'', ''yes'', ''y'', ''1'') THEN true WHEN lower(%1$s) IN (''false'', ''f'', ''no'', ''n'', ''0'') THEN false END'
    -- what needs no trial is cast at once
    WHEN type IN ('date', 'birth') THEN
      'CASE WHEN %1$s ~ ''^(1[89]|2[01])[0-9][0-9]-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$'' THEN %1$s::date WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''date'')).result::date END'
    WHEN type = 'time' THEN 'CASE WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''time'')).result::timestamptz END'
    WHEN type = 'money' THEN
      'CASE WHEN %1$s ~ ''^[0-9]{1,13}([.][0-9]{1,2})?$'' THEN %1$s::numeric WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''money'')).result::numeric END'
    WHEN type = 'signed_money' THEN
      'CASE WHEN %1$s ~ ''^-?[0-9]{1,13}([.][0-9]{1,2})?$'' THEN %1$s::numeric WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''signed_money'')).result::numeric END'
    WHEN type = 'integer' THEN
      'CASE WHEN %1$s ~ ''^[0-9]{1,9}$'' THEN %1$s::integer WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''integer'')).result::integer END'
    WHEN type = 'resident_id' THEN 'crm._try_resident_id(%1$s)'
    WHEN type = 'mobile' THEN 'crm._try_mobile(%1$s)'
    END, value, choices);
END;
COMMENT ON FUNCTION crm._import_parsed(text, text, text[]) IS 'Expression for what a value means, NULL where it means nothing.';
REVOKE ALL ON FUNCTION crm._import_parsed(text, text, text[]) FROM PUBLIC;

CREATE FUNCTION crm._import_within(type text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.format(CASE type
    WHEN 'key' THEN 'length(%1$s) <= 200'
    WHEN 'text' THEN 'length(%1$s) <= 1000'
    WHEN 'note' THEN 'length(%1$s) <= 100000'
    WHEN 'date' THEN '%1$s BETWEEN ''1900-01-01'' AND ''2199-12-31'''
    WHEN 'birth' THEN '%1$s BETWEEN ''1800-01-01'' AND ''2199-12-31'''
    WHEN 'time' THEN '(%1$s >= ''1900-01-01 00:00:00+00'' AND %1$s < ''2200-01-01 00:00:00+00'')'
    WHEN 'money' THEN '(%1$s >= 0 AND %1$s < 1e13 AND %1$s = round(%1$s, 2))'
    WHEN 'signed_money' THEN '(%1$s > -1e13 AND %1$s < 1e13 AND %1$s = round(%1$s, 2))'
    ELSE 'true' END, value);
END;
COMMENT ON FUNCTION crm._import_within(text, text) IS 'Condition that a parsed value lies within the bounds of its type.';
REVOKE ALL ON FUNCTION crm._import_within(text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_fault(type text, value text, choices text[], refers text, OUT code text, OUT message text, OUT hint text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tried record;
BEGIN
  IF value IS NULL THEN
    code := '23502';
    message := 'a value is needed';
    hint := 'Fill the column.';
    RETURN;
  END IF;
  hint := CASE type
    WHEN 'date' THEN 'Write a day that there is, such as 2024-03-05.'
    WHEN 'birth' THEN 'Write a day that there is, such as 1990-03-05.'
    WHEN 'time' THEN 'Write 2024-03-05 14:30:00, in the time zone of the company or with an offset such as +08.'
    WHEN 'money' THEN 'Write digits and a point, such as 1234.50, without sign, separators or currency.'
    WHEN 'signed_money' THEN 'Write digits and a point, such as -1234.50, without separators or currency.'
    WHEN 'integer' THEN 'Write digits only.'
    WHEN 'resident_id' THEN 'Compare with the identity card: 17 digits and a check character.'
    WHEN 'mobile' THEN 'Write 11 digits, beginning with 1.'
    WHEN 'boolean' THEN 'Write true or false.'
    WHEN 'choice' THEN 'Write it as listed, in lower case where the list has it.'
    WHEN 'ref' THEN format('Import the %s, or correct this column.', (SELECT k.noun FROM crm.import_kind k WHERE k.kind = refers))
    ELSE 'Correct the text.' END;
  IF type IN ('date', 'birth', 'time', 'money', 'signed_money', 'integer', 'resident_id', 'mobile') THEN
    tried := crm._try_cast(value, type);
    IF tried.code IS NOT NULL THEN
      code := tried.code;
      message := left(tried.message, 300);
      RETURN;
    END IF;
  END IF;
  CASE type
  WHEN 'date' THEN
    code := '22008';
    message := 'a day lies between 1900-01-01 and 2199-12-31';
  WHEN 'birth' THEN
    code := '22008';
    message := 'a day of birth lies between 1800-01-01 and 2199-12-31';
  WHEN 'time' THEN
    code := '22008';
    message := 'a time lies between 1900 and 2199';
  WHEN 'money' THEN
    code := '22003';
    message := 'an amount is not negative, has at most two decimals and thirteen digits before them';
  WHEN 'signed_money' THEN
    code := '22003';
    message := 'an amount has at most two decimals and thirteen digits before them';
  WHEN 'boolean' THEN
    code := '22P02';
    message := 'must be true or false';
  WHEN 'choice' THEN
    code := '22P02';
    message := 'must be one of ' || array_to_string(choices, ', ');
  WHEN 'ref' THEN
    code := '23503';
    SELECT CASE WHEN k.key_table IS NOT NULL AND value ~ '[\x01-\x1f\x7f\ufffd\ufeff]' THEN '22021'
                WHEN k.key_table IS NOT NULL AND length(value) > 200 THEN '22001' ELSE '23503' END,
           format('there is no %s with this %s', k.noun, CASE WHEN k.key_table IS NOT NULL THEN 'key' WHEN k.kind = 'staff' THEN 'number' ELSE 'code' END)
    INTO code, message FROM crm.import_kind k WHERE k.kind = refers;
    IF code = '22001' THEN
      message := 'a key has at most 200 characters';
    END IF;
  ELSE
    IF value ~ (CASE type WHEN 'note' THEN '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ufeff]' ELSE '[\x01-\x1f\x7f\ufffd\ufeff]' END) THEN
      code := '22021';
    ELSE
      code := '22001';
      message := CASE type WHEN 'key' THEN 'a key has at most 200 characters' WHEN 'note' THEN 'a remark has at most 100000 characters'
                 ELSE 'a text has at most 1000 characters' END;
    END IF;
  END CASE;
  IF code = '22021' THEN
    message := 'contains a control character, or one that was lost when the text was converted';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_fault(text, text, text[], text) IS 'What is wrong with a value that was found not to be of its type, and what to do about it.';
REVOKE ALL ON FUNCTION crm._import_fault(text, text, text[], text) FROM PUBLIC;

CREATE FUNCTION crm._import_clean(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.format('nullif(btrim(%s, E'' \t\r\n\u3000''), '''')', value);
END;
COMMENT ON FUNCTION crm._import_clean(text) IS 'Expression for a value without surrounding blanks, NULL where nothing is left.';
REVOKE ALL ON FUNCTION crm._import_clean(text) FROM PUBLIC;
