-- kpi: closing, publishing and restating a month

CREATE FUNCTION crm._closing_month(day date) RETURNS date
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF day IS NULL THEN
    RAISE EXCEPTION 'the month must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF day NOT BETWEEN '1900-01-01' AND '2199-12-31' THEN
    RAISE EXCEPTION 'day "%" is out of range', day USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a day from 1900 to 2199.';
  ELSIF current_setting('transaction_isolation') <> 'read committed' THEN
    -- a snapshot older than the locks would not show what was waited for
    RAISE EXCEPTION 'closing needs isolation level read committed'
      USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''.';
  END IF;
  -- what this very transaction has touched
  PERFORM crm.post();
  -- no rebuild switches meanwhile, then one person at a time, as crm.post() locks the generations too
  LOCK TABLE crm.generation IN ROW SHARE MODE;
  LOCK TABLE crm.closing IN SHARE ROW EXCLUSIVE MODE;
  RETURN date_trunc('month', day::timestamp)::date;
END
$$;
COMMENT ON FUNCTION crm._closing_month(date) IS 'Locks the closing of months and returns the first day of the one that a day is in. Errors: 22004, 22023, 25001.';
REVOKE ALL ON FUNCTION crm._closing_month(date) FROM PUBLIC;

CREATE FUNCTION crm._closing_of(month date, states text[], hint text) RETURNS crm.closing
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  found_one crm.closing;
BEGIN
  SELECT * INTO found_one FROM crm.closing c WHERE c.month = _closing_of.month AND c.state = ANY (_closing_of.states);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'of % no version is %', to_char(_closing_of.month, 'YYYY-MM'), array_to_string(_closing_of.states, ' or ')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = _closing_of.hint;
  END IF;
  RETURN found_one;
END
$$;
COMMENT ON FUNCTION crm._closing_of(date, text[], text) IS 'The version of a month that is in one of these states. Errors: 55000 there is none.';
REVOKE ALL ON FUNCTION crm._closing_of(date, text[], text) FROM PUBLIC;

CREATE FUNCTION crm._freeze_month(month date, restates integer, reason text) RETURNS crm.closing
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET jit = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  c crm.closing;
  g record;
