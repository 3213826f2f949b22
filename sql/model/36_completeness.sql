-- book: which fields a customer's data should have, and which are there

CREATE VIEW crm.field_source AS
SELECT s.source, s.item, s.correctable
FROM (
  SELECT 'customer' AS source, pg_catalog.unnest('{name,resident_id,birth_date,sex}'::text[]) AS item, true AS correctable
  UNION ALL
  SELECT 'profile', pg_catalog.unnest('{employment_status,position_type,industry,employer,marital_status,social_role,children,education,asset_band,income_band,investable_amount,debt_amount}'::text[]), true
  UNION ALL
  SELECT 'contact_point', pg_catalog.unnest('{mobile,phone,fax,email,address,wechat,qq,other}'::text[]), true
  UNION ALL
  SELECT 'relation', k.code, false FROM crm.relation_kind k
  UNION
  SELECT 'relation', k.inverse, false FROM crm.relation_kind k
  UNION ALL
  SELECT 'need', pg_catalog.unnest('{need,preference}'::text[]), false
  UNION ALL
  SELECT 'consent', pg_catalog.unnest('{marketing,service,survey,sharing}'::text[]), false
  UNION ALL
  SELECT pg_catalog.unnest('{household,asset,debt,cover_elsewhere,policy,product_holding}'::text[]), 'any', false) s;
COMMENT ON VIEW crm.field_source IS 'Where a field of crm.completeness_field may be found. 资料项来源';
COMMENT ON COLUMN crm.field_source.source IS 'Table.';
COMMENT ON COLUMN crm.field_source.item IS 'Column of crm.customer or crm.profile, kind of contact point, need or consent, what the other is in crm.relation_end; any: a row.';
COMMENT ON COLUMN crm.field_source.correctable IS 'Whether crm.correct_field() can write it.';

CREATE TABLE crm.completeness_field (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  bit smallint NOT NULL UNIQUE CHECK (bit BETWEEN 0 AND 62),
  name text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name_zh) <> ''),
  found_in text[] NOT NULL CHECK (pg_catalog.cardinality(found_in) > 0)
);
COMMENT ON TABLE crm.completeness_field IS 'Fields of a customer''s data that can be asked for; rows may be added, 63 at most. 资料项';
COMMENT ON COLUMN crm.completeness_field.code IS 'Code.';
COMMENT ON COLUMN crm.completeness_field.bit IS 'Place of the field in sets of fields, and order in lists; the first free one where none is given.';
COMMENT ON COLUMN crm.completeness_field.name IS 'Name in English.';
COMMENT ON COLUMN crm.completeness_field.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.completeness_field.found_in IS 'Where it is found, source.item of crm.field_source, * for every item; any one place is enough.';

CREATE FUNCTION crm._completeness_field_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text;
BEGIN
  FOR place IN SELECT p FROM unnest(NEW.found_in) p
               WHERE NOT EXISTS (SELECT FROM crm.field_source s WHERE p IN (s.source || '.' || s.item, s.source || '.*')) OR p IS NULL LOOP
    RAISE EXCEPTION 'no data of customers is found in "%"', place
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Write source.item as crm.field_source lists them, or source.* for every item.';
  END LOOP;
  IF TG_OP = 'UPDATE' THEN
    NEW.bit := OLD.bit;
  ELSE
    NEW.bit := coalesce(NEW.bit, (SELECT min(b) FROM generate_series(0, 62) b WHERE NOT EXISTS (SELECT FROM crm.completeness_field f WHERE f.bit = b)));
    IF NEW.bit IS NULL THEN
      RAISE EXCEPTION 'there are 63 fields already' USING ERRCODE = 'program_limit_exceeded', HINT = 'Delete a field that no standard asks for.';
    END IF;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._completeness_field_check() IS 'Trigger: a field is found in places there are, gets a free bit where none is given, and keeps it. Errors: 22023, 54000.';
REVOKE ALL ON FUNCTION crm._completeness_field_check() FROM PUBLIC;
CREATE TRIGGER check_field BEFORE INSERT OR UPDATE ON crm.completeness_field
  FOR EACH ROW EXECUTE FUNCTION crm._completeness_field_check();

INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES
  ('name', 'name', '姓名', '{customer.name}'),
  ('resident_id', 'ID number', '证件号码', '{customer.resident_id}'),
  ('birth_date', 'date of birth', '出生日期', '{customer.birth_date,customer.resident_id}'),
  ('sex', 'sex', '性别', '{customer.sex,customer.resident_id}'),
  ('phone', 'telephone', '联系电话', '{contact_point.mobile,contact_point.phone}'),
  ('address', 'address', '联系地址', '{contact_point.address}'),
  ('email', 'e-mail', '电子邮箱', '{contact_point.email}'),
  ('employment_status', 'employment', '就业状况', '{profile.employment_status}'),
  ('position_type', 'type of position', '职务类型', '{profile.position_type}'),
  ('industry', 'industry', '行业', '{profile.industry}'),
  ('employer', 'employer', '工作单位', '{profile.employer,relation.employer}'),
  ('marital_status', 'marital state', '婚姻状况', '{profile.marital_status,relation.spouse}'),
  ('family', 'family', '家庭成员', '{relation.spouse,relation.parent,relation.child,relation.sibling,relation.grandparent,relation.grandchild,household.any}'),
  ('social_role', 'social role', '社会角色', '{profile.social_role}'),
  ('children', 'number of children', '子女数', '{profile.children}'),
  ('education', 'education', '学历', '{profile.education}'),
  ('asset_band', 'assets', '资产规模', '{profile.asset_band,asset.any}'),
  ('income_band', 'income', '收入水平', '{profile.income_band}'),
  ('investable_amount', 'amount to invest', '可投资金额', '{profile.investable_amount}'),
  ('debts', 'debts', '负债', '{profile.debt_amount,debt.any}'),
  ('needs', 'preferences and needs', '偏好与需求', '{need.*}'),
  ('cover_elsewhere', 'cover elsewhere', '他司保障', '{cover_elsewhere.any}'),
  ('consent', 'consent', '授权同意', '{consent.*}'),
  ('contact_person', 'contact person', '联系人', '{relation.contact_person}'),
  ('legal_representative', 'legal representative', '法定代表人', '{relation.legal_representative}'),
  ('products', 'products used', '使用产品', '{policy.any,product_holding.any}');

CREATE TABLE crm.completeness_standard (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('person', 'company')),
  tier text,
  field text NOT NULL REFERENCES crm.completeness_field ON UPDATE CASCADE,
  weight numeric(9,3) NOT NULL CHECK (weight >= 0 AND weight <> 'NaN'),
  valid_from date NOT NULL DEFAULT '1900-01-01' CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31'),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  UNIQUE NULLS NOT DISTINCT (kind, tier, field, valid_from)
);
COMMENT ON TABLE crm.completeness_standard IS 'Which fields are required of whom, and what each weighs; rows may be added and changed. 资料完整度标准';
COMMENT ON COLUMN crm.completeness_standard.id IS 'Key.';
COMMENT ON COLUMN crm.completeness_standard.kind IS 'person or company.';
COMMENT ON COLUMN crm.completeness_standard.tier IS 'Tier, or none; NULL: every tier where no row of that tier and field says otherwise.';
COMMENT ON COLUMN crm.completeness_standard.field IS 'Field.';
COMMENT ON COLUMN crm.completeness_standard.weight IS 'What it weighs; 0: not required.';
COMMENT ON COLUMN crm.completeness_standard.valid_from IS 'First day on which it holds, until a later row for the same kind, tier and field.';
COMMENT ON COLUMN crm.completeness_standard.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.completeness_standard.set_by IS 'Who set it.';
CREATE INDEX ON crm.completeness_standard (field);
CREATE TRIGGER stamp BEFORE UPDATE ON crm.completeness_standard FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE VIEW crm._tier_label AS
SELECT 'none' AS label
UNION
SELECT c.label FROM crm.class c WHERE c.dimension = 'tier'
UNION
SELECT l.label FROM crm._rule_source r CROSS JOIN LATERAL pg_catalog.unnest(crm.labels(r.scale)) l (label) WHERE r.kind = 'tier';
COMMENT ON VIEW crm._tier_label IS 'Tiers that any scale names or has named.';

