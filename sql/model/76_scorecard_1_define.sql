-- kpi: scorecards: weighted indicators of staff and units, each a measure of the registry or a figure

CREATE TABLE crm.scorecard_measure (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,59}$'),
  source text NOT NULL DEFAULT 'entered' CHECK (source IN ('book', 'entered')),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> ''),
  of_staff boolean NOT NULL DEFAULT true,
  of_units boolean NOT NULL DEFAULT true,
  satisfaction boolean NOT NULL DEFAULT false,
  direction text NOT NULL DEFAULT 'at_least' CHECK (direction IN ('at_least', 'at_most')),
  description text NOT NULL CHECK (pg_catalog.btrim(description) <> ''),
  CHECK (of_staff OR of_units)
);
COMMENT ON TABLE crm.scorecard_measure IS 'What scorecards may measure beside the figures of crm_bi.kpi: of the book, computed by crm, or entered in crm.scorecard_value; rows for entered ones may be added. 考核计量项';
COMMENT ON COLUMN crm.scorecard_measure.code IS 'Code.';
COMMENT ON COLUMN crm.scorecard_measure.source IS 'book 系统计算 or entered 人工录入.';
COMMENT ON COLUMN crm.scorecard_measure.name IS 'Name in English.';
COMMENT ON COLUMN crm.scorecard_measure.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.scorecard_measure.of_staff IS 'Whether it is measured of staff.';
COMMENT ON COLUMN crm.scorecard_measure.of_units IS 'Whether it is measured of units.';
COMMENT ON COLUMN crm.scorecard_measure.satisfaction IS 'Whether it tells satisfaction, which every scorecard contains.';
COMMENT ON COLUMN crm.scorecard_measure.direction IS 'at_least or at_most: which side is good, where the indicator does not say.';
COMMENT ON COLUMN crm.scorecard_measure.description IS 'What it is.';
INSERT INTO crm.scorecard_measure (code, source, name, name_zh, of_staff, of_units, satisfaction, direction, description) VALUES
  ('held_customers', 'book', 'Customers held', '持有客户数', true, true, false, 'at_least', 'Customers held at the end of the period.'),
  ('contacts', 'book', 'Contacts', '联系次数', true, true, false, 'at_least', 'Contacts recorded in the period.'),
  ('contacted_share', 'book', 'Share of customers contacted', '客户联系覆盖率', true, true, false, 'at_least', 'Of the customers held at the end of the period, those whom the holder contacted in it.'),
  ('appointments_kept', 'book', 'Appointments kept', '预约履约数', true, true, false, 'at_least', 'Appointments of the period that were kept: maintenance done by quantity.'),
  ('appointments_kept_share', 'book', 'Share of appointments kept', '预约履约率', true, true, false, 'at_least', 'Of the appointments of the period that were not moved or cancelled, those kept: maintenance done against plan.'),
  ('purchases', 'book', 'Policies bought', '成交保单数', true, true, false, 'at_least', 'Policies, void ones left out, issued in the period to customers held on the day.'),
  ('purchase_premium', 'book', 'Annual premium bought', '成交年化保费', true, true, false, 'at_least', 'Annual premium of these policies.'),
  ('customers_entered', 'book', 'Customers entered', '基础资料录入数', true, true, false, 'at_least', 'Customers entered in the period by the login of the person.'),
  ('completeness_of_new', 'book', 'Completeness of new customers', '新客户资料完整度', true, true, false, 'at_least', 'Of the fields required of these customers, those filled today, by weight.'),
  ('holdings_recycled', 'book', 'Holdings recycled', '持有回收率', true, true, false, 'at_most', 'Of the holdings in effect at any time in the period, those ended by recycling in it.'),
  ('feedback_given', 'book', 'Feedback on planned customers', '客户反馈数', true, true, false, 'at_least', 'Feedback given in the period on customers of plans.'),
  ('held_over_10000', 'book', 'Customers held over 10,000', '万元以上客户占比', true, true, false, 'at_least', 'Of the customers held at the end of the period, those with more than 10,000 of amount.'),
  ('held_over_50000', 'book', 'Customers held over 50,000', '五万元以上客户占比', true, true, false, 'at_least', 'Of the customers held at the end of the period, those with more than 50,000 of amount.'),
  ('assets_over_10000', 'book', 'Customers with assets over 10,000', '资产万元以上客户占比', false, true, false, 'at_least', 'Of the customers of the unit at the last month end, those with more than 10,000 of assets.'),
  ('assets_over_50000', 'book', 'Customers with assets over 50,000', '资产五万元以上客户占比', false, true, false, 'at_least', 'Of the customers of the unit at the last month end, those with more than 50,000 of assets.'),
  ('satisfaction', 'entered', 'Satisfaction of customers', '客户满意度', true, true, true, 'at_least', 'Index of a survey, 0 to 100, entered with its source.'),
  ('internal_satisfaction', 'entered', 'Satisfaction of colleagues', '内部满意度', true, true, true, 'at_least', 'Index of a survey among those whom the back office serves, 0 to 100, entered with its source.'),
  ('service_standard', 'entered', 'Service standards kept', '服务标准达标率', true, true, false, 'at_least', 'Share of checks of the standards of work that were passed, entered with its source.');

