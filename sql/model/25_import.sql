-- import: staging tables, batches, rejected rows and their resubmission

-- staging -----------------------------------------------------------------

CREATE TABLE crm.import_customer (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  source_key text,
  kind text,
  name text,
  resident_id text,
  birth_date text,
  sex text,
  org_code text,
  org_from text,
  channel_code text,
  known_from text
);
COMMENT ON TABLE crm.import_customer IS 'Customers waiting for CALL crm.import(): the target of COPY. All text, so that no value can stop a COPY; only bytes that are no text in the encoding named, or a wrong number of columns, can. A row stands for the whole customer: an empty optional column clears the value.';
COMMENT ON COLUMN crm.import_customer.row_no IS 'Order in which the rows came; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_customer.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_customer.source_key IS 'Key of the customer in the other system, at most 200 characters.';
COMMENT ON COLUMN crm.import_customer.kind IS 'person or company.';
COMMENT ON COLUMN crm.import_customer.name IS 'Name.';
COMMENT ON COLUMN crm.import_customer.resident_id IS 'Resident identity number; persons only. Gives birth date and sex where these are empty.';
COMMENT ON COLUMN crm.import_customer.birth_date IS 'Date of birth; persons only.';
COMMENT ON COLUMN crm.import_customer.sex IS 'male or female; persons only.';
COMMENT ON COLUMN crm.import_customer.org_code IS 'Code of the unit.';
COMMENT ON COLUMN crm.import_customer.org_from IS 'First day in the unit, for a customer who moved there; empty: from the beginning.';
COMMENT ON COLUMN crm.import_customer.channel_code IS 'Code of the channel that brought the customer.';
COMMENT ON COLUMN crm.import_customer.known_from IS 'First day on which the customer counts as a prospect.';

CREATE TABLE crm.import_policy (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  source_key text,
  customer_key text,
  product_code text,
  channel_code text,
  servicer_code text,
  book text,
  sector_line text,
  issued_on text,
  term_months text,
  matures_on text,
  payment text,
  premium text,
  payments text,
  sum_insured text
);
COMMENT ON TABLE crm.import_policy IS 'Policies waiting for CALL crm.import(): the target of COPY. A row stands for the whole policy: an empty optional column clears the value.';
COMMENT ON COLUMN crm.import_policy.row_no IS 'Order in which the rows came; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_policy.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_policy.source_key IS 'Key of the policy in the other system, at most 200 characters.';
COMMENT ON COLUMN crm.import_policy.customer_key IS 'Key of the policyholder in the other system.';
COMMENT ON COLUMN crm.import_policy.product_code IS 'Code of the product.';
COMMENT ON COLUMN crm.import_policy.channel_code IS 'Code of the channel that sold it.';
COMMENT ON COLUMN crm.import_policy.servicer_code IS 'Staff number of the named servicer, if any.';
COMMENT ON COLUMN crm.import_policy.book IS 'own or legacy; empty: own.';
COMMENT ON COLUMN crm.import_policy.sector_line IS 'Sold through a sector: true or false; empty: false.';
COMMENT ON COLUMN crm.import_policy.issued_on IS 'Day of issue.';
COMMENT ON COLUMN crm.import_policy.term_months IS 'Term at issue in months; empty: for life.';
COMMENT ON COLUMN crm.import_policy.matures_on IS 'First day no longer covered; empty: none.';
COMMENT ON COLUMN crm.import_policy.payment IS 'single, yearly, half_yearly, quarterly or monthly.';
COMMENT ON COLUMN crm.import_policy.premium IS 'Premium of one payment: digits, a point and at most two decimals.';
COMMENT ON COLUMN crm.import_policy.payments IS 'Contractual number of payments, 1 to 1200; empty: unknown.';
COMMENT ON COLUMN crm.import_policy.sum_insured IS 'Sum insured; empty: unknown.';

CREATE TABLE crm.import_insured (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  policy_key text,
  customer_key text
);
COMMENT ON TABLE crm.import_insured IS 'Insured persons of policies, waiting for CALL crm.import(). Import adds insured persons and takes none away.';
COMMENT ON COLUMN crm.import_insured.row_no IS 'Order in which the rows came; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_insured.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_insured.policy_key IS 'Key of the policy in the other system.';
COMMENT ON COLUMN crm.import_insured.customer_key IS 'Key of the insured person in the other system.';

CREATE TABLE crm.import_event (
  row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text,
  policy_key text,
  kind text,
  on_date text,
  reason text
);
COMMENT ON TABLE crm.import_event IS 'Events of policies, waiting for CALL crm.import(). Policy, kind and day identify an event; import adds events, corrects reasons and takes nothing away.';
COMMENT ON COLUMN crm.import_event.row_no IS 'Order in which the rows came, and in which events of one day hold; leave it out of the column list of COPY.';
COMMENT ON COLUMN crm.import_event.source_system IS 'The other system; empty: the one that the next CALL crm.import() names.';
COMMENT ON COLUMN crm.import_event.policy_key IS 'Key of the policy in the other system.';
COMMENT ON COLUMN crm.import_event.kind IS 'lapse, reinstatement or end.';
COMMENT ON COLUMN crm.import_event.on_date IS 'First day on which it holds.';
COMMENT ON COLUMN crm.import_event.reason IS 'Why the policy ended: maturity, surrender, claim, death, cancellation or other; empty for other events.';

-- batches and rejected rows -------------------------------------------------

CREATE TABLE crm.import_source (
  source_system text PRIMARY KEY CHECK (pg_catalog.btrim(source_system) <> ''),
  batches bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE crm.import_source IS 'The systems that were imported from. An import holds the row of its system, so that imports of one system follow each other.';
COMMENT ON COLUMN crm.import_source.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_source.batches IS 'Imports so far.';

CREATE TABLE crm.import_batch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system text NOT NULL REFERENCES crm.import_source,
  by_whom text NOT NULL DEFAULT crm.actor(),
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  finished_at timestamptz,
  read bigint NOT NULL DEFAULT 0,
  accepted bigint NOT NULL DEFAULT 0,
  unchanged bigint NOT NULL DEFAULT 0,
  rejected bigint NOT NULL DEFAULT 0,
  CHECK (read = accepted + unchanged + rejected)
);
COMMENT ON TABLE crm.import_batch IS 'One row for each CALL crm.import(), with what became of the rows: read = accepted + unchanged + rejected.';
COMMENT ON COLUMN crm.import_batch.id IS 'Key.';
COMMENT ON COLUMN crm.import_batch.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_batch.by_whom IS 'Who imported.';
COMMENT ON COLUMN crm.import_batch.started_at IS 'Start.';
COMMENT ON COLUMN crm.import_batch.finished_at IS 'End.';
COMMENT ON COLUMN crm.import_batch.read IS 'Rows taken from the staging tables.';
COMMENT ON COLUMN crm.import_batch.accepted IS 'Rows that made or changed something.';
COMMENT ON COLUMN crm.import_batch.unchanged IS 'Rows that said what the book held already, or what another row of the batch said.';
COMMENT ON COLUMN crm.import_batch.rejected IS 'Rows in crm.import_reject.';
CREATE INDEX ON crm.import_batch (source_system);

