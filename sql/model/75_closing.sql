-- kpi: months are closed and their figures kept as they were, published by somebody else, restated with a reason

CREATE TABLE crm.closing (
  month date NOT NULL CHECK (month >= '1900-01-01' AND month <= '2199-12-01' AND extract(day FROM month) = 1),
  version integer NOT NULL CHECK (version > 0),
  last_day date GENERATED ALWAYS AS ((month + interval '1 month' - interval '1 day')::date) STORED,
  restates integer CHECK (restates < version),
  reason text CHECK (pg_catalog.btrim(reason) <> ''),
  codes text[] NOT NULL DEFAULT '{}',
  classes text[] NOT NULL DEFAULT '{}',
  channel_ids bigint[] NOT NULL DEFAULT '{}',
  channel_codes text[] NOT NULL DEFAULT '{}',
  figures bigint NOT NULL DEFAULT 0,
  digest bytea,
  closed_at timestamptz NOT NULL,
  closed_by text NOT NULL,
  published_at timestamptz,
  published_by text,
  superseded_at timestamptz,
  discarded_at timestamptz,
  discarded_by text,
  discard_reason text CHECK (pg_catalog.btrim(discard_reason) <> ''),
  state text NOT NULL GENERATED ALWAYS AS (CASE WHEN discarded_at IS NOT NULL THEN 'discarded' WHEN published_at IS NULL THEN 'closed' WHEN superseded_at IS NULL THEN 'published' ELSE 'superseded' END) STORED,
  PRIMARY KEY (month, version),
  CHECK ((restates IS NULL) = (reason IS NULL)),
  CHECK ((published_at IS NULL) = (published_by IS NULL)),
  CHECK ((discarded_at IS NULL) = (discarded_by IS NULL)),
  CHECK ((discarded_at IS NULL) = (discard_reason IS NULL)),
  CHECK (discarded_at IS NULL OR published_at IS NULL),
  CHECK (superseded_at IS NULL OR published_at IS NOT NULL),
  CHECK (published_by <> closed_by)
);
CREATE UNIQUE INDEX closing_waiting_key ON crm.closing (month) WHERE published_at IS NULL AND discarded_at IS NULL;
CREATE UNIQUE INDEX closing_published_key ON crm.closing (month) WHERE published_at IS NOT NULL AND superseded_at IS NULL;
COMMENT ON TABLE crm.closing IS 'Months closed: one row for each version of their figures. 关账版本';
COMMENT ON COLUMN crm.closing.month IS 'First day of the month.';
COMMENT ON COLUMN crm.closing.version IS 'Number of the version, from 1.';
COMMENT ON COLUMN crm.closing.last_day IS 'Last day of the month; the periods that end on it are part of the closing.';
COMMENT ON COLUMN crm.closing.restates IS 'Published version that this one is to replace; NULL: the month was not published.';
COMMENT ON COLUMN crm.closing.reason IS 'Why it is restated.';
COMMENT ON COLUMN crm.closing.codes IS 'Figures that there were.';
COMMENT ON COLUMN crm.closing.classes IS 'Labels of the classes in crm.closing_figure, from 1.';
COMMENT ON COLUMN crm.closing.channel_ids IS 'Channels in crm.closing_figure.';
COMMENT ON COLUMN crm.closing.channel_codes IS 'Their codes.';
COMMENT ON COLUMN crm.closing.figures IS 'How many figures, in all cells.';
COMMENT ON COLUMN crm.closing.digest IS 'SHA-256 over the figures; of a discarded version NULL.';
COMMENT ON COLUMN crm.closing.closed_at IS 'When the figures were read.';
COMMENT ON COLUMN crm.closing.closed_by IS 'Who closed or restated it.';
COMMENT ON COLUMN crm.closing.published_at IS 'When it was published.';
COMMENT ON COLUMN crm.closing.published_by IS 'Who published it.';
COMMENT ON COLUMN crm.closing.superseded_at IS 'When a later version was published.';
COMMENT ON COLUMN crm.closing.discarded_at IS 'When it was given up without being published.';
COMMENT ON COLUMN crm.closing.discarded_by IS 'Who gave it up.';
COMMENT ON COLUMN crm.closing.discard_reason IS 'Why.';
COMMENT ON COLUMN crm.closing.state IS 'closed 已关账, published 已发布, superseded 已重述 or discarded 已撤销.';

