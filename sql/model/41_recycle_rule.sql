-- recycle: the rule that a holding follows: of its plan, of the customer's product line and tier, of unit and channel

CREATE TABLE crm.recycle_rule_for (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  line text,
  tier text,
  org_id bigint REFERENCES crm.organisation,
  channel_id bigint REFERENCES crm.channel,
  valid_from date NOT NULL DEFAULT '1900-01-01' CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31'),
  valid_to date CHECK (valid_to BETWEEN '1900-01-01' AND '2199-12-31'),
  rule crm.recycle_rule NOT NULL,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  UNIQUE NULLS NOT DISTINCT (line, tier, org_id, channel_id, valid_from),
  CONSTRAINT recycle_rule_for_customer_check CHECK (pg_catalog.num_nonnulls(line, tier) > 0),
  CONSTRAINT recycle_rule_for_dates_check CHECK (valid_to > valid_from)
);
COMMENT ON TABLE crm.recycle_rule_for IS 'Recycle rules for customers of a product line or tier; they go before the setting recycle_rule. Of several that fit, one for line and tier decides, then one for the line, then one for the tier; among these the nearest unit, then one of the channel before one of all, then the latest in force. 回收规则';
COMMENT ON COLUMN crm.recycle_rule_for.id IS 'Key.';
COMMENT ON COLUMN crm.recycle_rule_for.line IS 'Product line of the customer''s last purchase; NULL: any, and those who never bought.';
COMMENT ON COLUMN crm.recycle_rule_for.tier IS 'Tier of the customer, or none (not insured); NULL: any.';
COMMENT ON COLUMN crm.recycle_rule_for.org_id IS 'Unit of the holder with its subtree; NULL: everywhere.';
COMMENT ON COLUMN crm.recycle_rule_for.channel_id IS 'Channel of the holder; NULL: every channel.';
COMMENT ON COLUMN crm.recycle_rule_for.valid_from IS 'First day on which it is in force.';
COMMENT ON COLUMN crm.recycle_rule_for.valid_to IS 'First day no longer; NULL: none set.';
COMMENT ON COLUMN crm.recycle_rule_for.rule IS 'The rule.';
COMMENT ON COLUMN crm.recycle_rule_for.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.recycle_rule_for.set_by IS 'Who set it.';
CREATE INDEX ON crm.recycle_rule_for (org_id);
CREATE INDEX ON crm.recycle_rule_for (channel_id);

CREATE FUNCTION crm._require_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM crm.product p WHERE p.line = NEW.line) THEN
    RAISE EXCEPTION 'product line "%" is not known', NEW.line
      USING ERRCODE = 'invalid_parameter_value',
            HINT = coalesce('Lines of crm.product are ' || (SELECT string_agg(DISTINCT p.line, ', ') FROM crm.product p) || '.', 'There are no products yet.');
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._require_line() IS 'Trigger: a product line must be one of a product. Errors: 22023.';
REVOKE ALL ON FUNCTION crm._require_line() FROM PUBLIC;
CREATE TRIGGER stamp BEFORE UPDATE ON crm.recycle_rule_for FOR EACH ROW EXECUTE FUNCTION crm._stamp();
CREATE TRIGGER check_line BEFORE INSERT OR UPDATE OF line ON crm.recycle_rule_for
  FOR EACH ROW WHEN (NEW.line IS NOT NULL) EXECUTE FUNCTION crm._require_line();
CREATE TRIGGER check_tier BEFORE INSERT OR UPDATE OF tier ON crm.recycle_rule_for
  FOR EACH ROW WHEN (NEW.tier IS NOT NULL) EXECUTE FUNCTION crm._require_tier();

ALTER TABLE crm.holding ADD COLUMN plan_rule crm.recycle_rule;
COMMENT ON COLUMN crm.holding.plan_rule IS 'Rule that the plan by which it began carries; NULL: none of its own. It goes before every other.';

-- what the rules ask of customers ----------------------------------------------

CREATE FUNCTION crm._recycle_classes(customers bigint[], as_of date) RETURNS TABLE (customer_id bigint, line text, tier text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM crm.recycle_rule_for r WHERE r.valid_from <= _recycle_classes.as_of AND coalesce(r.valid_to > _recycle_classes.as_of, true)) THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT c.customer_id, coalesce(l.line, ''), c.tier
  FROM crm._tiers_of(coalesce(_recycle_classes.customers, ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.held_to IS NULL)), _recycle_classes.as_of) c
  LEFT JOIN LATERAL (
    SELECT r.line FROM crm.cover v
    JOIN crm.policy p ON p.customer_id = v.customer_id AND p.id = v.policy_id
    JOIN crm.product r ON r.id = p.product_id
    WHERE v.customer_id = c.customer_id AND v.role = 'policyholder' AND v.to_date > v.from_date AND v.issued_on <= _recycle_classes.as_of
    ORDER BY v.issued_on DESC, v.policy_id DESC LIMIT 1) l ON true;
