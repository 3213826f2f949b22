-- kpi: goals: set by the supervisor, signed by the person, then fixed; values that are entered

CREATE TABLE crm.scorecard_goal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scorecard text NOT NULL,
  version integer NOT NULL,
  staff_id bigint REFERENCES crm.staff,
  org_id bigint REFERENCES crm.organisation,
  period_start date NOT NULL,
  goal_version integer NOT NULL CHECK (goal_version > 0),
  reason text CHECK (pg_catalog.btrim(reason) <> ''),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  set_by text NOT NULL DEFAULT crm.actor(),
  signed_at timestamptz,
  signed_by text,
  replaced_at timestamptz,
  state text NOT NULL GENERATED ALWAYS AS (CASE WHEN replaced_at IS NULL THEN CASE WHEN signed_at IS NULL THEN 'set' ELSE 'signed' END ELSE CASE WHEN signed_at IS NULL THEN 'withdrawn' ELSE 'superseded' END END) STORED,
  FOREIGN KEY (scorecard, version) REFERENCES crm.scorecard,
  UNIQUE NULLS NOT DISTINCT (scorecard, staff_id, org_id, period_start, goal_version),
  CHECK ((staff_id IS NULL) <> (org_id IS NULL)),
  CHECK ((signed_at IS NULL) = (signed_by IS NULL)),
  CHECK (signed_by <> set_by),
  CHECK (goal_version = 1 OR reason IS NOT NULL)
);
CREATE UNIQUE INDEX scorecard_goal_state_key ON crm.scorecard_goal (scorecard, staff_id, org_id, period_start, (signed_at IS NULL)) NULLS NOT DISTINCT WHERE replaced_at IS NULL;
CREATE INDEX ON crm.scorecard_goal (staff_id);
CREATE INDEX ON crm.scorecard_goal (org_id);
CREATE INDEX ON crm.scorecard_goal (scorecard, version);
COMMENT ON TABLE crm.scorecard_goal IS 'Goals of a person or unit in a period by a scorecard, each version written by crm.set_goal(). 目标设定';
COMMENT ON COLUMN crm.scorecard_goal.id IS 'Key.';
COMMENT ON COLUMN crm.scorecard_goal.scorecard IS 'Scorecard.';
COMMENT ON COLUMN crm.scorecard_goal.version IS 'Version of it.';
COMMENT ON COLUMN crm.scorecard_goal.staff_id IS 'Person; NULL: a unit.';
COMMENT ON COLUMN crm.scorecard_goal.org_id IS 'Unit with its subtree; NULL: a person.';
COMMENT ON COLUMN crm.scorecard_goal.period_start IS 'First day of the period.';
COMMENT ON COLUMN crm.scorecard_goal.goal_version IS 'Version of the goal.';
COMMENT ON COLUMN crm.scorecard_goal.reason IS 'Why it was changed.';
COMMENT ON COLUMN crm.scorecard_goal.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.scorecard_goal.set_by IS 'By whom.';
COMMENT ON COLUMN crm.scorecard_goal.signed_at IS 'When it was signed.';
COMMENT ON COLUMN crm.scorecard_goal.signed_by IS 'By whom.';
COMMENT ON COLUMN crm.scorecard_goal.replaced_at IS 'When a later version took its place.';
COMMENT ON COLUMN crm.scorecard_goal.state IS 'set 待签, signed 已签, superseded 已变更 or withdrawn 已撤回, replaced before it was signed.';

CREATE TABLE crm.scorecard_goal_target (
  goal_id bigint NOT NULL REFERENCES crm.scorecard_goal,
  indicator text NOT NULL,
  floor numeric NOT NULL,
  target numeric NOT NULL,
  PRIMARY KEY (goal_id, indicator)
);
COMMENT ON TABLE crm.scorecard_goal_target IS 'Floor and target of each indicator in a goal. 目标值';
COMMENT ON COLUMN crm.scorecard_goal_target.goal_id IS 'Goal.';
COMMENT ON COLUMN crm.scorecard_goal_target.indicator IS 'Indicator.';
COMMENT ON COLUMN crm.scorecard_goal_target.floor IS 'Value that gives nothing.';
COMMENT ON COLUMN crm.scorecard_goal_target.target IS 'Value that gives the weight.';