BEGIN
  INSERT INTO crm.closing (month, version, restates, reason, closed_at, closed_by)
  SELECT _freeze_month.month, coalesce(max(x.version), 0) + 1, _freeze_month.restates, _freeze_month.reason, clock_timestamp(), crm.actor() FROM crm.closing x WHERE x.month = _freeze_month.month
  RETURNING * INTO c;
  SELECT x.posted_to, x.first_day INTO g FROM crm.generation x WHERE x.state = 'current';
  IF c.last_day > g.posted_to THEN
    RAISE EXCEPTION 'the figures are posted up to % only', g.posted_to USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.refresh(), every night for preference.';
  ELSIF c.last_day < g.first_day THEN
    RAISE EXCEPTION 'there are no figures of %', to_char(c.month, 'YYYY-MM') USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('The book begins on %s.', g.first_day);
  END IF;
  INSERT INTO crm.closing_unit (month, version, org_id, parent_id, code, name, level) SELECT c.month, c.version, o.id, o.parent_id, o.code, o.name, o.level FROM crm.organisation o;
  PERFORM crm._take_day(c.last_day);
  -- one statement, so that all is of one moment, and whether it is fresh as well
  WITH seen AS MATERIALIZED (
    SELECT k.org_id, k.code, p.grain, k.class, h.id AS channel_id, k.channel, k.kind, k.numerator::numeric AS n, k.denominator::numeric AS d
    FROM crm._figure k
    JOIN crm.period p ON p.grain_name = k.grain AND p.period_start = k.period_start
    LEFT JOIN crm.channel h ON h.code = k.channel
    WHERE k.period_end = c.last_day AND k.code NOT IN (SELECT x.code FROM crm.kpi_code x WHERE x.goes_on)),
  class AS MATERIALIZED (SELECT x.class, row_number() OVER (ORDER BY x.class COLLATE "C") AS id FROM (SELECT DISTINCT s.class FROM seen s WHERE s.class IS NOT NULL) x),
  packed AS (
    SELECT s.org_id, s.code, x.scale, count(s.d) > 0 AS has_denominator, count(s.class) > 0 AS by_class, count(*) AS figures,
           coalesce(crm._cells_of(array_agg(ARRAY[v.period, v.period, coalesce(l.id, 0), coalesce(s.channel_id, 0), CASE s.kind WHEN 'company' THEN 1 ELSE 0 END, v.n * 10::numeric ^ x.scale]::bigint[])
                                  FILTER (WHERE v.n <> 0)), ''::crm.cells) AS cells
    FROM seen s
    JOIN (SELECT y.code, y.org_id, max(greatest(scale(trim_scale(y.n)), scale(trim_scale(y.d)))) AS scale FROM seen y GROUP BY y.code, y.org_id) x ON x.code = s.code AND x.org_id = s.org_id
    LEFT JOIN class l ON l.class = s.class
    CROSS JOIN LATERAL (VALUES (2 * s.grain - 2, s.n), (2 * s.grain - 1, s.d)) v (period, n)
    GROUP BY s.org_id, s.code, x.scale),
  put AS (
    INSERT INTO crm.closing_figure (month, version, org_id, code, scale, has_denominator, by_class, cells)
    SELECT c.month, c.version, p.org_id, p.code, p.scale, p.has_denominator, p.by_class, p.cells FROM packed p)
  SELECT (SELECT count(*) FROM seen) AS figures, coalesce((SELECT array_agg(l.class ORDER BY l.id) FROM class l), '{}') AS classes,
         h.ids AS channel_ids, h.codes AS channel_codes, (SELECT array_agg(k.code ORDER BY k.code COLLATE "C") FROM crm.kpi_code k WHERE NOT k.goes_on) AS codes,
         (SELECT coalesce(sum(p.policies), 0) FROM crm.pending p) AS pending, (SELECT count(*) FROM crm._stale_scale) AS stale, x.cover_by <> crm._cover_by() AS other_cover
  INTO STRICT g
  FROM crm.generation x
  CROSS JOIN (SELECT coalesce(array_agg(y.channel_id ORDER BY y.channel_id), '{}') AS ids, coalesce(array_agg(y.channel ORDER BY y.channel_id), '{}') AS codes
              FROM (SELECT DISTINCT s.channel_id, s.channel FROM seen s WHERE s.channel_id IS NOT NULL) y) h
  WHERE x.state = 'current';
  IF g.pending > 0 THEN
    RAISE EXCEPTION '% changes are queued and not in the figures', g.pending USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.refresh() first.';
  ELSIF g.stale > 0 OR g.other_cover THEN
    RAISE EXCEPTION 'settings have changed that the figures do not follow yet' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.rebuild() first.';
  END IF;
  UPDATE crm.closing x SET figures = g.figures, classes = g.classes, channel_ids = g.channel_ids, channel_codes = g.channel_codes, codes = g.codes
  WHERE x.month = c.month AND x.version = c.version;
  UPDATE crm.closing x SET digest = crm._closing_digest(x.month, x.version) WHERE x.month = c.month AND x.version = c.version RETURNING * INTO c;
  RETURN c;
END
$$;
COMMENT ON FUNCTION crm._freeze_month(date, integer, text) IS
  'Makes a version of a month: what crm_bi.kpi and crm_bi.kpi_event show as of its last day of every period that ends with it, but for figures that go on. Errors: 55000 changes are queued, settings are not followed, figures not posted so far, before the book.';
REVOKE ALL ON FUNCTION crm._freeze_month(date, integer, text) FROM PUBLIC;

