-- allocate: what a plan expects of each class in each channel, from samples large and small

ALTER TABLE crm.plan_cell
  ADD COLUMN capped_premium numeric,
  ADD COLUMN premium_load numeric,
  ADD COLUMN days numeric,
  ADD COLUMN premium_low numeric,
  ADD COLUMN premium_high numeric,
  ADD COLUMN cost_low numeric,
  ADD COLUMN cost_high numeric,
  ADD COLUMN days_low numeric,
  ADD COLUMN days_high numeric,
  ADD COLUMN credibility numeric,
  ADD COLUMN prior_contacts numeric,
  ADD COLUMN prior_purchases numeric,
  ADD COLUMN prior_premium_per_purchase numeric,
  ADD COLUMN prior_cost numeric,
  ADD COLUMN expected_contacts numeric NOT NULL,
  ADD COLUMN expected_purchases numeric NOT NULL,
  ADD COLUMN expected_premium numeric NOT NULL,
  ADD COLUMN expected_cost numeric NOT NULL;
COMMENT ON COLUMN crm.plan_cell.capped_premium IS 'Annual premium without what single customers bought above the 90th percentile of all who bought.';
COMMENT ON COLUMN crm.plan_cell.premium_load IS 'What was cut off so, of the whole company, for each purchase: it is as likely to come of any class.';
COMMENT ON COLUMN crm.plan_cell.days IS 'Days from the first contact by the channel, or else the start of the holding, to the first purchase, on average over those who bought.';
COMMENT ON COLUMN crm.plan_cell.premium_low IS 'Lower bound at 95 % of premium / allocated. NULL: a promise, fewer than 5 of the sample have any, or all the same.';
COMMENT ON COLUMN crm.plan_cell.premium_high IS 'Upper bound.';
COMMENT ON COLUMN crm.plan_cell.cost_low IS 'Lower bound of cost / allocated, likewise.';
COMMENT ON COLUMN crm.plan_cell.cost_high IS 'Upper bound.';
COMMENT ON COLUMN crm.plan_cell.days_low IS 'Lower bound of days, likewise.';
COMMENT ON COLUMN crm.plan_cell.days_high IS 'Upper bound.';
COMMENT ON COLUMN crm.plan_cell.credibility IS 'What the sample counts: allocated / (allocated + setting history_sample), in premium per purchase with purchased for allocated; the rest counts what came before. NULL: a promise.';
COMMENT ON COLUMN crm.plan_cell.prior_contacts IS 'Contacts per customer expected without the sample: of the channel, the company, at last of the proposal.';
COMMENT ON COLUMN crm.plan_cell.prior_purchases IS 'Purchases per customer expected without the sample.';
COMMENT ON COLUMN crm.plan_cell.prior_premium_per_purchase IS 'Annual premium per purchase, capped, expected without the sample.';
COMMENT ON COLUMN crm.plan_cell.prior_cost IS 'Cost per customer expected without the sample.';
COMMENT ON COLUMN crm.plan_cell.expected_contacts IS 'Contacts expected per customer, as the plan uses it.';
COMMENT ON COLUMN crm.plan_cell.expected_purchases IS 'Purchases expected per customer.';
COMMENT ON COLUMN crm.plan_cell.expected_premium IS 'Annual premium expected per customer: expected_purchases times the premium expected per purchase, which is capped, with premium_load.';
COMMENT ON COLUMN crm.plan_cell.expected_cost IS 'Cost expected per customer.';