CREATE TABLE crm.closing_unit (
  month date NOT NULL,
  version integer NOT NULL,
  org_id bigint NOT NULL,
  parent_id bigint,
  code text NOT NULL,
  name text NOT NULL,
  level integer NOT NULL,
  PRIMARY KEY (month, version, org_id),
  FOREIGN KEY (month, version) REFERENCES crm.closing
);
COMMENT ON TABLE crm.closing_unit IS 'Units as they were called and placed when a month was closed. 关账时的机构';
COMMENT ON COLUMN crm.closing_unit.month IS 'Month.';
COMMENT ON COLUMN crm.closing_unit.version IS 'Version.';
COMMENT ON COLUMN crm.closing_unit.org_id IS 'Unit; it may be gone since.';
COMMENT ON COLUMN crm.closing_unit.parent_id IS 'Unit above.';
COMMENT ON COLUMN crm.closing_unit.code IS 'Code.';
COMMENT ON COLUMN crm.closing_unit.name IS 'Name.';
COMMENT ON COLUMN crm.closing_unit.level IS 'Level, 0 at the top.';

CREATE TABLE crm.closing_figure (
  month date NOT NULL,
  version integer NOT NULL,
  org_id bigint NOT NULL,
  code text NOT NULL,
  scale smallint NOT NULL CHECK (scale >= 0),
  has_denominator boolean NOT NULL,
  by_class boolean NOT NULL,
  cells crm.cells NOT NULL,
  PRIMARY KEY (month, version, org_id, code),
  FOREIGN KEY (month, version) REFERENCES crm.closing
);
COMMENT ON TABLE crm.closing_figure IS 'Figures of months closed as crm_bi.kpi showed them, packed: one row for each unit and figure, read through crm_bi.kpi_version and kpi_published. 关账指标';
COMMENT ON COLUMN crm.closing_figure.month IS 'Month.';
COMMENT ON COLUMN crm.closing_figure.version IS 'Version.';
COMMENT ON COLUMN crm.closing_figure.org_id IS 'Unit with its subtree, as it was.';
COMMENT ON COLUMN crm.closing_figure.code IS 'Figure.';
COMMENT ON COLUMN crm.closing_figure.scale IS 'Decimals of the numbers in cells.';
COMMENT ON COLUMN crm.closing_figure.has_denominator IS 'Whether it is a rate.';
COMMENT ON COLUMN crm.closing_figure.by_class IS 'Whether it is given by class.';
COMMENT ON COLUMN crm.closing_figure.cells IS 'Numerators in the periods 0, 2, 4 and 6 for month, quarter, year and trailing_12, denominators in the ones after them; classes count in crm.closing.classes.';

CREATE FUNCTION crm._closing_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME <> 'closing'
     AND EXISTS (SELECT FROM crm.closing c WHERE c.month = OLD.month AND c.version = OLD.version AND c.state = 'discarded') THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the figures of % stand as they were closed', to_char(OLD.month, 'YYYY-MM')
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.restate_month() makes a new version; crm.discard_closing() gives up one that is not published.';
END
$$;
COMMENT ON FUNCTION crm._closing_stands() IS 'Trigger: figures once closed are neither changed nor deleted, but for those of a version given up. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._closing_stands() FROM PUBLIC;
CREATE TRIGGER stands BEFORE UPDATE OR DELETE ON crm.closing_figure FOR EACH ROW EXECUTE FUNCTION crm._closing_stands();
CREATE TRIGGER stands BEFORE UPDATE OR DELETE ON crm.closing_unit FOR EACH ROW EXECUTE FUNCTION crm._closing_stands();
CREATE TRIGGER stands BEFORE DELETE ON crm.closing FOR EACH ROW EXECUTE FUNCTION crm._closing_stands();

