-- kpi: accounts, posting, rebuild

CREATE TABLE crm.kpi_code (
  code text PRIMARY KEY,
  name text NOT NULL,
  name_zh text NOT NULL,
  shape smallint NOT NULL CHECK (shape IN (0, 1, 2)),
  account smallint NOT NULL,
  base_account smallint,
  dimension text CHECK (dimension IN ('coverage', 'activity', 'tier')),
  cell text NOT NULL CHECK (cell IN ('closing', 'opening', 'event')),
  adds_over_periods boolean NOT NULL,
  description text NOT NULL,
  CHECK ((shape = 0) = (base_account IS NULL))
);
COMMENT ON TABLE crm.kpi_code IS 'The figures and the accounts they are made of.';
COMMENT ON COLUMN crm.kpi_code.code IS 'Code of the figure.';
COMMENT ON COLUMN crm.kpi_code.name IS 'Name in English.';
COMMENT ON COLUMN crm.kpi_code.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.kpi_code.shape IS '0: a count; 1: account over base; 2: account less base over base.';
COMMENT ON COLUMN crm.kpi_code.account IS 'Account of the numerator; crm._is_balance() tells balances from turnovers.';
COMMENT ON COLUMN crm.kpi_code.base_account IS 'Balance at opening that is the denominator.';
COMMENT ON COLUMN crm.kpi_code.dimension IS 'Dimension that classes the figure.';
COMMENT ON COLUMN crm.kpi_code.cell IS 'The moment whose unit, channel and kind the customer counts in.';
COMMENT ON COLUMN crm.kpi_code.adds_over_periods IS 'Whether months add up to longer periods.';
COMMENT ON COLUMN crm.kpi_code.description IS 'What it counts.';
INSERT INTO crm.kpi_code (code, name, name_zh, shape, account, base_account, dimension, cell, adds_over_periods, description) VALUES
  ('insured', 'Insured customers', '有效客户数', 0, 1, NULL, NULL, 'closing', false, 'Customers with a policy in force at closing, as policyholder or insured person.'),
  ('insured_long_term', 'Insured long-term', '长险有效客户数', 0, 2, NULL, NULL, 'closing', false, 'Customers with a long-term policy in force at closing, in either role.'),
  ('plan_customers', 'Plan population', '股份长险投保客户数', 0, 3, NULL, NULL, 'closing', false, 'Policyholders with a long-term policy of the own book in force at closing.'),
  ('coverage', 'Customers by coverage', '新老客户分类', 0, 4, NULL, 'coverage', 'closing', false, 'Prospects, insured and former customers at closing.'),
  ('activity', 'Customers by activity', '客户活跃度分类', 0, 5, NULL, 'activity', 'closing', false, 'Known customers by the time since the last purchase at closing; none: never purchased.'),
  ('tier', 'Customers by tier', '客户等级分类', 0, 6, NULL, 'tier', 'closing', false, 'Known customers by tier at closing; none: not insured.'),
  ('new_customers', 'New customers', '新增客户数', 0, 20, NULL, NULL, 'event', true, 'Customers whose first purchase ever lies in the period.'),
  ('gained', 'Gained', '新增有效客户数', 0, 21, NULL, NULL, 'closing', false, 'Insured at closing, and for the first time ever in the period.'),
  ('moved_in', 'Moved in', '转入客户数', 0, 22, NULL, NULL, 'closing', false, 'Insured at both ends, and in this unit and channel only at closing.'),
  ('moved_out', 'Moved out', '转出客户数', 0, 23, NULL, NULL, 'opening', false, 'Insured at both ends, and in this unit and channel only at opening.'),
  ('repeat_purchase', 'Repeat-purchase rate', '二次购买率', 1, 24, 3, NULL, 'opening', false, 'Of the plan population at opening, those who bought a further long-term policy in the period.'),
  ('repeat_purchase_any', 'Repeat-purchase rate, any product', '加保率', 1, 25, 1, NULL, 'opening', false, 'Of the insured at opening, those who made any purchase in the period.'),
  ('total_churn', 'Total churn', '客户总流失比率', 1, 26, 1, NULL, 'opening', false, 'Of the insured at opening, those not insured at closing.'),
  ('lapse_churn', 'Lapse churn', '失效保单客户流失率', 1, 27, 1, NULL, 'opening', false, 'Of the insured at opening, those not insured at closing whose last cover to end in the period lapsed.'),
  ('win_back', 'Win-back rate', '流失客户赢回率', 1, 28, 7, NULL, 'opening', false, 'Of the former customers at opening, those insured at closing.'),
  ('won_back', 'Won back', '赢回客户数', 0, 29, NULL, NULL, 'closing', false, 'The customers of win_back, in the unit and channel at closing.'),
  ('insured_growth', 'Growth of insured customers', '有效客户增长率', 2, 1, 1, NULL, 'closing', false, 'Insured at closing less insured at opening, over insured at opening.'),
  ('plan_growth', 'Growth of the plan population', '长险投保客户增长率', 2, 3, 3, NULL, 'closing', false, 'Plan population at closing less at opening, over that at opening.');