CREATE TABLE crm.scorecard (
  code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,59}$'),
  version integer NOT NULL CHECK (version > 0),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> ''),
  subject text NOT NULL CHECK (subject IN ('staff', 'unit')),
  grain text NOT NULL CHECK (grain IN ('month', 'quarter', 'year')),
  defined_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  defined_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (code, version)
);
COMMENT ON TABLE crm.scorecard IS 'Scorecards, each version written by crm.define_scorecard(). 考核方案';
COMMENT ON COLUMN crm.scorecard.code IS 'Code.';
COMMENT ON COLUMN crm.scorecard.version IS 'Version.';
COMMENT ON COLUMN crm.scorecard.name IS 'Name in English.';
COMMENT ON COLUMN crm.scorecard.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.scorecard.subject IS 'staff 人员 or unit 机构.';
COMMENT ON COLUMN crm.scorecard.grain IS 'month, quarter or year.';
COMMENT ON COLUMN crm.scorecard.defined_at IS 'When it was defined.';
COMMENT ON COLUMN crm.scorecard.defined_by IS 'By whom.';

CREATE TABLE crm.scorecard_indicator (
  scorecard text NOT NULL,
  version integer NOT NULL,
  indicator text NOT NULL CHECK (indicator ~ '^[a-z][a-z0-9_]{0,59}$'),
  nth integer NOT NULL,
  name text NOT NULL,
  name_zh text NOT NULL,
  measure text REFERENCES crm.scorecard_measure,
  kpi text,
  class text,
  direction text NOT NULL CHECK (direction IN ('at_least', 'at_most')),
  weight numeric(6,3) NOT NULL CHECK (weight > 0 AND weight <= 100),
  floor numeric NOT NULL CHECK (floor <> 'NaN'),
  target numeric NOT NULL CHECK (target <> 'NaN'),
  cap numeric NOT NULL CHECK (cap >= 1 AND cap <= 10),
  PRIMARY KEY (scorecard, version, indicator),
  FOREIGN KEY (scorecard, version) REFERENCES crm.scorecard,
  CHECK ((measure IS NULL) <> (kpi IS NULL)),
  CHECK (CASE direction WHEN 'at_least' THEN floor < target ELSE floor > target END)
);
CREATE INDEX ON crm.scorecard_indicator (measure);
COMMENT ON TABLE crm.scorecard_indicator IS 'What scorecards are made of. 考核指标';
COMMENT ON COLUMN crm.scorecard_indicator.scorecard IS 'Scorecard.';
COMMENT ON COLUMN crm.scorecard_indicator.version IS 'Version of it.';
COMMENT ON COLUMN crm.scorecard_indicator.indicator IS 'Code within the scorecard.';
COMMENT ON COLUMN crm.scorecard_indicator.nth IS 'Place in order.';
COMMENT ON COLUMN crm.scorecard_indicator.name IS 'Name in English.';
COMMENT ON COLUMN crm.scorecard_indicator.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.scorecard_indicator.measure IS 'Measure; NULL: a figure.';
COMMENT ON COLUMN crm.scorecard_indicator.kpi IS 'Figure of crm_bi.kpi_code, of units.';
COMMENT ON COLUMN crm.scorecard_indicator.class IS 'Class, of figures by class.';
COMMENT ON COLUMN crm.scorecard_indicator.direction IS 'at_least or at_most.';
COMMENT ON COLUMN crm.scorecard_indicator.weight IS 'Points for reaching the target; those of a scorecard make 100.';
COMMENT ON COLUMN crm.scorecard_indicator.floor IS 'Value that gives nothing.';
COMMENT ON COLUMN crm.scorecard_indicator.target IS 'Value that gives the weight, where a goal does not say otherwise.';
COMMENT ON COLUMN crm.scorecard_indicator.cap IS 'Most times the weight that may be earned.';

