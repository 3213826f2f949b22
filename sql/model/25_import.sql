-- import: the first staging tables, batches, rejected rows and their resubmission

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
  stepwise boolean NOT NULL DEFAULT false,
  CHECK (read = accepted + unchanged + rejected)
);
COMMENT ON TABLE crm.import_batch IS 'One row for each import, with what became of the rows: read = accepted + unchanged + rejected.';
COMMENT ON COLUMN crm.import_batch.id IS 'Key.';
COMMENT ON COLUMN crm.import_batch.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_batch.by_whom IS 'Who imported.';
COMMENT ON COLUMN crm.import_batch.started_at IS 'Start.';
COMMENT ON COLUMN crm.import_batch.finished_at IS 'End; NULL while it runs or was broken off.';
COMMENT ON COLUMN crm.import_batch.read IS 'Rows taken from the staging tables.';
COMMENT ON COLUMN crm.import_batch.accepted IS 'Rows that made or changed something.';
COMMENT ON COLUMN crm.import_batch.unchanged IS 'Rows that said what the book held already, or what another row of the batch said.';
COMMENT ON COLUMN crm.import_batch.rejected IS 'Rows in crm.import_reject.';
COMMENT ON COLUMN crm.import_batch.stepwise IS 'Whether it is one of crm.import_in_steps(), which commits as it goes.';
CREATE INDEX ON crm.import_batch (source_system);
CREATE INDEX import_batch_open_key ON crm.import_batch (source_system) WHERE stepwise AND finished_at IS NULL;

CREATE TABLE crm.import_batch_kind (
  batch_id bigint NOT NULL REFERENCES crm.import_batch ON DELETE CASCADE,
  kind text NOT NULL,
  read bigint NOT NULL,
  inserted bigint NOT NULL,
  updated bigint NOT NULL,
  unchanged bigint NOT NULL,
  rejected bigint NOT NULL,
  expected bigint,
  first_row bigint,
  repeats boolean,
  PRIMARY KEY (batch_id, kind),
  CHECK (read = inserted + updated + unchanged + rejected)
);
COMMENT ON TABLE crm.import_batch_kind IS 'The sums of crm.import_batch by kind of row; kinds of which no row was waiting have none.';
COMMENT ON COLUMN crm.import_batch_kind.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_batch_kind.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.import_batch_kind.read IS 'Rows taken from the staging table.';
COMMENT ON COLUMN crm.import_batch_kind.inserted IS 'Rows that made something new.';
COMMENT ON COLUMN crm.import_batch_kind.updated IS 'Rows that changed something.';
COMMENT ON COLUMN crm.import_batch_kind.unchanged IS 'Rows that changed nothing.';
COMMENT ON COLUMN crm.import_batch_kind.rejected IS 'Rows in crm.import_reject.';
COMMENT ON COLUMN crm.import_batch_kind.expected IS 'Rows that were waiting when a stepwise import began.';
COMMENT ON COLUMN crm.import_batch_kind.first_row IS 'Least row_no among these: row 1 of the batch.';
COMMENT ON COLUMN crm.import_batch_kind.repeats IS 'Whether some of these had the same key; they are taken together.';

CREATE TABLE crm.import_reject (
  batch_id bigint NOT NULL REFERENCES crm.import_batch ON DELETE CASCADE,
  kind text NOT NULL,
  row_no bigint NOT NULL,
  data jsonb NOT NULL,
  correction jsonb CHECK (pg_catalog.jsonb_typeof(correction) = 'object'),
  resubmitted_at timestamptz,
  source_system text,
  source_key text,
  follows boolean NOT NULL DEFAULT false,
  resolved_at timestamptz,
  PRIMARY KEY (batch_id, kind, row_no)
);
COMMENT ON TABLE crm.import_reject IS 'Rows that an import refused; crm.import_reason tells why. Fill correction, or mend what the row refers to, and call crm.resubmit_import().';
COMMENT ON COLUMN crm.import_reject.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_reject.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.import_reject.row_no IS 'Number of the row among those of its kind in the batch: of one copied file, the line after the heading.';
COMMENT ON COLUMN crm.import_reject.data IS 'The row as it came, without surrounding blanks: column and value.';
COMMENT ON COLUMN crm.import_reject.correction IS 'Columns to replace on resubmission, such as {"birth_date": "1990-02-28"}.';
COMMENT ON COLUMN crm.import_reject.resubmitted_at IS 'When the row went back to its staging table.';
COMMENT ON COLUMN crm.import_reject.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_reject.source_key IS 'What identifies the row: its key in the other system, or the columns of its key with a slash between them; at most 650 characters of it.';
COMMENT ON COLUMN crm.import_reject.follows IS 'Whether nothing is wrong but that rows it refers to were refused: it goes in by itself once they do.';
COMMENT ON COLUMN crm.import_reject.resolved_at IS 'When a later row with the same key went in.';
CREATE INDEX import_reject_open_key ON crm.import_reject (source_system, kind, source_key) WHERE resubmitted_at IS NULL AND resolved_at IS NULL;

