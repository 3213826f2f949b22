-- classify: mining projects, target lists worked on for a time and judged by what came of it

CREATE TABLE crm.mining_project (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name) <> ''),
  purpose text,
  target_list_id bigint REFERENCES crm.target_list ON DELETE SET NULL,
  trial_from date NOT NULL CHECK (trial_from BETWEEN '1900-01-01' AND '2199-12-31'),
  trial_to date NOT NULL CHECK (trial_to BETWEEN '1900-01-01' AND '2199-12-31'),
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  started_by text NOT NULL DEFAULT crm.actor(),
  closed_at timestamptz,
  closed_by text,
  conclusion text CHECK (pg_catalog.btrim(conclusion) <> ''),
  CHECK (trial_to >= trial_from),
  CONSTRAINT mining_project_closed_check CHECK (pg_catalog.num_nonnulls(closed_at, closed_by, conclusion) IN (0, 3))
);
COMMENT ON TABLE crm.mining_project IS 'Mining projects: a target list, a trial period, a closing evaluation. 客户挖掘项目';
COMMENT ON COLUMN crm.mining_project.id IS 'Key.';
COMMENT ON COLUMN crm.mining_project.name IS 'Name.';
COMMENT ON COLUMN crm.mining_project.purpose IS 'What it is for.';
COMMENT ON COLUMN crm.mining_project.target_list_id IS 'Target list whose members of the start are those of the project.';
COMMENT ON COLUMN crm.mining_project.trial_from IS 'First day of the trial.';
COMMENT ON COLUMN crm.mining_project.trial_to IS 'Last day of the trial.';
COMMENT ON COLUMN crm.mining_project.started_at IS 'When it was started.';
COMMENT ON COLUMN crm.mining_project.started_by IS 'Who started it.';
COMMENT ON COLUMN crm.mining_project.closed_at IS 'When it was closed; NULL: open.';
COMMENT ON COLUMN crm.mining_project.closed_by IS 'Who closed it.';
COMMENT ON COLUMN crm.mining_project.conclusion IS 'What was concluded.';
CREATE INDEX ON crm.mining_project (target_list_id);

CREATE TABLE crm.mining_member (
  project_id bigint NOT NULL REFERENCES crm.mining_project ON DELETE CASCADE,
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  PRIMARY KEY (project_id, customer_id)
);
COMMENT ON TABLE crm.mining_member IS 'Customers of mining projects.';
COMMENT ON COLUMN crm.mining_member.project_id IS 'Project.';
COMMENT ON COLUMN crm.mining_member.customer_id IS 'Customer.';
CREATE INDEX ON crm.mining_member (customer_id);
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES
  ('crm.mining_member', 'customer_id', 'move', false, 'Once in each project; what came of closed projects stays as it was counted.');

CREATE TABLE crm.mining_result (
  project_id bigint NOT NULL REFERENCES crm.mining_project ON DELETE CASCADE,
  side text NOT NULL CHECK (side IN ('members', 'others')),
  customers bigint NOT NULL,
  buyers bigint NOT NULL,
  buyers_before bigint NOT NULL,
  policies bigint NOT NULL,
  amount numeric NOT NULL,
  annual_premium numeric NOT NULL,
  premium_received numeric NOT NULL,
  PRIMARY KEY (project_id, side)
);
COMMENT ON TABLE crm.mining_result IS 'What came of closed projects: of the members and of the others.';
COMMENT ON COLUMN crm.mining_result.project_id IS 'Project.';
COMMENT ON COLUMN crm.mining_result.side IS 'members, or others: customers known on the first day of the trial who are no members.';
COMMENT ON COLUMN crm.mining_result.customers IS 'How many customers.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.mining_result', 'customers', 'count', 'Counted when the project was closed.');
COMMENT ON COLUMN crm.mining_result.buyers IS 'Those who bought within the trial.';
COMMENT ON COLUMN crm.mining_result.buyers_before IS 'Those who bought within as many days right before it.';
COMMENT ON COLUMN crm.mining_result.policies IS 'Policies bought within the trial.';
COMMENT ON COLUMN crm.mining_result.amount IS 'Their contractual premium.';
COMMENT ON COLUMN crm.mining_result.annual_premium IS 'Their annual premium.';
COMMENT ON COLUMN crm.mining_result.premium_received IS 'Premium received within the trial, less reversals, for any policy.';

