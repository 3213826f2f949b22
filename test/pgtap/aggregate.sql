-- Rates on any table beside what is published and what the figures of a book say.
-- psql --set data=FOLDER; FOLDER holds cdnow; what is missing is skipped.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\if :{?data}
\else
\set data ''
\endif
BEGIN;
SELECT no_plan();

-- CDNOW, 2,357 customers: 946 buy again within the 39 weeks of calibration (Fader, Hardie and Lee 2005)
\set source :data '/cdnow/cdnow_sample.csv'
\setenv SOURCE :source
\set have `test -r "$SOURCE" && echo true || echo false`
\if :have
CREATE TEMPORARY TABLE load (id_master bigint, id text, day date, discs integer, dollars numeric);
\set copy '\\copy load from program ''cat "$SOURCE"'' with (format csv, header)'
:copy
SELECT is(crm.repeat_rate(id_master, day) FILTER (WHERE day <= '1997-09-30'), 946 / 2357::double precision, 'CDNOW: 946 of 2357 bought again') FROM load;
\else
SELECT skip('there is no folder cdnow with data');
\endif

-- the figures of a generated book
CALL crm.generate(customers => 1500, seed => 11, as_of => '2024-12-31', years => 4, units => ARRAY[2, 5, 8]);
CALL crm.rebuild('2024-12-31', NULL);
SET LOCAL crm.as_of = '2024-12-31';
CREATE TEMPORARY VIEW figure AS
SELECT code, period_start, period_end, sum(numerator) AS numerator, sum(denominator) AS denominator
FROM crm_bi.kpi WHERE org_level = 0 AND grain = 'quarter' AND period_start >= '2021-01-01' AND is_complete GROUP BY code, period_start, period_end;
SELECT is((SELECT count(*) FROM figure WHERE code = 'total_churn' AND numerator > 0)::integer, 16, 'customers are lost in every quarter');
SELECT is_empty($$
  SELECT f.period_start, f.numerator, f.denominator, churn
  FROM figure AS f, LATERAL (SELECT crm.churn(c.customer_id, c.from_date, c.to_date, f.period_start - 1, f.period_end) AS churn FROM crm.cover AS c) AS a
  WHERE f.code = 'total_churn' AND churn IS DISTINCT FROM (f.numerator::double precision / f.denominator)$$, 'churn is that of the figures in every quarter');
SELECT ok(bool_and(abs(1 - s.survival - (SELECT sum(i) FROM unnest(s.incidence) AS i)) < 1e-9) AND max(s.at_risk) = (SELECT count(*) FROM crm.cover WHERE from_date < '2025-01-01'), 'what ends cover and what lasts are all of it')
FROM unnest((SELECT crm.survival(least(to_date, '2025-01-01') - from_date, CASE WHEN to_date > '2024-12-31' THEN 0 WHEN ended_by = 'lapse' THEN 1 ELSE 2 END) FROM crm.cover WHERE from_date < '2025-01-01')) AS s;

-- anybody may use them
CREATE ROLE aggregate_user;
GRANT USAGE ON SCHEMA crm TO aggregate_user;
SET LOCAL ROLE aggregate_user;
SELECT is(format('%s %s', crm.repeat_rate(i % 2, '2024-01-01'::date + i), crm.funnel(i, 1, '2024-01-01')), '1 {4}', 'a role without rights uses them') FROM generate_series(1, 4) AS i;
RESET ROLE;
SELECT is_empty('SELECT * FROM crm.check()', 'the book is in order');
SELECT * FROM finish();
ROLLBACK;