CREATE FUNCTION crm._plan_rates(weight numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  -- the promise of the proposal, then the past of company, channel and class, each judged beside what came before it
  INSERT INTO pg_temp.crm_plan_rate (proposal_id, coverage, tier, customers, basis, allocated, contacted, purchased, premium, cost, capped_premium, premium_load, days,
    premium_low, premium_high, cost_low, cost_high, days_low, days_high, credibility,
    prior_contacts, prior_purchases, prior_premium_per_purchase, prior_cost, expected_contacts, expected_purchases, expected_premium, expected_cost)
  WITH cap AS MATERIALIZED (
    SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY r.premium) AS cap FROM pg_temp.crm_plan_result r WHERE r.purchased),
  past AS MATERIALIZED (
    SELECT r.channel_id, r.coverage, r.tier, count(*) AS allocated, count(*) FILTER (WHERE r.contacted) AS contacted, count(*) FILTER (WHERE r.purchased) AS purchased,
           sum(r.premium) AS premium, sum(r.cost) AS cost, avg(r.days) AS days, sum(least(r.premium, c.cap)) AS capped,
           var_samp(r.premium) AS premium_variance, count(*) FILTER (WHERE r.cost <> 0) AS costing, var_samp(r.cost) AS cost_variance, var_samp(r.days) AS days_variance,
           count(*) FILTER (WHERE r.contacted)::numeric / count(*) AS contact_rate, count(*) FILTER (WHERE r.purchased)::numeric / count(*) AS purchase_rate,
           sum(least(r.premium, c.cap)) / nullif(count(*) FILTER (WHERE r.purchased), 0) AS premium_each, sum(r.cost) / count(*) AS cost_each
    FROM pg_temp.crm_plan_result r CROSS JOIN cap c
    GROUP BY GROUPING SETS ((r.channel_id, r.coverage, r.tier), (r.channel_id), ()) HAVING count(*) > 0),
  promise AS (
    SELECT p.id, p.channel_id, p.volume, p.contacts, p.purchases, p.premium, p.cost, p.contacts / p.volume AS contact_rate, p.purchases / p.volume AS purchase_rate,
           p.premium / nullif(p.purchases, 0) AS premium_each, p.cost / p.volume AS cost_each
    FROM pg_temp.crm_plan_proposal p),
  of_company AS (
    SELECT p.*, h.allocated AS company_allocated, h.contacted AS company_contacted, h.purchased AS company_purchased, h.premium AS company_premium, h.capped AS company_capped,
           coalesce(crm.credible((h.premium - h.capped) / nullif(h.purchased, 0), h.purchased, 0, _plan_rates.weight), 0) AS premium_load,
           h.cost AS company_cost, h.days AS company_days,
           h.premium_variance AS company_premium_variance, h.costing AS company_costing, h.cost_variance AS company_cost_variance, h.days_variance AS company_days_variance,
           crm.credible(h.contact_rate, h.allocated, p.contact_rate, _plan_rates.weight) AS contact_rate_1, crm.credible(h.purchase_rate, h.allocated, p.purchase_rate, _plan_rates.weight) AS purchase_rate_1,
           crm.credible(h.premium_each, h.purchased, p.premium_each, _plan_rates.weight) AS premium_each_1, crm.credible(h.cost_each, h.allocated, p.cost_each, _plan_rates.weight) AS cost_each_1
    FROM promise p LEFT JOIN past h ON h.channel_id IS NULL),
  of_channel AS (
    SELECT c.*, h.allocated AS channel_allocated, h.contacted AS channel_contacted, h.purchased AS channel_purchased, h.premium AS channel_premium, h.capped AS channel_capped, h.cost AS channel_cost, h.days AS channel_days,
           h.premium_variance AS channel_premium_variance, h.costing AS channel_costing, h.cost_variance AS channel_cost_variance, h.days_variance AS channel_days_variance,
           crm.credible(h.contact_rate, h.allocated, c.contact_rate_1, _plan_rates.weight) AS contact_rate_2, crm.credible(h.purchase_rate, h.allocated, c.purchase_rate_1, _plan_rates.weight) AS purchase_rate_2,
           crm.credible(h.premium_each, h.purchased, c.premium_each_1, _plan_rates.weight) AS premium_each_2, crm.credible(h.cost_each, h.allocated, c.cost_each_1, _plan_rates.weight) AS cost_each_2
    FROM of_company c LEFT JOIN past h ON h.channel_id = c.channel_id AND h.coverage IS NULL),
  class AS (
    SELECT m.proposal_id, w.coverage, w.tier, count(*) AS customers
    FROM pg_temp.crm_plan_match m JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id GROUP BY m.proposal_id, w.coverage, w.tier),
  -- the nearest past that there is, what it starts from, and what comes of both
  judged AS (
    SELECT k.proposal_id, k.coverage, k.tier, k.customers, c.premium_load, b.*,
           crm.credible(b.contacted::numeric / b.allocated, CASE b.basis WHEN 'proposal' THEN 0 ELSE b.allocated END, b.contact_prior, _plan_rates.weight) AS expected_contacts,
           crm.credible(b.purchased::numeric / b.allocated, CASE b.basis WHEN 'proposal' THEN 0 ELSE b.allocated END, b.purchase_prior, _plan_rates.weight) AS expected_purchases,
           crm.credible(b.capped / nullif(b.purchased, 0), CASE b.basis WHEN 'proposal' THEN 0 ELSE b.purchased END, b.premium_prior, _plan_rates.weight) AS expected_each,
           crm.credible(b.cost / b.allocated, CASE b.basis WHEN 'proposal' THEN 0 ELSE b.allocated END, b.cost_prior, _plan_rates.weight) AS expected_cost
    FROM class k
    JOIN of_channel c ON c.id = k.proposal_id
    LEFT JOIN past h ON h.channel_id = c.channel_id AND h.coverage = k.coverage AND h.tier = k.tier
    CROSS JOIN LATERAL (
      SELECT 'class' AS basis, h.allocated, h.contacted, h.purchased, h.premium, h.cost, h.capped, h.days, h.premium_variance, h.costing, h.cost_variance, h.days_variance,
             c.contact_rate_2 AS contact_prior, c.purchase_rate_2 AS purchase_prior, c.premium_each_2 AS premium_prior, c.cost_each_2 AS cost_prior
      WHERE h.allocated IS NOT NULL
      UNION ALL
      SELECT 'channel', c.channel_allocated, c.channel_contacted, c.channel_purchased, c.channel_premium, c.channel_cost, c.channel_capped, c.channel_days,
             c.channel_premium_variance, c.channel_costing, c.channel_cost_variance, c.channel_days_variance,
             c.contact_rate_1, c.purchase_rate_1, c.premium_each_1, c.cost_each_1
      WHERE h.allocated IS NULL AND c.channel_allocated IS NOT NULL
      UNION ALL
      SELECT 'company', c.company_allocated, c.company_contacted, c.company_purchased, c.company_premium, c.company_cost, c.company_capped, c.company_days,
             c.company_premium_variance, c.company_costing, c.company_cost_variance, c.company_days_variance,
             c.contact_rate, c.purchase_rate, c.premium_each, c.cost_each
      WHERE h.allocated IS NULL AND c.channel_allocated IS NULL AND c.company_allocated IS NOT NULL
      UNION ALL
      SELECT 'proposal', c.volume, c.contacts::bigint, c.purchases::bigint, c.premium, c.cost, c.premium, NULL, NULL, NULL, NULL, NULL, c.contact_rate, c.purchase_rate, c.premium_each, c.cost_each
      WHERE c.company_allocated IS NULL) b)
  SELECT j.proposal_id, j.coverage, j.tier, j.customers, j.basis, j.allocated, j.contacted, j.purchased, j.premium, j.cost, j.capped, round(j.premium_load, 10), round(j.days, 4),
         p.lower, p.upper, k.lower, k.upper, d.lower, d.upper, CASE WHEN j.basis <> 'proposal' THEN round(j.allocated / (j.allocated + _plan_rates.weight), 6) END,
         round(j.contact_prior, 10), round(j.purchase_prior, 10), round(j.premium_prior, 10), round(j.cost_prior, 10),
         round(j.expected_contacts, 10), round(j.expected_purchases, 10), round(j.expected_purchases * (coalesce(j.expected_each, 0) + j.premium_load), 10), round(j.expected_cost, 10)
  FROM judged j
  CROSS JOIN LATERAL crm._told_interval(j.premium / j.allocated, j.premium_variance, j.allocated, j.purchased) p
  CROSS JOIN LATERAL crm._told_interval(j.cost / j.allocated, j.cost_variance, j.allocated, j.costing) k
  CROSS JOIN LATERAL crm._told_interval(j.days, j.days_variance, j.purchased, j.purchased) d;
END
$$;
COMMENT ON FUNCTION crm._plan_rates(numeric) IS
  'What each proposal may expect of each class. A promise weighs as many customers as the setting history_sample, the past of the company is credited beside it, that of the channel beside the company, that of the class in the channel beside the channel: so a small sample says little, and a large one speaks for itself. Purchases and the premium of each are credited apart, and what single customers bought above the 90th percentile is spread over all purchases of the company.';
REVOKE ALL ON FUNCTION crm._plan_rates(numeric) FROM PUBLIC;
