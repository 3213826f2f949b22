-- recycle: when a holder is reminded that a holding falls due

CREATE FUNCTION crm._reminder_stages(days text, OUT stage integer, OUT to_supervisor boolean) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT (pg_catalog.regexp_match(s.part, '\d+'))[1]::integer, s.part ~ 'supervisor'
  FROM pg_catalog.regexp_split_to_table(_reminder_stages.days, ',') s (part) WHERE s.part ~ '\d';
END;
COMMENT ON FUNCTION crm._reminder_stages(text) IS 'Days of crm.reminder_days, each with whether it is one for the supervisor too.';

CREATE FUNCTION crm._is_reminder_days(days text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT _is_reminder_days.days ~ '^ *(none|[1-9]\d{0,2}( +supervisor)?( *, *[1-9]\d{0,2}( +supervisor)?)*) *$'
    AND (SELECT pg_catalog.count(*) = pg_catalog.count(DISTINCT s.stage) FROM crm._reminder_stages(_is_reminder_days.days) s);
END;
COMMENT ON FUNCTION crm._is_reminder_days(text) IS 'Whether a text is of the form of crm.reminder_days.';

CREATE DOMAIN crm.reminder_days AS text CONSTRAINT reminder_days_check CHECK (crm._is_reminder_days(VALUE));
COMMENT ON DOMAIN crm.reminder_days IS 'Days before the due time at which a holder is reminded, 1 to 999, each once: "7, 3, 1 supervisor"; the word supervisor after one means that the supervisor is told, too; "none" stands alone.';
