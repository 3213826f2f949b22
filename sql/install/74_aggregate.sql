-- kpi: rates of customers and policies as aggregates over any table

-- what entities did and when, the state of the aggregates below
CREATE TYPE crm._trail;
CREATE FUNCTION crm._trail_in(cstring) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_trail_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._trail_in(cstring) IS 'text input of crm._trail';
CREATE FUNCTION crm._trail_out(crm._trail) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_trail_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._trail_out(crm._trail) IS 'text output of crm._trail';
CREATE FUNCTION crm._trail_recv(internal) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_trail_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._trail_recv(internal) IS 'binary input of crm._trail';
CREATE FUNCTION crm._trail_send(crm._trail) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_trail_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._trail_send(crm._trail) IS 'binary output of crm._trail';
CREATE TYPE crm._trail (
  INPUT = crm._trail_in, OUTPUT = crm._trail_out, RECEIVE = crm._trail_recv, SEND = crm._trail_send,
  INTERNALLENGTH = variable, ALIGNMENT = double, STORAGE = extended
);
COMMENT ON TYPE crm._trail IS 'what customers or policies did and when: the state of aggregates';
CREATE FUNCTION crm._trail_merge(crm._trail, crm._trail) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_trail_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._trail_merge(crm._trail, crm._trail) IS
  'Both together. Errors: 22023 where they belong to different aggregates or arguments, 54000.';