CREATE FUNCTION crm._scorecard_faults(definition jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  i jsonb;
  nth integer := 0;
  label text;
  faults text[];
  measure crm.scorecard_measure;
  figure record;
  direction text;
BEGIN
  faults := ARRAY(SELECT * FROM crm._object_faults(definition, 'the scorecard', '{name,name_zh,subject,grain,indicators}',
                                                  '{"name": "text", "name_zh": "text", "subject": "code", "grain": "code", "indicators": "array"}'));
  RETURN QUERY SELECT unnest(faults);
  IF faults <> '{}' THEN
    RETURN;
  END IF;
  IF definition ->> 'subject' NOT IN ('staff', 'unit') THEN
    RETURN NEXT format('there is no subject "%s"; it is staff or unit', definition ->> 'subject');
  END IF;
  IF definition ->> 'grain' NOT IN ('month', 'quarter', 'year') THEN
    RETURN NEXT format('there is no grain "%s"; it is month, quarter or year', definition ->> 'grain');
  END IF;
  IF jsonb_array_length(definition -> 'indicators') > 50 THEN
    RETURN NEXT 'the scorecard has more than 50 indicators';
    RETURN;
  END IF;
  FOR i IN SELECT * FROM jsonb_array_elements(definition -> 'indicators') LOOP
    nth := nth + 1;
    label := 'indicator ' || nth;
    faults := ARRAY(SELECT * FROM crm._object_faults(i, label, '{weight,floor,target}',
      '{"indicator": "code", "name": "text", "name_zh": "text", "measure": "code", "kpi": "code", "class": "text", "direction": "code", "weight": "number", "floor": "number", "target": "number", "cap": "number"}'));
    RETURN QUERY SELECT unnest(faults);
    CONTINUE WHEN faults <> '{}';
    IF (i ? 'measure') = (i ? 'kpi') THEN
      RETURN NEXT label || ' needs a measure or a kpi, and not both';
      CONTINUE;
    ELSIF i ? 'measure' THEN
      SELECT * INTO measure FROM crm.scorecard_measure m WHERE m.code = i ->> 'measure';
      IF NOT FOUND THEN
        RETURN NEXT format('%s: there is no measure "%s"', label, i ->> 'measure');
      ELSIF NOT (CASE definition ->> 'subject' WHEN 'staff' THEN measure.of_staff ELSE measure.of_units END) THEN
        RETURN NEXT format('%s: measure "%s" is not of %s', label, measure.code, definition ->> 'subject');
      ELSIF i ? 'class' THEN
        RETURN NEXT label || ': a measure has no class';
      END IF;
      direction := coalesce(i ->> 'direction', measure.direction);
    ELSE
      SELECT k.code, k.dimension INTO figure FROM crm.kpi_code k WHERE k.code = i ->> 'kpi';
      IF NOT FOUND THEN
        RETURN NEXT format('%s: there is no figure "%s"', label, i ->> 'kpi');
      ELSIF definition ->> 'subject' <> 'unit' THEN
        RETURN NEXT label || ': figures are of units';
      ELSIF (figure.dimension IS NULL) = (i ? 'class') THEN
        RETURN NEXT format('%s: figure "%s" is %s', label, figure.code, CASE WHEN figure.dimension IS NULL THEN 'not given by class' ELSE 'given by class' END);
      END IF;
      direction := coalesce(i ->> 'direction', crm._target_direction(i ->> 'kpi', i ->> 'class'));
    END IF;
    IF direction NOT IN ('at_least', 'at_most') THEN
      RETURN NEXT format('%s: there is no direction "%s"; it is at_least or at_most', label, direction);
    ELSIF direction = 'at_least' AND (i ->> 'floor')::numeric >= (i ->> 'target')::numeric OR direction = 'at_most' AND (i ->> 'floor')::numeric <= (i ->> 'target')::numeric THEN
      RETURN NEXT format('%s: its floor must lie %s its target', label, CASE direction WHEN 'at_least' THEN 'below' ELSE 'above' END);
    END IF;
    IF abs((i ->> 'floor')::numeric) > 1e12 OR abs((i ->> 'target')::numeric) > 1e12 THEN
      RETURN NEXT label || ': floor and target are at most 1e12';
    END IF;
    IF (i ->> 'weight')::numeric NOT BETWEEN 0.001 AND 100 OR scale((i ->> 'weight')::numeric) > 3 THEN
      RETURN NEXT label || ': its weight must be above 0 and up to 100, with at most three decimals';
    END IF;
    IF (i ->> 'cap')::numeric NOT BETWEEN 1 AND 10 THEN
      RETURN NEXT label || ': its cap must be from 1 to 10';
    END IF;
  END LOOP;
  RETURN QUERY
  SELECT format('indicator "%s" is there twice', x.code)
  FROM (SELECT coalesce(e ->> 'indicator', e ->> 'measure', e ->> 'kpi') AS code FROM jsonb_array_elements(definition -> 'indicators') e) x GROUP BY x.code HAVING count(*) > 1;
  RETURN QUERY
  SELECT format('weights make %s and not 100', coalesce(sum((e ->> 'weight')::numeric), 0)) FROM jsonb_array_elements(definition -> 'indicators') e
  WHERE jsonb_typeof(e -> 'weight') = 'number' HAVING coalesce(sum((e ->> 'weight')::numeric), 0) <> 100;
  IF NOT EXISTS (SELECT FROM jsonb_array_elements(definition -> 'indicators') e JOIN crm.scorecard_measure m ON m.code = e ->> 'measure' WHERE m.satisfaction) THEN
    RETURN NEXT 'no indicator tells satisfaction';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._scorecard_faults(jsonb) IS 'What is wrong with the definition of a scorecard.';
REVOKE ALL ON FUNCTION crm._scorecard_faults(jsonb) FROM PUBLIC;

CREATE FUNCTION crm.define_scorecard(code text, definition jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  new_version integer;
  faults text;
BEGIN
  IF define_scorecard.code IS NULL OR define_scorecard.definition IS NULL THEN
    RAISE EXCEPTION 'code and definition of a scorecard must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF define_scorecard.code !~ '^[a-z][a-z0-9_]{0,59}$' THEN
    RAISE EXCEPTION 'scorecard "%" is not a name of small letters, digits and underscores', left(define_scorecard.code, 100) USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a short code; names may be anything.';
  END IF;
  SELECT string_agg(f, '; ') INTO faults FROM crm._scorecard_faults(define_scorecard.definition) f;
  IF faults IS NOT NULL THEN
    RAISE EXCEPTION 'scorecard "%" cannot be defined: %', define_scorecard.code, faults
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm_bi.scorecard_measure and crm_bi.kpi_code list what may be measured.';
  END IF;
  LOCK TABLE crm.scorecard IN SHARE ROW EXCLUSIVE MODE;
  SELECT coalesce(max(s.version), 0) + 1 INTO new_version FROM crm.scorecard s WHERE s.code = define_scorecard.code;
  IF EXISTS (SELECT FROM crm.scorecard s WHERE s.code = define_scorecard.code AND (s.subject, s.grain) <> (definition ->> 'subject', definition ->> 'grain')) THEN
    RAISE EXCEPTION 'scorecard "%" is of another subject or grain', define_scorecard.code USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it a code of its own: versions of one scorecard are compared over time.';
  END IF;
  INSERT INTO crm.scorecard (code, version, name, name_zh, subject, grain)
  VALUES (define_scorecard.code, new_version, definition ->> 'name', definition ->> 'name_zh', definition ->> 'subject', definition ->> 'grain');
  INSERT INTO crm.scorecard_indicator (scorecard, version, indicator, nth, name, name_zh, measure, kpi, class, direction, weight, floor, target, cap)
  SELECT define_scorecard.code, new_version, coalesce(e ->> 'indicator', e ->> 'measure', e ->> 'kpi'), x.nth, coalesce(e ->> 'name', m.name, k.name), coalesce(e ->> 'name_zh', m.name_zh, k.name_zh),
         m.code, k.code, e ->> 'class', coalesce(e ->> 'direction', m.direction, crm._target_direction(k.code, e ->> 'class')),
         (e ->> 'weight')::numeric, (e ->> 'floor')::numeric, (e ->> 'target')::numeric, coalesce((e ->> 'cap')::numeric, 1)
  FROM jsonb_array_elements(definition -> 'indicators') WITH ORDINALITY x (e, nth)
  LEFT JOIN crm.scorecard_measure m ON m.code = e ->> 'measure'
  LEFT JOIN crm.kpi_code k ON k.code = e ->> 'kpi';
  RETURN new_version;
END
$$;
COMMENT ON FUNCTION crm.define_scorecard(text, jsonb) IS
  'Defines a scorecard, or a new version of it for goals set from now on: {"name", "name_zh", "subject": "staff" or "unit", "grain": "month", "quarter" or "year", "indicators": [{"indicator", "name", "name_zh", "measure" or "kpi" with "class", "direction", "weight", "floor", "target", "cap"}]}. Weights make 100 and one indicator tells satisfaction. Returns the version. Errors: 22004, 22023 with every fault. 定义考核方案';
REVOKE ALL ON FUNCTION crm.define_scorecard(text, jsonb) FROM PUBLIC;