CREATE FUNCTION crm.close_month(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted CONSTANT date := crm._closing_month(close_month.month);
  today CONSTANT date := crm._business_day(clock_timestamp());
  first date;
  last date;
  known text;
BEGIN
  IF (wanted + interval '1 month')::date > today THEN
    RAISE EXCEPTION '% is not over', to_char(wanted, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('It is %s by the clock in the business time zone; a month is closed from the first day of the next on.', today);
  END IF;
  SELECT c.state INTO known FROM crm.closing c WHERE c.month = wanted AND c.state <> 'discarded' ORDER BY c.version DESC LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is % already', to_char(wanted, 'YYYY-MM'), known
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = CASE known WHEN 'closed' THEN 'crm.publish_month() publishes it, crm.discard_closing() gives it up.' ELSE 'crm.restate_month() makes a new version of it.' END;
  END IF;
  SELECT min(c.month), max(c.month) INTO first, last FROM crm.closing c WHERE c.state <> 'discarded';
  IF wanted <> (last + interval '1 month')::date THEN
    RAISE EXCEPTION 'the month to close next is %', to_char(last + interval '1 month', 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN wanted < first THEN format('Closing began with %s.', to_char(first, 'YYYY-MM')) ELSE 'Months are closed in their order.' END;
  END IF;
  RETURN (crm._freeze_month(wanted, NULL, NULL)).figures;
END
$$;
COMMENT ON FUNCTION crm.close_month(date) IS
  'Closes a month, named by any of its days: keeps what crm_bi.kpi and crm_bi.kpi_event show of it and of the quarter, year and trailing_12 that end with it, but for figures that go on, for somebody else to publish. Returns the number of figures. The first may be any month over, the next is the one after it. Errors: 22004, 22023, 25001, 55000 not over by the clock, closed already, not the next one, changes queued, settings not followed, not posted so far, before the book. 关账';
REVOKE ALL ON FUNCTION crm.close_month(date) FROM PUBLIC;

CREATE FUNCTION crm.discard_closing(month date, reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted CONSTANT date := crm._closing_month(discard_closing.month);
  c CONSTANT crm.closing := crm._closing_of(wanted, '{closed}', 'What is published stays; crm.restate_month() makes a new version of it.');
BEGIN
  PERFORM crm._require_values('giving up a closing', json_build_object('reason', discard_closing.reason));
  IF c.restates IS NULL AND EXISTS (SELECT FROM crm.closing x WHERE x.month > wanted AND x.state <> 'discarded') THEN
    RAISE EXCEPTION 'a later month than % is closed', to_char(wanted, 'YYYY-MM') USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give up the later ones first.';
  END IF;
  UPDATE crm.closing x SET discarded_at = clock_timestamp(), discarded_by = crm.actor(), discard_reason = discard_closing.reason, digest = NULL WHERE x.month = c.month AND x.version = c.version;
  DELETE FROM crm.closing_figure x WHERE x.month = c.month AND x.version = c.version;
  DELETE FROM crm.closing_unit x WHERE x.month = c.month AND x.version = c.version;
  RETURN c.version;
END
$$;
COMMENT ON FUNCTION crm.discard_closing(date, text) IS
  'Gives up, with a reason, the version of a month that is closed or restated and not published: its figures are removed, the row in crm_bi.closing stays. Returns its number. Errors: 22004, 22023, 23502 and 23514 no reason, 25001, 55000 there is none, or a later month is closed. 撤销关账';
REVOKE ALL ON FUNCTION crm.discard_closing(date, text) FROM PUBLIC;

CREATE FUNCTION crm.publish_month(month date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted CONSTANT date := crm._closing_month(publish_month.month);
  c CONSTANT crm.closing := crm._closing_of(wanted, '{closed}', 'crm.close_month() closes a month, crm.restate_month() one that is published, then somebody else publishes it.');
  earlier date;
  at CONSTANT timestamptz := clock_timestamp();
BEGIN
  IF c.closed_by = crm.actor() THEN
    RAISE EXCEPTION '"%" has closed %', crm.actor(), to_char(wanted, 'YYYY-MM') USING ERRCODE = 'insufficient_privilege', HINT = 'Somebody else publishes it.';
  END IF;
  SELECT min(x.month) INTO earlier FROM crm.closing x WHERE x.month < wanted AND x.state = 'closed' AND x.restates IS NULL;
  IF earlier IS NOT NULL THEN
    RAISE EXCEPTION '% is not published', to_char(earlier, 'YYYY-MM') USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Months are published in their order.';
  ELSIF c.digest IS DISTINCT FROM crm._closing_digest(c.month, c.version) THEN
    RAISE EXCEPTION 'the figures of % are not as they were closed', to_char(wanted, 'YYYY-MM') USING ERRCODE = 'data_exception', HINT = 'Find out who wrote there by hand; crm.discard_closing(), and close the month again.';
  END IF;
  UPDATE crm.closing x SET superseded_at = at WHERE x.month = wanted AND x.state = 'published';
  UPDATE crm.closing x SET published_at = at, published_by = crm.actor() WHERE x.month = c.month AND x.version = c.version;
  RETURN c.version;
END
$$;
COMMENT ON FUNCTION crm.publish_month(date) IS
  'Publishes the version of a month that somebody else has closed or restated; from then on nobody changes it. Returns its number. Errors: 22000 written by hand, 22004, 22023, 25001, 42501 closed by the same person, 55000 there is none, or an earlier month is not published. 发布';
REVOKE ALL ON FUNCTION crm.publish_month(date) FROM PUBLIC;

CREATE FUNCTION crm.restate_month(month date, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted CONSTANT date := crm._closing_month(restate_month.month);
  before CONSTANT crm.closing := crm._closing_of(wanted, '{published}', 'Only what is published is restated; crm.discard_closing() gives up what is not.');
  after crm.closing;
  differences bigint;
BEGIN
  PERFORM crm._require_values('restating a month', json_build_object('reason', restate_month.reason));
  IF EXISTS (SELECT FROM crm.closing x WHERE x.month = wanted AND x.state = 'closed') THEN
    RAISE EXCEPTION '% is restated already and not published', to_char(wanted, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.publish_month() publishes it, crm.discard_closing() gives it up.';
  END IF;
  after := crm._freeze_month(wanted, before.version, restate_month.reason);
  SELECT count(*) INTO differences FROM crm._restated_figure r WHERE r.month = after.month AND r.version = after.version;
  IF differences = 0 THEN
    RAISE EXCEPTION 'the figures of % are as published', to_char(wanted, 'YYYY-MM') USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm_bi.kpi_published shows what differs.';
  END IF;
  RETURN differences;
END
$$;
COMMENT ON FUNCTION crm.restate_month(date, text) IS
  'Makes a new version of a published month from the figures as they are now, with a reason, for somebody else to publish; until then the published one stands. Returns in how many figures they differ. Errors: 22004, 22023, 23502 and 23514 no reason, 25001, 55000 not published, restated already, nothing differs, and as crm.close_month(). 重述';
REVOKE ALL ON FUNCTION crm.restate_month(date, text) FROM PUBLIC;

CREATE FUNCTION crm._check_closing() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT 'published figures stand', format('version %s of %s is not as it was closed', c.version, to_char(c.month, 'YYYY-MM')), 'Find out who wrote there by hand, and restore it from a dump.'
  FROM crm.closing c WHERE c.state <> 'discarded' AND c.digest IS DISTINCT FROM crm._closing_digest(c.month, c.version)
  ORDER BY c.month, c.version LIMIT 100;

  RETURN QUERY
  SELECT 'months are closed in order', format('%s is missing', to_char(m.m, 'YYYY-MM')), 'Find out who deleted it, and restore it from a dump.'
  FROM (SELECT min(c.month) AS first, max(c.month) AS last FROM crm.closing c WHERE c.state <> 'discarded') e
  CROSS JOIN LATERAL generate_series(e.first::timestamp, e.last::timestamp, interval '1 month') AS m (m)
  WHERE NOT EXISTS (SELECT FROM crm.closing c WHERE c.month = m.m::date AND c.state <> 'discarded') LIMIT 100;
END
$$;
COMMENT ON FUNCTION crm._check_closing() IS 'Months closed that are not as they were closed, and months left out; each with what to do.';
REVOKE ALL ON FUNCTION crm._check_closing() FROM PUBLIC;

GRANT SELECT ON crm.closing, crm.closing_unit, crm.closing_figure, crm._closed_figure, crm._restated_figure TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('controller', 'EXECUTE', 'FUNCTION', 'crm.close_month(date)'),
  ('controller', 'EXECUTE', 'FUNCTION', 'crm.discard_closing(date, text)'),
  ('controller', 'EXECUTE', 'FUNCTION', 'crm.restate_month(date, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.publish_month(date)');
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.' || v.name
FROM unnest('{controller,manager}'::text[]) d (duty), unnest('{closing,kpi_version,kpi_published,kpi_restated,kpi,kpi_code,organisation,freshness}'::text[]) v (name)
WHERE NOT EXISTS (SELECT FROM crm.duty_right x WHERE (x.duty, x.privilege, x.kind, x.object) = (d.duty, 'SELECT', 'TABLE', 'crm_bi.' || v.name))
UNION ALL SELECT 'controller', 'USAGE', 'SCHEMA', 'crm_bi';
