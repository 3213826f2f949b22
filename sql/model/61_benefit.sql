-- engage: benefits of customers by tier, and their use

CREATE TABLE crm.benefit (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  name text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name_zh) <> ''),
  description text,
  partner_id bigint REFERENCES crm.partner,
  from_date date NOT NULL DEFAULT '1900-01-01' CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  to_date date CHECK (to_date BETWEEN '1900-01-01' AND '2199-12-31'),
  CONSTRAINT benefit_dates_check CHECK (to_date > from_date)
);
COMMENT ON TABLE crm.benefit IS 'Benefits that customers may have; rows may be added. 增值服务';
COMMENT ON COLUMN crm.benefit.code IS 'Code.';
COMMENT ON COLUMN crm.benefit.name IS 'Name in English.';
COMMENT ON COLUMN crm.benefit.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.benefit.description IS 'What it is.';
COMMENT ON COLUMN crm.benefit.partner_id IS 'Partner or merchant who gives it; NULL: the company.';
COMMENT ON COLUMN crm.benefit.from_date IS 'First day on which it is given.';
COMMENT ON COLUMN crm.benefit.to_date IS 'First day no longer; NULL: none set.';
CREATE INDEX ON crm.benefit (partner_id);
INSERT INTO crm.benefit (code, name, name_zh, description) VALUES
  ('service_card', 'service card', '服务卡', 'A card that shows the tier at counters and merchants.'),
  ('own_counter', 'own counter', '专属柜台', 'Served at a counter of their own.'),
  ('emergency_help', 'emergency help', '紧急救援', 'Help on the road and in a medical emergency.'),
  ('check_up', 'medical check-up', '健康体检', 'A check-up at a partner hospital.'),
  ('merchant_offer', 'merchant offer', '商家优惠', 'An offer of a partner merchant.');

CREATE TABLE crm.benefit_rule (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  benefit text NOT NULL REFERENCES crm.benefit ON UPDATE CASCADE,
  tier text,
  org_id bigint REFERENCES crm.organisation,
  channel_id bigint REFERENCES crm.channel,
  valid_from date NOT NULL DEFAULT '1900-01-01' CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31'),
  quantity integer CHECK (quantity >= 0),
  period text NOT NULL DEFAULT 'year' CHECK (period IN ('day', 'month', 'quarter', 'year', 'ever')),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  UNIQUE NULLS NOT DISTINCT (benefit, tier, org_id, channel_id, valid_from)
);
COMMENT ON TABLE crm.benefit_rule IS 'Who is entitled to how much of a benefit. The rule of the nearest unit decides, then one of the channel before one of all, then one of the tier before one of all, then the latest. 权益规则';
COMMENT ON COLUMN crm.benefit_rule.id IS 'Key.';
COMMENT ON COLUMN crm.benefit_rule.benefit IS 'Benefit.';
COMMENT ON COLUMN crm.benefit_rule.tier IS 'Tier, or none (not insured); NULL: every tier, but not none.';
COMMENT ON COLUMN crm.benefit_rule.org_id IS 'Unit with its subtree; NULL: everywhere.';
COMMENT ON COLUMN crm.benefit_rule.channel_id IS 'Main channel; NULL: every channel.';
COMMENT ON COLUMN crm.benefit_rule.valid_from IS 'First day on which it holds, until a later row for the same benefit, tier, unit and channel.';
COMMENT ON COLUMN crm.benefit_rule.quantity IS 'How many a customer may use in a period; 0: not entitled, NULL: without limit.';
COMMENT ON COLUMN crm.benefit_rule.period IS 'Calendar day, month, quarter or year, or ever.';
COMMENT ON COLUMN crm.benefit_rule.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.benefit_rule.set_by IS 'Who set it.';
CREATE INDEX ON crm.benefit_rule (org_id);
CREATE INDEX ON crm.benefit_rule (channel_id);
CREATE TRIGGER stamp BEFORE UPDATE ON crm.benefit_rule FOR EACH ROW EXECUTE FUNCTION crm._stamp();
CREATE TRIGGER check_tier BEFORE INSERT OR UPDATE OF tier ON crm.benefit_rule
  FOR EACH ROW WHEN (NEW.tier IS NOT NULL) EXECUTE FUNCTION crm._require_tier();

