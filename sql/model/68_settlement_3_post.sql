-- settle: what is to be divided and how, and the posting of what is not

CREATE VIEW crm._settlement_source AS
SELECT 'premium' AS thing, r.policy_id, r.id AS source_id, r.received_on AS day, r.received_on AS terms_day, r.amount
FROM crm.premium_receipt r WHERE r.reverses IS NULL
UNION ALL
-- a reversal is divided as what it reverses
SELECT 'premium', r.policy_id, r.id, r.received_on, o.received_on, -r.amount
FROM crm.premium_receipt r JOIN crm.premium_receipt o ON o.customer_id = r.customer_id AND o.policy_id = r.policy_id AND o.id = r.reverses
WHERE r.reverses IS NOT NULL
UNION ALL
SELECT 'commission', c.policy_id, c.id, c.earned_on, c.earned_on, c.amount FROM crm.commission c WHERE c.kind IN ('first_year', 'renewal', 'clawback')
UNION ALL
SELECT 'cost', c.policy_id, c.id, c.incurred_on, c.incurred_on, c.amount FROM crm.customer_cost c WHERE c.policy_id IS NOT NULL
UNION ALL
SELECT 'assessment', p.id, p.id, p.issued_on, p.issued_on, CASE b.value WHEN 'count' THEN 1.00 ELSE p.annual_premium END
FROM crm.policy p
JOIN crm._setting_span b ON b.name = 'assessment_credit' AND p.issued_on >= b.from_date AND p.issued_on < b.to_date;
COMMENT ON VIEW crm._settlement_source IS 'Receipts and their reversals, direct commissions (not what managers and campaigns get: override and bonus), costs and assessment credits of every policy, with the day by whose terms they are divided.';

CREATE VIEW crm._settlement_compared AS
SELECT coalesce(s.thing, l.thing) AS thing, coalesce(s.policy_id, l.policy_id) AS policy_id, coalesce(s.source_id, l.source_id) AS source_id, coalesce(s.day, l.day) AS day,
       coalesce(s.amount, 0) AS amount, coalesce(l.amount, 0) AS posted_amount, coalesce(l.provider_amount, 0) AS provider_amount, coalesce(l.user_amount, 0) AS user_amount,
       coalesce(l.lines, 0) AS lines
FROM (SELECT x.* FROM crm._settlement_source x WHERE x.amount <> 0 AND x.policy_id IN (SELECT a.policy_id FROM crm.policy_attribution a)) s
FULL JOIN (SELECT t.thing, y.policy_id, y.source_id, pg_catalog.max(y.day) AS day, pg_catalog.count(*) AS lines, pg_catalog.sum(y.amount) AS amount, pg_catalog.sum(y.provider_amount) AS provider_amount,
                  pg_catalog.sum(y.user_amount) AS user_amount
           FROM crm.settlement_line y JOIN crm.settlement m ON m.id = y.settlement_id JOIN crm.settlement_account t ON t.id = m.account_id GROUP BY t.thing, y.policy_id, y.source_id) l
  ON l.thing = s.thing AND l.policy_id = s.policy_id AND l.source_id = s.source_id;
COMMENT ON VIEW crm._settlement_compared IS 'Each source of an attributed policy, or of a line, with the sum of its lines.';

CREATE VIEW crm._settlement_policy AS
SELECT a.policy_id, a.plan_id, coalesce(a.provider_channel_id, 0) AS provider_id, ARRAY[a.channel_id] AS channels, ARRAY[a.share] AS shares
FROM crm.policy_attribution a WHERE a.share = 1
UNION ALL
SELECT a.policy_id, a.plan_id, coalesce(a.provider_channel_id, 0), pg_catalog.array_agg(a.channel_id ORDER BY a.channel_id), pg_catalog.array_agg(a.share ORDER BY a.channel_id)
FROM (SELECT x.policy_id, x.plan_id, x.provider_channel_id, x.channel_id, pg_catalog.sum(x.share) AS share
      FROM crm.policy_attribution x WHERE x.share < 1 GROUP BY x.policy_id, x.plan_id, x.provider_channel_id, x.channel_id) a
GROUP BY a.policy_id, a.plan_id, a.provider_channel_id;
COMMENT ON VIEW crm._settlement_policy IS 'Attributed policies with plan, provider (0: none), and the channels of the holders with their shares.';