CREATE TABLE crm.period (
  grain smallint NOT NULL,
  period_start date NOT NULL,
  period_end date NOT NULL,
  grain_name text NOT NULL,
  closes_from date NOT NULL,
  year smallint NOT NULL,
  number integer NOT NULL,
  key integer NOT NULL UNIQUE,
  first_month integer NOT NULL GENERATED ALWAYS AS (CASE grain WHEN 2 THEN (key >> 3) * 3 WHEN 3 THEN (key >> 3) * 12 WHEN 4 THEN (key >> 3) - 11 ELSE key >> 3 END) STORED,
  last_month integer NOT NULL GENERATED ALWAYS AS (CASE grain WHEN 2 THEN (key >> 3) * 3 + 2 WHEN 3 THEN (key >> 3) * 12 + 11 ELSE key >> 3 END) STORED,
  PRIMARY KEY (grain, period_start)
);
COMMENT ON TABLE crm.period IS 'Periods of every grain from 1900 to 2199.';
COMMENT ON COLUMN crm.period.grain IS '1 month, 2 quarter, 3 year, 4 trailing_12.';
COMMENT ON COLUMN crm.period.grain_name IS 'month, quarter, year or trailing_12: twelve months, told by their last one.';
COMMENT ON COLUMN crm.period.period_start IS 'First day.';
COMMENT ON COLUMN crm.period.period_end IS 'Last day.';
COMMENT ON COLUMN crm.period.closes_from IS 'First day on which the period is reported, open: its first day, of trailing twelve months the first of the last.';
COMMENT ON COLUMN crm.period.year IS 'Year in which it ends.';
COMMENT ON COLUMN crm.period.number IS 'Which one of its grain it is in that year, from 0.';
COMMENT ON COLUMN crm.period.key IS 'Number of the period since 1900 times 8, plus the grain.';
COMMENT ON COLUMN crm.period.first_month IS 'First month, in months since January 1900.';
COMMENT ON COLUMN crm.period.last_month IS 'Last month, in months since January 1900.';
INSERT INTO crm.period (grain, grain_name, period_start, period_end, closes_from, year, number, key)
SELECT g.grain, g.name, (m.m - g.back)::date, (m.m + g.span - interval '1 day')::date, m.m::date,
       extract(year FROM m.m), (extract(month FROM m.m)::integer - 1) / g.step,
       (((extract(year FROM m.m)::integer - 1900) * 12 + extract(month FROM m.m)::integer - 1) / g.step) * 8 + g.grain
FROM (VALUES (1, 'month', interval '0', interval '1 month', 1), (2, 'quarter', interval '0', interval '3 months', 3),
             (3, 'year', interval '0', interval '1 year', 12), (4, 'trailing_12', interval '11 months', interval '1 month', 1))
       AS g (grain, name, back, span, step)
CROSS JOIN LATERAL pg_catalog.generate_series(timestamp '1900-01-01', timestamp '2199-12-01', pg_catalog.make_interval(months => g.step)) AS m (m);
CREATE INDEX ON crm.period (period_end);

