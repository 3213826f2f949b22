-- forecast: the total of a period from its value so far

CREATE FUNCTION crm.forecast_total(so_far numeric, past_so_far numeric[], past_total numeric[], past_spread_from numeric[] DEFAULT NULL, level double precision DEFAULT 0.8,
  OUT periods integer, OUT forecast numeric, OUT lower numeric, OUT upper numeric)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT u.n, forecast_total.so_far * exp(u.mean), forecast_total.so_far * exp(i.lower::numeric), forecast_total.so_far * exp(i.upper::numeric)
  FROM (
    SELECT pg_catalog.count(*)::integer AS n, pg_catalog.avg(pg_catalog.ln(x.total / x.past)) AS mean, pg_catalog.variance(pg_catalog.ln(x.total / x.spread_from)) AS variance
    FROM unnest(forecast_total.past_so_far, forecast_total.past_total, coalesce(forecast_total.past_spread_from, forecast_total.past_so_far)) x (past, total, spread_from)
    WHERE x.past > 0 AND x.past < 'Infinity' AND x.total > 0 AND x.total < 'Infinity' AND x.spread_from > 0 AND x.spread_from < 'Infinity') u
  CROSS JOIN LATERAL crm.mean_interval(u.mean::double precision, (u.variance * (u.n + 1))::double precision, u.n, forecast_total.level) i
  WHERE u.n >= 3 AND forecast_total.so_far > 0 AND forecast_total.so_far < 'Infinity';
END;
COMMENT ON FUNCTION crm.forecast_total(numeric, numeric[], numeric[], numeric[], double precision) IS
  'Total of a period from its value so far and from the values at the same point and the totals of past periods: so far times the geometric mean of the development factors total over value (chain ladder), with the prediction interval of Student for their logarithms; past_spread_from: values from an earlier point, whose factors give the spread. Periods without positive values do not count. NULL of fewer than 3 periods or nothing so far; no interval where the factors do not vary. Errors: 22023 level not between 0 and 1. 期末预测';
