-- One wrong definition after another: oracle.mutations_seen() counts the rows in which each makes its figures differ
-- on the book that stands.  Where it says 0, that book could not tell the wrong definition from the right one.

CREATE TABLE oracle.mutation (
  name text PRIMARY KEY,
  codes text[] NOT NULL,      -- the figures that must show it
  right_text text NOT NULL,   -- stands once in oracle.build()
  wrong_text text NOT NULL
);

INSERT INTO oracle.mutation (name, codes, right_text, wrong_text) VALUES
-- cover
('reinstatement on the first day too late', '{insured,total_churn}', 'e.on_date < w.since + reinstatement', 'e.on_date <= w.since + reinstatement'),
('reinstatement without a time limit', '{insured,total_churn,win_back}', 'AND e.on_date < w.since + reinstatement', ''),
('reinstatement after the end', '{insured}', $$w.state = 'lapsed' AND e.kind = 'reinstatement'$$, $$w.state <> 'open' AND e.kind = 'reinstatement'$$),
('end while lapsed ignored', '{insured}', $$w.state <> 'ended' AND e.kind = 'end'$$, $$w.state = 'open' AND e.kind = 'end'$$),
('events of one day in the other order', '{insured}', 'ORDER BY e.on_date, e.id) AS n', 'ORDER BY e.on_date, e.id DESC) AS n'),
('events on the maturity apply', '{lapse_churn}', 'e.on_date < p.matures_on', 'e.on_date <= p.matures_on'),
('maturity ignored', '{insured}', $$coalesce(p.matures_on, 'infinity') AS matures_on$$, $$'infinity'::date AS matures_on$$),
('void policies count', '{new_customers,repeat_purchase_any,coverage,activity}', 'WHERE i.from_date < i.to_date', 'WHERE i.from_date <= i.to_date'),
('covered on the day of the end', '{insured,coverage}', 'v.from_date <= t.day AND t.day < v.to_date', 'v.from_date <= t.day AND t.day <= v.to_date'),
('not covered on the day of the issue', '{insured,gained}', 'v.from_date <= t.day AND t.day < v.to_date', 'v.from_date < t.day AND t.day < v.to_date'),
-- balances
('insured counts policyholders only', '{insured,coverage}', 'JOIN (SELECT p.holder_id, p.policy_id, p.holder_id AS customer_id, true AS own FROM o_policy p
        UNION ALL
        SELECT n.customer_id, n.policy_id, n.insured_id, false FROM crm.policy_insured n
        WHERE n.insured_id <> n.customer_id) l', 'JOIN (SELECT p.holder_id, p.policy_id, p.holder_id AS customer_id, true AS own FROM o_policy p) l'),