CREATE FUNCTION crm._repeat_add(crm._trail, customer_id bigint, on_date date) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_repeat_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._repeat_add(crm._trail, bigint, date) IS 'Transition of crm.repeat_rate(). Errors: 22008, 22023.';
CREATE FUNCTION crm._repeat_rate(crm._trail) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_repeat_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._repeat_rate(crm._trail) IS 'Final function of crm.repeat_rate(). Errors: 22023.';
CREATE AGGREGATE crm.repeat_rate(customer_id bigint, on_date date) (
  SFUNC = crm._repeat_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._repeat_rate, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.repeat_rate(bigint, date) IS
  'of the customers in the rows, the share with rows on two different days or more: rows of purchases, several on one day are one; rows with a null are left out, null without rows. Errors: 22008 infinite day';

CREATE FUNCTION crm._retention_add(crm._trail, customer_id bigint, on_date date, periods integer) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_retention_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._retention_add(crm._trail, bigint, date, integer) IS 'Transition of crm.retention(). Errors: 22008, 22023.';
CREATE FUNCTION crm._retention_add(crm._trail, customer_id bigint, on_date date, periods integer, unit text, as_of date) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_retention_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._retention_add(crm._trail, bigint, date, integer, text, date) IS 'Transition of crm.retention(). Errors: 22008, 22023.';
CREATE FUNCTION crm._retention(crm._trail) RETURNS double precision[]
  AS 'MODULE_PATHNAME', 'crm_retention' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._retention(crm._trail) IS 'Final function of crm.retention(). Errors: 22023.';
CREATE AGGREGATE crm.retention(customer_id bigint, on_date date, periods integer) (
  SFUNC = crm._retention_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._retention, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.retention(bigint, date, integer) IS
  'for each of so many calendar months after the one of a customer''s first row, the share of customers with a row in it; a customer counts for a month only where it is not after the month of the latest row of all, null for months that count for nobody; rows with a null are left out, null without rows. Errors: 22008 infinite day, 22023 periods not between 1 and 10000, or not the same for all rows';
CREATE AGGREGATE crm.retention(customer_id bigint, on_date date, periods integer, unit text, as_of date) (
  SFUNC = crm._retention_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._retention, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.retention(bigint, date, integer, text, date) IS
  'the same by day, week (from Monday), month, quarter or year, as known at the end of as_of: later rows are left out, and a customer counts for a period only where it was over by then. Errors: 22008, 22023';

CREATE FUNCTION crm._churn_add(crm._trail, customer_id bigint, from_date date, to_date date, opening date, closing date) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_churn_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._churn_add(crm._trail, bigint, date, date, date, date) IS 'Transition of crm.churn(). Errors: 22008, 22023.';
CREATE FUNCTION crm._churn(crm._trail) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_churn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._churn(crm._trail) IS 'Final function of crm.churn(). Errors: 22023.';
CREATE AGGREGATE crm.churn(customer_id bigint, from_date date, to_date date, opening date, closing date) (
  SFUNC = crm._churn_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._churn, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.churn(bigint, date, date, date, date) IS
  'of the customers covered on the day of opening, the share not covered on the day of closing, whatever was between: rows of cover from the first day up to, not with, to_date, null for cover without end; rows with another null are left out, null where nobody is covered at opening. Errors: 22008 infinite opening or closing, 22023 cover that ends before it begins, opening not before closing, or they are not the same for all rows';

CREATE FUNCTION crm._persistency_add(crm._trail, policy_id bigint, from_date date, to_date date, months integer, as_of date) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_persistency_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._persistency_add(crm._trail, bigint, date, date, integer, date) IS 'Transition of crm.persistency(). Errors: 22008, 22023.';
CREATE FUNCTION crm._persistency_add(crm._trail, policy_id bigint, from_date date, to_date date, months integer, as_of date, premium double precision) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_persistency_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._persistency_add(crm._trail, bigint, date, date, integer, date, double precision) IS 'Transition of crm.persistency(). Errors: 22003, 22008, 22023.';
CREATE FUNCTION crm._persistency(crm._trail) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_persistency' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._persistency(crm._trail) IS 'Final function of crm.persistency(). Errors: 22023.';
CREATE FUNCTION crm._persistency_weighted(crm._trail) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_persistency_weighted' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._persistency_weighted(crm._trail) IS 'Final function of crm.persistency() by premium. Errors: 22003, 22023.';
CREATE AGGREGATE crm.persistency(policy_id bigint, from_date date, to_date date, months integer, as_of date) (
  SFUNC = crm._persistency_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._persistency, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.persistency(bigint, date, date, integer, date) IS
  'of the policies that began so many months before as_of or earlier, the share covered on the day so many months after they began (the last of the month where it is shorter), reinstated ones included: rows of cover from the first day up to, not with, to_date, null for cover without end, one or more a policy; empty cover does not count; rows with another null are left out, null where no policy is old enough. Errors: 22008 infinite from_date or as_of, 22023 cover that ends before it begins, months not between 1 and 12000, or they are not the same for all rows';
CREATE AGGREGATE crm.persistency(policy_id bigint, from_date date, to_date date, months integer, as_of date, premium double precision) (
  SFUNC = crm._persistency_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._persistency_weighted, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.persistency(bigint, date, date, integer, date, double precision) IS
  'the same by the premium of each policy in its first row of cover, of several that begin together the one that ends last, then the largest. Errors: also 22003 premium NaN or infinite, 22023 negative';

CREATE FUNCTION crm._funnel_add(crm._trail, customer_id bigint, step integer, at timestamptz) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_funnel_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._funnel_add(crm._trail, bigint, integer, timestamptz) IS 'Transition of crm.funnel(). Errors: 22008, 22023.';
CREATE FUNCTION crm._funnel_add(crm._trail, customer_id bigint, step integer, at timestamptz, within interval) RETURNS crm._trail
  AS 'MODULE_PATHNAME', 'crm_funnel_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._funnel_add(crm._trail, bigint, integer, timestamptz, interval) IS 'Transition of crm.funnel(). Errors: 22008, 22023.';
CREATE FUNCTION crm._funnel(crm._trail) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'crm_funnel' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._funnel(crm._trail) IS 'Final function of crm.funnel(). Errors: 22023.';
CREATE AGGREGATE crm.funnel(customer_id bigint, step integer, at timestamptz) (
  SFUNC = crm._funnel_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._funnel, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.funnel(bigint, integer, timestamptz) IS
  'for each step from 1 to the highest in the rows, how many customers came so far: took step 1, then 2 at the same instant or later, and so on; each counts once however often they begin; rows with a null are left out, null without rows. Errors: 22008 infinite instant, 22023 step not between 1 and 100';
CREATE AGGREGATE crm.funnel(customer_id bigint, step integer, at timestamptz, within interval) (
  SFUNC = crm._funnel_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, FINALFUNC = crm._funnel, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.funnel(bigint, integer, timestamptz, interval) IS
  'the same with every step at most that long after step 1 (a day is 24 hours), counted from whichever step 1 leads furthest. Errors: also 22023 window negative, in months, or not the same for all rows';

CREATE TYPE crm.survival_step AS (
  duration double precision, at_risk bigint, events bigint, censored bigint,
  survival double precision, variance double precision, incidence double precision[]);
COMMENT ON TYPE crm.survival_step IS
  'what crm.survival() estimates at a duration: how many were under observation just before it, ended at it, and were last seen then; the share that lasts longer and Greenwood''s variance of it (null where none is left); by cause the share ended by that cause so far';
CREATE FUNCTION crm._survival_add(crm._tally, duration double precision, cause integer) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_survival_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._survival_add(crm._tally, double precision, integer) IS 'Transition of crm.survival(). Errors: 22003, 22023.';
CREATE FUNCTION crm._survival_add(crm._tally, duration integer, cause integer) RETURNS crm._tally
  AS 'MODULE_PATHNAME', 'crm_survival_add_whole' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._survival_add(crm._tally, integer, integer) IS 'Transition of crm.survival() over whole durations. Errors: 22023.';
CREATE FUNCTION crm._survival(crm._tally) RETURNS crm.survival_step[]
  AS 'MODULE_PATHNAME', 'crm_survival' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._survival(crm._tally) IS 'Final function of crm.survival(). Errors: 22003, 22023, 54000.';
CREATE AGGREGATE crm.survival(duration double precision, cause integer) (
  SFUNC = crm._survival_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._survival, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.survival(double precision, integer) IS
  'how long rows last, a step for each different duration, ascending: the share that lasts longer (Kaplan and Meier 1958), its variance (Greenwood 1926), and by cause the share ended by it so far, the causes competing (Aalen and Johansen 1978); duration in any unit, cause from 1 to 16, or 0 for what had not ended when last seen, which counts as after the ends of that duration; rows with a null are left out, null without rows. Errors: 22003 duration NaN or infinite, 22023 negative, or another cause, 54000';
CREATE AGGREGATE crm.survival(duration integer, cause integer) (
  SFUNC = crm._survival_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._survival, PARALLEL = SAFE);
COMMENT ON AGGREGATE crm.survival(integer, integer) IS
  'how long rows last, a step for each different duration, ascending: the share that lasts longer (Kaplan and Meier 1958), its variance (Greenwood 1926), and by cause the share ended by it so far, the causes competing (Aalen and Johansen 1978); duration in any unit, cause from 1 to 16, or 0 for what had not ended when last seen, which counts as after the ends of that duration; rows with a null are left out, null without rows. Errors: 22023 duration negative, or another cause, 54000';