CREATE FUNCTION crm._require_tier() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM crm._tier_label l WHERE l.label = NEW.tier) THEN
    RAISE EXCEPTION 'tier "%" is not known', NEW.tier
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Tiers are %s.', (SELECT string_agg(l.label, ', ' ORDER BY l.label) FROM crm._tier_label l));
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._require_tier() IS 'Trigger: a tier must be named by a scale. Errors: 22023.';
REVOKE ALL ON FUNCTION crm._require_tier() FROM PUBLIC;
CREATE TRIGGER check_tier BEFORE INSERT OR UPDATE OF tier ON crm.completeness_standard
  FOR EACH ROW WHEN (NEW.tier IS NOT NULL) EXECUTE FUNCTION crm._require_tier();

INSERT INTO crm.completeness_standard (kind, field, weight)
SELECT s.kind, s.field, CASE WHEN s.field IN ('resident_id', 'phone', 'contact_person') THEN 3 ELSE 1 END
FROM (
  SELECT 'person' AS kind, pg_catalog.unnest('{name,resident_id,phone,address,employment_status,position_type,industry,marital_status,family,social_role,children,education,asset_band,income_band,investable_amount,debts,needs,cover_elsewhere}'::text[]) AS field
  UNION ALL
  SELECT 'company', pg_catalog.unnest('{name,phone,address,contact_person,legal_representative,industry,asset_band,income_band,investable_amount,debts,needs,cover_elsewhere}'::text[])) s;

CREATE TABLE crm.field_check (
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  field text NOT NULL REFERENCES crm.completeness_field ON UPDATE CASCADE,
  outcome text NOT NULL CHECK (outcome IN ('right', 'corrected', 'cleared', 'none')),
  occasion text NOT NULL CHECK (occasion IN ('claim', 'servicing', 'contact', 'return_call', 'visit', 'application', 'review', 'other')),
  reference text CHECK (pg_catalog.btrim(reference) <> ''),
  staff_id bigint NOT NULL REFERENCES crm.staff,
  old_value text,
  new_value text,
  note text,
  checked_on date NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  recorded_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, id),
  CONSTRAINT field_check_value_check CHECK ((outcome = 'corrected') = (new_value IS NOT NULL) AND (outcome IN ('corrected', 'cleared') OR old_value IS NULL))
);
COMMENT ON TABLE crm.field_check IS 'Fields verified and corrected: what was found, on what occasion and by whom; written by crm.verify_field() and crm.correct_field(). 资料核实与更正';
COMMENT ON COLUMN crm.field_check.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.field_check.id IS 'Key within the customer, in order of time.';
COMMENT ON COLUMN crm.field_check.field IS 'Field.';
COMMENT ON COLUMN crm.field_check.outcome IS 'right 核实无误, corrected 已更正, cleared 已清除 (wrong, and not known what is right) or none 确无此项 (the customer has none: counts as filled until the next check).';
COMMENT ON COLUMN crm.field_check.occasion IS 'claim 理赔, servicing 保全, contact 接触, return_call 回访, visit 拜访, application 投保, review 核查 or other.';
COMMENT ON COLUMN crm.field_check.reference IS 'Which claim, servicing order, contact and so on.';
COMMENT ON COLUMN crm.field_check.staff_id IS 'Who heard it.';
COMMENT ON COLUMN crm.field_check.old_value IS 'What stood there before a correction.';
COMMENT ON COLUMN crm.field_check.new_value IS 'What was put there.';
COMMENT ON COLUMN crm.field_check.note IS 'Remark.';
COMMENT ON COLUMN crm.field_check.checked_on IS 'Day, in the business time zone.';
COMMENT ON COLUMN crm.field_check.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN crm.field_check.recorded_by IS 'Who recorded it.';
CREATE INDEX ON crm.field_check (field);
CREATE INDEX ON crm.field_check (staff_id);
CREATE INDEX ON crm.field_check (customer_id, field, id);

