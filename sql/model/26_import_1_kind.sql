-- import: what can be imported, as data: kinds of rows, their columns, their rules

CREATE TABLE crm.import_kind (
  kind text PRIMARY KEY CHECK (kind ~ '^[a-z_]+$'),
  position integer NOT NULL UNIQUE,
  target text NOT NULL,
  noun text NOT NULL,
  key_columns text[] NOT NULL,
  key_table text,
  whole boolean NOT NULL DEFAULT false,
  joins text NOT NULL DEFAULT '',
  extra text NOT NULL DEFAULT '',
  also text NOT NULL DEFAULT 'false',
  hook text
);
COMMENT ON TABLE crm.import_kind IS 'Kinds of rows that can be imported, each with a staging table crm.import_<kind>. The texts are parts of statements that the import makes; only the owner writes here.';
COMMENT ON COLUMN crm.import_kind.kind IS 'Kind of row.';
COMMENT ON COLUMN crm.import_kind.position IS 'Order in which an import takes the kinds: what others refer to comes first.';
COMMENT ON COLUMN crm.import_kind.target IS 'Table of schema crm that the rows go to.';
COMMENT ON COLUMN crm.import_kind.noun IS 'What messages call it.';
COMMENT ON COLUMN crm.import_kind.key_columns IS 'Staging columns that identify a row.';
COMMENT ON COLUMN crm.import_kind.key_table IS 'Table that keeps the keys of the other systems; NULL where the key columns identify a row by themselves.';
COMMENT ON COLUMN crm.import_kind.whole IS 'Whether rows refer to others of their kind, which are therefore never taken apart in steps.';
COMMENT ON COLUMN crm.import_kind.joins IS 'Joins that the values need: w is the row, o what the book holds.';
COMMENT ON COLUMN crm.import_kind.extra IS 'Further columns for the rules and the hook, each preceded by a comma.';
COMMENT ON COLUMN crm.import_kind.also IS 'Condition on which a row changes something though no column differs.';
COMMENT ON COLUMN crm.import_kind.hook IS 'Function that writes what goes elsewhere, called after each part with the numbers of its first and last row.';

CREATE TABLE crm.import_column (
  kind text NOT NULL REFERENCES crm.import_kind ON DELETE CASCADE,
  nth integer NOT NULL,
  name text NOT NULL,
  type text NOT NULL CHECK (type IN ('key', 'text', 'note', 'choice', 'boolean', 'date', 'birth', 'time', 'money', 'integer', 'resident_id', 'mobile', 'ref')),
  required boolean NOT NULL,
  choices text[],
  refers text REFERENCES crm.import_kind,
  targets text[] NOT NULL,
  value text,
  initial text,
  PRIMARY KEY (kind, name),
  UNIQUE (kind, nth),
  CHECK ((type = 'ref') = (refers IS NOT NULL)),
  CHECK ((type = 'choice') = (choices IS NOT NULL))
);
COMMENT ON TABLE crm.import_column IS 'Columns of the staging tables and what their values must be.';
COMMENT ON COLUMN crm.import_column.kind IS 'Kind of row.';
COMMENT ON COLUMN crm.import_column.nth IS 'Order of the columns.';
COMMENT ON COLUMN crm.import_column.name IS 'Column of the staging table.';
COMMENT ON COLUMN crm.import_column.type IS 'What a value must be; ref: the key or code of another row.';
COMMENT ON COLUMN crm.import_column.required IS 'Whether it must not be empty.';
COMMENT ON COLUMN crm.import_column.choices IS 'Values that a choice may have.';
COMMENT ON COLUMN crm.import_column.refers IS 'Kind of the row referred to.';
COMMENT ON COLUMN crm.import_column.targets IS 'Columns of the target that it fills, in the order of the key of what it refers to.';
COMMENT ON COLUMN crm.import_column.value IS 'Expression to be written in place of the value itself.';
COMMENT ON COLUMN crm.import_column.initial IS 'Expression for an empty value.';
CREATE INDEX ON crm.import_column (refers);