CREATE TABLE crm.kpi_cell (
  slot smallint NOT NULL,
  account smallint NOT NULL,
  grain smallint NOT NULL,
  org_id bigint NOT NULL,
  subtree boolean NOT NULL,
  year smallint NOT NULL,
  cells crm.cells NOT NULL,
  -- in this order few columns are compared on the way to a row
  PRIMARY KEY (org_id, account, year, grain, subtree, slot)
) PARTITION BY LIST (slot);
CREATE TABLE crm.kpi_cell_0 PARTITION OF crm.kpi_cell FOR VALUES IN (0);
CREATE TABLE crm.kpi_cell_1 PARTITION OF crm.kpi_cell FOR VALUES IN (1);
COMMENT ON TABLE crm.kpi_cell IS 'What the accounts hold on the settled day: balances by month end, turnovers by period; kept by crm, read through crm_bi.kpi.';
COMMENT ON COLUMN crm.kpi_cell.slot IS 'Slot of the generation.';
COMMENT ON COLUMN crm.kpi_cell.account IS 'Account.';
COMMENT ON COLUMN crm.kpi_cell.grain IS 'Grain of a turnover; 1 for balances.';
COMMENT ON COLUMN crm.kpi_cell.org_id IS 'Unit.';
COMMENT ON COLUMN crm.kpi_cell.subtree IS 'False: customers of the unit itself; true: with its subtree, for units that have one.';
COMMENT ON COLUMN crm.kpi_cell.year IS 'Year in which the periods end.';
COMMENT ON COLUMN crm.kpi_cell.cells IS 'Values by period, class, kind and channel.';
COMMENT ON TABLE crm.kpi_cell_0 IS 'Cells of the generations in slot 0.';
COMMENT ON TABLE crm.kpi_cell_1 IS 'Cells of the generations in slot 1.';

CREATE TABLE crm.kpi_entry (
  slot smallint NOT NULL,
  account smallint NOT NULL,
  org_id bigint NOT NULL,
  day date NOT NULL,
  n integer NOT NULL CHECK (n > 0),
  entries crm.entries NOT NULL
) PARTITION BY LIST (slot);
CREATE TABLE crm.kpi_entry_0 PARTITION OF crm.kpi_entry FOR VALUES IN (0);
CREATE TABLE crm.kpi_entry_1 PARTITION OF crm.kpi_entry FOR VALUES IN (1);
CREATE INDEX ON crm.kpi_entry (account, org_id, day);
COMMENT ON TABLE crm.kpi_entry IS 'Entries not yet folded into the cells: only ever appended, and removed by folding.';
COMMENT ON COLUMN crm.kpi_entry.slot IS 'Slot of the generation.';
COMMENT ON COLUMN crm.kpi_entry.account IS 'Account.';
COMMENT ON COLUMN crm.kpi_entry.org_id IS 'Unit of the customers.';
COMMENT ON COLUMN crm.kpi_entry.day IS 'Closing day from which all of them count: their own day, or the day settled when they were made for entries that counted by then.';
COMMENT ON COLUMN crm.kpi_entry.n IS 'How many entries.';
COMMENT ON COLUMN crm.kpi_entry.entries IS 'The entries, by period, day, class, kind and channel.';
COMMENT ON TABLE crm.kpi_entry_0 IS 'Entries of the generations in slot 0.';
COMMENT ON TABLE crm.kpi_entry_1 IS 'Entries of the generations in slot 1.';

CREATE VIEW crm._node AS
SELECT o.id AS org_id, false AS subtree, o.id AS member_id FROM crm.organisation o
UNION ALL
SELECT t.ancestor_id, true, t.descendant_id FROM crm.organisation_tree t
WHERE EXISTS (SELECT FROM crm.organisation o WHERE o.id = t.ancestor_id AND o.has_units);
COMMENT ON VIEW crm._node IS 'The rows of crm.kpi_cell that a unit''s customers count in.';

-- posting -------------------------------------------------------------------