CREATE TABLE crm.import_batch_kind (
  batch_id bigint NOT NULL REFERENCES crm.import_batch ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('customer', 'policy', 'insured', 'event')),
  read bigint NOT NULL,
  inserted bigint NOT NULL,
  updated bigint NOT NULL,
  unchanged bigint NOT NULL,
  rejected bigint NOT NULL,
  PRIMARY KEY (batch_id, kind),
  CHECK (read = inserted + updated + unchanged + rejected)
);
COMMENT ON TABLE crm.import_batch_kind IS 'The sums of crm.import_batch by kind of row.';
COMMENT ON COLUMN crm.import_batch_kind.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_batch_kind.kind IS 'customer, policy, insured or event.';
COMMENT ON COLUMN crm.import_batch_kind.read IS 'Rows taken from the staging table.';
COMMENT ON COLUMN crm.import_batch_kind.inserted IS 'Rows that made something new.';
COMMENT ON COLUMN crm.import_batch_kind.updated IS 'Rows that changed something.';
COMMENT ON COLUMN crm.import_batch_kind.unchanged IS 'Rows that changed nothing.';
COMMENT ON COLUMN crm.import_batch_kind.rejected IS 'Rows in crm.import_reject.';

CREATE TABLE crm.import_reject (
  batch_id bigint NOT NULL REFERENCES crm.import_batch ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('customer', 'policy', 'insured', 'event')),
  row_no bigint NOT NULL,
  data jsonb NOT NULL,
  correction jsonb CHECK (pg_catalog.jsonb_typeof(correction) = 'object'),
  resubmitted_at timestamptz,
  PRIMARY KEY (batch_id, kind, row_no)
);
COMMENT ON TABLE crm.import_reject IS 'Rows that an import refused; crm.import_reason tells why. Fill correction, or mend what the row refers to, and call crm.resubmit_import().';
COMMENT ON COLUMN crm.import_reject.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_reject.kind IS 'customer, policy, insured or event.';
COMMENT ON COLUMN crm.import_reject.row_no IS 'Number of the row among those of its kind in the batch: of one copied file, the line after the heading.';
COMMENT ON COLUMN crm.import_reject.data IS 'The row as it came, without surrounding blanks: column and value.';
COMMENT ON COLUMN crm.import_reject.correction IS 'Columns to replace on resubmission, such as {"birth_date": "1990-02-28"}.';
COMMENT ON COLUMN crm.import_reject.resubmitted_at IS 'When the row went back to its staging table.';

CREATE TABLE crm.import_reason (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL,
  kind text NOT NULL,
  row_no bigint NOT NULL,
  column_name text,
  code text NOT NULL,
  message text NOT NULL,
  value text,
  FOREIGN KEY (batch_id, kind, row_no) REFERENCES crm.import_reject ON DELETE CASCADE
);
COMMENT ON TABLE crm.import_reason IS 'Why rows were refused: every reason of every row.';
COMMENT ON COLUMN crm.import_reason.id IS 'Key.';
COMMENT ON COLUMN crm.import_reason.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_reason.kind IS 'customer, policy, insured or event.';
COMMENT ON COLUMN crm.import_reason.row_no IS 'Row of the batch.';
COMMENT ON COLUMN crm.import_reason.column_name IS 'Column of the staging table; NULL where a rule of the whole row is broken.';
COMMENT ON COLUMN crm.import_reason.code IS 'SQLSTATE: 23502 missing, 22021 and 22001 text, 22007 and 22008 dates, 22P02 and 22003 numbers and literals, 23503 not known, 23505 key repeated with different content, 23514 rule; others from constraints and triggers of the tables.';
COMMENT ON COLUMN crm.import_reason.message IS 'What is wrong.';
COMMENT ON COLUMN crm.import_reason.value IS 'The offending value.';
CREATE INDEX ON crm.import_reason (batch_id, kind, row_no);

-- values --------------------------------------------------------------------