-- A function, so that the planner takes them for the few that they are.
CREATE FUNCTION crm._settlement_weight()
RETURNS TABLE (n bigint, plan_id bigint, provider_id bigint, channels bigint[], shares numeric[], from_date date, to_date date, thing text, part integer, user_channel_id bigint, version integer,
  parts integer, weights numeric[])
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH scheme AS MATERIALIZED (
    SELECT row_number() OVER () AS n, d.* FROM (SELECT DISTINCT p.plan_id, p.provider_id, p.channels, p.shares FROM crm._settlement_policy p) d),
  terms AS MATERIALIZED (SELECT t.* FROM crm._terms_in_force t),
  span AS (
    SELECT s.*, b.from_date, lead(b.from_date, 1, 'infinity') OVER (PARTITION BY s.n ORDER BY b.from_date) AS to_date
    FROM scheme s
    CROSS JOIN LATERAL (
      SELECT date '-infinity' AS from_date
      UNION SELECT t.from_date FROM terms t
      WHERE t.plan_id = s.plan_id AND t.provider_channel_id = s.provider_id AND t.user_channel_id = ANY (s.channels)) b),
  part AS (
    SELECT n.*, k.part, n.channels[k.part] AS user_channel_id, t.version, g.thing,
           n.shares[k.part] * coalesce(g.share, 0) AS provider_weight, n.shares[k.part] * (1 - coalesce(g.share, 0)) AS user_weight
    FROM span n
    CROSS JOIN LATERAL generate_subscripts(n.channels, 1) k (part)
    LEFT JOIN terms t ON t.plan_id = n.plan_id AND t.provider_channel_id = n.provider_id AND t.user_channel_id = n.channels[k.part]
      AND t.from_date <= n.from_date AND coalesce(t.to_date, 'infinity') > n.from_date
    CROSS JOIN LATERAL (VALUES ('premium', t.premium_share), ('assessment', t.assessment_share), ('commission', t.commission_share), ('cost', t.cost_share)) g (thing, share))
  SELECT p.n, p.plan_id, p.provider_id, p.channels, p.shares, p.from_date, p.to_date, p.thing, p.part, p.user_channel_id, p.version, cardinality(p.channels),
         array_agg(p.provider_weight) OVER w || array_agg(p.user_weight) OVER w
  FROM part p
  WINDOW w AS (PARTITION BY p.n, p.from_date, p.thing ORDER BY p.part ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);
END
$$;
COMMENT ON FUNCTION crm._settlement_weight() IS
  'How things are divided between given channels with given shares, by a plan and provider, from a day to before a day: one row for each of the channels, each with the weights of all.';
REVOKE ALL ON FUNCTION crm._settlement_weight() FROM PUBLIC;