CREATE TABLE crm.benefit_use (
  customer_id bigint NOT NULL REFERENCES crm.customer,
  id bigint GENERATED ALWAYS AS IDENTITY,
  benefit text NOT NULL REFERENCES crm.benefit ON UPDATE CASCADE,
  used_on date NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0),
  tier text NOT NULL,
  org_id bigint NOT NULL REFERENCES crm.organisation,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  staff_id bigint NOT NULL REFERENCES crm.staff,
  note text,
  used_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  recorded_by text NOT NULL DEFAULT crm.actor(),
  reversed_at timestamptz,
  reversed_by text,
  reversal_reason text CHECK (pg_catalog.btrim(reversal_reason) <> ''),
  PRIMARY KEY (customer_id, id),
  CONSTRAINT benefit_use_reversal_check CHECK (pg_catalog.num_nulls(reversed_at, reversed_by, reversal_reason) IN (0, 3))
);
COMMENT ON TABLE crm.benefit_use IS 'Benefits used, with the tier, unit and channel of the customer at the time; written by crm.use_benefit() and crm.reverse_benefit(). 权益使用';
COMMENT ON COLUMN crm.benefit_use.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.benefit_use.id IS 'Key within the customer.';
COMMENT ON COLUMN crm.benefit_use.benefit IS 'Benefit.';
COMMENT ON COLUMN crm.benefit_use.used_on IS 'Day of use, in the business time zone.';
COMMENT ON COLUMN crm.benefit_use.quantity IS 'How many.';
COMMENT ON COLUMN crm.benefit_use.tier IS 'Tier on that day, or none.';
COMMENT ON COLUMN crm.benefit_use.org_id IS 'Home organisation on that day.';
COMMENT ON COLUMN crm.benefit_use.channel_id IS 'Main channel on that day.';
COMMENT ON COLUMN crm.benefit_use.staff_id IS 'Who gave it.';
COMMENT ON COLUMN crm.benefit_use.note IS 'Remark.';
COMMENT ON COLUMN crm.benefit_use.used_at IS 'When; stamped by the function.';
COMMENT ON COLUMN crm.benefit_use.recorded_by IS 'Who recorded it.';
COMMENT ON COLUMN crm.benefit_use.reversed_at IS 'When it was reversed; NULL: it stands.';
COMMENT ON COLUMN crm.benefit_use.reversed_by IS 'Who reversed it.';
COMMENT ON COLUMN crm.benefit_use.reversal_reason IS 'Why.';
CREATE INDEX ON crm.benefit_use (benefit, used_on);
CREATE INDEX ON crm.benefit_use (org_id);
CREATE INDEX ON crm.benefit_use (channel_id);
CREATE INDEX ON crm.benefit_use (staff_id);

CREATE TABLE crm.benefit_account (
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  benefit text NOT NULL REFERENCES crm.benefit ON UPDATE CASCADE ON DELETE CASCADE,
  changes bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (customer_id, benefit)
);
COMMENT ON TABLE crm.benefit_account IS 'Whom uses of a benefit wait for: each use and reversal writes the row of customer and benefit before it looks, so that no two decide by the same sum.';
COMMENT ON COLUMN crm.benefit_account.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.benefit_account.benefit IS 'Benefit.';
COMMENT ON COLUMN crm.benefit_account.changes IS 'Uses and reversals ever.';
CREATE INDEX ON crm.benefit_account (benefit);

CREATE FUNCTION crm._benefit_use_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  moved CONSTANT bigint := CASE WHEN OLD.reversed_at IS NULL THEN 1 ELSE 2 END;
BEGIN
  DELETE FROM crm.benefit_account a WHERE a.customer_id = OLD.customer_id AND a.benefit = OLD.benefit AND a.changes <= moved;
  UPDATE crm.benefit_account a SET changes = a.changes - moved WHERE a.customer_id = OLD.customer_id AND a.benefit = OLD.benefit;
  INSERT INTO crm.benefit_account AS a (customer_id, benefit, changes) VALUES (NEW.customer_id, NEW.benefit, moved)
  ON CONFLICT (customer_id, benefit) DO UPDATE SET changes = a.changes + moved;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._benefit_use_moved() IS 'Trigger: lets the account go with a use that comes to another customer by a merge, or goes back.';