CREATE FUNCTION crm.start_project(name text, target_list_id bigint, trial_from date, trial_to date, purpose text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  new_id bigint;
BEGIN
  PERFORM crm._check_period(trial_from, trial_to);
  IF NOT EXISTS (SELECT FROM crm.target_list t WHERE t.id = start_project.target_list_id FOR SHARE) THEN
    RAISE EXCEPTION 'there is no target list "%"', start_project.target_list_id USING ERRCODE = 'undefined_object', HINT = 'crm.freeze_list() makes one.';
  ELSIF NOT EXISTS (SELECT FROM crm.target_list_member m WHERE m.target_list_id = start_project.target_list_id) THEN
    RAISE EXCEPTION 'target list "%" is empty', start_project.target_list_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  INSERT INTO crm.mining_project AS p (name, purpose, target_list_id, trial_from, trial_to)
  VALUES (start_project.name, start_project.purpose, start_project.target_list_id, start_project.trial_from, start_project.trial_to) RETURNING p.id INTO new_id;
  INSERT INTO crm.mining_member (project_id, customer_id)
  SELECT new_id, m.customer_id FROM crm.target_list_member m WHERE m.target_list_id = start_project.target_list_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.start_project(text, bigint, date, date, text) IS
  'Starts a mining project with those who are on a target list now, and a trial from a day to a day, both inclusive; returns its key. Refreshing the list later changes nothing. Errors: 22004, 22023, 23502, 23505, 23514, 42704, 55000 when the list is empty. 启动挖掘项目';
REVOKE ALL ON FUNCTION crm.start_project(text, bigint, date, date, text) FROM PUBLIC;

CREATE FUNCTION crm.close_project(project_id bigint, conclusion text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p crm.mining_project;
BEGIN
  SELECT * INTO p FROM crm.mining_project x WHERE x.id = close_project.project_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no project "%"', project_id USING ERRCODE = 'undefined_object', HINT = 'crm_bi.mining_project shows the projects.';
  ELSIF p.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'project "%" is closed', p.name USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF crm.today() <= p.trial_to THEN
    RAISE EXCEPTION 'the trial of project "%" runs until %', p.name, p.trial_to USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF conclusion IS NULL THEN
    RAISE EXCEPTION 'project "%" needs a conclusion', p.name USING ERRCODE = 'null_value_not_allowed';
  END IF;
  INSERT INTO crm.mining_result (project_id, side, customers, buyers, buyers_before, policies, amount, annual_premium, premium_received)
  SELECT r.project_id, r.side, r.customers, r.buyers, r.buyers_before, r.policies, r.amount, r.annual_premium, r.premium_received
  FROM crm_bi.mining_result r WHERE r.project_id = p.id;
  UPDATE crm.mining_project x SET closed_at = clock_timestamp(), closed_by = crm.actor(), conclusion = close_project.conclusion WHERE x.id = p.id;
END
$$;
COMMENT ON FUNCTION crm.close_project(bigint, text) IS
  'Closes a project after its trial with a conclusion, and keeps what came of it as known now. Errors: 22004, 23514, 42704, 55000 while the trial runs and when it is closed. 关闭挖掘项目';
REVOKE ALL ON FUNCTION crm.close_project(bigint, text) FROM PUBLIC;

GRANT SELECT ON crm.mining_project, crm.mining_member, crm.mining_result TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.start_project(text, bigint, date, date, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.close_project(bigint, text)'),
  ('manager', 'SELECT', 'TABLE', 'crm.mining_project'),
  ('manager', 'SELECT', 'TABLE', 'crm.mining_member'),
  ('manager', 'SELECT', 'TABLE', 'crm.mining_result');
