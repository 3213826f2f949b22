-- track: intervals of rates and means, and of the difference of two; what a small sample tells beside a larger one

CREATE FUNCTION crm.rate_interval(hits bigint, trials bigint, level double precision DEFAULT 0.95, OUT lower double precision, OUT upper double precision)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_track_wilson';
COMMENT ON FUNCTION crm.rate_interval(bigint, bigint, double precision) IS
  'Confidence interval of a rate, hits of trials, by the score method of Wilson; NULL of no trials. Errors: 22023 hits above trials, level not between 0 and 1. 比率置信区间';

CREATE FUNCTION crm.uplift(bought_treated bigint, treated bigint, bought_control bigint, control bigint, level double precision DEFAULT 0.95,
  OUT treated_rate double precision, OUT control_rate double precision, OUT uplift double precision, OUT lower double precision, OUT upper double precision)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_track_uplift';
COMMENT ON FUNCTION crm.uplift(bigint, bigint, bigint, bigint, double precision) IS
  'Rates of those treated and of a control group, their difference and its confidence interval, by method 10 of Newcombe, made of two intervals of Wilson; NULL of an empty group. Errors: 22023. 提升度';

CREATE FUNCTION crm.mean_interval(mean double precision, variance double precision, number bigint, level double precision DEFAULT 0.95, OUT lower double precision, OUT upper double precision)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_track_mean';
COMMENT ON FUNCTION crm.mean_interval(double precision, double precision, bigint, double precision) IS
  'Confidence interval of a mean from mean, sample variance and number, by Student; NULL of fewer than 2, and where nothing varies. Errors: 22023. 均值置信区间';

CREATE FUNCTION crm._told_interval(mean numeric, variance numeric, number bigint, telling bigint, OUT lower numeric, OUT upper numeric)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT pg_catalog.round(i.lower::numeric, 2), pg_catalog.round(i.upper::numeric, 2)
  FROM crm.mean_interval(_told_interval.mean::double precision, _told_interval.variance::double precision, CASE WHEN _told_interval.telling >= 5 THEN _told_interval.number ELSE 0 END) i;
END;
COMMENT ON FUNCTION crm._told_interval(numeric, numeric, bigint, bigint) IS
  'Interval of a mean at 95 %, as views show it: NULL where fewer than 5 of the sample have anything to tell, for of a sum that few bring Student promises too much, and where nothing varies.';

CREATE FUNCTION crm.mean_uplift(mean_treated double precision, variance_treated double precision, treated bigint, mean_control double precision, variance_control double precision,
  control bigint, level double precision DEFAULT 0.95,
  OUT uplift double precision, OUT lower double precision, OUT upper double precision, OUT df double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_track_mean_uplift';
COMMENT ON FUNCTION crm.mean_uplift(double precision, double precision, bigint, double precision, double precision, bigint, double precision) IS
  'Difference of two means and its confidence interval, by Welch with his degrees of freedom df, from mean, sample variance and number of each group; no interval of groups below 2, nor where neither varies. NULL is unknown. Errors: 22023. 均值提升';

CREATE FUNCTION crm.credible(own numeric, sample numeric, prior numeric, weight numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN coalesce(credible.sample, 0) <= 0 OR credible.own IS NULL THEN credible.prior
              WHEN credible.prior IS NULL THEN credible.own
              ELSE (credible.sample * credible.own + greatest(credible.weight, 0) * credible.prior) / (credible.sample + greatest(credible.weight, 0)) END;
END;
COMMENT ON FUNCTION crm.credible(numeric, numeric, numeric, numeric) IS
  'What to expect where an own mean of a sample stands beside a prior one: the sample counts sample / (sample + weight), the prior the rest (the credibility of Bühlmann); without a sample the prior, without a prior the own. 信度加权';