REVOKE ALL ON FUNCTION crm._benefit_use_moved() FROM PUBLIC;
CREATE TRIGGER moved AFTER UPDATE OF customer_id ON crm.benefit_use
  FOR EACH ROW WHEN (OLD.customer_id <> NEW.customer_id) EXECUTE FUNCTION crm._benefit_use_moved();
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.benefit_account', 'customer_id', 'derived', 'Goes with the uses: those of both add up, even beyond what the customer kept is entitled to, and no use is lost.');

-- the rule of each benefit for each unit, channel and tier of a day: far fewer than customers
CREATE VIEW crm._benefit_rule AS
SELECT b.code AS benefit, o.id AS org_id, h.id AS channel_id, t.id AS tier_id, r.id AS rule_id, r.quantity, r.period,
       CASE r.period WHEN 'ever' THEN '-infinity' WHEN 'day' THEN d.today ELSE pg_catalog.date_trunc(r.period, d.today::timestamp)::date END AS period_start,
       CASE r.period WHEN 'ever' THEN 'infinity' WHEN 'day' THEN d.today + 1
         ELSE (pg_catalog.date_trunc(r.period, d.today::timestamp) + CASE r.period WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months' ELSE interval '1 year' END)::date END AS period_end
FROM crm.benefit b
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN crm.organisation o CROSS JOIN crm.channel h CROSS JOIN crm._tier t
CROSS JOIN LATERAL (
  SELECT x.id, x.quantity, x.period
  FROM crm.benefit_rule x LEFT JOIN crm.organisation_tree a ON a.ancestor_id = x.org_id AND a.descendant_id = o.id
  WHERE x.benefit = b.code AND x.valid_from <= d.today AND (x.org_id IS NULL OR a.depth IS NOT NULL) AND (x.channel_id IS NULL OR x.channel_id = h.id)
    AND (x.tier = t.label OR x.tier IS NULL AND t.id > 0)
  ORDER BY a.depth, x.channel_id IS NULL, x.tier IS NULL, x.valid_from DESC LIMIT 1) r
WHERE b.from_date <= d.today AND coalesce(b.to_date > d.today, true) AND r.quantity IS DISTINCT FROM 0;
COMMENT ON VIEW crm._benefit_rule IS 'What the rules entitle to today, by unit, channel and tier; quantity NULL: without limit.';

CREATE VIEW crm._entitlement AS
SELECT s.customer_id, s.org_id, s.channel_id, s.company, s.tier, r.benefit, r.rule_id, r.quantity, r.period, r.period_start, r.period_end
FROM (
  SELECT q.customer_id, (q.s).org_id AS org_id, (q.s).channel_id AS channel_id, (q.s).company AS company, (q.s).tier AS tier
  FROM (SELECT st.customer_id, crm.at(st.timeline, d.today) AS s
        FROM crm.generation g CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d JOIN crm.standing st ON st.slot = g.slot WHERE g.state = 'current') q
  WHERE (q.s).valid_from IS NOT NULL) s
JOIN crm._benefit_rule r ON r.org_id = s.org_id AND r.channel_id = s.channel_id AND r.tier_id = s.tier;
COMMENT ON VIEW crm._entitlement IS 'What every customer is entitled to today.';

CREATE FUNCTION crm.entitlements(customer_id bigint, as_of date,
  OUT benefit text, OUT name text, OUT tier text, OUT quantity integer, OUT period text, OUT period_start date, OUT period_end date, OUT used bigint, OUT remaining bigint)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
BEGIN
  IF entitlements.customer_id IS NULL THEN
    RAISE EXCEPTION 'the customer must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._slot();
  PERFORM crm._take_day(as_of);
  RETURN QUERY
  SELECT e.benefit, CASE crm.language() WHEN 'zh' THEN b.name_zh ELSE b.name END, coalesce(t.label, 'none'), e.quantity, e.period, nullif(e.period_start, '-infinity'), nullif(e.period_end, 'infinity'),
         u.used, e.quantity - u.used
  FROM crm._entitlement e
  JOIN crm.benefit b ON b.code = e.benefit
  LEFT JOIN crm.class t ON t.id = e.tier
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.quantity), 0) AS used FROM crm.benefit_use x
    WHERE x.customer_id = e.customer_id AND x.benefit = e.benefit AND x.reversed_at IS NULL AND x.used_on >= e.period_start AND x.used_on < e.period_end) u
  WHERE e.customer_id = entitlements.customer_id
  ORDER BY e.benefit;