CREATE TABLE crm.import_rule (
  kind text NOT NULL REFERENCES crm.import_kind ON DELETE CASCADE,
  nth integer NOT NULL,
  column_name text NOT NULL,
  code text CHECK (code ~ '^[0-9A-Z]{5}$'),
  condition text,
  constraint_name text,
  message text,
  hint text,
  PRIMARY KEY (kind, nth),
  FOREIGN KEY (kind, column_name) REFERENCES crm.import_column ON DELETE CASCADE,
  CHECK ((condition IS NULL) <> (constraint_name IS NULL)),
  CHECK (condition IS NULL OR message IS NOT NULL AND code IS NOT NULL)
);
COMMENT ON TABLE crm.import_rule IS 'What must hold for the rows of a kind beside the types of their columns, and what to say of constraints of the target.';
COMMENT ON COLUMN crm.import_rule.kind IS 'Kind of row.';
COMMENT ON COLUMN crm.import_rule.nth IS 'Order of the rules.';
COMMENT ON COLUMN crm.import_rule.column_name IS 'Column to blame.';
COMMENT ON COLUMN crm.import_rule.code IS 'SQLSTATE to tell; NULL of a constraint: that of the type of the column, 23514 of several columns.';
COMMENT ON COLUMN crm.import_rule.condition IS 'Condition on the row to be written, t, that must not be false; NULL where a constraint of the target says it.';
COMMENT ON COLUMN crm.import_rule.constraint_name IS 'Constraint or unique index of the target, or function of a trigger there, that the column and the message are for.';
COMMENT ON COLUMN crm.import_rule.message IS 'What is wrong; NULL where the trigger says it.';
COMMENT ON COLUMN crm.import_rule.hint IS 'What to do about it.';
CREATE INDEX ON crm.import_rule (kind, column_name);

-- catalogue ------------------------------------------------------------------

CREATE FUNCTION crm._key_columns(relation regclass) RETURNS text[]
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.n)
  FROM pg_catalog.pg_constraint c
  CROSS JOIN LATERAL pg_catalog.unnest(c.conkey) WITH ORDINALITY k (num, n)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num
  WHERE c.conrelid = _key_columns.relation AND c.contype = 'p';
END;
COMMENT ON FUNCTION crm._key_columns(regclass) IS 'Columns of the primary key of a table.';
REVOKE ALL ON FUNCTION crm._key_columns(regclass) FROM PUBLIC;