CREATE FUNCTION crm._members_of(policies bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
BEGIN
  RETURN (SELECT array_agg(m.customer_id ORDER BY m.customer_id) FROM (
    SELECT p.customer_id FROM crm.policy p WHERE p.id = ANY (policies)
    UNION SELECT n.insured_id FROM crm.policy_insured n WHERE n.policy_id = ANY (policies)
    UNION SELECT c.customer_id FROM crm.cover c WHERE c.policy_id = ANY (policies)) m);
END
$$;
COMMENT ON FUNCTION crm._members_of(bigint[]) IS 'Policyholders and insured of policies, as they stand and as their cover stands.';
REVOKE ALL ON FUNCTION crm._members_of(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._post_holdings(customers bigint[]) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = ANY (customers) AND h.held_to IS NULL) THEN
    PERFORM crm._holding_purchases(customers);
    IF EXISTS (SELECT FROM crm.recycle_rule_for) THEN
      PERFORM crm._post_rules(customers);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._post_holdings(bigint[]) IS 'Brings the open holdings of these customers, whose locks are held, up to date with their cover and standing.';
REVOKE ALL ON FUNCTION crm._post_holdings(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._post(customers bigint[], policies bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off SET enable_hashjoin = off AS $$
DECLARE
  touched bigint[] := customers;
  more bigint[];
  g crm.generation;
  building bigint;
  earliest date;
  at integer := 1;
  locked bigint;
  some_gone boolean := false;
BEGIN
  LOCK TABLE crm.generation IN ROW SHARE MODE;
  IF policies <> '{}' THEN
    touched := crm._members_of(policies);
    IF customers <> '{}' THEN
      touched := (SELECT array_agg(DISTINCT t ORDER BY t) FROM unnest(customers || touched) t);
    END IF;
  END IF;
  more := touched;
  WHILE more <> '{}' LOOP
    PERFORM FROM crm.customer c WHERE c.id = ANY (more) ORDER BY c.id FOR NO KEY UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    some_gone := some_gone OR locked < array_length(more, 1);
    EXIT WHEN policies = '{}';
    -- whoever came to these policies while the locks were waited for
    more := crm._members_of(policies);
    EXIT WHEN more = touched;
    more := (SELECT array_agg(m ORDER BY m) FROM (SELECT unnest(more) EXCEPT SELECT unnest(touched)) AS x (m));
    touched := touched || more;
  END LOOP;
  IF customers <> '{}' THEN
    UPDATE crm.customer c SET version = c.version + 1 WHERE c.id = ANY (customers);
  END IF;
  IF policies <> '{}' THEN
    PERFORM crm._derive_cover(policies);
  END IF;
  IF touched IS NULL OR touched = '{}' THEN
    RETURN 0;
  END IF;

  SELECT * INTO STRICT g FROM crm.generation WHERE state = 'current';
  building := crm._building(g.id, g.posted_to);
  IF some_gone THEN
    -- no customer is there to lock, and only one may take what stood out of the books
    PERFORM FROM crm.standing s
    WHERE s.slot = g.slot AND s.customer_id = ANY (touched) AND NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = s.customer_id)
    ORDER BY s.customer_id FOR UPDATE;
  END IF;
  WHILE at <= array_length(touched, 1) LOOP
    earliest := crm._restate(g.id, g.slot, touched[at : at + 49999], g.settled, g.posted_to, true);
    IF earliest < g.first_day THEN
      UPDATE crm.generation SET first_day = earliest WHERE id = g.id AND first_day > earliest;
    END IF;
    at := at + 50000;
  END LOOP;
  IF building IS NOT NULL THEN
    INSERT INTO crm.replay (generation_id, customer_id) SELECT building, t FROM unnest(touched) t;
  END IF;
  PERFORM crm._post_holdings(touched);
  RETURN array_length(touched, 1);
END
$$;
COMMENT ON FUNCTION crm._post(bigint[], bigint[]) IS
  'Locks the customers touched in order of id, derives the cover of the policies touched, and brings standings, accounts and holdings up to date. Errors: 40001 when a rebuild has switched or changes were posted further ahead since the snapshot.';
REVOKE ALL ON FUNCTION crm._post(bigint[], bigint[]) FROM PUBLIC;

CREATE TRIGGER touch_insert AFTER INSERT OR DELETE ON crm.customer FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'id');
CREATE TRIGGER touch_update AFTER UPDATE OF id, kind, name, sex, birth_date, org_id, source_channel_id, known_from ON crm.customer FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.customer_organisation FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_insert AFTER INSERT OR DELETE ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'id');
CREATE TRIGGER touch_update AFTER UPDATE OF id, customer_id, product_id, channel_id, servicer_id, book, sector_line, issued_on, term_months, matures_on, payment, premium, payments, sum_insured
  ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'id');