CREATE FUNCTION crm._closing_version_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (OLD.month, OLD.version, OLD.restates, OLD.reason, OLD.closed_at, OLD.closed_by) IS DISTINCT FROM (NEW.month, NEW.version, NEW.restates, NEW.reason, NEW.closed_at, NEW.closed_by)
     OR (OLD.published_at IS NOT NULL OR OLD.discarded_at IS NOT NULL)
        AND (OLD.codes, OLD.classes, OLD.channel_ids, OLD.channel_codes, OLD.figures, OLD.digest, OLD.published_at, OLD.published_by, OLD.discarded_at, OLD.discarded_by, OLD.discard_reason)
            IS DISTINCT FROM (NEW.codes, NEW.classes, NEW.channel_ids, NEW.channel_codes, NEW.figures, NEW.digest, NEW.published_at, NEW.published_by, NEW.discarded_at, NEW.discarded_by, NEW.discard_reason)
     OR OLD.superseded_at <> NEW.superseded_at OR OLD.superseded_at IS NOT NULL AND NEW.superseded_at IS NULL THEN
    RAISE EXCEPTION 'version % of % stands as it is', OLD.version, to_char(OLD.month, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.restate_month() makes a new version; crm.discard_closing() gives up one that is not published.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._closing_version_stands() IS 'Trigger: a version keeps who made it, and once published or given up all but that a later one supersedes it. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._closing_version_stands() FROM PUBLIC;
CREATE TRIGGER stands_as_made BEFORE UPDATE ON crm.closing FOR EACH ROW EXECUTE FUNCTION crm._closing_version_stands();

-- what a version holds, cell by cell ------------------------------------------------

CREATE FUNCTION crm._closing_number(n bigint, scale smallint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE _closing_number.scale WHEN 0 THEN _closing_number.n::numeric ELSE pg_catalog.trim_scale(_closing_number.n::numeric / 10::numeric ^ _closing_number.scale) END;
END;
COMMENT ON FUNCTION crm._closing_number(bigint, smallint) IS 'A number of crm.closing_figure with its decimals.';

CREATE VIEW crm._closed_figure AS
SELECT c.month, c.version, p.grain, p.grain_name, p.period_start, p.period_end, f.org_id, f.code, r.class, r.channel::bigint AS channel_id, r.kind,
       crm._closing_number(r.numerator, f.scale) AS numerator, crm._closing_number(r.denominator, f.scale) AS denominator
FROM crm.closing c
JOIN crm.period p ON p.period_end = c.last_day
JOIN crm.closing_figure f ON f.month = c.month AND f.version = c.version
CROSS JOIN LATERAL crm._kpi_cells(CASE WHEN f.has_denominator THEN 1 ELSE 0 END::smallint, CASE WHEN f.by_class THEN c.classes END, c.channel_ids, c.channel_ids::text[],
                                  f.cells, 2 * p.grain - 2, NULL, NULL, NULL, f.cells, 2 * p.grain - 1, NULL, NULL, NULL) r;
COMMENT ON VIEW crm._closed_figure IS 'The figures of every version, cell by cell.';

CREATE VIEW crm._restated_figure AS
SELECT a.month, a.version, x.grain_name, x.period_start, x.period_end, x.org_id, x.code, x.class, x.channel_id, x.kind,
       pg_catalog.sum(x.numerator) FILTER (WHERE NOT x.after) AS numerator_before, pg_catalog.sum(x.denominator) FILTER (WHERE NOT x.after) AS denominator_before,
       pg_catalog.sum(x.numerator) FILTER (WHERE x.after) AS numerator, pg_catalog.sum(x.denominator) FILTER (WHERE x.after) AS denominator
FROM crm.closing a
CROSS JOIN LATERAL (SELECT f.*, f.version = a.version AS after FROM crm._closed_figure f WHERE f.month = a.month AND f.version IN (a.version, a.restates)) x
WHERE a.restates IS NOT NULL AND a.state <> 'discarded'
GROUP BY a.month, a.version, x.grain_name, x.period_start, x.period_end, x.org_id, x.code, x.class, x.channel_id, x.kind
HAVING (pg_catalog.sum(x.numerator) FILTER (WHERE NOT x.after), pg_catalog.sum(x.denominator) FILTER (WHERE NOT x.after))
       IS DISTINCT FROM (pg_catalog.sum(x.numerator) FILTER (WHERE x.after), pg_catalog.sum(x.denominator) FILTER (WHERE x.after));
COMMENT ON VIEW crm._restated_figure IS 'The cells in which a version differs from the one that it restates; NULL: the cell was not there.';

CREATE FUNCTION crm._closing_digest(month date, version integer) RETURNS bytea
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT pg_catalog.sha256(
    pg_catalog.convert_to((c.codes, c.classes, c.channel_ids)::text, 'UTF8')
    || coalesce((SELECT pg_catalog.string_agg(pg_catalog.sha256(pg_catalog.convert_to((f.org_id, f.code, f.scale, f.has_denominator, f.by_class)::text, 'UTF8') || crm.cells_send(f.cells)), ''
                                              ORDER BY f.org_id, f.code COLLATE "C")
                 FROM crm.closing_figure f WHERE f.month = c.month AND f.version = c.version), ''))
  FROM crm.closing c WHERE c.month = _closing_digest.month AND c.version = _closing_digest.version;
END;
COMMENT ON FUNCTION crm._closing_digest(date, integer) IS 'SHA-256 over the figures of a version.';
REVOKE ALL ON FUNCTION crm._closing_digest(date, integer) FROM PUBLIC;