END
$$;
COMMENT ON FUNCTION crm.entitlements(bigint, date) IS
  'What a customer is entitled to on a day by tier, unit and channel of that day: quantity in the period that holds it (period_end is the first day no longer), used in it and remaining, below 0 where a rule was narrowed or the tier sank since; quantity and remaining NULL: without limit. No row: not entitled. Errors: 22004, 22023, 55000, 40001. 客户权益';
REVOKE ALL ON FUNCTION crm.entitlements(bigint, date) FROM PUBLIC;

CREATE FUNCTION crm._open_benefit_account(customer_id bigint, benefit text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF _open_benefit_account.customer_id IS NULL OR _open_benefit_account.benefit IS NULL THEN
    RAISE EXCEPTION 'customer and benefit must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT EXISTS (SELECT FROM crm.benefit b WHERE b.code = _open_benefit_account.benefit) THEN
    RAISE EXCEPTION 'there is no benefit "%"', _open_benefit_account.benefit
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm.benefit lists the benefits.';
  END IF;
  -- before the account, as a merge has it
  PERFORM FROM crm.customer c WHERE c.id = _open_benefit_account.customer_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no customer "%"', _open_benefit_account.customer_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  INSERT INTO crm.benefit_account AS a (customer_id, benefit) VALUES (_open_benefit_account.customer_id, _open_benefit_account.benefit)
  ON CONFLICT (customer_id, benefit) DO UPDATE SET changes = a.changes + 1;
END
$$;
COMMENT ON FUNCTION crm._open_benefit_account(bigint, text) IS 'Makes other uses of the benefit by the customer wait for the end of the transaction; at REPEATABLE READ they then fail with 40001. Errors: 22004, 23503.';
REVOKE ALL ON FUNCTION crm._open_benefit_account(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.use_benefit(customer_id bigint, benefit text, staff_id bigint, quantity integer DEFAULT 1, note text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(use_benefit.staff_id, crm._business_day(clock_timestamp()));
  today date;
  e crm._entitlement;
  used bigint;
  use_id bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  IF use_benefit.quantity IS NULL OR use_benefit.quantity < 1 THEN
    RAISE EXCEPTION 'quantity "%" cannot be used', use_benefit.quantity USING ERRCODE = 'invalid_parameter_value', HINT = 'Use 1 or more.';
  END IF;
  PERFORM crm._slot();
  PERFORM crm._open_benefit_account(use_benefit.customer_id, use_benefit.benefit);
  today := crm._business_day(clock_timestamp());
  PERFORM crm._take_day(today);
  SELECT x.* INTO e FROM crm._entitlement x WHERE x.customer_id = use_benefit.customer_id AND x.benefit = use_benefit.benefit;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'customer "%" is not entitled to "%"', use_benefit.customer_id, use_benefit.benefit
      USING ERRCODE = 'check_violation',
            DETAIL = coalesce((SELECT format('The tier on %s is %s.', today, t.label) FROM crm.standing st JOIN crm._tier t ON t.id = (crm.at(st.timeline, today)).tier
                               WHERE st.slot = crm._slot() AND st.customer_id = use_benefit.customer_id), 'The customer has no standing.'),
            HINT = 'crm.entitlements() lists what a customer is entitled to, crm.benefit_rule who is.';
  END IF;
  SELECT coalesce(sum(u.quantity), 0) INTO used FROM crm.benefit_use u
  WHERE u.customer_id = use_benefit.customer_id AND u.benefit = use_benefit.benefit AND u.reversed_at IS NULL AND u.used_on >= e.period_start AND u.used_on < e.period_end;
  IF used + use_benefit.quantity > e.quantity THEN
    RAISE EXCEPTION 'customer "%" has used up "%"', use_benefit.customer_id, use_benefit.benefit
      USING ERRCODE = 'configuration_limit_exceeded',
            DETAIL = format('Of %s %s, %s used, %s asked for.', e.quantity, CASE e.period WHEN 'ever' THEN 'ever' ELSE 'in a ' || e.period END, used, use_benefit.quantity),
            HINT = CASE e.period WHEN 'ever' THEN 'A use can be reversed by crm.reverse_benefit().' ELSE format('More from %s on; a use can be reversed by crm.reverse_benefit().', e.period_end) END;
  END IF;
  INSERT INTO crm.benefit_use (customer_id, benefit, used_on, quantity, tier, org_id, channel_id, staff_id, note)
  VALUES (use_benefit.customer_id, use_benefit.benefit, today, use_benefit.quantity, (SELECT t.label FROM crm._tier t WHERE t.id = e.tier), e.org_id, e.channel_id, staff.id, use_benefit.note)
  RETURNING id INTO use_id;
  RETURN use_id;
END
$$;
COMMENT ON FUNCTION crm.use_benefit(bigint, text, bigint, integer, text) IS
  'A member of staff gives a customer a benefit now; returns the key of the use within the customer. Of several at once none goes beyond the quantity. Errors: 23514 not entitled today, 53400 used up in this period, 22023 quantity below 1, 23503 unknown customer, benefit or staff, 22004, 55000 not in post or no standings, 42501 not for that member of staff, 40001. 使用权益';
REVOKE ALL ON FUNCTION crm.use_benefit(bigint, text, bigint, integer, text) FROM PUBLIC;

CREATE FUNCTION crm.reverse_benefit(customer_id bigint, use_id bigint, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  u crm.benefit_use;
BEGIN
  SELECT * INTO u FROM crm.benefit_use x WHERE x.customer_id = reverse_benefit.customer_id AND x.id = use_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'customer "%" has no use "%" of a benefit', reverse_benefit.customer_id, use_id
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.benefit_use lists the uses.';
  END IF;
  PERFORM crm._act_for(u.staff_id);
  IF reason IS NULL OR btrim(reason) = '' THEN
    RAISE EXCEPTION 'a reversal needs a reason' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM crm._open_benefit_account(u.customer_id, u.benefit);
  UPDATE crm.benefit_use x SET reversed_at = clock_timestamp(), reversed_by = crm.actor(), reversal_reason = reason
  WHERE x.customer_id = u.customer_id AND x.id = u.id AND x.reversed_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'use "%" of customer "%" is reversed already', u.id, u.customer_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
END
$$;
COMMENT ON FUNCTION crm.reverse_benefit(bigint, bigint, text) IS
  'Reverses a use as a whole, by who gave it or whoever may act for them: it no longer counts in its period and stays on record. Errors: 22023 no such use, 23514 no reason, 55000 reversed already, 42501, 40001. 撤销使用';
REVOKE ALL ON FUNCTION crm.reverse_benefit(bigint, bigint, text) FROM PUBLIC;

GRANT SELECT ON crm.benefit, crm.benefit_rule, crm.benefit_use, crm._entitlement, crm.partner TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.benefit'),
  ('manager', 'SELECT', 'TABLE', 'crm.benefit_rule'),
  ('manager', 'SELECT', 'TABLE', 'crm.benefit_use'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.entitlements(bigint, date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.use_benefit(bigint, text, bigint, integer, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.reverse_benefit(bigint, bigint, text)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.entitlements(bigint, date)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.use_benefit(bigint, text, bigint, integer, text)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.reverse_benefit(bigint, bigint, text)');