CREATE TABLE crm.import_reason (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL,
  kind text NOT NULL,
  row_no bigint NOT NULL,
  column_name text,
  code text NOT NULL,
  message text NOT NULL,
  value text,
  hint text,
  follows text,
  FOREIGN KEY (batch_id, kind, row_no) REFERENCES crm.import_reject ON DELETE CASCADE
);
COMMENT ON TABLE crm.import_reason IS 'Why rows were refused: every reason of every row.';
COMMENT ON COLUMN crm.import_reason.id IS 'Key.';
COMMENT ON COLUMN crm.import_reason.batch_id IS 'Batch.';
COMMENT ON COLUMN crm.import_reason.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.import_reason.row_no IS 'Row of the batch.';
COMMENT ON COLUMN crm.import_reason.column_name IS 'Column of the staging table; NULL where a rule of the whole row is broken.';
COMMENT ON COLUMN crm.import_reason.code IS 'SQLSTATE: 23502 missing, 22021 and 22001 text, 22007 and 22008 dates, 22P02 and 22003 numbers and literals, 23503 not known or refused itself, 23505 key repeated with different content, 23514 rule; others from constraints and triggers of the tables.';
COMMENT ON COLUMN crm.import_reason.message IS 'What is wrong.';
COMMENT ON COLUMN crm.import_reason.value IS 'The offending value.';
COMMENT ON COLUMN crm.import_reason.hint IS 'What to do about it.';
COMMENT ON COLUMN crm.import_reason.follows IS 'Kind of the refused row that this one only follows; NULL for a fault of its own.';
CREATE INDEX ON crm.import_reason (batch_id, kind, row_no);

-- calls -----------------------------------------------------------------------

CREATE PROCEDURE crm.import(source_system text, INOUT batch_id bigint DEFAULT NULL)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  batch_id := crm._import_all(source_system);
END
$$;
COMMENT ON PROCEDURE crm.import(text, bigint) IS
  'Brings the waiting rows of a source system from the staging tables into the book, in one transaction, and gives the number of the batch; crm.import_in_steps() commits as it goes. Keys unknown are made, keys known are updated where the row says something new. A row with any fault is refused as a whole, every fault told, and stops no other row. Rows of one batch with the same key: when they agree the first counts and the others are unchanged, when they differ all are refused. Imports of one system follow each other. Errors: 22023 without a source system, 40001 at REPEATABLE READ when the system was imported from meanwhile.';
REVOKE ALL ON PROCEDURE crm.import(text, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_correction_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unknown text;
BEGIN
  SELECT k INTO unknown FROM pg_catalog.jsonb_object_keys(CASE WHEN pg_catalog.jsonb_typeof(NEW.correction) = 'object' THEN NEW.correction END) k
  WHERE k NOT IN (SELECT c.name FROM crm.import_column c WHERE c.kind = NEW.kind) ORDER BY k LIMIT 1;
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
  kind text;
  total bigint := 0;
BEGIN
  IF NOT EXISTS (SELECT FROM crm.import_batch b WHERE b.id = resubmit_import.batch_id) THEN
    RAISE EXCEPTION 'there is no batch %', batch_id
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.import_batch lists the batches.';
  END IF;
  FOR kind IN SELECT k.kind FROM crm.import_kind k ORDER BY k.position LOOP
    total := total + crm._import_put_back(kind, pg_catalog.format('j.batch_id = %s AND j.resolved_at IS NULL%s', batch_id,
      CASE WHEN corrected_only THEN ' AND j.correction IS NOT NULL' ELSE '' END));
  END LOOP;
  RETURN total;
END
$$;
COMMENT ON FUNCTION crm.resubmit_import(bigint, boolean) IS
  'Puts the refused rows of a batch, with their corrections, back into the staging tables for the next import, each once; with corrected_only just those with a correction. Rows that only follow a refused one need it not, and those whose key has gone in since stay. Gives their number. Errors: 22023 when there is no such batch.';
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