CREATE TABLE crm.scorecard_value (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  measure text NOT NULL REFERENCES crm.scorecard_measure,
  staff_id bigint REFERENCES crm.staff,
  org_id bigint REFERENCES crm.organisation,
  grain text NOT NULL CHECK (grain IN ('month', 'quarter', 'year')),
  period_start date NOT NULL,
  value numeric NOT NULL CHECK (value <> 'NaN' AND value > -1e12 AND value < 1e12),
  source text NOT NULL CHECK (pg_catalog.btrim(source) <> ''),
  entered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  entered_by text NOT NULL DEFAULT crm.actor(),
  CONSTRAINT scorecard_value_subject_check CHECK ((staff_id IS NULL) <> (org_id IS NULL)),
  CONSTRAINT scorecard_value_period_check CHECK (period_start = pg_catalog.date_trunc(grain, period_start::timestamp)::date)
);
CREATE INDEX ON crm.scorecard_value (staff_id, period_start);
CREATE INDEX ON crm.scorecard_value (org_id, period_start);
CREATE INDEX ON crm.scorecard_value (measure);
COMMENT ON TABLE crm.scorecard_value IS 'Values of measures that the book does not know, of a person or unit in a period; of several the one entered last counts. 考核录入值';
COMMENT ON COLUMN crm.scorecard_value.id IS 'Key, in order of entry.';
COMMENT ON COLUMN crm.scorecard_value.measure IS 'Measure, one that is entered.';
COMMENT ON COLUMN crm.scorecard_value.staff_id IS 'Person; NULL: a unit.';
COMMENT ON COLUMN crm.scorecard_value.org_id IS 'Unit; NULL: a person.';
COMMENT ON COLUMN crm.scorecard_value.grain IS 'month, quarter or year.';
COMMENT ON COLUMN crm.scorecard_value.period_start IS 'First day of the period.';
COMMENT ON COLUMN crm.scorecard_value.value IS 'Value.';
COMMENT ON COLUMN crm.scorecard_value.source IS 'Where it comes from.';
COMMENT ON COLUMN crm.scorecard_value.entered_at IS 'When it was entered.';
COMMENT ON COLUMN crm.scorecard_value.entered_by IS 'By whom.';

CREATE FUNCTION crm._scorecard_value_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m crm.scorecard_measure;
BEGIN
  SELECT * INTO m FROM crm.scorecard_measure x WHERE x.code = NEW.measure;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no measure "%"', NEW.measure USING ERRCODE = 'foreign_key_violation', COLUMN = 'measure', HINT = 'crm_bi.scorecard_measure lists the measures; a row of crm.scorecard_measure makes one more.';
  ELSIF m.source <> 'entered' THEN
    RAISE EXCEPTION 'measure "%" is computed from the book', m.code USING ERRCODE = 'check_violation', COLUMN = 'measure', HINT = 'Only measures of source entered are entered.';
  ELSIF NOT (CASE WHEN NEW.staff_id IS NULL THEN m.of_units ELSE m.of_staff END) THEN
    RAISE EXCEPTION 'measure "%" is not of %', m.code, CASE WHEN NEW.staff_id IS NULL THEN 'units' ELSE 'staff' END USING ERRCODE = 'check_violation', COLUMN = 'measure';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._scorecard_value_check() IS 'Trigger: a value is of a measure that is entered. Errors: 23503, 23514.';
REVOKE ALL ON FUNCTION crm._scorecard_value_check() FROM PUBLIC;
CREATE TRIGGER check_value BEFORE INSERT ON crm.scorecard_value FOR EACH ROW EXECUTE FUNCTION crm._scorecard_value_check();