END
$$;
COMMENT ON FUNCTION crm._recycle_classes(bigint[], date) IS
  'What rules for customers ask of these (NULL: all who are held): the product line of the last policy bought that is not void, of several of a day the one with the greatest key, '''' when none; and the tier on the day. No rows at all while no such rule is in force.';
REVOKE ALL ON FUNCTION crm._recycle_classes(bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._recycle_rule(org_id bigint, channel_id bigint, as_of date, line text DEFAULT NULL, tier text DEFAULT NULL, plan_rule crm.recycle_rule DEFAULT NULL)
RETURNS crm.recycle_rule
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(
    _recycle_rule.plan_rule,
    (SELECT r.rule
     FROM crm.recycle_rule_for r
     LEFT JOIN crm.organisation_tree t ON t.ancestor_id = r.org_id AND t.descendant_id = _recycle_rule.org_id
     WHERE r.valid_from <= _recycle_rule.as_of AND coalesce(r.valid_to > _recycle_rule.as_of, true)
       AND (r.line IS NULL OR r.line = _recycle_rule.line)
       AND (r.tier IS NULL OR r.tier = _recycle_rule.tier)
       AND (r.org_id IS NULL OR t.depth IS NOT NULL)
       AND (r.channel_id IS NULL OR r.channel_id = _recycle_rule.channel_id)
     ORDER BY r.line IS NULL, r.tier IS NULL, t.depth NULLS LAST, r.channel_id IS NULL, r.valid_from DESC LIMIT 1),
    crm._setting_for('recycle_rule', _recycle_rule.org_id, _recycle_rule.channel_id, _recycle_rule.as_of)::crm.recycle_rule);
END;
COMMENT ON FUNCTION crm._recycle_rule(bigint, bigint, date, text, text, crm.recycle_rule) IS
  'Recycle rule in force on a day for a holder''s unit and channel and a customer of a product line and tier: that of the plan, else the first of crm.recycle_rule_for that fits, else the setting recycle_rule.';

CREATE FUNCTION crm._recycle_rule_of(customer_id bigint, org_id bigint, channel_id bigint, as_of date, plan_rule crm.recycle_rule DEFAULT NULL) RETURNS crm.recycle_rule
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT crm._recycle_rule(_recycle_rule_of.org_id, _recycle_rule_of.channel_id, _recycle_rule_of.as_of, k.line, k.tier, _recycle_rule_of.plan_rule)
  FROM (VALUES (1)) one (n)
  LEFT JOIN crm._recycle_classes(ARRAY[_recycle_rule_of.customer_id], _recycle_rule_of.as_of) k ON true;
END;
COMMENT ON FUNCTION crm._recycle_rule_of(bigint, bigint, bigint, date, crm.recycle_rule) IS 'Recycle rule in force on a day for one customer and a holder''s unit and channel.';
REVOKE ALL ON FUNCTION crm._recycle_rule_of(bigint, bigint, bigint, date, crm.recycle_rule) FROM PUBLIC;

-- a change of rule ----------------------------------------------------------

CREATE VIEW crm._stale_rule AS
WITH followed AS MATERIALIZED (
  SELECT h.org_id, h.channel_id, k.line, k.tier, h.plan_rule, h.rule, pg_catalog.count(*) AS holdings
  FROM crm.holding h LEFT JOIN crm._recycle_classes(NULL, crm.today()) k ON k.customer_id = h.customer_id
  WHERE h.held_to IS NULL GROUP BY h.org_id, h.channel_id, k.line, k.tier, h.plan_rule, h.rule),
compared AS MATERIALIZED (
  SELECT f.org_id, f.channel_id, f.line, f.tier, f.rule, f.holdings,
         crm._recycle_rule(f.org_id, f.channel_id, crm.today(), f.line, f.tier, f.plan_rule) AS rule_now
  FROM followed f)
SELECT c.org_id, c.channel_id, c.line, c.tier, c.rule, c.holdings, c.rule_now FROM compared c WHERE c.rule_now OPERATOR(crm.<>) c.rule;
COMMENT ON VIEW crm._stale_rule IS 'Open holdings that follow another rule than the one in force today for their plan, or for line and tier of the customer (NULL where no rule asks for them), unit and channel.';

-- no loop but by the key, whatever statistics say: taken when hardly anything was held they would have all kinds, or all that is held, read for each customer
CREATE FUNCTION crm._other_rules(customers bigint[], as_of date) RETURNS TABLE (customer_id bigint, id bigint, rule crm.recycle_rule)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH page AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.rule, h.plan_rule, h.org_id, h.channel_id, k.line, k.tier,
           row(h.org_id, h.channel_id, k.line, k.tier)::text AS kind
    FROM unnest(_other_rules.customers) u(id)
    LEFT JOIN crm._recycle_classes(_other_rules.customers, _other_rules.as_of) k ON k.customer_id = u.id
    CROSS JOIN LATERAL (SELECT x.* FROM crm.holding x WHERE x.customer_id = u.id AND x.held_to IS NULL OFFSET 0) h),
  wanted AS MATERIALIZED (
    SELECT g.kind, crm._recycle_rule(g.org_id, g.channel_id, _other_rules.as_of, g.line, g.tier) AS rule
    FROM (SELECT DISTINCT p.kind, p.org_id, p.channel_id, p.line, p.tier FROM page p) g)
  SELECT p.customer_id, p.id, coalesce(p.plan_rule, w.rule)
  FROM page p JOIN wanted w ON w.kind = p.kind AND coalesce(p.plan_rule, w.rule) OPERATOR(crm.<>) p.rule;
END
$$;
COMMENT ON FUNCTION crm._other_rules(bigint[], date) IS 'Open holdings of these customers that follow another rule than the one in force on a day, and that one.';
REVOKE ALL ON FUNCTION crm._other_rules(bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._follow_rules(customers bigint[], as_of date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  others bigint[];
  holdings bigint[];
  rules crm.recycle_rule[];
  changed bigint;
BEGIN
  SELECT array_agg(o.customer_id), array_agg(o.id), array_agg(o.rule) INTO others, holdings, rules
  FROM crm._other_rules(_follow_rules.customers, _follow_rules.as_of) o;
  WITH locked AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.held_to, o.rule
    FROM unnest(others, holdings, rules) o(customer_id, id, rule)
    JOIN crm.holding h ON h.customer_id = o.customer_id AND h.id = o.id
    ORDER BY h.customer_id FOR UPDATE OF h)
  UPDATE crm.holding h SET rule = l.rule FROM locked l
  WHERE l.held_to IS NULL AND h.customer_id = l.customer_id AND h.id = l.id;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm._follow_rules(bigint[], date) IS 'Puts the rule in force on a day into the open holdings of these customers; returns how many follow another.';
REVOKE ALL ON FUNCTION crm._follow_rules(bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._refresh_due(as_of date, batch integer, INOUT after bigint, INOUT changed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  page CONSTANT bigint[] := ARRAY(
    SELECT h.customer_id FROM crm.holding h
    WHERE h.held_to IS NULL AND h.customer_id > coalesce(_refresh_due.after, '-9223372036854775808'::bigint)
    ORDER BY h.customer_id LIMIT _refresh_due.batch);
BEGIN
  changed := changed + crm._follow_rules(page, _refresh_due.as_of);
  after := page[cardinality(page)];
END
$$;
COMMENT ON FUNCTION crm._refresh_due(date, integer, bigint, bigint) IS
  'Puts the rule in force on a day into the open holdings of the next batch of customers; after becomes NULL past the last.';
REVOKE ALL ON FUNCTION crm._refresh_due(date, integer, bigint, bigint) FROM PUBLIC;

-- Posting has just made the standings of these customers anew: who bought or rose follows another rule at once.
CREATE FUNCTION crm._post_rules(customers bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  today CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  IF EXISTS (SELECT FROM crm.recycle_rule_for r WHERE r.valid_from <= today AND coalesce(r.valid_to > today, true)) THEN
    PERFORM crm._follow_rules(customers, today);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._post_rules(bigint[]) IS
  'Where rules go by line or tier, gives the open holdings of these customers the rule in force now. For posting, which holds the locks of the customers. What changes by the passing of days waits for crm.refresh_due().';
REVOKE ALL ON FUNCTION crm._post_rules(bigint[]) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.recycle_rule_for');