CREATE FUNCTION crm._import_columns()
RETURNS TABLE (kind text, nth integer, name text, type text, required boolean, choices text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  VALUES
    ('customer', 1, 'source_key', 'key', true, NULL::text[]),
    ('customer', 2, 'kind', 'choice', true, '{person,company}'),
    ('customer', 3, 'name', 'text', true, NULL),
    ('customer', 4, 'resident_id', 'resident_id', false, NULL),
    ('customer', 5, 'birth_date', 'birth', false, NULL),
    ('customer', 6, 'sex', 'choice', false, '{male,female}'),
    ('customer', 7, 'org_code', 'organisation', true, NULL),
    ('customer', 8, 'org_from', 'date', false, NULL),
    ('customer', 9, 'channel_code', 'channel', true, NULL),
    ('customer', 10, 'known_from', 'date', true, NULL),
    ('policy', 1, 'source_key', 'key', true, NULL),
    ('policy', 2, 'customer_key', 'key', true, NULL),
    ('policy', 3, 'product_code', 'product', true, NULL),
    ('policy', 4, 'channel_code', 'channel', true, NULL),
    ('policy', 5, 'servicer_code', 'staff', false, NULL),
    ('policy', 6, 'book', 'choice', false, '{own,legacy}'),
    ('policy', 7, 'sector_line', 'boolean', false, NULL),
    ('policy', 8, 'issued_on', 'date', true, NULL),
    ('policy', 9, 'term_months', 'count', false, NULL),
    ('policy', 10, 'matures_on', 'date', false, NULL),
    ('policy', 11, 'payment', 'choice', true, '{single,yearly,half_yearly,quarterly,monthly}'),
    ('policy', 12, 'premium', 'money', true, NULL),
    ('policy', 13, 'payments', 'count', false, NULL),
    ('policy', 14, 'sum_insured', 'money', false, NULL),
    ('insured', 1, 'policy_key', 'key', true, NULL),
    ('insured', 2, 'customer_key', 'key', true, NULL),
    ('event', 1, 'policy_key', 'key', true, NULL),
    ('event', 2, 'kind', 'choice', true, '{lapse,reinstatement,end}'),
    ('event', 3, 'on_date', 'date', true, NULL),
    ('event', 4, 'reason', 'choice', false, '{maturity,surrender,claim,death,cancellation,other}');
END;
COMMENT ON FUNCTION crm._import_columns() IS 'The columns of the staging tables and what their values must be.';
REVOKE ALL ON FUNCTION crm._import_columns() FROM PUBLIC;

CREATE FUNCTION crm._try_cast(value text, type regtype, OUT result text, OUT code text, OUT message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  detail text;
BEGIN
  IF type = 'date'::regtype AND value !~ '^([0-9]{4}([-/])[0-9]{1,2}\2[0-9]{1,2}|[0-9]{8})$' THEN
    code := '22007';
    message := 'a date is written yyyy-mm-dd';
    RETURN;
  END IF;
  result := CASE type
            WHEN 'date'::regtype THEN value::date::text
            WHEN 'numeric'::regtype THEN value::numeric::text
            WHEN 'integer'::regtype THEN value::integer::text
            WHEN 'crm.resident_id'::regtype THEN value::crm.resident_id::text
            END;
EXCEPTION WHEN data_exception THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := coalesce(nullif(detail, ''), message);
END
$$;
COMMENT ON FUNCTION crm._try_cast(text, regtype) IS 'A value as type writes it, or code and message (the detail where there is one) of the error. Of the types that import needs, any other gives NULL.';
REVOKE ALL ON FUNCTION crm._try_cast(text, regtype) FROM PUBLIC;

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

CREATE FUNCTION crm._import_fault(type text, value text, choices text[], OUT code text, OUT message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  base constant regtype := CASE type WHEN 'date' THEN 'date' WHEN 'birth' THEN 'date' WHEN 'money' THEN 'numeric' WHEN 'count' THEN 'integer'
                           WHEN 'resident_id' THEN 'crm.resident_id' END;
  tried record;
BEGIN
  IF value IS NULL THEN
    code := '23502';
    message := 'a value is needed';
    RETURN;
  END IF;
  IF base IS NOT NULL THEN
    tried := crm._try_cast(value, base);
    IF tried.code IS NOT NULL THEN
      code := tried.code;
      message := pg_catalog.left(tried.message, 300);
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
  WHEN 'money' THEN
    code := '22003';
    message := 'an amount is not negative, has at most two decimals and thirteen digits before them';
  WHEN 'count' THEN
    code := '22003';
    message := 'a count lies between 1 and 1200';
  WHEN 'boolean' THEN
    code := '22P02';
    message := 'must be true or false';
  WHEN 'choice' THEN
    code := '22P02';
    message := 'must be one of ' || pg_catalog.array_to_string(choices, ', ');
  WHEN 'organisation', 'channel', 'product', 'staff' THEN
    code := '23503';
    message := CASE type WHEN 'organisation' THEN 'there is no unit with this code' WHEN 'channel' THEN 'there is no channel with this code'
               WHEN 'product' THEN 'there is no product with this code' ELSE 'there is no member of staff with this number' END;
  WHEN 'key', 'text' THEN
    IF value ~ '[\x01-\x1f\x7f\ufffd\ufeff]' THEN
      code := '22021';
      message := 'contains a control character, or one that was lost when the text was converted';
    ELSE
      code := '22001';
      message := CASE type WHEN 'key' THEN 'a key has at most 200 characters' ELSE 'a text has at most 1000 characters' END;
    END IF;
  END CASE;
END
$$;
COMMENT ON FUNCTION crm._import_fault(text, text, text[]) IS 'What is wrong with a value that was found not to be of a type of crm._import_columns().';
REVOKE ALL ON FUNCTION crm._import_fault(text, text, text[]) FROM PUBLIC;

-- reading -------------------------------------------------------------------

CREATE FUNCTION crm._import_read(kind text, source_system text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  col record;
  value text;
  within text;
  parsed text;
  wrong text;
  clean constant text := 'nullif(btrim(%s, E'' \t\r\n\u3000''), '''')';
  key_columns constant text := CASE kind WHEN 'customer' THEN 'source_key_' WHEN 'policy' THEN 'source_key_'
                               WHEN 'insured' THEN 'policy_key_, customer_key_' ELSE 'policy_key_, kind_, on_date_' END;
  cleaned text := '';
  columns text := '';
  joins text := '';
  wrongs text := '';
  faults text := '';
  contents text := '';
  n bigint;
BEGIN
  FOR col IN SELECT * FROM crm._import_columns() c WHERE c.kind = _import_read.kind ORDER BY c.nth LOOP
    value := pg_catalog.format('s.%I', col.name);
    parsed := CASE
      WHEN col.type IN ('key', 'text') THEN
        pg_catalog.format('CASE WHEN %1$s !~ ''[\x01-\x1f\x7f\ufffd\ufeff]'' THEN %1$s END', value)
      WHEN col.type = 'choice' THEN
        pg_catalog.format('CASE WHEN %1$s = ANY (%2$L::text[]) THEN %1$s END', value, col.choices)
      WHEN col.type = 'boolean' THEN
        pg_catalog.format('CASE WHEN lower(%1$s) IN (''true'', ''t'', ''yes'', ''y'', ''1'') THEN true WHEN lower(%1$s) IN (''false'', ''f'', ''no'', ''n'', ''0'') THEN false END', value)
      WHEN col.type IN ('date', 'birth') THEN
        pg_catalog.format('CASE WHEN %1$s ~ ''^(1[89]|2[01])[0-9][0-9]-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$'' THEN %1$s::date WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''date'')).result::date END', value)
      WHEN col.type = 'money' THEN
        pg_catalog.format('CASE WHEN %1$s ~ ''^[0-9]{1,13}([.][0-9]{1,2})?$'' THEN %1$s::numeric WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''numeric'')).result::numeric END', value)
      WHEN col.type = 'count' THEN
        pg_catalog.format('CASE WHEN %1$s ~ ''^[0-9]{1,9}$'' THEN %1$s::integer WHEN %1$s IS NOT NULL THEN (crm._try_cast(%1$s, ''integer'')).result::integer END', value)
      WHEN col.type = 'resident_id' THEN
        pg_catalog.format('crm._try_resident_id(%s)', value)
      ELSE pg_catalog.format('%I.id', col.name || '_')
      END;
    IF col.type IN ('organisation', 'channel', 'product', 'staff') THEN
      joins := joins || pg_catalog.format(' LEFT JOIN crm.%I %I ON %2$I.code = %s', col.type, col.name || '_', value);
    END IF;
    within := CASE col.type
      WHEN 'key' THEN 'length(w.%1$I) <= 200'
      WHEN 'text' THEN 'length(w.%1$I) <= 1000'
      WHEN 'date' THEN 'w.%1$I BETWEEN ''1900-01-01'' AND ''2199-12-31'''
      WHEN 'birth' THEN 'w.%1$I BETWEEN ''1800-01-01'' AND ''2199-12-31'''
      WHEN 'money' THEN '(w.%1$I >= 0 AND w.%1$I < 1e13 AND w.%1$I = round(w.%1$I, 2))'
      WHEN 'count' THEN 'w.%1$I BETWEEN 1 AND 1200'
      ELSE 'true' END;
    wrong := CASE WHEN col.required THEN 'w.%1$I IS NULL' ELSE '(w.%1$I IS NULL AND w.%2$I IS NOT NULL)' END || ' OR NOT ' || within;
    wrong := pg_catalog.format(wrong, col.name || '_', col.name);
    cleaned := cleaned || pg_catalog.format(', ' || clean || ' AS %1$I', pg_catalog.quote_ident(col.name));
    columns := columns || pg_catalog.format(', %s, %s AS %I', value, parsed, col.name || '_');
    wrongs := wrongs || ' OR ' || wrong;
    faults := faults || pg_catalog.format(', (%L, %L, %s, w.%I, %L::text[])', col.name, col.type, wrong, col.name, col.choices);
    contents := contents || pg_catalog.format(', coalesce(w.%I::text, w.%I)', col.name || '_', col.name);
  END LOOP;

  EXECUTE pg_catalog.format(
    'CREATE TEMP TABLE crm_import_%1$s AS
     WITH s AS (DELETE FROM crm.import_%1$s d WHERE coalesce(%2$s, %3$L) = %3$L RETURNING d.row_no%4$s)
     SELECT row_number() OVER (ORDER BY s.row_no) AS row_no%5$s FROM s%6$s',
    kind, pg_catalog.format(clean, 'd.source_system'), source_system, cleaned, columns, joins);
  GET DIAGNOSTICS n = ROW_COUNT;
  EXECUTE pg_catalog.format('ANALYZE crm_import_%s', kind);

  EXECUTE pg_catalog.format(
    'INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
     SELECT %L, w.row_no, f.name, r.code, r.message, f.value
     FROM crm_import_%1$s w
     CROSS JOIN LATERAL (VALUES %s) f (name, type, wrong, value, choices)
     CROSS JOIN LATERAL crm._import_fault(f.type, f.value, f.choices) r
     WHERE (%s) AND f.wrong',
    kind, pg_catalog.substr(faults, 3), pg_catalog.substr(wrongs, 5));

  EXECUTE pg_catalog.format(
    'WITH twin AS (
       SELECT w.row_no, count(*) OVER k AS rows, min(w.row_no) OVER k AS first_no,
              min(w.content) OVER k <> max(w.content) OVER k AS differ, w.value
       FROM (SELECT w.*, ROW(%1$s)::text COLLATE "C" AS content, w.%2$I AS value
             FROM crm_import_%3$s w JOIN (SELECT %4$s FROM crm_import_%3$s GROUP BY %4$s HAVING count(*) > 1) d USING (%4$s)) w
       WINDOW k AS (PARTITION BY %4$s)),
     repeats AS (INSERT INTO crm_import_repeat SELECT %3$L, row_no, first_no FROM twin WHERE NOT differ AND row_no > first_no)
     INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
     SELECT %3$L, row_no, %2$L, ''23505'', format(''this key stands in %%s rows of the batch that differ'', rows), value FROM twin WHERE differ',
    pg_catalog.substr(contents, 3), (SELECT c.name FROM crm._import_columns() c WHERE c.kind = _import_read.kind AND c.nth = 1), kind, key_columns);
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._import_read(text, text) IS 'Takes the waiting rows of one kind into crm_import_<kind> (values as text and, with a trailing underscore, as what they mean) and notes what is wrong with single values and repeated keys. Gives the number of rows.';
REVOKE ALL ON FUNCTION crm._import_read(text, text) FROM PUBLIC;

-- finding what each row changes ----------------------------------------------

CREATE FUNCTION crm._import_drop_faulty(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE pg_catalog.format('DELETE FROM crm_import_%s_change t USING crm_import_fault f WHERE f.kind = %1$L AND f.row_no = t.row_no', kind);
END
$$;
COMMENT ON FUNCTION crm._import_drop_faulty(text) IS 'Takes rows with a fault out of the changes to be made.';
REVOKE ALL ON FUNCTION crm._import_drop_faulty(text) FROM PUBLIC;

CREATE FUNCTION crm._import_customers(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'customer', w.row_no, f.column_name, '23514', f.message, f.value
  FROM crm_import_customer w
  CROSS JOIN LATERAL (VALUES
    ('resident_id', w.resident_id, 'a company has no resident number', w.kind_ = 'company' AND w.resident_id IS NOT NULL),
    ('birth_date', w.birth_date, 'a company has no date of birth', w.kind_ = 'company' AND w.birth_date IS NOT NULL),
    ('sex', w.sex, 'a company has no sex', w.kind_ = 'company' AND w.sex IS NOT NULL),
    ('birth_date', w.birth_date, 'differs from the date of birth in the resident number', crm.birth_date(w.resident_id_) <> w.birth_date_),
    ('sex', w.sex, 'differs from the sex in the resident number', crm.sex(w.resident_id_) <> w.sex_),
    ('known_from', w.known_from, 'lies before the date of birth', w.known_from_ < coalesce(w.birth_date_, crm.birth_date(w.resident_id_)))
  ) f (column_name, value, message, fails)
  WHERE f.fails;

  CREATE TEMP TABLE crm_import_customer_change AS
  SELECT x.*, CASE WHEN x.existing THEN x.key_id ELSE pg_catalog.nextval('crm.customer_id_seq') END AS id,
         CASE WHEN NOT x.existing THEN 'insert' WHEN x.differs OR x.moves OR x.home_id <> x.old_home_id THEN 'update' ELSE 'unchanged' END AS action
  FROM (
    SELECT w.row_no, w.source_key_ AS source_key, w.kind_ AS kind, w.name_ AS name, w.resident_id_ AS resident_id, v.birth_date, v.sex,
           w.channel_code_ AS channel_id, w.known_from_ AS known_from, w.org_code_ AS org_id, w.org_from_ AS org_from, w.org_code,
           k.customer_id AS key_id, k.customer_id IS NOT NULL AS existing, c.org_id AS old_home_id,
           (c.kind, c.name, c.resident_id::text, c.birth_date, c.sex, c.source_channel_id, c.known_from)
             IS DISTINCT FROM (w.kind_, w.name_, w.resident_id_::text, v.birth_date, v.sex, w.channel_code_, w.known_from_) AS differs,
           CASE WHEN c.id IS NULL OR (w.org_from_ IS NULL AND m.org_id IS NULL) THEN w.org_code_ ELSE c.org_id END AS home_id,
           c.id IS NOT NULL AND w.org_from_ IS NOT NULL AND coalesce(m.org_id, c.org_id) <> w.org_code_ AS moves,
           w.org_from_ IS NULL AND m.org_id <> w.org_code_ AS undated
    FROM crm_import_customer w
    CROSS JOIN LATERAL (SELECT coalesce(w.birth_date_, crm.birth_date(w.resident_id_)) AS birth_date, coalesce(w.sex_, crm.sex(w.resident_id_)) AS sex) v
    LEFT JOIN crm.customer_key k ON k.source_system = _import_customers.source_system AND k.source_key = w.source_key_
    LEFT JOIN crm.customer c ON c.id = k.customer_id
    LEFT JOIN LATERAL (
      SELECT o.org_id FROM crm.customer_organisation o
      WHERE o.customer_id = k.customer_id AND (w.org_from_ IS NULL OR o.from_date <= w.org_from_)
      ORDER BY o.from_date DESC LIMIT 1) m ON true
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'customer' AND r.row_no = w.row_no)
    ORDER BY w.row_no) x;
  CREATE UNIQUE INDEX ON crm_import_customer_change (row_no);
  ANALYZE crm_import_customer_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'customer', t.row_no, 'org_from', '23502', 'the day is needed for a customer who has moved before', NULL
  FROM crm_import_customer_change t WHERE t.undated;
  PERFORM crm._import_drop_faulty('customer');
END
$$;
COMMENT ON FUNCTION crm._import_customers(text) IS 'Finds what the rows for customers change.';
REVOKE ALL ON FUNCTION crm._import_customers(text) FROM PUBLIC;

CREATE FUNCTION crm._import_policies(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'policy', w.row_no, f.column_name, '23514', f.message, f.value
  FROM crm_import_policy w
  CROSS JOIN LATERAL (VALUES
    ('matures_on', w.matures_on, 'lies before the day of issue', w.matures_on_ < w.issued_on_),
    ('payments', w.payments, 'a single premium is paid once', w.payment_ = 'single' AND w.payments_ > 1)
  ) f (column_name, value, message, fails)
  WHERE f.fails;

  CREATE TEMP TABLE crm_import_policy_change AS
  SELECT x.*, CASE WHEN x.existing THEN x.key_id WHEN x.customer_id IS NOT NULL THEN pg_catalog.nextval('crm.policy_id_seq') END AS id,
         CASE WHEN NOT x.existing THEN 'insert' WHEN x.differs THEN 'update' ELSE 'unchanged' END AS action
  FROM (
    SELECT w.row_no, w.source_key_ AS source_key, coalesce(t.id, ck.customer_id) AS customer_id, w.customer_key,
           w.product_code_ AS product_id, w.channel_code_ AS channel_id, w.servicer_code_ AS servicer_id,
           coalesce(w.book_, 'own') AS book, coalesce(w.sector_line_, false) AS sector_line,
           w.issued_on_ AS issued_on, w.issued_on AS issued_on_text, w.term_months_ AS term_months, w.matures_on_ AS matures_on,
           w.payment_ AS payment, w.premium_ AS premium, w.payments_ AS payments, w.sum_insured_ AS sum_insured,
           CASE WHEN t.id IS NOT NULL THEN t.birth_date ELSE c.birth_date END AS birth_date,
           k.policy_id AS key_id, k.policy_id IS NOT NULL AS existing, k.customer_id AS old_customer_id, p.issued_on AS old_issued_on,
           (p.customer_id, p.product_id, p.channel_id, p.servicer_id, p.book, p.sector_line, p.issued_on, p.term_months, p.matures_on,
            p.payment, p.premium, p.payments, p.sum_insured)
             IS DISTINCT FROM
           (coalesce(t.id, ck.customer_id), w.product_code_, w.channel_code_, w.servicer_code_, coalesce(w.book_, 'own'), coalesce(w.sector_line_, false),
            w.issued_on_, w.term_months_, w.matures_on_, w.payment_, w.premium_, w.payments_, w.sum_insured_) AS differs
    FROM crm_import_policy w
    LEFT JOIN crm.policy_key k ON k.source_system = _import_policies.source_system AND k.source_key = w.source_key_
    LEFT JOIN crm.policy p ON p.customer_id = k.customer_id AND p.id = k.policy_id
    LEFT JOIN crm_import_customer_change t ON t.source_key = w.customer_key_
    LEFT JOIN crm.customer_key ck ON ck.source_system = _import_policies.source_system AND ck.source_key = w.customer_key_
    LEFT JOIN crm.customer c ON c.id = ck.customer_id
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'policy' AND r.row_no = w.row_no)
    ORDER BY w.row_no) x;
  CREATE UNIQUE INDEX ON crm_import_policy_change (row_no);
  ANALYZE crm_import_policy_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'policy', t.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_policy_change t
  CROSS JOIN LATERAL (VALUES
    ('customer_key', '23503', 'there is no customer with this key', t.customer_key, t.customer_key IS NOT NULL AND t.customer_id IS NULL),
    ('issued_on', '23514', 'lies before the birth of the policyholder', t.issued_on_text, t.issued_on < t.birth_date),
    ('issued_on', '23514', 'lies after an event of the policy', t.issued_on_text, t.issued_on > t.old_issued_on AND EXISTS (
       SELECT FROM crm.policy_event e WHERE e.customer_id = t.old_customer_id AND e.policy_id = t.key_id AND e.on_date < t.issued_on))
  ) f (column_name, code, message, value, fails)
  WHERE f.fails;
  PERFORM crm._import_drop_faulty('policy');
END
$$;
COMMENT ON FUNCTION crm._import_policies(text) IS 'Finds what the rows for policies change.';
REVOKE ALL ON FUNCTION crm._import_policies(text) FROM PUBLIC;

CREATE FUNCTION crm._import_insured(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMP TABLE crm_import_insured_change AS
  SELECT x.*, CASE WHEN EXISTS (SELECT FROM crm.policy_insured n WHERE n.policy_id = x.policy_id AND n.insured_id = x.insured_id)
                   THEN 'unchanged' ELSE 'insert' END AS action
  FROM (
    SELECT w.row_no, w.policy_key, w.customer_key, coalesce(pt.id, pk.policy_id) AS policy_id,
           coalesce(pt.customer_id, pk.customer_id) AS customer_id,
           coalesce(ct.id, ck.customer_id) AS insured_id, coalesce(ct.kind, c.kind) AS kind
    FROM crm_import_insured w
    LEFT JOIN crm_import_policy_change pt ON pt.source_key = w.policy_key_
    LEFT JOIN crm.policy_key pk ON pk.source_system = _import_insured.source_system AND pk.source_key = w.policy_key_
    LEFT JOIN crm_import_customer_change ct ON ct.source_key = w.customer_key_
    LEFT JOIN crm.customer_key ck ON ck.source_system = _import_insured.source_system AND ck.source_key = w.customer_key_
    LEFT JOIN crm.customer c ON c.id = ck.customer_id
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'insured' AND r.row_no = w.row_no)) x;
  CREATE UNIQUE INDEX ON crm_import_insured_change (row_no);
  ANALYZE crm_import_insured_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'insured', t.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_insured_change t
  CROSS JOIN LATERAL (VALUES
    ('policy_key', '23503', 'there is no policy with this key', t.policy_key, t.policy_key IS NOT NULL AND t.policy_id IS NULL),
    ('customer_key', '23503', 'there is no customer with this key', t.customer_key, t.customer_key IS NOT NULL AND t.insured_id IS NULL),
    ('customer_key', '23514', 'a company cannot be insured', t.customer_key, t.kind = 'company')
  ) f (column_name, code, message, value, fails)
  WHERE f.fails;
  PERFORM crm._import_drop_faulty('insured');
END
$$;
COMMENT ON FUNCTION crm._import_insured(text) IS 'Finds what the rows for insured persons change.';
REVOKE ALL ON FUNCTION crm._import_insured(text) FROM PUBLIC;

CREATE FUNCTION crm._import_events(source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'event', w.row_no, 'reason', f.code, f.message, w.reason
  FROM crm_import_event w
  CROSS JOIN LATERAL (VALUES
    ('23502', 'the reason is needed for an end', w.kind_ = 'end' AND w.reason IS NULL),
    ('23514', 'only an end has a reason', w.kind_ <> 'end' AND w.reason IS NOT NULL)
  ) f (code, message, fails)
  WHERE f.fails;

  CREATE TEMP TABLE crm_import_event_change AS
  SELECT x.*, e.id, CASE WHEN e.id IS NULL THEN 'insert' WHEN e.reason IS DISTINCT FROM x.reason THEN 'update' ELSE 'unchanged' END AS action
  FROM (
    SELECT w.row_no, w.policy_key, w.kind_ AS kind, w.on_date_ AS on_date, w.on_date AS on_date_text, w.reason_ AS reason,
           coalesce(pt.id, pk.policy_id) AS policy_id, coalesce(pt.customer_id, pk.customer_id) AS customer_id,
           CASE WHEN pt.id IS NOT NULL THEN pt.issued_on ELSE p.issued_on END AS issued_on,
           CASE WHEN pt.id IS NOT NULL THEN pt.matures_on ELSE p.matures_on END AS matures_on
    FROM crm_import_event w
    LEFT JOIN crm_import_policy_change pt ON pt.source_key = w.policy_key_
    LEFT JOIN crm.policy_key pk ON pk.source_system = _import_events.source_system AND pk.source_key = w.policy_key_
    LEFT JOIN crm.policy p ON p.customer_id = pk.customer_id AND p.id = pk.policy_id
    WHERE NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.kind = 'event' AND r.row_no = w.row_no)) x
  LEFT JOIN LATERAL (
    SELECT e.id, e.reason FROM crm.policy_event e
    WHERE e.policy_id = x.policy_id AND e.kind = x.kind AND e.on_date = x.on_date
    ORDER BY e.id LIMIT 1) e ON true;
  CREATE UNIQUE INDEX ON crm_import_event_change (row_no);
  ANALYZE crm_import_event_change;

  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'event', t.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_event_change t
  CROSS JOIN LATERAL (VALUES
    ('policy_key', '23503', 'there is no policy with this key', t.policy_key, t.policy_key IS NOT NULL AND t.policy_id IS NULL),
    ('on_date', '23514', 'lies before the issue of the policy', t.on_date_text, t.on_date < t.issued_on),
    ('on_date', '23514', 'lies after the maturity of the policy', t.on_date_text, t.on_date > t.matures_on)
  ) f (column_name, code, message, value, fails)
  WHERE f.fails;
  PERFORM crm._import_drop_faulty('event');
END
$$;
COMMENT ON FUNCTION crm._import_events(text) IS 'Finds what the rows for events change.';
REVOKE ALL ON FUNCTION crm._import_events(text) FROM PUBLIC;

-- writing -------------------------------------------------------------------

CREATE FUNCTION crm._import_lock() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM crm.customer c
  WHERE c.id IN (
    SELECT t.id FROM crm_import_customer_change t WHERE t.action = 'update'
    UNION SELECT t.customer_id FROM crm_import_policy_change t WHERE t.action <> 'unchanged'
    UNION SELECT t.old_customer_id FROM crm_import_policy_change t WHERE t.action = 'update'
    UNION SELECT n.insured_id FROM crm_import_policy_change t JOIN crm.policy_insured n ON n.policy_id = t.id WHERE t.action = 'update'
    UNION SELECT v.id FROM crm_import_insured_change t CROSS JOIN LATERAL (VALUES (t.customer_id), (t.insured_id)) v (id) WHERE t.action <> 'unchanged'
    UNION SELECT t.customer_id FROM crm_import_event_change t WHERE t.action <> 'unchanged'
    UNION SELECT n.insured_id FROM crm_import_event_change t JOIN crm.policy_insured n ON n.policy_id = t.policy_id WHERE t.action <> 'unchanged')
  ORDER BY c.id
  FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION crm._import_lock() IS 'Locks the standing customers whom the import touches, in order of id.';
REVOKE ALL ON FUNCTION crm._import_lock() FROM PUBLIC;

CREATE FUNCTION crm._import_write(kind text, source_system text, low bigint, high bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  written bigint := 0;
  due bigint;
  n bigint;
BEGIN
  CASE kind
  WHEN 'customer' THEN
    INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, sex, org_id, source_channel_id, known_from)
    SELECT t.id, t.kind, t.name, t.resident_id, t.birth_date, t.sex, t.home_id, t.channel_id, t.known_from
    FROM crm_import_customer_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    INSERT INTO crm.customer_key (source_system, source_key, customer_id)
    SELECT _import_write.source_system, t.source_key, t.id
    FROM crm_import_customer_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    UPDATE crm.customer c
    SET kind = t.kind, name = t.name, resident_id = t.resident_id, birth_date = t.birth_date, sex = t.sex, org_id = t.home_id,
        source_channel_id = t.channel_id, known_from = t.known_from
    FROM crm_import_customer_change t WHERE c.id = t.id AND t.action = 'update' AND t.row_no BETWEEN low AND high;
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO crm.customer_organisation AS o (customer_id, from_date, org_id)
    SELECT t.id, t.org_from, t.org_id FROM crm_import_customer_change t
    WHERE t.moves AND t.row_no BETWEEN low AND high ORDER BY t.id
    ON CONFLICT (customer_id, from_date) DO UPDATE SET org_id = excluded.org_id, recorded_at = pg_catalog.now(), recorded_by = crm.actor();
    SELECT pg_catalog.count(*) INTO due FROM crm_import_customer_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  WHEN 'policy' THEN
    INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, book, sector_line, issued_on, term_months, matures_on,
                            payment, premium, payments, sum_insured)
    SELECT t.customer_id, t.id, t.product_id, t.channel_id, t.servicer_id, t.book, t.sector_line, t.issued_on, t.term_months, t.matures_on,
           t.payment, t.premium, t.payments, t.sum_insured
    FROM crm_import_policy_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    INSERT INTO crm.policy_key (source_system, source_key, customer_id, policy_id)
    SELECT _import_write.source_system, t.source_key, t.customer_id, t.id
    FROM crm_import_policy_change t WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    UPDATE crm.policy p
    SET customer_id = t.customer_id, product_id = t.product_id, channel_id = t.channel_id, servicer_id = t.servicer_id, book = t.book,
        sector_line = t.sector_line, issued_on = t.issued_on, term_months = t.term_months, matures_on = t.matures_on,
        payment = t.payment, premium = t.premium, payments = t.payments, sum_insured = t.sum_insured
    FROM crm_import_policy_change t
    WHERE p.customer_id = t.old_customer_id AND p.id = t.id AND t.action = 'update' AND t.row_no BETWEEN low AND high;
    GET DIAGNOSTICS n = ROW_COUNT;
    SELECT pg_catalog.count(*) INTO due FROM crm_import_policy_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  WHEN 'insured' THEN
    INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id)
    SELECT p.customer_id, t.policy_id, t.insured_id
    FROM crm_import_insured_change t JOIN crm.policy p ON p.id = t.policy_id
    WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS n = ROW_COUNT;
    SELECT pg_catalog.count(*) INTO due FROM crm_import_insured_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  WHEN 'event' THEN
    INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason)
    SELECT p.customer_id, t.policy_id, t.kind, t.on_date, t.reason
    FROM crm_import_event_change t JOIN crm.policy p ON p.id = t.policy_id
    WHERE t.action = 'insert' AND t.row_no BETWEEN low AND high ORDER BY t.row_no;
    GET DIAGNOSTICS written = ROW_COUNT;
    UPDATE crm.policy_event e SET reason = t.reason
    FROM crm_import_event_change t
    WHERE e.policy_id = t.policy_id AND e.id = t.id AND t.action = 'update' AND t.row_no BETWEEN low AND high;
    GET DIAGNOSTICS n = ROW_COUNT;
    SELECT pg_catalog.count(*) INTO due FROM crm_import_event_change t WHERE t.action <> 'unchanged' AND t.row_no BETWEEN low AND high;
  END CASE;
  IF written + n <> due THEN
    RAISE EXCEPTION 'the row was not written' USING ERRCODE = 'integrity_constraint_violation',
      DETAIL = 'A trigger kept it out, or what it changes was deleted meanwhile.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_write(text, text, bigint, bigint) IS 'Makes the changes of the rows low to high of one kind.';
REVOKE ALL ON FUNCTION crm._import_write(text, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_write_all(kind text, source_system text, low bigint, high bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code text;
  message text;
  column_name text;
  half constant bigint := low + (high - low) / 2;
BEGIN
  BEGIN
    PERFORM crm._import_write(kind, source_system, low, high);
    RETURN true;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception OR with_check_option_violation OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, column_name = COLUMN_NAME;
  END;
  IF low < high THEN
    PERFORM crm._import_write_all(kind, source_system, low, half);
    PERFORM crm._import_write_all(kind, source_system, half + 1, high);
  ELSE
    INSERT INTO crm_import_fault (kind, row_no, column_name, code, message)
    VALUES (kind, low, nullif(column_name, ''), code, pg_catalog.left(message, 300));
  END IF;
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._import_write_all(text, text, bigint, bigint) IS 'Makes the changes of the rows low to high of one kind. Where a constraint or a trigger of the tables objects, halves the rows until it has those to blame. False when there were any.';
REVOKE ALL ON FUNCTION crm._import_write_all(text, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_drop_orphans(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO crm_import_fault (kind, row_no, column_name, code, message, value)
  SELECT 'policy', t.row_no, 'customer_key', '23503', 'the row of this customer was rejected', t.customer_key
  FROM crm_import_policy_change t
  WHERE _import_drop_orphans.kind = 'policy' AND NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = t.customer_id)
  UNION ALL
  SELECT 'insured', t.row_no, 'policy_key', '23503', 'the row of this policy was rejected', t.policy_key
  FROM crm_import_insured_change t
  WHERE _import_drop_orphans.kind = 'insured' AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.id = t.policy_id)
  UNION ALL
  SELECT 'insured', t.row_no, 'customer_key', '23503', 'the row of this customer was rejected', t.customer_key
  FROM crm_import_insured_change t
  WHERE _import_drop_orphans.kind = 'insured' AND NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = t.insured_id)
  UNION ALL
  SELECT 'event', t.row_no, 'policy_key', '23503', 'the row of this policy was rejected', t.policy_key
  FROM crm_import_event_change t
  WHERE _import_drop_orphans.kind = 'event' AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.id = t.policy_id);
  PERFORM crm._import_drop_faulty(kind);
END
$$;
COMMENT ON FUNCTION crm._import_drop_orphans(text) IS 'Refuses rows of one kind that refer to a row which could not be written.';
REVOKE ALL ON FUNCTION crm._import_drop_orphans(text) FROM PUBLIC;

CREATE PROCEDURE crm.import(source_system text, INOUT batch_id bigint DEFAULT NULL)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET synchronize_seqscans = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  kinds constant text[] := '{customer,policy,insured,event}';
  kind text;
  system constant text := nullif(pg_catalog.btrim(source_system, E' \t\r\n\u3000'), '');
  waiting bigint[] := '{}';
  complete boolean := true;
  is_new boolean;
  report crm.import_batch_kind;
BEGIN
  IF system IS NULL THEN
    RAISE EXCEPTION 'the source system must be named'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Say CALL crm.import(''core'').';
  END IF;

  INSERT INTO crm.import_source AS s (source_system) VALUES (system)
  ON CONFLICT ON CONSTRAINT import_source_pkey DO UPDATE SET batches = s.batches + 1
  RETURNING s.batches = 1 INTO is_new;
  IF is_new AND EXISTS (SELECT FROM crm.import_source s WHERE s.source_system <> system) THEN
    RAISE NOTICE 'source system "%" is new here; known are %', system,
      (SELECT pg_catalog.string_agg(pg_catalog.format('"%s"', s.source_system), ', ' ORDER BY s.source_system) FROM crm.import_source s WHERE s.source_system <> system);
  END IF;
  INSERT INTO crm.import_batch (source_system) VALUES (system) RETURNING id INTO batch_id;

  CREATE TEMP TABLE crm_import_fault (kind text, row_no bigint, column_name text, code text, message text, value text);
  CREATE TEMP TABLE crm_import_repeat (kind text, row_no bigint, first_no bigint);
  FOREACH kind IN ARRAY kinds LOOP
    waiting := waiting || crm._import_read(kind, system);
  END LOOP;
  PERFORM crm._import_customers(system);
  PERFORM crm._import_policies(system);
  PERFORM crm._import_insured(system);
  PERFORM crm._import_events(system);
  PERFORM crm._import_lock();

  FOR i IN 1 .. 4 LOOP
    kind := kinds[i];
    IF NOT complete THEN
      PERFORM crm._import_drop_orphans(kind);
    END IF;
    IF waiting[i] > 0 AND NOT crm._import_write_all(kind, system, 1, waiting[i]) THEN
      complete := false;
      PERFORM crm._import_drop_faulty(kind);
    END IF;
    IF NOT complete THEN
      INSERT INTO crm_import_fault
      SELECT f.kind, r.row_no, f.column_name, f.code, f.message, f.value
      FROM crm_import_repeat r JOIN crm_import_fault f ON f.kind = r.kind AND f.row_no = r.first_no
      WHERE r.kind = kinds[i] AND NOT EXISTS (SELECT FROM crm_import_fault g WHERE g.kind = r.kind AND g.row_no = r.row_no);
    END IF;

    EXECUTE pg_catalog.format(
      'INSERT INTO crm.import_reject (batch_id, kind, row_no, data)
       SELECT $1, %1$L, w.row_no, jsonb_strip_nulls(jsonb_build_object(%2$s)) FROM crm_import_%1$s w
       WHERE w.row_no IN (SELECT f.row_no FROM crm_import_fault f WHERE f.kind = %1$L) ORDER BY w.row_no',
      kind, (SELECT pg_catalog.string_agg(pg_catalog.format('%L, w.%1$I', c.name), ', ' ORDER BY c.nth)
             FROM crm._import_columns() c WHERE c.kind = kinds[i])) USING batch_id;
    EXECUTE pg_catalog.format(
      'INSERT INTO crm.import_batch_kind (batch_id, kind, read, inserted, updated, unchanged, rejected)
       SELECT $1, %1$L, $2, count(*) FILTER (WHERE t.action = ''insert''), count(*) FILTER (WHERE t.action = ''update''),
              count(*) FILTER (WHERE t.action = ''unchanged'')
              + (SELECT count(*) FROM crm_import_repeat r WHERE r.kind = %1$L
                 AND NOT EXISTS (SELECT FROM crm_import_fault f WHERE f.kind = %1$L AND f.row_no = r.row_no)),
              (SELECT count(*) FROM crm.import_reject j WHERE j.batch_id = $1 AND j.kind = %1$L)
       FROM crm_import_%1$s_change t
       RETURNING *', kind) INTO report USING batch_id, waiting[i];
    IF report.read > 0 THEN
      RAISE NOTICE 'batch % from "%", %: % read = % new + % changed + % unchanged + % rejected', batch_id, system, kind,
        report.read, report.inserted, report.updated, report.unchanged, report.rejected;
    END IF;
  END LOOP;

  INSERT INTO crm.import_reason (batch_id, kind, row_no, column_name, code, message, value)
  SELECT batch_id, f.kind, f.row_no, f.column_name, f.code, f.message, f.value
  FROM crm_import_fault f LEFT JOIN crm._import_columns() c ON c.kind = f.kind AND c.name = f.column_name
  ORDER BY pg_catalog.array_position(kinds, f.kind), f.row_no, c.nth, f.code, f.message;
  UPDATE crm.import_batch b
  SET finished_at = pg_catalog.clock_timestamp(), read = r.read, accepted = r.accepted, unchanged = r.unchanged, rejected = r.rejected
  FROM (SELECT pg_catalog.sum(k.read) AS read, pg_catalog.sum(k.inserted + k.updated) AS accepted,
               pg_catalog.sum(k.unchanged) AS unchanged, pg_catalog.sum(k.rejected) AS rejected
        FROM crm.import_batch_kind k WHERE k.batch_id = import.batch_id) r
  WHERE b.id = import.batch_id;
  IF (SELECT pg_catalog.sum(w) FROM pg_catalog.unnest(waiting) w) = 0 THEN
    RAISE NOTICE 'no row was waiting from "%"', system;
  END IF;

  FOREACH kind IN ARRAY kinds LOOP
    EXECUTE pg_catalog.format('DROP TABLE crm_import_%1$s, crm_import_%1$s_change', kind);
  END LOOP;
  DROP TABLE crm_import_fault, crm_import_repeat;
END
$$;
COMMENT ON PROCEDURE crm.import(text, bigint) IS
  'Brings the waiting rows of a source system from the staging tables into the book, in one transaction, and gives the number of the batch. Keys unknown are made, keys known are updated where the row says something new. A row with any fault is refused as a whole, every fault told, and stops no other row. Rows of one batch with the same key: when they agree the first counts and the others are unchanged, when they differ all are refused. Imports of one system follow each other. Errors: 22023 without a source system, 40001 at REPEATABLE READ when the system was imported from meanwhile.';
REVOKE ALL ON PROCEDURE crm.import(text, bigint) FROM PUBLIC;

-- correction and resubmission -------------------------------------------------

CREATE FUNCTION crm._import_correction_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unknown text;
BEGIN
  SELECT k INTO unknown FROM pg_catalog.jsonb_object_keys(CASE WHEN pg_catalog.jsonb_typeof(NEW.correction) = 'object' THEN NEW.correction END) k
  WHERE k NOT IN (SELECT c.name FROM crm._import_columns() c WHERE c.kind = NEW.kind) ORDER BY k LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'crm.import_% has no column "%" to correct', NEW.kind, unknown USING ERRCODE = 'undefined_column';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._import_correction_check() IS 'Trigger: a correction names columns of the staging table.';
REVOKE ALL ON FUNCTION crm._import_correction_check() FROM PUBLIC;
CREATE TRIGGER correction_check BEFORE INSERT OR UPDATE OF correction ON crm.import_reject
  FOR EACH ROW WHEN (NEW.correction IS NOT NULL) EXECUTE FUNCTION crm._import_correction_check();

CREATE FUNCTION crm.resubmit_import(batch_id bigint, corrected_only boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  target record;
  total bigint := 0;
  n bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM crm.import_batch b WHERE b.id = resubmit_import.batch_id) THEN
    RAISE EXCEPTION 'there is no batch %', batch_id
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.import_batch lists the batches.';
  END IF;
  FOR target IN
    SELECT c.kind, pg_catalog.string_agg(pg_catalog.quote_ident(c.name), ', ' ORDER BY c.nth) AS names,
           pg_catalog.string_agg(pg_catalog.format('d.row ->> %L', c.name), ', ' ORDER BY c.nth) AS parts
    FROM crm._import_columns() c GROUP BY c.kind ORDER BY c.kind
  LOOP
    EXECUTE pg_catalog.format(
      'WITH r AS (
         UPDATE crm.import_reject j SET resubmitted_at = clock_timestamp()
         WHERE j.batch_id = $1 AND j.kind = %1$L AND j.resubmitted_at IS NULL AND (j.correction IS NOT NULL OR NOT $2)
         RETURNING j.row_no, j.data || coalesce(j.correction, ''{}'') AS row)
       INSERT INTO crm.import_%1$s (source_system, %2$s)
       SELECT b.source_system, %3$s FROM r d CROSS JOIN crm.import_batch b WHERE b.id = $1 ORDER BY d.row_no',
      target.kind, target.names, target.parts) USING batch_id, coalesce(corrected_only, false);
    GET DIAGNOSTICS n = ROW_COUNT;
    total := total + n;
  END LOOP;
  RETURN total;
END
$$;
COMMENT ON FUNCTION crm.resubmit_import(bigint, boolean) IS
  'Puts the refused rows of a batch, with their corrections, back into the staging tables for the next CALL crm.import(), each once; with corrected_only just those with a correction. Gives their number. Errors: 22023 when there is no such batch.';
REVOKE ALL ON FUNCTION crm.resubmit_import(bigint, boolean) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('loader', 'SELECT', 'TABLE', 'crm.import_customer'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_customer'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_customer'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_policy'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_policy'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_policy'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_insured'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_insured'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_insured'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_event'),
  ('loader', 'INSERT', 'TABLE', 'crm.import_event'),
  ('loader', 'DELETE', 'TABLE', 'crm.import_event'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_batch'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_batch_kind'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_reason'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_reject'),
  ('loader', 'UPDATE (correction)', 'TABLE', 'crm.import_reject'),
  ('loader', 'EXECUTE', 'PROCEDURE', 'crm.import(text, bigint)'),
  ('loader', 'EXECUTE', 'FUNCTION', 'crm.resubmit_import(bigint, boolean)');