CREATE FUNCTION crm._scorecard_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'rows of % stand as they are', TG_TABLE_NAME USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Enter or set it anew: what is entered or signed last counts, and what is closed stays.';
END
$$;
COMMENT ON FUNCTION crm._scorecard_stands() IS 'Trigger: what was entered, set, defined or closed is neither changed nor deleted. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._scorecard_stands() FROM PUBLIC;
CREATE TRIGGER stands BEFORE DELETE ON crm.scorecard_value FOR EACH ROW EXECUTE FUNCTION crm._scorecard_stands();
CREATE TRIGGER stands BEFORE UPDATE OR DELETE ON crm.scorecard_goal_target FOR EACH ROW EXECUTE FUNCTION crm._scorecard_stands();
CREATE TRIGGER stands BEFORE UPDATE OR DELETE ON crm.scorecard_indicator FOR EACH ROW EXECUTE FUNCTION crm._scorecard_stands();

CREATE TABLE crm.scorecard_final (
  goal_id bigint PRIMARY KEY REFERENCES crm.scorecard_goal,
  org_level integer NOT NULL,
  peer_group text NOT NULL,
  score numeric NOT NULL,
  is_whole boolean NOT NULL,
  rank bigint,
  tied bigint,
  peers bigint NOT NULL,
  closed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  closed_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.scorecard_final IS 'Scores closed by crm.close_scorecards(). 考核结果';
COMMENT ON COLUMN crm.scorecard_final.goal_id IS 'Goal.';
COMMENT ON COLUMN crm.scorecard_final.org_level IS 'Level of the unit.';
COMMENT ON COLUMN crm.scorecard_final.peer_group IS 'Among whom it was ranked.';
COMMENT ON COLUMN crm.scorecard_final.score IS 'Score.';
COMMENT ON COLUMN crm.scorecard_final.is_whole IS 'Whether every indicator was known.';
COMMENT ON COLUMN crm.scorecard_final.rank IS 'Rank; NULL: not whole.';
COMMENT ON COLUMN crm.scorecard_final.tied IS 'How many shared the rank.';
COMMENT ON COLUMN crm.scorecard_final.peers IS 'How many were ranked.';
COMMENT ON COLUMN crm.scorecard_final.closed_at IS 'When it was closed.';
COMMENT ON COLUMN crm.scorecard_final.closed_by IS 'By whom.';
CREATE TRIGGER stands BEFORE UPDATE OR DELETE ON crm.scorecard_final FOR EACH ROW EXECUTE FUNCTION crm._scorecard_stands();

CREATE TABLE crm.scorecard_result (
  goal_id bigint NOT NULL REFERENCES crm.scorecard_final,
  indicator text NOT NULL,
  numerator numeric,
  denominator numeric,
  PRIMARY KEY (goal_id, indicator)
);
COMMENT ON TABLE crm.scorecard_result IS 'What indicators were when their scorecards were closed. 考核指标结果';
COMMENT ON COLUMN crm.scorecard_result.goal_id IS 'Goal.';
COMMENT ON COLUMN crm.scorecard_result.indicator IS 'Indicator.';
COMMENT ON COLUMN crm.scorecard_result.numerator IS 'Numerator; NULL: unknown.';
COMMENT ON COLUMN crm.scorecard_result.denominator IS 'Denominator; NULL for counts and values.';
CREATE TRIGGER stands BEFORE UPDATE OR DELETE ON crm.scorecard_result FOR EACH ROW EXECUTE FUNCTION crm._scorecard_stands();

CREATE FUNCTION crm._ask_over(staff_id bigint, org_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  own CONSTANT bigint := crm._own_staff(crm.actor(), day);
BEGIN
  IF own = _ask_over.staff_id THEN
    RAISE EXCEPTION '"%" may not set their own goals', crm.actor() USING ERRCODE = 'insufficient_privilege', HINT = 'The supervisor sets goals, the person signs them.';
  ELSIF pg_has_role(crm._login(), current_user, 'MEMBER')
        OR EXISTS (SELECT FROM crm._in_charge(coalesce(_ask_over.org_id, (SELECT s.org_id FROM crm.staff s WHERE s.id = _ask_over.staff_id)), 'manager', _ask_over.org_id IS NOT NULL, day) c WHERE c.staff_id = own) THEN
    RETURN;
  END IF;
  RAISE EXCEPTION '"%" does not supervise %', crm.actor(), CASE WHEN _ask_over.staff_id IS NULL THEN format('unit %s', _ask_over.org_id) ELSE format('member of staff %s', _ask_over.staff_id) END
    USING ERRCODE = 'insufficient_privilege', HINT = 'That takes the duty manager in crm.position, at the unit of the person or above it, for a unit above it.';
END
$$;
COMMENT ON FUNCTION crm._ask_over(bigint, bigint) IS 'Raises 42501 unless the acting person supervises a member of staff or unit.';
REVOKE ALL ON FUNCTION crm._ask_over(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm.set_goal(scorecard text, staff_id bigint, org_id bigint, period_start date, targets jsonb DEFAULT '{}', reason text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  card crm.scorecard;
  last integer;
  goal bigint;
  fault text;
BEGIN
  PERFORM crm._require_values('a goal', json_build_object('scorecard', set_goal.scorecard, 'period_start', set_goal.period_start, 'targets', set_goal.targets));
  SELECT * INTO card FROM crm.scorecard s WHERE s.code = set_goal.scorecard ORDER BY s.version DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no scorecard "%"', set_goal.scorecard USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.scorecard_indicator shows them.';
  ELSIF (CASE card.subject WHEN 'staff' THEN set_goal.staff_id IS NULL OR set_goal.org_id IS NOT NULL ELSE set_goal.org_id IS NULL OR set_goal.staff_id IS NOT NULL END) THEN
    RAISE EXCEPTION 'scorecard "%" is of a %', card.code, CASE card.subject WHEN 'staff' THEN 'member of staff' ELSE 'unit' END
      USING ERRCODE = 'check_violation', HINT = format('Give %s, and NULL for the other.', CASE card.subject WHEN 'staff' THEN 'staff_id' ELSE 'org_id' END);
  ELSIF set_goal.staff_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = set_goal.staff_id) THEN
    RAISE EXCEPTION 'there is no member of staff "%"', set_goal.staff_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.staff shows them.';
  END IF;
  PERFORM crm._require_known('unit', set_goal.org_id), crm._ask_over(set_goal.staff_id, set_goal.org_id);
  IF NOT EXISTS (SELECT FROM crm.period p WHERE p.grain_name = card.grain AND p.period_start = set_goal.period_start) THEN
    RAISE EXCEPTION '% is not the first day of a %', set_goal.period_start, card.grain USING ERRCODE = 'check_violation', HINT = 'Give the first day of the period, from 1900 to 2199.';
  END IF;
  IF EXISTS (SELECT FROM crm.staff s JOIN crm.period p ON p.grain_name = card.grain AND p.period_start = set_goal.period_start
             WHERE s.id = set_goal.staff_id AND (s.joined_on > p.period_end OR s.left_on <= p.period_start)) THEN
    RAISE EXCEPTION 'member of staff "%" is not in post in the period from %', set_goal.staff_id, set_goal.period_start USING ERRCODE = 'check_violation', HINT = 'Goals are for who is in post on one day of the period at least.';
  END IF;
  -- one at a time for a scorecard, and none while it is closed
  PERFORM FROM crm.scorecard s WHERE s.code = card.code AND s.version = 1 FOR UPDATE;
  PERFORM crm._scorecard_open(card.code, set_goal.period_start);
  IF jsonb_typeof(set_goal.targets) <> 'object' THEN
    RAISE EXCEPTION 'targets must be an object' USING ERRCODE = 'invalid_parameter_value', HINT = 'Write {"contacts": 40, "satisfaction": {"floor": 70, "target": 90}}.';
  END IF;
  SELECT string_agg(f, '; ') INTO fault FROM (
    SELECT format('there is no indicator "%s"', t.key) AS f FROM jsonb_each(set_goal.targets) t
    WHERE NOT EXISTS (SELECT FROM crm.scorecard_indicator i WHERE i.scorecard = card.code AND i.version = card.version AND i.indicator = t.key)
    UNION ALL
    SELECT format('"%s" must be a number, or an object of floor and target', t.key) FROM jsonb_each(set_goal.targets) t
    WHERE NOT (jsonb_typeof(t.value) = 'number'
               OR CASE WHEN jsonb_typeof(t.value) = 'object' THEN NOT EXISTS (SELECT FROM jsonb_each(t.value) v WHERE v.key NOT IN ('floor', 'target') OR jsonb_typeof(v.value) <> 'number') ELSE false END)) x;
  IF fault IS NULL THEN
    SELECT string_agg(format('the floor of "%s" must lie %s its target', g.indicator, CASE g.direction WHEN 'at_least' THEN 'below' ELSE 'above' END), '; ') INTO fault
    FROM crm._goal_targets(card.code, card.version, set_goal.targets) g WHERE NOT CASE g.direction WHEN 'at_least' THEN g.floor < g.target ELSE g.floor > g.target END;
  END IF;
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'the goal cannot be set: %', left(fault, 2000) USING ERRCODE = 'invalid_parameter_value', HINT = 'crm_bi.scorecard_indicator shows the indicators with the floors and targets they start from.';
  END IF;
  SELECT max(g.goal_version) INTO last FROM crm.scorecard_goal g
  WHERE g.scorecard = card.code AND g.staff_id IS NOT DISTINCT FROM set_goal.staff_id AND g.org_id IS NOT DISTINCT FROM set_goal.org_id AND g.period_start = set_goal.period_start;
  IF last IS NOT NULL THEN
    PERFORM crm._require_values('a changed goal', json_build_object('reason', set_goal.reason));
    UPDATE crm.scorecard_goal g SET replaced_at = clock_timestamp()
    WHERE g.scorecard = card.code AND g.staff_id IS NOT DISTINCT FROM set_goal.staff_id AND g.org_id IS NOT DISTINCT FROM set_goal.org_id AND g.period_start = set_goal.period_start AND g.state = 'set';
  END IF;
  INSERT INTO crm.scorecard_goal (scorecard, version, staff_id, org_id, period_start, goal_version, reason)
  VALUES (card.code, card.version, set_goal.staff_id, set_goal.org_id, set_goal.period_start, coalesce(last, 0) + 1, set_goal.reason) RETURNING id INTO goal;
  INSERT INTO crm.scorecard_goal_target (goal_id, indicator, floor, target) SELECT goal, g.indicator, g.floor, g.target FROM crm._goal_targets(card.code, card.version, set_goal.targets) g;
  RETURN goal;
END
$$;
COMMENT ON FUNCTION crm.set_goal(text, bigint, bigint, date, jsonb, text) IS
  'Sets the goal of a member of staff or unit in a period by the latest version of a scorecard, for them to sign; targets: {"indicator": target} or {"indicator": {"floor": f, "target": t}}, the rest as the scorecard says. Set again, with a reason, it is a new version; what was signed counts until that one is signed. Returns its key. Errors: 22023 targets, 23502, 23503, 23514 subject, period, not in post or blank reason, 42501 no supervisor, 55000 closed. 设定目标';
REVOKE ALL ON FUNCTION crm.set_goal(text, bigint, bigint, date, jsonb, text) FROM PUBLIC;

CREATE FUNCTION crm._goal_targets(scorecard text, version integer, targets jsonb) RETURNS TABLE (indicator text, direction text, floor numeric, target numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT i.indicator, i.direction,
         coalesce(CASE pg_catalog.jsonb_typeof(t.value) WHEN 'object' THEN (t.value ->> 'floor')::numeric END, i.floor),
         coalesce(CASE pg_catalog.jsonb_typeof(t.value) WHEN 'object' THEN (t.value ->> 'target')::numeric WHEN 'number' THEN (t.value #>> '{}')::numeric END, i.target)
  FROM crm.scorecard_indicator i
  CROSS JOIN LATERAL (SELECT _goal_targets.targets -> i.indicator AS value) t
  WHERE i.scorecard = _goal_targets.scorecard AND i.version = _goal_targets.version;
END;
COMMENT ON FUNCTION crm._goal_targets(text, integer, jsonb) IS 'Floor and target of each indicator of a scorecard, as given or as the scorecard has them.';
REVOKE ALL ON FUNCTION crm._goal_targets(text, integer, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._scorecard_open(scorecard text, period_start date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF EXISTS (SELECT FROM crm.scorecard_goal g JOIN crm.scorecard_final f ON f.goal_id = g.id WHERE g.scorecard = _scorecard_open.scorecard AND g.period_start = _scorecard_open.period_start) THEN
    RAISE EXCEPTION 'scorecard "%" of the period from % is closed', _scorecard_open.scorecard, _scorecard_open.period_start
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'What is closed stays; set goals for the next period.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._scorecard_open(text, date) IS 'Raises 55000 when the scorecard of a period is closed.';
REVOKE ALL ON FUNCTION crm._scorecard_open(text, date) FROM PUBLIC;

CREATE FUNCTION crm.sign_goal(goal_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  own CONSTANT bigint := crm._own_staff(crm.actor(), day);
  goal crm.scorecard_goal;
BEGIN
  SELECT * INTO goal FROM crm.scorecard_goal g WHERE g.id = sign_goal.goal_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no goal "%"', sign_goal.goal_id USING ERRCODE = 'undefined_object', HINT = 'crm.my_goals() lists those to be signed.';
  ELSIF NOT coalesce(CASE WHEN goal.staff_id IS NOT NULL THEN goal.staff_id = own
                          ELSE EXISTS (SELECT FROM crm._in_charge(goal.org_id, 'manager', false, day) c WHERE c.staff_id = own AND c.depth = 0) END, false) THEN
    RAISE EXCEPTION 'goal % is not for "%" to sign', goal.id, crm.actor() USING ERRCODE = 'insufficient_privilege', HINT = 'The person whose goal it is signs it, of a unit who has the duty manager there.';
  END IF;
  PERFORM FROM crm.scorecard s WHERE s.code = goal.scorecard AND s.version = 1 FOR UPDATE;
  PERFORM crm._scorecard_open(goal.scorecard, goal.period_start);
  SELECT * INTO goal FROM crm.scorecard_goal g WHERE g.id = goal.id FOR UPDATE;
  IF goal.state <> 'set' THEN
    RAISE EXCEPTION 'goal % is %', goal.id, goal.state USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.my_goals() lists those to be signed.';
  ELSIF goal.set_by = crm.actor() THEN
    RAISE EXCEPTION '"%" has set goal %', crm.actor(), goal.id USING ERRCODE = 'insufficient_privilege', HINT = 'Somebody else signs it.';
  END IF;
  UPDATE crm.scorecard_goal g SET replaced_at = clock_timestamp()
  WHERE g.scorecard = goal.scorecard AND g.staff_id IS NOT DISTINCT FROM goal.staff_id AND g.org_id IS NOT DISTINCT FROM goal.org_id AND g.period_start = goal.period_start AND g.state = 'signed';
  UPDATE crm.scorecard_goal g SET signed_at = clock_timestamp(), signed_by = crm.actor() WHERE g.id = goal.id;
END
$$;
COMMENT ON FUNCTION crm.sign_goal(bigint) IS 'The acting person signs the own goal, or that of a unit they head: from then on it is fixed, and it counts. Errors: 42501 somebody else''s, 42704, 55000 not to be signed, closed. 签署目标';
REVOKE ALL ON FUNCTION crm.sign_goal(bigint) FROM PUBLIC;