-- Inlined, so that posting is planned as one.
CREATE FUNCTION crm._settlement_target(of_channel bigint)
RETURNS TABLE (account_id bigint, plan_id bigint, provider_channel_id bigint, user_channel_id bigint, terms_version integer, thing text, policy_id bigint, source_id bigint, day date, amount numeric,
  provider_amount numeric, user_amount numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
WITH weight AS MATERIALIZED (
  SELECT w.*, a.id AS account_id
  FROM crm._settlement_weight() w
  LEFT JOIN crm.settlement_account a ON a.plan_id = w.plan_id AND a.thing = w.thing AND coalesce(a.provider_channel_id, 0) = w.provider_id AND a.user_channel_id = w.user_channel_id
    AND a.terms_version IS NOT DISTINCT FROM w.version),
policy AS MATERIALIZED (
  SELECT p.policy_id, w.n
  FROM crm._settlement_policy p
  JOIN (SELECT DISTINCT x.n, x.plan_id, x.provider_id, x.channels, x.shares FROM weight x) w
    ON w.plan_id = p.plan_id AND w.provider_id = p.provider_id AND w.channels = p.channels AND w.shares = p.shares
  WHERE of_channel IS NULL OR of_channel = p.provider_id OR of_channel = ANY (p.channels)),
-- first the policy of each source, then the few weights there are, whatever the planner expects
source AS (
  SELECT s.thing, s.policy_id, s.source_id, s.day, s.terms_day, s.amount, p.n FROM crm._settlement_source s JOIN policy p ON p.policy_id = s.policy_id WHERE s.amount <> 0 OFFSET 0)
SELECT d.account_id, d.plan_id, nullif(d.provider_id, 0), d.user_channel_id, d.version, d.thing, d.policy_id, d.source_id, d.day, d.amount, d.amounts[d.part], d.amounts[d.parts + d.part]
FROM (SELECT s.thing, s.policy_id, s.source_id, s.day, s.amount, w.account_id, w.plan_id, w.provider_id, w.user_channel_id, w.version, w.part, w.parts, crm.split(s.amount, w.weights) AS amounts
      FROM source s JOIN weight w ON w.n = s.n AND w.thing = s.thing AND s.terms_day >= w.from_date AND s.terms_day < w.to_date
      OFFSET 0) d;
END;
COMMENT ON FUNCTION crm._settlement_target(bigint) IS
  'What the lines must come to: each source of an attributed policy divided by largest remainder over its channels and the terms of its day; of one channel the policies that it provided or holds, NULL: all. account_id is NULL where there is no account yet.';
REVOKE ALL ON FUNCTION crm._settlement_target(bigint) FROM PUBLIC;

CREATE VIEW crm._settlement_due AS
SELECT coalesce(t.account_id, p.account_id) AS account_id, coalesce(t.policy_id, p.policy_id) AS policy_id, coalesce(t.source_id, p.source_id) AS source_id, coalesce(t.day, p.day) AS day,
       coalesce(t.provider_amount, 0) - coalesce(p.provider_amount, 0) AS provider_amount, coalesce(t.user_amount, 0) - coalesce(p.user_amount, 0) AS user_amount
FROM crm._settlement_target(NULL) t
FULL JOIN (SELECT s.account_id, l.policy_id, l.source_id, pg_catalog.max(l.day) AS day, pg_catalog.sum(l.provider_amount) AS provider_amount, pg_catalog.sum(l.user_amount) AS user_amount
           FROM crm.settlement_line l JOIN crm.settlement s ON s.id = l.settlement_id
           GROUP BY s.account_id, l.policy_id, l.source_id) p ON p.account_id = t.account_id AND p.policy_id = t.policy_id AND p.source_id = t.source_id
WHERE coalesce(t.provider_amount, 0) <> coalesce(p.provider_amount, 0) OR coalesce(t.user_amount, 0) <> coalesce(p.user_amount, 0);
COMMENT ON VIEW crm._settlement_due IS
  'What is to be posted: what the lines must come to less what they come to. account_id is NULL where there is no account yet.';

-- The plan cache stays as it is: under force_custom_plan the foreign key would be planned anew for each line.
CREATE FUNCTION crm._post_settlement() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  open_month CONSTANT date := crm._first_open_month();
  actor CONSTANT text := crm.actor();
  at CONSTANT timestamptz := clock_timestamp();
  posted bigint;
BEGIN
  INSERT INTO crm.settlement_account (plan_id, thing, provider_channel_id, user_channel_id, terms_version)
  SELECT DISTINCT w.plan_id, w.thing, nullif(w.provider_id, 0), w.user_channel_id, w.version FROM crm._settlement_weight() w
  ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (plan_id, thing, provider_channel_id, user_channel_id, terms_version) DO NOTHING;
  WITH due AS MATERIALIZED (
    SELECT d.account_id, d.policy_id, d.source_id, d.day, d.provider_amount, d.user_amount, greatest(date_trunc('month', d.day::timestamp)::date, open_month) AS month
    FROM crm._settlement_due d),
  wanted AS MATERIALIZED (SELECT d.account_id, d.month FROM due d GROUP BY d.account_id, d.month),
  month AS (
    INSERT INTO crm.settlement_period (month) SELECT DISTINCT w.month FROM wanted w ORDER BY w.month ON CONFLICT DO NOTHING),
  made AS (
    INSERT INTO crm.settlement AS s (account_id, month) SELECT w.account_id, w.month FROM wanted w ORDER BY w.month, w.account_id
    ON CONFLICT (account_id, month) DO NOTHING RETURNING s.id, s.account_id, s.month),
  there AS (SELECT m.id, m.account_id, m.month FROM made m UNION ALL SELECT s.id, s.account_id, s.month FROM crm.settlement s)
  INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by)
  SELECT a.id, d.policy_id, d.source_id, d.day, d.provider_amount, d.user_amount, at, actor
  FROM due d JOIN there a ON a.account_id = d.account_id AND a.month = d.month;
  GET DIAGNOSTICS posted = ROW_COUNT;
  UPDATE crm.settlement_book SET posted_at = at, posted_by = actor;
  RETURN posted;
END
$$;
COMMENT ON FUNCTION crm._post_settlement() IS 'Posts what is due, each to its month, or the first open one where that is closed; under the lock of the settlement. Returns how many lines.';
REVOKE ALL ON FUNCTION crm._post_settlement() FROM PUBLIC;

CREATE FUNCTION crm.post_settlement() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM crm._ask_finance();
  PERFORM crm._open_settlement_book();
  PERFORM crm._attribute_policies();
  RETURN crm._post_settlement();
END
$$;
COMMENT ON FUNCTION crm.post_settlement() IS
  'Attributes policies, and divides every receipt, commission, cost and credit of them between provider and user by the terms in force on its day, to the cent; what is posted already posts nothing, what has changed since its difference. A line falls into the month of its day, or the first open month after it. Returns how many lines were posted. Errors: 40001, 40P01 to be retried, 42501. 分配入账';
REVOKE ALL ON FUNCTION crm.post_settlement() FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('finance', 'USAGE', 'SCHEMA', 'crm_bi'),
  ('finance', 'EXECUTE', 'FUNCTION', 'crm.post_settlement()');
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT 'finance', 'SELECT', 'TABLE', 'crm_bi.' || v.name
FROM pg_catalog.unnest('{attributed_policy,terms_version,settlement_period,settlement,settlement_channel,settlement_line,settlement_reconciliation,plan,plan_terms,channel}'::text[]) v (name);