('one year is long-term', '{insured_long_term,plan_customers}', 'p.term_months > long_term_months', 'p.term_months >= long_term_months'),
('guaranteed renewable is not long-term', '{insured_long_term,plan_customers}', ' OR r.guaranteed_renewable', ''),
('plan population of both books', '{plan_customers,plan_growth,repeat_purchase}', 'v.own AND v.long_term AND v.own_book', 'v.own AND v.long_term'),
('plan population of insured persons', '{plan_customers,plan_growth,repeat_purchase}', 'v.own AND v.long_term AND v.own_book', 'v.long_term AND v.own_book'),
('plan population with any policy', '{plan_customers,plan_growth,repeat_purchase}', 'v.own AND v.long_term AND v.own_book', 'v.own AND v.own_book'),
('prospects counted from the first day on', '{coverage,activity,tier}', $$WHEN c.known_from <= t.day THEN 'prospect'$$, $$ELSE 'prospect'$$),
('the day before is known from', '{coverage,activity,tier}', $$WHEN c.known_from <= t.day THEN 'prospect'$$, $$WHEN c.known_from < t.day THEN 'prospect'$$),
('on the limit is the earlier activity', '{activity}', 'CASE WHEN s.above THEN a.days > s.threshold ELSE a.days >= s.threshold END', 'a.days > s.threshold'),
('on the limit is the higher tier', '{tier}', 'CASE WHEN s.above THEN a.amount > s.threshold ELSE a.amount >= s.threshold END', 'a.amount >= s.threshold'),
('on the limit is the lower tier', '{tier}', 'CASE WHEN s.above THEN a.amount > s.threshold ELSE a.amount >= s.threshold END', 'a.amount > s.threshold'),
('amount of insured persons', '{tier}', 'sum(v.amount) FILTER (WHERE v.own)', 'sum(v.amount)'),
('single premium times payments', '{tier}', $$CASE WHEN p.payment = 'single' THEN 1 ELSE coalesce(p.payments, y.payments) END AS amount$$, $$coalesce(p.payments, y.payments, 1) AS amount$$),
('unknown payments count once', '{tier}', 'coalesce(p.payments, y.payments)', 'coalesce(p.payments, 1)'),
('tier of former customers', '{tier}', $$coalesce(q.label, 'none') AS tier$$, $$coalesce(q.label, 'lead') AS tier$$),
('VIP is the highest tier', '{vip_customers,vip_share,new_vip,vip_upgrade,vip_loss}', $$oracle.reaches('tier_scale', t.label, oracle.setting('vip_from')) AS vip$$, $$t.label = 'platinum' AS vip$$),
('VIP is one tier', '{vip_customers,vip_share,new_vip,vip_upgrade,vip_loss}', $$oracle.reaches('tier_scale', t.label, oracle.setting('vip_from')) AS vip$$, $$t.label = oracle.setting('vip_from') AS vip$$),
('near VIP on the limit', '{near_vip}', 't.amount < vip_limit', 't.amount <= vip_limit'),
('near VIP from half of the limit on', '{near_vip}', '(100 - near_percent) / 100', '50 / 100'),
('former are all who are not insured', '{former}', $$('former', NULL, s.coverage = 'former')$$, $$('former', NULL, s.coverage <> 'insured')$$),
('shares at opening', '{vip_share}', $$p.closing
  JOIN (VALUES ('vip_share'$$, $$p.opening
  JOIN (VALUES ('vip_share'$$),
('whoever is insured is no policyholder', '{insured_by_role}', $$CASE WHEN f.policies > 0 THEN 'policyholder'$$, $$CASE WHEN f.policies > 1 THEN 'policyholder'$$),
('over 10,000 from 10,000 on', '{over_10000,over_10000_share,over_50000_of_10000}', 'f.amount > 10000 AS', 'f.amount >= 10000 AS'),
('over 50,000 from 50,000 on', '{over_50000,over_50000_share,over_50000_of_10000}', 'f.amount > 50000 AS', 'f.amount >= 50000 AS'),
('policies of insured persons', '{policies_in_force,policies_per_customer,average_premium}', 'count(*) FILTER (WHERE v.own) AS policies', 'count(*) AS policies'),
('premium of insured persons', '{annual_premium,premium_per_customer,average_premium}', 'sum(v.annual_premium) FILTER (WHERE v.own)', 'sum(v.annual_premium)'),
('a single premium counts in full', '{annual_premium,vip_premium,premium_per_customer,average_premium,vip_premium_share}', 'round(p.premium * 0.10, 2)', 'p.premium'),
('VIP premium of everybody', '{vip_premium,vip_premium_share}', 'CASE WHEN s.vip THEN s.premium END', 's.premium'),
-- service, reach and products
('wrong contacts reach', '{reachable_customers,reachable_share}', 'NOT p.wrong AND p.kind IN', 'p.kind IN'),
('any contact reaches', '{reachable_customers,reachable_share}', $$NOT p.wrong AND p.kind IN ('mobile', 'phone', 'email', 'address')$$, 'NOT p.wrong'),
('contacts reach before they begin', '{reachable_customers,reachable_share}', 'coalesce(p.valid_from <= t.day, true) AND', ''),
('contacts reach on the day they are over', '{reachable_customers,reachable_share}', 'coalesce(t.day < p.valid_to, true)', 'coalesce(t.day <= p.valid_to, true)'),
('reachable of the insured', '{reachable_share}', $$('reachable_share', 'reachable_customers', 'coverage')$$, $$('reachable_share', 'reachable_customers', 'insured')$$),
('served of the insured', '{served_share}', $$('served_share', 'served_customers', 'coverage')$$, $$('served_share', 'served_customers', 'insured')$$),
('served by who has left', '{served_customers,served_share,orphan_customers}', 'bool_or(v.serviced_from <= t.day AND t.day < v.serviced_to) AS serviced', 'bool_or(v.serviced_from <= t.day) AS serviced'),
('served by servicers only', '{served_customers,served_share}', 'coalesce(f.serviced, false) OR d.day IS NOT NULL AS served', 'coalesce(f.serviced, false) AS served'),
('held on the day of the end', '{served_customers,served_share,orphan_customers}', 'w.from_date <= t.day AND t.day < w.to_date', 'w.from_date <= t.day AND t.day <= w.to_date'),
('held by who has left', '{served_customers,served_share}', 'least((h.held_to AT TIME ZONE zone)::date, s.left_on, ''infinity'')', 'least((h.held_to AT TIME ZONE zone)::date, ''infinity'')'),
('days of holders by universal time', '{served_customers}', $$zone text := oracle.setting('business_time_zone')$$, $$zone text := 'UTC'$$),
('orphans though held', '{orphan_customers}', 'NOT coalesce(f.serviced, false) AND d.day IS NULL
           AND', 'NOT coalesce(f.serviced, false) AND'),
('orphans by policies alone', '{orphan_customers}', 'coalesce(f.orphaned, false) OR (g.day IS NOT NULL AND (f.day IS NULL OR x.day IS NOT NULL))', 'coalesce(f.orphaned, false)'),
('insured without product left by their manager', '{orphan_customers}', 'g.day IS NOT NULL AND (f.day IS NULL OR x.day IS NOT NULL)', 'g.day IS NOT NULL'),
('insured with product not left by their manager', '{orphan_customers}', 'g.day IS NOT NULL AND (f.day IS NULL OR x.day IS NOT NULL)', 'g.day IS NOT NULL AND f.day IS NULL'),
('left by any holder before', '{orphan_customers}', '>= coalesce(max(h.to_date) FILTER (WHERE h.from_date < h.to_date AND h.from_date <= t.day), ''-infinity'')', 'IS NOT NULL'),
('orphan policies of every channel', '{orphan_policies}', 'WHERE v.own AND v.agent_sold AND v.serviced_to <= t.day', 'WHERE v.own AND v.serviced_to <= t.day'),
('orphan policies of insured persons', '{orphan_policies}', 'WHERE v.own AND v.agent_sold AND v.serviced_to <= t.day', 'WHERE v.agent_sold AND v.serviced_to <= t.day'),
('orphan policies from the day after', '{orphan_policies}', 'WHERE v.own AND v.agent_sold AND v.serviced_to <= t.day', 'WHERE v.own AND v.agent_sold AND v.serviced_to < t.day'),
('orphan policies without servicer', '{orphan_policies}', 'WHERE v.own AND v.agent_sold AND v.serviced_to <= t.day', 'WHERE v.own AND v.agent_sold AND coalesce(v.serviced_to <= t.day, true)'),
('products on the day they are closed', '{product_customers}', 'p.closed_on IS NULL OR t.day < p.closed_on', 'p.closed_on IS NULL OR t.day <= p.closed_on'),
('closed products', '{product_customers}', 'p.opened_on <= t.day AND (p.closed_on IS NULL OR t.day < p.closed_on)', 'p.opened_on <= t.day'),
('product customers are not insured', '{product_customers}', $$('product_customers', NULL, s.product)$$, $$('product_customers', NULL, s.product AND s.coverage <> 'insured')$$),
-- the cell
('channel by the earliest policy', '{insured,moved_in}', 'v.annual_premium DESC, v.issued_on, v.policy_id', 'v.issued_on, v.policy_id'),
('channel ties to the later issue', '{insured,moved_in}', 'v.annual_premium DESC, v.issued_on, v.policy_id', 'v.annual_premium DESC, v.issued_on DESC, v.policy_id'),
('channel ties to the larger id', '{insured,moved_in}', 'v.annual_premium DESC, v.issued_on, v.policy_id', 'v.annual_premium DESC, v.issued_on, v.policy_id DESC'),
('channel by insuring policies as well', '{insured,moved_in}', 'v.own DESC, v.annual_premium DESC', 'v.annual_premium DESC'),
('annual premium of a single premium is all of it', '{insured,moved_in}', 'round(p.premium * 0.10, 2)', 'p.premium'),
('last policy is the smaller id', '{coverage}', 'ORDER BY v.issued_on, v.policy_id) AS to_date', 'ORDER BY v.issued_on, v.policy_id DESC) AS to_date'),
('last policy is the insuring one first', '{coverage}', 'lo.channel_id, li.channel_id', 'li.channel_id, lo.channel_id'),
('channel of former customers is the source', '{coverage,win_back}', 'coalesce(f.channel_id, lo.channel_id, li.channel_id, c.source_channel_id)', 'coalesce(f.channel_id, c.source_channel_id)'),
('moves hold from the day after', '{insured,new_customers}', 'h.from_date <= t.day AND t.day < h.to_date', 'h.from_date < t.day AND t.day <= h.to_date'),
('moves do not matter', '{insured,moved_in,moved_out}', $$SELECT m.customer_id, m.from_date, m.org_id FROM crm.customer_organisation m) h$$, $$SELECT m.customer_id, m.from_date, m.org_id FROM crm.customer_organisation m WHERE false) h$$),
-- turnovers
('new customers in the cell at closing', '{new_customers}', 'JOIN o_standing e ON e.day BETWEEN p.period_start AND p.closing AND e.day = e.first_purchase', 'JOIN o_standing e ON e.day = p.closing AND e.first_purchase BETWEEN p.period_start AND p.closing'),
('new customers by first cover', '{new_customers}', 'e.day = e.first_purchase', 'e.day = e.first_insured'),
('purchases of one day count twice', '{new_customers}', 'e.kind, count(*), NULL
  FROM o_period p
  JOIN o_standing e', 'e.kind, sum((SELECT count(*) FROM o_policy b WHERE b.holder_id = e.customer_id AND b.issued_on = e.day)), NULL
  FROM o_period p
  JOIN o_standing e'),
('gained is everybody not insured before', '{gained}', $$('gained', t.first_insured_here)$$, $$('gained', t.coverage_at_opening IS DISTINCT FROM 'insured')$$),
('gained without being insured at closing', '{gained}', $$c.first_insured >= p.period_start AS first_insured_here,
           count(*) AS n
    FROM o_period p
    JOIN o_standing c ON c.day = p.closing AND c.coverage = 'insured'$$, $$c.first_insured >= p.period_start AND c.first_insured <= p.closing AS first_insured_here,
           count(*) AS n
    FROM o_period p
    JOIN o_standing c ON c.day = p.closing$$),
('gained and won back in the cell at opening', '{gained,won_back,moved_in}', $$JOIN o_standing c ON c.day = p.closing AND c.coverage = 'insured'
    LEFT JOIN$$, $$CROSS JOIN LATERAL (
      SELECT c.customer_id, c.first_insured, c.vip, coalesce(o.org_id, c.org_id) AS org_id, coalesce(o.channel_id, c.channel_id) AS channel_id, c.kind
      FROM o_standing c LEFT JOIN o_standing o ON o.customer_id = c.customer_id AND o.day = p.opening
      WHERE c.day = p.closing AND c.coverage = 'insured') c
    LEFT JOIN$$),
('won back is everybody not insured at opening', '{won_back}', $$('won_back', t.coverage_at_opening = 'former')$$, $$('won_back', t.coverage_at_opening IS DISTINCT FROM 'insured')$$),
('moved out by unit only', '{moved_out}', $$(c.org_id, c.channel_id, c.kind) <> (o.org_id, o.channel_id, o.kind) AS moved,
           c.last_purchase$$, $$c.org_id <> o.org_id AS moved,
           c.last_purchase$$),
('moved in by unit only', '{moved_in}', $$(c.org_id, c.channel_id, c.kind) <> (o.org_id, o.channel_id, o.kind) AS moved,
           c.first_insured$$, $$c.org_id <> o.org_id AS moved,
           c.first_insured$$),
('moved in counts everybody who came', '{moved_in}', $$('moved_in', t.coverage_at_opening = 'insured' AND t.moved)$$, $$('moved_in', t.moved)$$),
('moved out counts everybody who went', '{moved_out}', $$t.coverage_at_closing = 'insured' AND t.moved$$, $$t.moved$$),
('repeat purchase of any policy', '{repeat_purchase}', $$('repeat_purchase', t.plan, t.bought_long_term)$$, $$('repeat_purchase', t.plan, t.bought)$$),
('repeat purchase of everybody insured', '{repeat_purchase}', $$('repeat_purchase', t.plan,$$, $$('repeat_purchase', t.coverage_at_opening = 'insured',$$),
('repeat purchase from the second day', '{repeat_purchase}', 'c.last_long_term >= p.period_start', 'c.last_long_term > p.period_start'),
('any repeat purchase must be long-term', '{repeat_purchase_any}', $$('repeat_purchase_any', t.coverage_at_opening = 'insured', t.bought)$$, $$('repeat_purchase_any', t.coverage_at_opening = 'insured', t.bought_long_term)$$),
('any repeat purchase of former customers too', '{repeat_purchase_any}', $$('repeat_purchase_any', t.coverage_at_opening = 'insured',$$, $$('repeat_purchase_any', t.coverage_at_opening <> 'prospect',$$),
('rates in the cell at closing', '{repeat_purchase,repeat_purchase_any,total_churn,lapse_churn,win_back,moved_out,long_term_development,reactivation,vip_upgrade,vip_loss}', $$FROM o_period p
    JOIN o_standing o ON o.day = p.opening
    JOIN$$, $$FROM o_period p
    CROSS JOIN LATERAL (
      SELECT o.customer_id, o.coverage, o.plan, o.long_term, o.dormant, o.vip, c.org_id, c.channel_id, c.kind
      FROM o_standing o JOIN o_standing c ON c.customer_id = o.customer_id WHERE o.day = p.opening AND c.day = p.closing) o
    JOIN$$),
('churn at any time in the period', '{total_churn}', $$c.coverage AS coverage_at_closing$$, $$CASE WHEN EXISTS (SELECT FROM o_cover v WHERE v.customer_id = o.customer_id AND v.to_date BETWEEN p.period_start AND p.closing) THEN 'former' ELSE c.coverage END AS coverage_at_closing$$),
('churn of everybody known', '{total_churn}', $$('total_churn', t.coverage_at_opening = 'insured',$$, $$('total_churn', true,$$),
('lapse churn by the first cover to end', '{lapse_churn}', 'ORDER BY v.to_date DESC, v.by_lapse DESC LIMIT 1', 'ORDER BY v.to_date, v.by_lapse DESC LIMIT 1'),
('lapse churn loses a tie', '{lapse_churn}', 'ORDER BY v.to_date DESC, v.by_lapse DESC LIMIT 1', 'ORDER BY v.to_date DESC, v.by_lapse LIMIT 1'),
('lapse churn by any lapse', '{lapse_churn}', 'ORDER BY v.to_date DESC, v.by_lapse DESC LIMIT 1', 'ORDER BY v.by_lapse DESC LIMIT 1'),
('lapse churn as policyholder only', '{lapse_churn}', 'v.customer_id = o.customer_id AND v.to_date BETWEEN', 'v.customer_id = o.customer_id AND v.own AND v.to_date BETWEEN'),
('win-back of everybody not insured', '{win_back}', $$('win_back', t.coverage_at_opening = 'former',$$, $$('win_back', t.coverage_at_opening <> 'insured',$$),
('win-back at any time in the period', '{win_back}', $$c.coverage AS coverage_at_closing$$, $$CASE WHEN EXISTS (SELECT FROM o_cover v WHERE v.customer_id = o.customer_id AND v.from_date BETWEEN p.period_start AND p.closing) THEN 'insured' ELSE c.coverage END AS coverage_at_closing$$),
('long-term development of those covered long-term', '{long_term_development}', $$('long_term_development', t.coverage_at_opening = 'insured' AND NOT t.long_term,$$, $$('long_term_development', t.coverage_at_opening = 'insured',$$),
('long-term development of everybody not covered so', '{long_term_development}', $$('long_term_development', t.coverage_at_opening = 'insured' AND NOT t.long_term,$$, $$('long_term_development', NOT t.long_term,$$),
('long-term development by any purchase', '{long_term_development}', $$t.bought_long_term),
    ('reactivation'$$, $$t.bought),
    ('reactivation'$$),
('reactivation of the semi-dormant', '{reactivation}', $$oracle.reaches('activity_scale', t.label, oracle.setting('dormant_from')) AS dormant$$, $$t.label <> 'active' AS dormant$$),
('reactivation by long-term policies only', '{reactivation}', $$('reactivation', t.dormant, t.bought)$$, $$('reactivation', t.dormant, t.bought_long_term)$$),
('reactivation by being insured', '{reactivation}', $$('reactivation', t.dormant, t.bought)$$, $$('reactivation', t.dormant, t.coverage_at_closing = 'insured')$$),
('new VIP without newcomers', '{new_vip}', 'c.vip AND o.vip IS NOT TRUE AS vip_now', 'c.vip AND NOT o.vip AS vip_now'),
('new VIP counts every VIP', '{new_vip}', 'c.vip AND o.vip IS NOT TRUE AS vip_now', 'c.vip AS vip_now'),
('VIP upgrade of everybody insured', '{vip_upgrade}', $$('vip_upgrade', t.coverage_at_opening = 'insured' AND NOT t.vip_at_opening,$$, $$('vip_upgrade', t.coverage_at_opening = 'insured',$$),
('VIP upgrade of everybody known', '{vip_upgrade}', $$('vip_upgrade', t.coverage_at_opening = 'insured' AND NOT t.vip_at_opening,$$, $$('vip_upgrade', NOT t.vip_at_opening,$$),
('VIP loss of everybody insured', '{vip_loss}', $$('vip_loss', t.vip_at_opening,$$, $$('vip_loss', t.coverage_at_opening = 'insured',$$),
('VIP loss by leaving alone', '{vip_loss}', $$NOT t.vip_at_closing)$$, $$t.coverage_at_closing <> 'insured')$$),
('lapsed customers in the cell at closing', '{lapsed_customer_loss}', 'e.customer_id = l.customer_id AND e.day = l.day', 'e.customer_id = l.customer_id AND e.day = p.closing'),
('every lapse counts', '{lapsed_customer_loss}', '(l.day_before IS NULL OR l.day_before < p.period_start)', 'true'),
('lapsed policyholders only', '{lapsed_customer_loss}', 'WHERE v.by_lapse GROUP BY', 'WHERE v.by_lapse AND v.own GROUP BY'),
('a lapse is a loss', '{lapsed_customer_loss}', $$count(*) FILTER (WHERE c.coverage <> 'insured'), count(*)$$, 'count(*), count(*)'),
('new customers against last year', '{new_customer_growth}', 'p.start_before, p.opening', 'p.start_last_year, p.end_last_year'),
('new customers against the period before', '{new_customer_growth_yoy}', 'p.start_last_year, p.end_last_year', 'p.start_before, p.opening'),
('growth over the closing', '{insured_growth,plan_growth}', 'b.n, 0 AS base', 'b.n, b.n AS base'),
('growth without a base', '{insured_growth,plan_growth}', '-b.n, b.n
', '-b.n, 0
'),
-- periods
('opening is the first day', '{insured_growth,plan_growth,total_churn,win_back,repeat_purchase_any}', 'g.period_start - 1 AS opening', 'g.period_start AS opening'),
('closing is the day before the last', '{insured,insured_growth,gained}', 'least(g.period_end, as_of) AS closing', 'least(g.period_end - 1, as_of) AS closing'),
('open periods close at their end', '{insured,coverage,activity,tier,gained}', 'least(g.period_end, as_of) AS closing', 'g.period_end AS closing'),
('trailing 12 begins a month late', '{new_customers,insured_growth,total_churn}', $$(t - interval '11 months')::date, (t + interval '1 month')::date - 1$$, $$(t - interval '10 months')::date, (t + interval '1 month')::date - 1$$);

CREATE FUNCTION oracle.mutations_seen(as_of date) RETURNS TABLE (mutation text, code text, differences bigint)
LANGUAGE plpgsql SET client_min_messages = warning SET work_mem = '256MB' AS $seen$
DECLARE
  source text := (SELECT p.prosrc FROM pg_proc p WHERE p.oid = 'oracle.build(date, date)'::regprocedure);
  m oracle.mutation;
  places integer;
BEGIN
  DROP TABLE IF EXISTS m_right;
  PERFORM oracle.build(as_of);
  CREATE TEMP TABLE m_right AS SELECT * FROM o_own;
  FOR m IN SELECT * FROM oracle.mutation x ORDER BY x.name LOOP
    places := (length(source) - length(replace(source, m.right_text, ''))) / length(m.right_text);
    IF places <> 1 THEN
      RAISE EXCEPTION 'mutation "%" finds its text % times in oracle.build()', m.name, places;
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION oracle.build_wrong(as_of date, first date DEFAULT NULL) RETURNS void LANGUAGE plpgsql SET client_min_messages = warning SET work_mem = ''256MB'' AS %L',
      replace(source, m.right_text, m.wrong_text));
    PERFORM oracle.build_wrong(as_of);
    RETURN QUERY
    SELECT m.name, c.code, (
      SELECT count(*)
      FROM (SELECT FROM (SELECT 1 AS copies, o.* FROM m_right o WHERE o.code = c.code
                         UNION ALL SELECT -1, o.* FROM o_own o WHERE o.code = c.code) q
            GROUP BY q.class, q.grain, q.period_start, q.period_end, q.org_id, q.channel_id, q.kind, q.numerator, q.denominator
            HAVING sum(q.copies) <> 0) x)
    FROM unnest(m.codes) AS c(code);
  END LOOP;
  DROP FUNCTION oracle.build_wrong(date, date);
END
$seen$;