CREATE FUNCTION crm._import_key_columns(kind text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN k.key_table IS NULL THEN crm._key_columns(('crm.' || k.target)::pg_catalog.regclass)
         ELSE (SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
               WHERE a.attrelid = ('crm.' || k.key_table)::pg_catalog.regclass AND a.attnum > 2 AND NOT a.attisdropped) END
  FROM crm.import_kind k WHERE k.kind = _import_key_columns.kind;
END;
COMMENT ON FUNCTION crm._import_key_columns(text) IS 'Columns that give the key of a row referred to: of the table of source keys, otherwise of the target.';
REVOKE ALL ON FUNCTION crm._import_key_columns(text) FROM PUBLIC;

-- source keys ----------------------------------------------------------------

CREATE TABLE crm.key_change (
  key_table text NOT NULL,
  source_system text NOT NULL,
  source_key text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (key_table, source_system, source_key)
);
COMMENT ON TABLE crm.key_change IS 'When source keys came to mean another row, as by a merge; written by triggers.';
COMMENT ON COLUMN crm.key_change.key_table IS 'Table of the key.';
COMMENT ON COLUMN crm.key_change.source_system IS 'The other system.';
COMMENT ON COLUMN crm.key_change.source_key IS 'Key there.';
COMMENT ON COLUMN crm.key_change.changed_at IS 'When, the last time.';

CREATE FUNCTION crm._key_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO crm.key_change (key_table, source_system, source_key) VALUES (TG_TABLE_NAME, NEW.source_system, NEW.source_key)
  ON CONFLICT (key_table, source_system, source_key) DO UPDATE SET changed_at = now();
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._key_changed() IS 'Trigger: keeps when a source key came to mean another row.';
REVOKE ALL ON FUNCTION crm._key_changed() FROM PUBLIC;

-- declaring ------------------------------------------------------------------

CREATE FUNCTION crm._import_make_key_table(name text, target text, noun text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := crm._key_columns(('crm.' || target)::regclass);
  names text[];
BEGIN
  IF to_regclass('crm.' || name) IS NULL THEN
    names := array_replace(parts, 'id', target || '_id');
    EXECUTE format(
      'CREATE TABLE crm.%1$I (
         source_system text NOT NULL CHECK (pg_catalog.btrim(source_system) <> ''''),
         source_key text NOT NULL CHECK (pg_catalog.btrim(source_key) <> ''''),
         %2$s,
         PRIMARY KEY (source_system, source_key),
         FOREIGN KEY (%3$s) REFERENCES crm.%4$I ON UPDATE CASCADE ON DELETE CASCADE
       )', name, (SELECT string_agg(n || ' bigint NOT NULL', ', ') FROM unnest(names) n), array_to_string(names, ', '), target);
    EXECUTE format('CREATE INDEX ON crm.%I (%s)', name, array_to_string(names, ', '));
    EXECUTE format('COMMENT ON TABLE crm.%I IS %L', name, format('Keys of each %s in other systems.', noun));
    EXECUTE format('COMMENT ON COLUMN crm.%I.source_system IS ''The other system.''', name);
    EXECUTE format('COMMENT ON COLUMN crm.%I.source_key IS ''Key there.''', name);
    FOR i IN 1 .. cardinality(names) LOOP
      EXECUTE format('COMMENT ON COLUMN crm.%I.%I IS %L', name, names[i],
        format('Column %s of crm.%s.', parts[i], target));
    END LOOP;
  END IF;
  EXECUTE format('CREATE TRIGGER changed AFTER UPDATE ON crm.%I FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION crm._key_changed()', name);
  -- what is not dated itself is dated by its key
  IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('crm.' || target)::regclass AND a.attname IN ('created_at', 'recorded_at')) THEN
    EXECUTE format('CREATE TRIGGER made AFTER INSERT ON crm.%I FOR EACH ROW EXECUTE FUNCTION crm._key_changed()', name);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_make_key_table(text, text, text) IS 'Makes the table of source keys of a target where there is none, and lets changes of keys be kept.';
REVOKE ALL ON FUNCTION crm._import_make_key_table(text, text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_make_staging(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  k crm.import_kind;
  c record;
  name text := 'import_' || kind;
BEGIN
  SELECT * INTO STRICT k FROM crm.import_kind x WHERE x.kind = _import_make_staging.kind;
  EXECUTE format('CREATE TABLE crm.%I (row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source_system text, %s)',
    name, (SELECT string_agg(format('%I text', x.name), ', ' ORDER BY x.nth) FROM crm.import_column x WHERE x.kind = k.kind));
  EXECUTE format('COMMENT ON TABLE crm.%I IS %L', name,
    format('Rows for crm.%s waiting for an import: the target of COPY. A row stands for the whole of it: an empty optional column clears the value.', k.target));
  EXECUTE format('COMMENT ON COLUMN crm.%I.row_no IS ''Order in which the rows came; leave it out of the column list of COPY.''', name);
  EXECUTE format('COMMENT ON COLUMN crm.%I.source_system IS ''The other system; empty: the one that the next import names.''', name);
  FOR c IN
    SELECT x.name, CASE WHEN x.type = 'key' THEN format('Key of the %s in the other system, at most 200 characters.', k.noun)
                   WHEN r.kind IS NOT NULL THEN format('%s of the %s%s.', CASE WHEN r.key_table IS NULL THEN 'Code' ELSE 'Key' END, r.noun,
                                                       CASE WHEN r.key_table IS NULL THEN '' ELSE ' in the other system' END)
                   ELSE '' END AS what,
           CASE WHEN x.type <> 'key' THEN (
             SELECT col_description(a.attrelid, a.attnum) FROM pg_attribute a
             WHERE a.attrelid = ('crm.' || k.target)::regclass AND a.attname = x.targets[cardinality(x.targets)]) END AS said
    FROM crm.import_column x LEFT JOIN crm.import_kind r ON r.kind = x.refers WHERE x.kind = k.kind
  LOOP
    EXECUTE format('COMMENT ON COLUMN crm.%I.%I IS %L', name, c.name, concat_ws(' ', nullif(c.what, ''), c.said));
  END LOOP;
  INSERT INTO crm.duty_right (duty, privilege, kind, object)
  SELECT 'loader', p, 'TABLE', 'crm.' || name FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE']) p;
END
$$;
COMMENT ON FUNCTION crm._import_make_staging(text) IS 'Makes the staging table of a kind, open to the duty loader.';
REVOKE ALL ON FUNCTION crm._import_make_staging(text) FROM PUBLIC;

CREATE FUNCTION crm._import_declare(kind text, "position" integer, target text, noun text, key_columns text[], columns text[],
                                    joins text DEFAULT '', extra text DEFAULT '', also text DEFAULT 'false', hook text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  table_id constant oid := ('crm.' || target)::regclass;
  key_table constant text := CASE WHEN key_columns = '{source_key}' THEN target || '_key' END;
  spec text[];
  referred text[];
  last text;
  col record;
BEGIN
  IF key_table IS NOT NULL THEN
    PERFORM crm._import_make_key_table(key_table, target, noun);
    columns := 'source_key'::text || columns;
  END IF;
  INSERT INTO crm.import_kind (kind, position, target, noun, key_columns, key_table, joins, extra, also, hook)
  VALUES (kind, position, target, noun, key_columns, key_table, joins, extra, also, hook);
  FOR n IN 1 .. cardinality(columns) LOOP
    spec := regexp_match(columns[n], '^(\w+)(?:>(\w+))?$');
    IF spec[1] = 'source_key' THEN
      INSERT INTO crm.import_column (kind, nth, name, type, required, targets) VALUES (kind, n, 'source_key', 'key', true, '{}');
      CONTINUE;
    END IF;
    last := spec[1];
    referred := '{}';
    IF spec[2] IS NOT NULL THEN
      referred := crm._import_key_columns(spec[2]);
      last := regexp_replace(spec[1], '_(key|code)$', '');
      IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = table_id AND a.attname = last || '_id') THEN
        last := last || '_id';
      END IF;
    END IF;
    SELECT a.attname, a.attnotnull, t.typname, pg_get_expr(d.adbin, d.adrelid) AS initial,
           (SELECT array_agg(m[1] ORDER BY o) FROM regexp_matches(k.def, '''([^'']*)''::text', 'g') WITH ORDINALITY r (m, o)) AS choices,
           EXISTS (SELECT FROM pg_constraint x WHERE x.conrelid = table_id AND x.contype = 'c' AND x.conkey = ARRAY[a.attnum]
                   AND pg_get_constraintdef(x.oid) LIKE '%1800-01-01%') AS early
    INTO col
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN LATERAL (
      SELECT pg_get_constraintdef(x.oid) AS def FROM pg_constraint x
      WHERE x.conrelid = table_id AND x.contype = 'c' AND x.conkey = ARRAY[a.attnum] AND pg_get_constraintdef(x.oid) LIKE '%= ANY (ARRAY[%') k ON true
    WHERE a.attrelid = table_id AND a.attname = last;
    INSERT INTO crm.import_column (kind, nth, name, type, required, choices, refers, targets, initial)
    VALUES (kind, n, spec[1],
            CASE WHEN spec[2] IS NOT NULL THEN 'ref'
            WHEN col.choices IS NOT NULL THEN 'choice'
            WHEN col.typname = 'date' THEN CASE WHEN col.early THEN 'birth' ELSE 'date' END
            WHEN col.typname = 'numeric' THEN 'money'
            WHEN col.typname = 'int4' THEN 'integer'
            WHEN col.typname = 'bool' THEN 'boolean'
            WHEN col.typname = 'timestamptz' THEN 'time'
            WHEN col.typname IN ('resident_id', 'mobile') THEN col.typname::text
            WHEN last IN ('note', 'result') THEN 'note'
            ELSE 'text' END,
            col.attname IS NOT NULL AND (col.attnotnull AND col.initial IS NULL) OR spec[1] = ANY (key_columns),
            CASE WHEN spec[2] IS NULL THEN col.choices END, spec[2],
            CASE WHEN col.attname IS NULL THEN '{}'::text[] ELSE referred[1:cardinality(referred) - 1] || last::text END,
            CASE WHEN col.attnotnull THEN col.initial END);
  END LOOP;
  UPDATE crm.import_kind k SET whole = true
  WHERE k.kind = kind AND EXISTS (SELECT FROM crm.import_column c WHERE c.kind = kind AND c.refers = kind);
  IF to_regclass('crm.import_' || kind) IS NULL THEN
    PERFORM crm._import_make_staging(kind);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_declare(text, integer, text, text, text[], text[], text, text, text, text) IS
  'Declares a kind of row to be imported: its columns, each by its name in the target, or as name>kind for the key or code of a row of that kind. Types, choices and what may be empty come from the target. With key_columns {source_key} the keys of the other systems are kept. Makes the staging table.';
REVOKE ALL ON FUNCTION crm._import_declare(text, integer, text, text, text[], text[], text, text, text, text) FROM PUBLIC;