-- who had it may have cover of it by a queue posted meanwhile, which neither the policy nor the snapshot tells
CREATE TRIGGER touch_gone AFTER DELETE ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_moved AFTER UPDATE OF customer_id ON crm.policy FOR EACH ROW WHEN (OLD.customer_id <> NEW.customer_id)
  EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.policy_insured FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'policy_id');
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON crm.policy_event FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'policy_id');

CREATE FUNCTION crm._product_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.guaranteed_renewable = OLD.guaranteed_renewable THEN
    RETURN NEW;
  END IF;
  PERFORM crm._changes_alone(format('guaranteed renewal of product "%s"', NEW.code));
  IF TG_WHEN = 'BEFORE' THEN
    -- waits for those whose new policies are not to be seen yet, as foreign keys lock the product
    PERFORM FROM crm.product r WHERE r.id = NEW.id FOR UPDATE;
  ELSE
    UPDATE crm.policy p SET product_id = p.product_id WHERE p.product_id = NEW.id;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._product_changed() IS 'Trigger: policies of a product turn long-term with it. Errors: 25001.';
REVOKE ALL ON FUNCTION crm._product_changed() FROM PUBLIC;
CREATE TRIGGER alone BEFORE UPDATE OF guaranteed_renewable ON crm.product FOR EACH ROW EXECUTE FUNCTION crm._product_changed();
CREATE TRIGGER policies AFTER UPDATE OF guaranteed_renewable ON crm.product FOR EACH ROW EXECUTE FUNCTION crm._product_changed();

CREATE FUNCTION crm._refuse_truncate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  filled boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM crm.%I)', TG_TABLE_NAME) INTO filled;
  IF filled THEN
    RAISE EXCEPTION 'table "%" cannot be truncated', TG_TABLE_NAME
      USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE, which keeps the figures right.';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._refuse_truncate() IS 'Trigger: figures follow rows, and TRUNCATE shows none. An empty table may be truncated.';
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.customer EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.customer_organisation EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.policy EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.policy_insured EXECUTE FUNCTION crm._refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crm.policy_event EXECUTE FUNCTION crm._refuse_truncate();

-- the tree -------------------------------------------------------------------

