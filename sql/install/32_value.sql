-- classify: purchase models, scores and concentration of value

-- distinct values with their counts, the state of the aggregates below
CREATE TYPE crm._tally;
CREATE FUNCTION crm._tally_in(cstring) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_tally_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._tally_in(cstring) IS 'text input of crm._tally';
CREATE FUNCTION crm._tally_out(crm._tally) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_tally_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._tally_out(crm._tally) IS 'text output of crm._tally';
CREATE FUNCTION crm._tally_recv(internal) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_tally_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._tally_recv(internal) IS 'binary input of crm._tally';
CREATE FUNCTION crm._tally_send(crm._tally) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_tally_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._tally_send(crm._tally) IS 'binary output of crm._tally';
CREATE TYPE crm._tally (
  INPUT = crm._tally_in, OUTPUT = crm._tally_out, RECEIVE = crm._tally_recv, SEND = crm._tally_send,
  INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE crm._tally IS 'distinct values with their counts: the state of aggregates';

CREATE FUNCTION crm._tally_merge(crm._tally, crm._tally) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_tally_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._tally_merge(crm._tally, crm._tally) IS
  'Both together. Errors: 22023 where they belong to different aggregates or arguments, 22003.';

-- the BG/NBD model of repeat purchases
CREATE TYPE crm.bgnbd;
CREATE FUNCTION crm.bgnbd_in(cstring) RETURNS crm.bgnbd
  AS 'MODULE_PATHNAME', 'crm_bgnbd_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.bgnbd_in(cstring) IS 'text input of crm.bgnbd';
CREATE FUNCTION crm.bgnbd_out(crm.bgnbd) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_bgnbd_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.bgnbd_out(crm.bgnbd) IS 'text output of crm.bgnbd';
CREATE FUNCTION crm.bgnbd_recv(internal) RETURNS crm.bgnbd
  AS 'MODULE_PATHNAME', 'crm_bgnbd_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.bgnbd_recv(internal) IS 'binary input of crm.bgnbd';
CREATE FUNCTION crm.bgnbd_send(crm.bgnbd) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_bgnbd_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.bgnbd_send(crm.bgnbd) IS 'binary output of crm.bgnbd';
CREATE TYPE crm.bgnbd (
  INPUT = crm.bgnbd_in, OUTPUT = crm.bgnbd_out, RECEIVE = crm.bgnbd_recv, SEND = crm.bgnbd_send,
  INTERNALLENGTH = 56, ALIGNMENT = double, STORAGE = plain
);
COMMENT ON TYPE crm.bgnbd IS 'how often customers buy and drop out (BG/NBD; Fader, Hardie and Lee 2005), as ''r 0.243, alpha 4.414, a 0.793, b 2.426''; crm.fit_bgnbd() adds log_likelihood, customers and converged or the reason why not';

CREATE FUNCTION crm.r(model crm.bgnbd) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_first' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.r(crm.bgnbd) IS
  'shape of the purchase rates; customers are the more alike the larger it is';
CREATE FUNCTION crm.alpha(model crm.bgnbd) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_second' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.alpha(crm.bgnbd) IS
  'rate of the purchase rates, in the unit of time of the data: r / alpha is the mean rate';
CREATE FUNCTION crm.a(model crm.bgnbd) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_third' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.a(crm.bgnbd) IS
  'of the chances of dropping out after a purchase: a / (a + b) is the mean';
CREATE FUNCTION crm.b(model crm.bgnbd) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_fourth' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.b(crm.bgnbd) IS
  'of the chances of dropping out after a purchase: a / (a + b) is the mean';
CREATE FUNCTION crm.log_likelihood(model crm.bgnbd) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_log_likelihood' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.log_likelihood(crm.bgnbd) IS
  'of the data the model was fitted to, null for parameters given by hand';
CREATE FUNCTION crm.customers(model crm.bgnbd) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_purchase_model_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.customers(crm.bgnbd) IS
  'how many customers the model was fitted to, null for parameters given by hand';
CREATE FUNCTION crm.converged(model crm.bgnbd) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_purchase_model_converged' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.converged(crm.bgnbd) IS
  'whether the fit found a maximum, null for parameters given by hand';
CREATE FUNCTION crm.fit_problem(model crm.bgnbd) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_purchase_model_fit_problem' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.fit_problem(crm.bgnbd) IS
  'why the fit did not converge, null if it did and for parameters given by hand';

CREATE FUNCTION crm._bgnbd_add(crm._tally, frequency bigint, recency double precision, age double precision) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_bgnbd_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._bgnbd_add(crm._tally, bigint, double precision, double precision) IS
  'Transition of crm.fit_bgnbd(). Errors: 22003, 22023.';
CREATE FUNCTION crm._bgnbd_fit(crm._tally) RETURNS crm.bgnbd
  AS 'MODULE_PATHNAME', 'crm_bgnbd_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION crm._bgnbd_fit(crm._tally) IS
  'Final function of crm.fit_bgnbd(). Errors: 22003, 22023.';
CREATE AGGREGATE crm.fit_bgnbd(frequency bigint, recency double precision, age double precision) (
  SFUNC = crm._bgnbd_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._bgnbd_fit, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.fit_bgnbd(bigint, double precision, double precision) IS
  'the BG/NBD model of the customers, by maximum likelihood; frequency: purchases after the first, recency: time from the first to the last, age: time from the first to the end of observation, in one unit of time; the order of rows does not matter; rows with a null are left out, null without rows; a fit that finds no maximum says so (crm.converged, crm.fit_problem) and gives the best parameters looked at. Errors: 22003 out of range or NaN, 22023 negative, recency above age, or above 0 for frequency 0';
CREATE FUNCTION crm.expected_purchases(model crm.bgnbd, horizon double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_bgnbd_expected_purchases_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.expected_purchases(crm.bgnbd, double precision) IS
  'expected purchases after the first of a new customer within horizon. Errors: 22003, 22023';
CREATE FUNCTION crm.expected_purchases(model crm.bgnbd, horizon double precision, frequency bigint, recency double precision, age double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_bgnbd_expected_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.expected_purchases(crm.bgnbd, double precision, bigint, double precision, double precision) IS
  'expected purchases within horizon from the end of observation on, of a customer with that history. Errors: 22003, 22023';
CREATE FUNCTION crm.p_alive(model crm.bgnbd, frequency bigint, recency double precision, age double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_bgnbd_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.p_alive(crm.bgnbd, bigint, double precision, double precision) IS
  'the chance that a customer with that history has not dropped out; 1 for frequency 0, since customers drop out after a repeat purchase. Errors: 22003, 22023';

-- the gamma-gamma model of value per purchase
CREATE TYPE crm.gamma_gamma;
CREATE FUNCTION crm.gamma_gamma_in(cstring) RETURNS crm.gamma_gamma
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.gamma_gamma_in(cstring) IS 'text input of crm.gamma_gamma';
CREATE FUNCTION crm.gamma_gamma_out(crm.gamma_gamma) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.gamma_gamma_out(crm.gamma_gamma) IS 'text output of crm.gamma_gamma';
CREATE FUNCTION crm.gamma_gamma_recv(internal) RETURNS crm.gamma_gamma
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.gamma_gamma_recv(internal) IS 'binary input of crm.gamma_gamma';
CREATE FUNCTION crm.gamma_gamma_send(crm.gamma_gamma) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.gamma_gamma_send(crm.gamma_gamma) IS 'binary output of crm.gamma_gamma';
CREATE TYPE crm.gamma_gamma (
  INPUT = crm.gamma_gamma_in, OUTPUT = crm.gamma_gamma_out, RECEIVE = crm.gamma_gamma_recv, SEND = crm.gamma_gamma_send,
  INTERNALLENGTH = 56, ALIGNMENT = double, STORAGE = plain
);
COMMENT ON TYPE crm.gamma_gamma IS 'what a purchase of a customer is worth (gamma-gamma; Fader and Hardie 2013), as ''p 6.25, q 3.74, gamma 15.44''; crm.fit_gamma_gamma() adds log_likelihood, customers and converged or the reason why not';

CREATE FUNCTION crm.p(model crm.gamma_gamma) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_first' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.p(crm.gamma_gamma) IS
  'shape of the values of one customer';
CREATE FUNCTION crm.q(model crm.gamma_gamma) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_second' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.q(crm.gamma_gamma) IS
  'shape of the rates of customers; at 1 and below the mean value is infinite';
CREATE FUNCTION crm.gamma(model crm.gamma_gamma) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_third' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.gamma(crm.gamma_gamma) IS
  'rate of the rates of customers, in the unit of the values: p gamma / (q - 1) is the mean value';
CREATE FUNCTION crm.log_likelihood(model crm.gamma_gamma) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_model_log_likelihood' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.log_likelihood(crm.gamma_gamma) IS
  'of the data the model was fitted to, null for parameters given by hand';
CREATE FUNCTION crm.customers(model crm.gamma_gamma) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_purchase_model_customers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.customers(crm.gamma_gamma) IS
  'how many customers the model was fitted to, null for parameters given by hand';
CREATE FUNCTION crm.converged(model crm.gamma_gamma) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_purchase_model_converged' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.converged(crm.gamma_gamma) IS
  'whether the fit found a maximum, null for parameters given by hand';
CREATE FUNCTION crm.fit_problem(model crm.gamma_gamma) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_purchase_model_fit_problem' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.fit_problem(crm.gamma_gamma) IS
  'why the fit did not converge, null if it did and for parameters given by hand';

CREATE FUNCTION crm._gamma_gamma_add(crm._tally, frequency bigint, mean_value double precision) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._gamma_gamma_add(crm._tally, bigint, double precision) IS
  'Transition of crm.fit_gamma_gamma(). Errors: 22003, 22023.';
CREATE FUNCTION crm._gamma_gamma_fit(crm._tally) RETURNS crm.gamma_gamma
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_fit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION crm._gamma_gamma_fit(crm._tally) IS
  'Final function of crm.fit_gamma_gamma(). Errors: 22003, 22023.';
CREATE AGGREGATE crm.fit_gamma_gamma(frequency bigint, mean_value double precision) (
  SFUNC = crm._gamma_gamma_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._gamma_gamma_fit, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.fit_gamma_gamma(bigint, double precision) IS
  'the gamma-gamma model of the customers, by maximum likelihood; frequency: purchases after the first, mean_value: their mean; rows with a null or with frequency 0 are left out, null without rows; the order of rows does not matter; a fit that finds no maximum says so (crm.converged, crm.fit_problem). Errors: 22003 out of range or NaN, 22023 negative, or a mean of 0 for repeat purchases';
CREATE FUNCTION crm.expected_value(model crm.gamma_gamma, frequency bigint, mean_value double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_gamma_gamma_expected_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.expected_value(crm.gamma_gamma, bigint, double precision) IS
  'expected value of a purchase of a customer with that history; for frequency 0 the mean of all customers, whatever mean_value. Errors: 22003, also where the mean is infinite, 22023';
CREATE FUNCTION crm.lifetime_value(purchases crm.bgnbd, value crm.gamma_gamma, frequency bigint, recency double precision, age double precision, mean_value double precision, horizon integer, discount_rate double precision) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_purchase_lifetime_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION crm.lifetime_value(crm.bgnbd, crm.gamma_gamma, bigint, double precision, double precision, double precision, integer, double precision) IS
  'expected value of the purchases of the next horizon periods (1 to 10000), each discounted from the end of its period by a rate per period; a period is the unit of time of the model. Errors: 22003, 22023';

-- scores of recency, frequency and money
CREATE FUNCTION crm._quantile_add(crm._tally, value double precision, classes integer) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_quantile_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._quantile_add(crm._tally, double precision, integer) IS
  'Transition of crm.quantile_bounds(). Errors: 22003, 22023.';
CREATE FUNCTION crm._quantile_bounds(crm._tally) RETURNS double precision[]
  AS 'MODULE_PATHNAME', 'crm_quantile_bounds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._quantile_bounds(crm._tally) IS
  'Final function of crm.quantile_bounds(). Errors: 22023.';
CREATE AGGREGATE crm.quantile_bounds(value double precision, classes integer) (
  SFUNC = crm._quantile_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._quantile_bounds, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.quantile_bounds(double precision, integer) IS
  'the classes - 1 bounds between classes of equal size, as percentile_cont has them, for crm.bound_score(); rows with a null are left out. Errors: 22003 NaN or infinite, 22023 fewer than 2 or more than 1000 classes, or not the same for all rows';
CREATE FUNCTION crm.bound_score(value double precision, bounds double precision[]) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_bound_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.bound_score(double precision, double precision[]) IS
  'the class of a value between ascending bounds, from 1; a value equal to a bound belongs to the class below it. Errors: 22003, 22004, 2202E, 22023';
CREATE FUNCTION crm.rank_score(classes integer, ties text DEFAULT 'first') RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_rank_score' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.rank_score(integer, text) IS
  'window function: the class of a row among classes of equal numbers of ranks in the order of the window, from 1; peers share the class of their first, middle or last rank, so the order of rows does not matter. Errors: 22004, 22023';

-- concentration of value
CREATE FUNCTION crm.cumulative_share(value numeric) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_cumulative_share' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.cumulative_share(numeric) IS
  'window function: the share of the total that the rows up to this one and its peers hold, in the order of the window; null where the value is null or the total not positive. Errors: 22003 NaN or infinite';
CREATE FUNCTION crm.share_before(value numeric) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_share_before' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.share_before(numeric) IS
  'window function: the share of the total that the rows before this one and its peers hold; graded by crm.grade(''A, B 0.8, C 0.95'', ...) it gives ABC classes, the row that crosses a limit being in the better class; null where the value is null or the total not positive. Errors: 22003 NaN or infinite';
CREATE FUNCTION crm._pareto_add(crm._tally, value double precision, top double precision) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_pareto_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._pareto_add(crm._tally, double precision, double precision) IS
  'Transition of crm.pareto_share(). Errors: 22003, 22023.';
CREATE FUNCTION crm._pareto_share(crm._tally) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_pareto_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._pareto_share(crm._tally) IS
  'Final function of crm.pareto_share(). Errors: 22023.';
CREATE AGGREGATE crm.pareto_share(value double precision, top double precision) (
  SFUNC = crm._pareto_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._pareto_share, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.pareto_share(double precision, double precision) IS
  'what the largest values, top of all rows (0.2: a fifth), make up of the total; a row on the border counts for its part; rows with a null are left out, null where the total is not positive. Errors: 22003 NaN or infinite, 22023 top not above 0 and at most 1, or not the same for all rows';
CREATE FUNCTION crm._gini_add(crm._tally, value double precision) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_gini_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._gini_add(crm._tally, double precision) IS
  'Transition of crm.gini(). Errors: 22003, 22023.';
CREATE FUNCTION crm._gini(crm._tally) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_gini' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._gini(crm._tally) IS
  'Final function of crm.gini(). Errors: 22023.';
CREATE AGGREGATE crm.gini(value double precision) (
  SFUNC = crm._gini_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._gini, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.gini(double precision) IS
  'Gini coefficient of values of 0 and more: 0 where all are equal, near 1 where one has all; rows with a null are left out, null where the total is 0. Errors: 22003 NaN or infinite, 22023 negative';
