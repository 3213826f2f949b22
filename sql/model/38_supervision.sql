-- book: who supervises the data of which units, and completeness month by month

CREATE TABLE crm.supervision (
  org_id bigint NOT NULL REFERENCES crm.organisation,
  from_date date NOT NULL CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  supervisor_id bigint REFERENCES crm.organisation,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (org_id, from_date),
  CHECK (supervisor_id <> org_id)
);
COMMENT ON TABLE crm.supervision IS 'Which service centre supervises which units, apart from the organisation tree: from from_date supervisor_id supervises org_id and its subtree, but for units below with rows of their own. 督导关系';
COMMENT ON COLUMN crm.supervision.org_id IS 'Unit supervised, with its subtree.';
COMMENT ON COLUMN crm.supervision.from_date IS 'First day.';
COMMENT ON COLUMN crm.supervision.supervisor_id IS 'Service centre, a unit anywhere; NULL: none from that day on.';
COMMENT ON COLUMN crm.supervision.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.supervision.set_by IS 'Who set it.';
CREATE INDEX ON crm.supervision (supervisor_id);
CREATE TRIGGER stamp BEFORE UPDATE ON crm.supervision FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE FUNCTION crm.supervisor_of(org_id bigint, as_of date) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT s.supervisor_id
          FROM crm.organisation_tree t JOIN crm.supervision s ON s.org_id = t.ancestor_id
          WHERE t.descendant_id = supervisor_of.org_id AND s.from_date <= as_of
          ORDER BY t.depth, s.from_date DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION crm.supervisor_of(bigint, date) IS 'The service centre that supervises a unit on a day: by the nearest row of crm.supervision at or above it; NULL: none.';
REVOKE ALL ON FUNCTION crm.supervisor_of(bigint, date) FROM PUBLIC;

CREATE VIEW crm._supervised AS
SELECT DISTINCT ON (t.descendant_id) t.descendant_id AS org_id, s.supervisor_id, s.from_date, s.org_id AS by_org_id
FROM crm.organisation_tree t JOIN crm.supervision s ON s.org_id = t.ancestor_id
WHERE s.from_date <= (SELECT crm.today())
ORDER BY t.descendant_id, t.depth, s.from_date DESC;
COMMENT ON VIEW crm._supervised IS 'The supervisor of every unit today.';

CREATE TABLE crm.completeness_month (
  month date PRIMARY KEY CHECK (pg_catalog.date_trunc('month', month::timestamp) = month),
  day date NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  recorded_by text NOT NULL DEFAULT crm.actor(),
  CHECK (day >= month AND day < month + interval '1 month')
);
COMMENT ON TABLE crm.completeness_month IS 'Months whose completeness was recorded by crm.record_completeness(); the last recording of a month stays. 资料完整度月度记录';
COMMENT ON COLUMN crm.completeness_month.month IS 'First day of the month.';
COMMENT ON COLUMN crm.completeness_month.day IS 'Day on which it was last recorded.';
COMMENT ON COLUMN crm.completeness_month.recorded_at IS 'When.';
COMMENT ON COLUMN crm.completeness_month.recorded_by IS 'By whom.';

CREATE TABLE crm.completeness_cell (
  month date NOT NULL REFERENCES crm.completeness_month ON DELETE CASCADE,
  org_id bigint NOT NULL REFERENCES crm.organisation,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  kind text NOT NULL,
  tier text NOT NULL,
  customers bigint NOT NULL,
  complete bigint NOT NULL,
  score_sum numeric NOT NULL,
  points numeric NOT NULL,
  weight numeric NOT NULL,
  PRIMARY KEY (month, org_id, channel_id, kind, tier)
);
COMMENT ON TABLE crm.completeness_cell IS 'Completeness as it was recorded, in sums that add up over cells.';
COMMENT ON COLUMN crm.completeness_cell.month IS 'Month.';
COMMENT ON COLUMN crm.completeness_cell.org_id IS 'Home organisation of the customers.';
COMMENT ON COLUMN crm.completeness_cell.channel_id IS 'Main channel.';
COMMENT ON COLUMN crm.completeness_cell.kind IS 'person or company.';
COMMENT ON COLUMN crm.completeness_cell.tier IS 'Tier, or none.';
COMMENT ON COLUMN crm.completeness_cell.customers IS 'Customers of whom anything is required.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.completeness_cell', 'customers', 'count', 'As kept on that day.');
COMMENT ON COLUMN crm.completeness_cell.complete IS 'Those of them who lack nothing.';
COMMENT ON COLUMN crm.completeness_cell.score_sum IS 'Sum of their scores.';
COMMENT ON COLUMN crm.completeness_cell.points IS 'Weight of the fields filled.';
COMMENT ON COLUMN crm.completeness_cell.weight IS 'Weight of the fields required.';
CREATE INDEX ON crm.completeness_cell (org_id);
CREATE INDEX ON crm.completeness_cell (channel_id);

CREATE FUNCTION crm.record_completeness() RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
DECLARE
  today date;
  this_month date;
BEGIN
  LOCK TABLE crm.completeness_month IN SHARE ROW EXCLUSIVE MODE;
  today := crm._business_day(clock_timestamp());
  this_month := date_trunc('month', today::timestamp);
  PERFORM crm._take_day(today);
  DELETE FROM crm.completeness_month m WHERE m.month = this_month;
  INSERT INTO crm.completeness_month (month, day) VALUES (this_month, today);
  INSERT INTO crm.completeness_cell (month, org_id, channel_id, kind, tier, customers, complete, score_sum, points, weight)
  SELECT this_month, c.org_id, c.channel_id, c.kind, coalesce(l.label, 'none'), c.customers, c.complete, c.score_sum, c.points, c.weight
  FROM crm._completeness_cell c LEFT JOIN crm.class l ON l.id = c.tier_id;
  RETURN today;
END
$$;
COMMENT ON FUNCTION crm.record_completeness() IS
  'Records completeness as it stands now for the month of today (by the clock, in the business time zone) and returns that day: to be run every night. The last recording of a month is its figure; months before are never written. 记录资料完整度';
REVOKE ALL ON FUNCTION crm.record_completeness() FROM PUBLIC;

GRANT SELECT ON crm.supervision, crm._supervised, crm.completeness_month, crm.completeness_cell TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.supervision'),
  ('manager', 'SELECT', 'TABLE', 'crm.completeness_month'),
  ('manager', 'SELECT', 'TABLE', 'crm.completeness_cell'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.supervisor_of(bigint, date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.record_completeness()');