-- what is there -------------------------------------------------------------

CREATE VIEW crm._field_mask AS
SELECT s.source, s.item, pg_catalog.bit_or(1::bigint << f.bit) AS mask
FROM crm.completeness_field f CROSS JOIN LATERAL pg_catalog.unnest(f.found_in) p (place)
JOIN crm.field_source s ON p.place IN (s.source || '.' || s.item, s.source || '.*')
GROUP BY s.source, s.item;
COMMENT ON VIEW crm._field_mask IS 'The fields that are found at each place, as bits.';

-- Sources without a field are not read: nothing joins.
CREATE VIEW crm._filled_by_row AS
SELECT r.customer_id, r.mask
FROM (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (
  SELECT p.customer_id, k.mask FROM crm.contact_point p JOIN crm._field_mask k ON k.source = 'contact_point' AND k.item = p.kind
  WHERE NOT p.wrong AND coalesce(p.valid_from <= d.today, true) AND coalesce(p.valid_to > d.today, true)
  UNION ALL
  SELECT r.customer_id, k.mask FROM crm.relation r JOIN crm.relation_kind n ON n.code = r.kind JOIN crm._field_mask k ON k.source = 'relation' AND k.item = n.inverse
  WHERE coalesce(r.from_date <= d.today, true) AND coalesce(r.to_date > d.today, true)
  UNION ALL
  SELECT r.other_id, k.mask FROM crm.relation r JOIN crm._field_mask k ON k.source = 'relation' AND k.item = r.kind
  WHERE coalesce(r.from_date <= d.today, true) AND coalesce(r.to_date > d.today, true)
  UNION ALL
  SELECT m.customer_id, k.mask FROM crm.household_member m JOIN crm._field_mask k ON k.source = 'household'
  WHERE m.household_id IS NOT NULL AND m.from_date <= d.today
    AND NOT EXISTS (SELECT FROM crm.household_member l WHERE l.customer_id = m.customer_id AND l.from_date > m.from_date AND l.from_date <= d.today)
  UNION ALL
  SELECT a.customer_id, k.mask FROM crm.asset a JOIN crm._field_mask k ON k.source = 'asset'
  WHERE coalesce(a.owned_from <= d.today, true) AND coalesce(a.owned_to > d.today, true)
  UNION ALL
  SELECT b.customer_id, k.mask FROM crm.debt b JOIN crm._field_mask k ON k.source = 'debt'
  WHERE b.stated_on <= d.today AND coalesce(b.repaid_on > d.today, true)
  UNION ALL
  SELECT e.customer_id, k.mask FROM crm.cover_elsewhere e JOIN crm._field_mask k ON k.source = 'cover_elsewhere'
  WHERE coalesce(e.from_date <= d.today, true) AND coalesce(e.to_date > d.today, true)
  UNION ALL
  SELECT n.customer_id, k.mask FROM crm.need n JOIN crm._field_mask k ON k.source = 'need' AND k.item = n.kind
  WHERE n.noted_on <= d.today AND coalesce(n.closed_on > d.today, true)
  UNION ALL
  SELECT c.customer_id, k.mask FROM crm.consent c JOIN crm._field_mask k ON k.source = 'consent' AND k.item = c.purpose
  WHERE c.on_date <= d.today
  UNION ALL
  SELECT h.customer_id, k.mask FROM crm.product_holding h JOIN crm._field_mask k ON k.source = 'product_holding'
  WHERE h.opened_on <= d.today AND coalesce(h.closed_on > d.today, true)
  UNION ALL
  SELECT p.customer_id, k.mask FROM crm.policy p JOIN crm._field_mask k ON k.source = 'policy'
  WHERE p.issued_on <= d.today
  UNION ALL
  SELECT x.customer_id, 1::bigint << f.bit FROM crm.field_check x JOIN crm.completeness_field f ON f.code = x.field
  WHERE x.outcome = 'none' AND x.checked_on <= d.today
    AND NOT EXISTS (SELECT FROM crm.field_check l WHERE l.customer_id = x.customer_id AND l.field = x.field AND l.id > x.id AND l.checked_on <= d.today)) r;
COMMENT ON VIEW crm._filled_by_row IS 'The fields that rows of other tables fill today, as bits.';

-- One row of masks, then plain columns: nothing is looked up by customer and field.
DECLARE
  view text := '';
  t record;
BEGIN
  FOR t IN
    SELECT s.source, CASE s.source WHEN 'customer' THEN 'id' ELSE 'customer_id' END AS key,
           pg_catalog.string_agg(pg_catalog.format('coalesce(bit_or(k.mask) FILTER (WHERE k.item = %1$L), 0) AS %1$I', s.item), ', ' ORDER BY s.item) AS masks,
           pg_catalog.string_agg(pg_catalog.format('CASE WHEN t.%1$I IS NULL THEN 0 ELSE m.%1$I END', s.item), ' | ' ORDER BY s.item) AS columns
    FROM crm.field_source s WHERE s.source IN ('customer', 'profile') GROUP BY s.source ORDER BY s.source
  LOOP
    view := view || CASE view WHEN '' THEN '' ELSE E'\nUNION ALL\n' END
      || pg_catalog.format('SELECT t.%I AS customer_id, %s AS mask FROM crm.%I t CROSS JOIN (SELECT %s FROM crm._field_mask k WHERE k.source = %L OFFSET 0) m', t.key, t.columns, t.source, t.masks, t.source);
  END LOOP;
  EXECUTE 'CREATE VIEW crm._filled_by_column AS ' || view;
END;
COMMENT ON VIEW crm._filled_by_column IS 'The fields that columns of customers and profiles fill, as bits.';

-- Grouped by customer, so that a join nobody asks a column of costs nothing.
CREATE VIEW crm._filled AS
SELECT f.customer_id, pg_catalog.bit_or(f.mask) AS filled
FROM (TABLE crm._filled_by_column UNION ALL TABLE crm._filled_by_row) f
GROUP BY f.customer_id;
COMMENT ON VIEW crm._filled IS 'The fields of every customer that are filled today, as bits.';

CREATE VIEW crm._standard_mask AS
SELECT k.kind, t.tier_id, pg_catalog.bit_or(1::bigint << b.bit) FILTER (WHERE s.weight > 0) AS required,
       (pg_catalog.sum(s.weight) * 1000)::bigint AS weight,
       pg_catalog.array_agg(coalesce((s.weight * 1000)::bigint, 0) ORDER BY b.bit) AS weights
FROM (VALUES ('person'), ('company')) k (kind)
CROSS JOIN (SELECT 0::smallint AS tier_id, 'none' AS label UNION ALL SELECT c.id, c.label FROM crm.class c WHERE c.dimension = 'tier') t
CROSS JOIN pg_catalog.generate_series(0, 62) b (bit)
LEFT JOIN LATERAL (
  SELECT x.weight
  FROM crm.completeness_standard x JOIN crm.completeness_field f ON f.code = x.field
  WHERE f.bit = b.bit AND x.kind = k.kind AND (x.tier = t.label OR x.tier IS NULL) AND x.valid_from <= (SELECT crm.today())
  ORDER BY x.tier IS NULL, x.valid_from DESC LIMIT 1) s ON true
GROUP BY k.kind, t.tier_id
HAVING pg_catalog.sum(s.weight) > 0;
COMMENT ON VIEW crm._standard_mask IS 'The fields required today of each kind and tier, as bits, and their weights in thousandths, by bit from 1.';

CREATE VIEW crm._completeness AS
SELECT c.id AS customer_id, c.kind, coalesce(s.org_id, c.org_id) AS org_id, coalesce(nullif(s.channel_id, 0), c.source_channel_id) AS channel_id,
       coalesce(s.tier, 0::smallint) AS tier_id, s.valid_from IS NOT NULL AS counted,
       coalesce(m.required, 0) AS required, coalesce(m.required, 0) & ~f.filled AS missing, m.weight,
       crm._mask_sum(m.required & f.filled, m.weights) AS points,
       pg_catalog.round(100.0 * crm._mask_sum(m.required & f.filled, m.weights) / m.weight, 2) AS score
FROM crm.customer c
CROSS JOIN (SELECT g.slot, (SELECT crm.today()) AS today FROM crm.generation g WHERE g.state = 'current' OFFSET 0) g
LEFT JOIN crm.standing st ON st.slot = g.slot AND st.customer_id = c.id
LEFT JOIN LATERAL (SELECT r.* FROM (SELECT crm.at(st.timeline, g.today) AS r OFFSET 0) q, LATERAL (SELECT (q.r).*) r WHERE st.timeline IS NOT NULL) s ON true
LEFT JOIN crm._filled f ON f.customer_id = c.id
LEFT JOIN crm._standard_mask m ON m.kind = c.kind AND m.tier_id = coalesce(s.tier, 0::smallint);
COMMENT ON VIEW crm._completeness IS 'The completeness of every customer today: weights in thousandths, sets of fields as bits; weight, points and score are NULL where nothing is required.';

CREATE VIEW crm._completeness_cell AS
SELECT c.org_id, c.channel_id, c.kind, c.tier_id, pg_catalog.count(*) AS customers, pg_catalog.count(*) FILTER (WHERE c.missing = 0) AS complete,
       pg_catalog.sum(c.score) AS score_sum, pg_catalog.sum(c.points) / 1000 AS points, pg_catalog.sum(c.weight) / 1000 AS weight
FROM crm._completeness c
WHERE c.counted AND c.weight IS NOT NULL
GROUP BY c.org_id, c.channel_id, c.kind, c.tier_id;
COMMENT ON VIEW crm._completeness_cell IS 'Completeness today summed by unit, channel, kind and tier, over customers with a standing of whom anything is required.';

CREATE FUNCTION crm.completeness(as_of date, customers bigint[] DEFAULT NULL,
  OUT customer_id bigint, OUT points numeric, OUT weight numeric, OUT score numeric, OUT missing_fields text[], OUT missing text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  codes text[];
  names text[];
BEGIN
  PERFORM crm._take_day(as_of);
  SELECT array_agg(f.code ORDER BY b), array_agg(CASE crm.language() WHEN 'zh' THEN f.name_zh ELSE f.name END ORDER BY b) INTO codes, names
  FROM generate_series(0, 62) b LEFT JOIN crm.completeness_field f ON f.bit = b;
  RETURN QUERY
  SELECT c.customer_id, round(c.points / 1000.0, 3), round(c.weight / 1000.0, 3), c.score, string_to_array(crm._mask_names(c.missing, codes, ','), ','),
         crm._mask_names(c.missing, names, CASE crm.language() WHEN 'zh' THEN '、' ELSE ', ' END)
  FROM crm._completeness c
  WHERE completeness.customers IS NULL OR c.customer_id = ANY (completeness.customers);
END
$$;
COMMENT ON FUNCTION crm.completeness(date, bigint[]) IS
  'How complete the data of customers (NULL: all) are as of a day, by the standard and validity of that day and the data as they stand now: weight of the fields filled (points), of those required, 100 times their ratio rounded to two decimals, and what is missing, by code and by name in the language of crm.language. Nothing required: weight and score NULL. Errors: 22004, 22023 for a day beyond 1900 to 2199.';
REVOKE ALL ON FUNCTION crm.completeness(date, bigint[]) FROM PUBLIC;

GRANT SELECT ON crm.field_source, crm.completeness_field, crm.completeness_standard, crm.field_check, crm._completeness, crm._completeness_cell, crm._filled, crm._standard_mask TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.field_source'),
  ('manager', 'SELECT', 'TABLE', 'crm.completeness_field'),
  ('manager', 'SELECT', 'TABLE', 'crm.completeness_standard'),
  ('manager', 'SELECT', 'TABLE', 'crm.field_check'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.completeness(date, bigint[])'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.completeness(date, bigint[])');