CREATE FUNCTION crm._sum_tree(units bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slots smallint[] := (SELECT array_agg(g.slot) FROM crm.generation g WHERE g.state <> 'retired');
BEGIN
  DELETE FROM crm.kpi_cell c WHERE c.slot = ANY (slots) AND c.subtree AND c.org_id = ANY (units);
  INSERT INTO crm.kpi_cell (slot, account, grain, org_id, subtree, year, cells)
  SELECT c.slot, c.account, c.grain, n.org_id, true, c.year, crm._cells_sum(c.cells)
  FROM crm._node n JOIN crm.kpi_cell c ON c.org_id = n.member_id AND NOT c.subtree
  WHERE c.slot = ANY (slots) AND n.subtree AND n.org_id = ANY (units)
  GROUP BY c.slot, c.account, c.grain, n.org_id, c.year;
END
$$;
COMMENT ON FUNCTION crm._sum_tree(bigint[]) IS 'Sums the cells of units up from their subtrees anew.';
REVOKE ALL ON FUNCTION crm._sum_tree(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._organisation_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  units bigint[];
  building bigint;
BEGIN
  IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id THEN
    RETURN NULL;
  END IF;
  -- nobody folds or sums up by the tree as it was; an older snapshot would not see what they did before
  LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
  SELECT crm._building(g.id, g.posted_to) INTO building FROM crm.generation g WHERE g.state = 'current';
  IF building IS NOT NULL AND current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'could not place unit "%" because the figures are rebuilt meanwhile', NEW.code
      USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
  END IF;
  PERFORM FROM crm.generation g WHERE g.state = 'current' FOR NO KEY UPDATE;
  units := (SELECT array_agg(DISTINCT t.ancestor_id) FROM crm.organisation_tree t
            WHERE t.descendant_id IN (NEW.parent_id, OLD.parent_id));
  IF units IS NOT NULL
     AND EXISTS (SELECT FROM crm.organisation_tree t JOIN crm.kpi_cell c ON c.org_id = t.descendant_id
                 WHERE t.ancestor_id = ANY (units || NEW.id)) THEN
    PERFORM crm._sum_tree(units);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._organisation_moved() IS 'Trigger: figures follow the current tree.';
REVOKE ALL ON FUNCTION crm._organisation_moved() FROM PUBLIC;
CREATE TRIGGER tree_figures AFTER INSERT OR UPDATE OF parent_id ON crm.organisation
  FOR EACH ROW EXECUTE FUNCTION crm._organisation_moved();

-- folding and the horizon ------------------------------------------------------

CREATE FUNCTION crm._horizon(as_of date) RETURNS date LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT least((date_trunc('month', _horizon.as_of::timestamp)
                + make_interval(months => 1 + crm.setting_value('horizon_months')::integer) - interval '1 day')::date,
               date '2199-12-31');
END;
COMMENT ON FUNCTION crm._horizon(date) IS 'The last day for which known changes are posted in advance.';
REVOKE ALL ON FUNCTION crm._horizon(date) FROM PUBLIC;

CREATE FUNCTION crm._foldable(of_slot smallint, upto date)
RETURNS TABLE (account smallint, grain smallint, org_id bigint, subtree boolean, year smallint, cells crm.cells) LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT f.account, f.grain, d.org_id, d.subtree, f.year::smallint,
         crm._cells_of(array_agg(ARRAY[f.first, f.last, f.class_id, f.channel_id, f.company::integer, f.n]))
  FROM (
    SELECT r.account, (e.period_key & 7)::smallint AS grain, 1900 + i.i / y.periods AS year, i.i % y.periods AS first, i.i % y.periods AS last,
           r.org_id, e.class_id, e.channel_id, e.company, sum(e.n)::bigint AS n
    FROM crm.kpi_entry r
    CROSS JOIN LATERAL crm.unnest(r.entries) e
    CROSS JOIN LATERAL (SELECT (ARRAY[12, 4, 1, 12])[e.period_key & 7] AS periods) y
    CROSS JOIN LATERAL generate_series(e.period_key / 8, e.period_key / 8 + e.periods - 1) AS i (i)
    WHERE r.slot = _foldable.of_slot AND r.day <= _foldable.upto AND NOT crm._is_balance(r.account)
    GROUP BY r.account, e.period_key & 7, 1900 + i.i / y.periods, i.i % y.periods, r.org_id, e.class_id, e.channel_id, e.company
    UNION ALL
    SELECT b.account, 1::smallint, y.y, CASE WHEN y.y = extract(year FROM b.m) THEN extract(month FROM b.m)::integer - 1 ELSE 0 END,
           CASE WHEN y.y = extract(year FROM _foldable.upto) THEN extract(month FROM _foldable.upto)::integer - 1 ELSE 11 END,
           b.org_id, b.class_id, b.channel_id, b.company, b.n
    FROM (SELECT r.account, date_trunc('month', e.day::timestamp) AS m, r.org_id, e.class_id, e.channel_id, e.company, sum(e.n)::bigint AS n
          FROM crm.kpi_entry r CROSS JOIN LATERAL crm.unnest(r.entries) e
          WHERE r.slot = _foldable.of_slot AND r.day <= _foldable.upto AND crm._is_balance(r.account)
          GROUP BY r.account, 2, r.org_id, e.class_id, e.channel_id, e.company) b
    CROSS JOIN LATERAL generate_series(extract(year FROM b.m)::integer, extract(year FROM _foldable.upto)::integer) AS y (y)) f
  JOIN crm._node d ON d.member_id = f.org_id
  WHERE f.n <> 0
  GROUP BY f.account, f.grain, d.org_id, d.subtree, f.year;
END;
COMMENT ON FUNCTION crm._foldable(smallint, date) IS 'What the entries up to a day add to the cells: of a balance to every month end from then to that day.';
REVOKE ALL ON FUNCTION crm._foldable(smallint, date) FROM PUBLIC;

CREATE FUNCTION crm._fold(upto date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
  folded bigint;
BEGIN
  LOCK TABLE crm.generation IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO STRICT g FROM crm.generation WHERE state = 'current';
  upto := least(greatest(upto, g.settled), g.posted_to);
  -- months that come in begin with the balances of the month before
  INSERT INTO crm.kpi_cell AS c (slot, account, grain, org_id, subtree, year, cells)
  SELECT o.slot, o.account, o.grain, o.org_id, o.subtree, new.year,
         crm._cells_sum(crm._cells_move(o.cells, old.number, new.number))
  FROM crm.period old
  JOIN crm.kpi_cell o ON o.slot = g.slot AND crm._is_balance(o.account) AND o.grain = 1 AND o.year = old.year
  JOIN crm.period new ON new.grain = 1 AND new.period_start > old.period_start AND new.period_start <= upto
  WHERE old.grain = 1 AND old.period_start = date_trunc('month', g.settled::timestamp)::date
  GROUP BY o.slot, o.account, o.grain, o.org_id, o.subtree, new.year
  ON CONFLICT (slot, account, grain, org_id, subtree, year) DO UPDATE SET cells = crm._cells_add(c.cells, excluded.cells);
  -- one statement, so that both parts see the same entries
  WITH gone AS (
    DELETE FROM crm.kpi_entry e WHERE e.slot = g.slot AND e.day <= upto RETURNING e.n),
  put AS (
    INSERT INTO crm.kpi_cell AS c (slot, account, grain, org_id, subtree, year, cells)
    SELECT g.slot, f.account, f.grain, f.org_id, f.subtree, f.year, f.cells FROM crm._foldable(g.slot, upto) f
    ON CONFLICT (slot, account, grain, org_id, subtree, year) DO UPDATE SET cells = crm._cells_add(c.cells, excluded.cells))
  SELECT coalesce(sum(gone.n), 0) INTO folded FROM gone;
  UPDATE crm.generation SET settled = upto WHERE id = g.id;
  RETURN folded;
END
$$;
COMMENT ON FUNCTION crm._fold(date) IS 'Folds the entries up to a day into the cells; returns how many.';
REVOKE ALL ON FUNCTION crm._fold(date) FROM PUBLIC;

CREATE FUNCTION crm._post_ahead(upto date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g crm.generation;
  n bigint := 0;
BEGIN
  LOCK TABLE crm.generation IN EXCLUSIVE MODE;
  SELECT * INTO STRICT g FROM crm.generation WHERE state = 'current';
  IF upto > g.posted_to THEN
    INSERT INTO crm.kpi_entry (slot, account, org_id, day, n, entries)
    SELECT g.slot, a.account, a.org_id, a.day, a.n, a.entries
    FROM crm._accounts(format('SELECT s.timeline, s.facets FROM crm.standing s WHERE s.slot = %s', g.slot), NULL,
                       least(g.first_day, g.posted_to), g.posted_to, upto,
                       (SELECT coalesce(max(c.id), 0) FROM crm.class c)) a;
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE crm.generation SET posted_to = upto WHERE id = g.id;
  END IF;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._post_ahead(date) IS 'Posts the changes known today up to a later day; returns the number of entries.';
REVOKE ALL ON FUNCTION crm._post_ahead(date) FROM PUBLIC;

INSERT INTO crm.generation (slot, state, step, settled, posted_to, first_day)
VALUES (0, 'current', 'done', crm.today() - 1, crm._horizon(crm.today()), crm.today() - 1);
PERFORM crm._make_rules(g.id) FROM crm.generation g;
