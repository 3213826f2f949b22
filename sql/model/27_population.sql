-- target: how many people and companies could be customers, by unit and year, as surveys and statistics tell

CREATE TABLE crm.addressable_population (
  org_id bigint NOT NULL REFERENCES crm.organisation,
  year integer NOT NULL CHECK (year >= 1900 AND year <= 2199),
  kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'company')),
  n integer NOT NULL CHECK (n >= 0),
  note text,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (org_id, year, kind)
);
COMMENT ON TABLE crm.addressable_population IS 'Addressable population: who could be customers, by unit and year. 目标市场人口';
COMMENT ON COLUMN crm.addressable_population.org_id IS 'Unit, without the units below it, to which it is added.';
COMMENT ON COLUMN crm.addressable_population.year IS 'Year.';
COMMENT ON COLUMN crm.addressable_population.kind IS 'person or company.';
COMMENT ON COLUMN crm.addressable_population.n IS 'How many.';
COMMENT ON COLUMN crm.addressable_population.note IS 'Source or remark.';
COMMENT ON COLUMN crm.addressable_population.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.addressable_population.set_by IS 'Who set it.';
CREATE INDEX ON crm.addressable_population (year);
CREATE TRIGGER stamp BEFORE UPDATE ON crm.addressable_population FOR EACH ROW EXECUTE FUNCTION crm._stamp();

PERFORM crm._import_declare('addressable_population', 415, 'addressable_population', 'addressable population', '{org_code,year,kind}', '{org_code>organisation,year,kind,n,note}');
INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('addressable_population', 1, 'year', 'addressable_population_year_check', 'a year lies between 1900 and 2199', NULL),
  ('addressable_population', 2, 'n', 'addressable_population_n_check', 'a number of people is not negative', NULL);

GRANT SELECT ON crm.addressable_population TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.addressable_population'),
  ('manager', 'INSERT (org_id, year, kind, n, note)', 'TABLE', 'crm.addressable_population'),
  ('manager', 'UPDATE (org_id, year, kind, n, note)', 'TABLE', 'crm.addressable_population'),
  ('manager', 'DELETE', 'TABLE', 'crm.addressable_population');
