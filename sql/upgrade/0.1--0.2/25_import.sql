-- import: one engine for every table, kinds of rows as data

DROP FUNCTION crm._import_columns();
DROP FUNCTION crm._try_cast(text, regtype);
DROP FUNCTION crm._try_resident_id(text);
DROP FUNCTION crm._import_fault(text, text, text[]);
DROP FUNCTION crm._import_read(text, text);
DROP FUNCTION crm._import_drop_faulty(text);
DROP FUNCTION crm._import_customers(text);
DROP FUNCTION crm._import_policies(text);
DROP FUNCTION crm._import_insured(text);
DROP FUNCTION crm._import_events(text);
DROP FUNCTION crm._import_lock();
DROP FUNCTION crm._import_write(text, text, bigint, bigint);
DROP FUNCTION crm._import_write_all(text, text, bigint, bigint);
DROP FUNCTION crm._import_drop_orphans(text);

ALTER TABLE crm.import_batch ADD COLUMN stepwise boolean NOT NULL DEFAULT false;
ALTER TABLE crm.import_batch_kind
  DROP CONSTRAINT import_batch_kind_kind_check,
  ADD COLUMN expected bigint,
  ADD COLUMN first_row bigint,
  ADD COLUMN repeats boolean;
ALTER TABLE crm.import_reject
  DROP CONSTRAINT import_reject_kind_check,
  ADD COLUMN source_system text,
  ADD COLUMN source_key text,
  ADD COLUMN follows boolean NOT NULL DEFAULT false,
  ADD COLUMN resolved_at timestamptz;
ALTER TABLE crm.import_reason
  ADD COLUMN hint text,
  ADD COLUMN follows text;
COMMENT ON TABLE crm.import_batch IS 'One row for each import, with what became of the rows: read = accepted + unchanged + rejected.';
COMMENT ON COLUMN crm.import_batch.finished_at IS 'End; NULL while it runs or was broken off.';
COMMENT ON COLUMN crm.import_batch.stepwise IS 'Whether it is one of crm.import_in_steps(), which commits as it goes.';
CREATE INDEX import_batch_open_key ON crm.import_batch (source_system) WHERE stepwise AND finished_at IS NULL;
COMMENT ON TABLE crm.import_batch_kind IS 'The sums of crm.import_batch by kind of row; kinds of which no row was waiting have none.';
COMMENT ON COLUMN crm.import_batch_kind.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.import_batch_kind.expected IS 'Rows that were waiting when a stepwise import began.';
COMMENT ON COLUMN crm.import_batch_kind.first_row IS 'Least row_no among these: row 1 of the batch.';
COMMENT ON COLUMN crm.import_batch_kind.repeats IS 'Whether some of these had the same key; they are taken together.';
COMMENT ON COLUMN crm.import_reject.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.import_reject.source_system IS 'The other system.';
COMMENT ON COLUMN crm.import_reject.source_key IS 'What identifies the row: its key in the other system, or the columns of its key with a slash between them; at most 650 characters of it.';
COMMENT ON COLUMN crm.import_reject.follows IS 'Whether nothing is wrong but that rows it refers to were refused: it goes in by itself once they do.';
COMMENT ON COLUMN crm.import_reject.resolved_at IS 'When a later row with the same key went in.';
CREATE INDEX import_reject_open_key ON crm.import_reject (source_system, kind, source_key) WHERE resubmitted_at IS NULL AND resolved_at IS NULL;
COMMENT ON COLUMN crm.import_reason.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.import_reason.code IS 'SQLSTATE: 23502 missing, 22021 and 22001 text, 22007 and 22008 dates, 22P02 and 22003 numbers and literals, 23503 not known or refused itself, 23505 key repeated with different content, 23514 rule; others from constraints and triggers of the tables.';
COMMENT ON COLUMN crm.import_reason.hint IS 'What to do about it.';
COMMENT ON COLUMN crm.import_reason.follows IS 'Kind of the refused row that this one only follows; NULL for a fault of its own.';

-- what 0.1 refused can still be corrected and found by its key
UPDATE crm.import_reject j
SET source_system = b.source_system,
    source_key = pg_catalog.left(CASE j.kind WHEN 'insured' THEN pg_catalog.concat_ws(' / ', j.data ->> 'policy_key', j.data ->> 'customer_key')
                 WHEN 'event' THEN pg_catalog.concat_ws(' / ', j.data ->> 'policy_key', j.data ->> 'kind', j.data ->> 'on_date')
                 ELSE j.data ->> 'source_key' END, 650)
FROM crm.import_batch b WHERE b.id = j.batch_id;

@model/25_import crm.import
REVOKE ALL ON PROCEDURE crm.import(text, bigint) FROM PUBLIC;

@model/25_import crm._import_correction_check
REVOKE ALL ON FUNCTION crm._import_correction_check() FROM PUBLIC;

@model/25_import crm.resubmit_import
REVOKE ALL ON FUNCTION crm.resubmit_import(bigint, boolean) FROM PUBLIC;
