-- crm.split and crm.apportion: sums, an independent largest remainder, and seats given one by one in PL/pgSQL
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  EXECUTE query;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' | ' || nullif(detail, ''), '');
END
$$;

SELECT amount, shares, crm.split(amount, shares), crm.split(amount, shares, 4)
FROM (VALUES (100, '{1,1,1}'::numeric[]), (-100, '{1,1,1}'), (0.01, '{1,1,1}'), (-0.02, '{3,2,1}'), (100.00, '{0.5,0.25,0.25}'), (10, '{0,1,0,2,0}'),
  (0, '{1,2}'), (0, '{0,0}'), (0, '{}'), (99.99, '{7}'), (1, '{1e-50,1e50}'), (0.05, '{1,1,1,1,1,1,1}')) AS v (amount, shares);
SELECT crm.split(7, '{1,1,1}', 0), crm.split(0.0000000001, '{1,1}', 10), crm.split(12345678901234567890123456789012345678.90, '{1,1,1}'), crm.split(5.000, '{1,1}', 0);
SELECT crm.split(1e99, '{1,1,1}', 0), crm.split(1, '{1,1,1}', 100);
SELECT crm.split(NULL, '{1}'), crm.split(1, NULL), crm.split(1, '{1}', NULL);
SELECT array_lower(crm.split(1, '[5:7]={1,1,1}'), 1) AS lower_bound;

-- random splits against window functions: whole quota, then one more for the largest remainders
SELECT setseed(0.125);
CREATE TEMPORARY TABLE splits AS
SELECT i, scale, round(((random() - 0.5) * 10 ^ (i % 7))::numeric, scale) AS amount,
  (SELECT array_agg(CASE WHEN (i + k) % 5 = 0 AND k > 1 THEN 0 ELSE round((random() * 10 ^ (i % 4))::numeric + 0.001, i % 4) + CASE WHEN k = 1 THEN 1 ELSE 0 END END) FROM generate_series(1, 1 + i % 13) AS k) AS shares
FROM (SELECT i, i % 5 AS scale FROM generate_series(1, 3000) AS i) AS n
UNION ALL
-- within and beyond what fits in machine integers, few arrays of shares for many amounts
SELECT i, scale, round(((random() - 0.5) * 10 ^ (i % 23))::numeric, scale),
  (ARRAY['{0.3,0.7}', '{0.333333,0.333333,0.333334}', '{1,0,1.000000000000000000}', '{0.0000000000000000001,1}', '{4611686018427387904,4611686018427387904}', '{9223372036854775807,1}',
         '{999999999999,1,0.000001}', '{1e18,1}', '{2,2,2}', '{2.0,2,2}'])[1 + i % 10]::numeric[]
FROM (SELECT i, i * 7 % 20 AS scale FROM generate_series(3001, 5000) AS i) AS n;
CREATE TEMPORARY TABLE quotas AS
SELECT i, k, share, sign(amount) AS sign, units, total, div(units * share, total) AS whole, units * share - div(units * share, total) * total AS remainder
FROM (SELECT *, abs(amount) * 10::numeric ^ scale AS units, (SELECT sum(x) FROM unnest(shares) AS x) AS total FROM splits) AS s, unnest(shares) WITH ORDINALITY AS u (share, k);
CREATE TEMPORARY TABLE expected AS
SELECT i, array_agg(round(sign * part * ('1e-' || scale)::numeric, scale) ORDER BY k) AS parts
FROM (SELECT i, k, sign, whole + CASE WHEN row_number() OVER (PARTITION BY i ORDER BY remainder DESC, k) <= units - sum(whole) OVER (PARTITION BY i) THEN 1 ELSE 0 END AS part FROM quotas) AS q
JOIN splits USING (i) GROUP BY i;
SELECT count(*), count(*) FILTER (WHERE parts = crm.split(amount, shares, scale)) AS equal,
  count(*) FILTER (WHERE amount = (SELECT sum(p) FROM unnest(crm.split(amount, shares, scale)) AS p)) AS sums,
  count(*) FILTER (WHERE (SELECT bool_and(scale(p) = scale) FROM unnest(crm.split(amount, shares, scale)) AS p)) AS scales,
  count(*) FILTER (WHERE crm.split(-amount, shares, scale) = (SELECT array_agg(-p ORDER BY k) FROM unnest(crm.split(amount, shares, scale)) WITH ORDINALITY AS u (p, k))) AS mirrored,
  count(*) FILTER (WHERE crm.split(amount, (SELECT array_agg(x * 12.5 ORDER BY k) FROM unnest(shares) WITH ORDINALITY AS u (x, k)), scale) = parts) AS scaled
FROM splits JOIN expected USING (i);

-- apportionment
SELECT seats, weights, crm.apportion(seats, weights), crm.apportion(seats, weights, 'dhondt') AS dhondt, crm.apportion(seats, weights, 'sainte_lague') AS sainte_lague
FROM (VALUES (7, '{53,24,23}'::numeric[]), (1, '{1,1,1}'), (2, '{1,1,1}'), (21, '{5100,4900}'), (0, '{}'), (0, '{0,0}'), (0, '{1}'), (5, '{0,1,0}'), (3, '{1e-50,1e50}'), (4, '{3,1}'), (3, '{3,1}'), (2, '{3,1}')) AS v (seats, weights);
SELECT m, crm.apportion(9223372036854775807, '{1}', m), crm.apportion(9223372036854775807, '{1,1}', m), crm.apportion(9223372036854775807, '{1,1e-60}', m), crm.apportion(9223372036854775807, '{3,2,1,1e-19,0}', m)
FROM unnest('{largest_remainder,dhondt,sainte_lague}'::text[]) AS m;
SELECT crm.apportion(NULL, '{1}'), crm.apportion(1, NULL), crm.apportion(1, '{1}', NULL);

CREATE FUNCTION pg_temp.seat_by_seat(seats bigint, weights numeric[], step integer) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  held bigint[] := array_fill(0::bigint, ARRAY[cardinality(weights)]);
  best integer;
BEGIN
  FOR s IN 1 .. seats LOOP
    best := NULL;
    FOR i IN 1 .. cardinality(weights) LOOP
      -- a quotient is higher, not equal: weight / (step x held + 1) compared crosswise
      IF weights[i] > 0 AND (best IS NULL OR weights[i] * (step * held[best] + 1) > weights[best] * (step * held[i] + 1)) THEN
        best := i;
      END IF;
    END LOOP;
    held[best] := held[best] + 1;
  END LOOP;
  RETURN held;
END
$$;
CREATE TEMPORARY TABLE elections AS
SELECT i, floor(random() * CASE WHEN i % 3 = 0 THEN 5 WHEN i % 3 = 1 THEN 40 ELSE 150 END)::bigint AS seats,
  (SELECT array_agg(CASE WHEN i % 4 = 0 THEN floor(random() * 4)::numeric + CASE WHEN k = 1 THEN 1 ELSE 0 END
                         WHEN i % 4 = 1 THEN round((random() ^ 6 * 1000 + 0.01)::numeric, 2)
                         WHEN i % 4 = 2 THEN 1000 + k % 3 ELSE round((random() * 100 + 1)::numeric, 1) END) FROM generate_series(1, 1 + i % 17) AS k) AS weights
FROM generate_series(1, 2000) AS i;
SELECT count(*),
  count(*) FILTER (WHERE crm.apportion(seats, weights, 'dhondt') = pg_temp.seat_by_seat(seats, weights, 1)) AS dhondt,
  count(*) FILTER (WHERE crm.apportion(seats, weights, 'sainte_lague') = pg_temp.seat_by_seat(seats, weights, 2)) AS sainte_lague,
  count(*) FILTER (WHERE crm.apportion(seats, weights)::numeric[] = crm.split(seats, weights, 0)) AS largest_remainder
FROM elections;
-- many seats: no seat could be moved to a higher quotient, ties to the smaller index
CREATE TEMPORARY TABLE crowded AS
SELECT i, step, seats, weights, crm.apportion(seats, weights, CASE step WHEN 1 THEN 'dhondt' ELSE 'sainte_lague' END) AS held
FROM (SELECT i, floor(random() * 9e18)::bigint AS seats, (SELECT array_agg(round((random() ^ 4 * 1e6)::numeric, i % 5) + CASE WHEN k = 1 THEN 0.5 ELSE 0 END) FROM generate_series(1, 2 + i % 40) AS k) AS weights
      FROM generate_series(1, 200) AS i) AS e, unnest('{1,2}'::integer[]) AS step;
SELECT count(*), count(*) FILTER (WHERE seats = (SELECT sum(h) FROM unnest(held) AS h)) AS sums,
  count(*) FILTER (WHERE NOT EXISTS (
    SELECT FROM unnest(weights, held) WITH ORDINALITY AS a (w, h, k), unnest(weights, held) WITH ORDINALITY AS b (w, h, k)
    WHERE a.k <> b.k AND b.h > 0
      AND (a.w * (step::numeric * (b.h - 1) + 1) > b.w * (step::numeric * a.h + 1) OR (a.w * (step::numeric * (b.h - 1) + 1) = b.w * (step::numeric * a.h + 1) AND a.k < b.k AND a.w > 0)))) AS settled
FROM crowded;
-- many parties
SELECT m, (SELECT sum(h) FROM unnest(a) AS h) AS seats, a = array_fill(3::bigint, '{10000}') AS even
FROM (SELECT m, crm.apportion(30000, (SELECT array_agg(1.5) FROM generate_series(1, 10000)), m) AS a FROM unnest('{largest_remainder,dhondt,sainte_lague}'::text[]) AS m OFFSET 0) AS r;

-- refused
SELECT q, pg_temp.outcome('SELECT crm.' || q)
FROM (VALUES ('split(1, ''{}'')'), ('split(1, ''{0,0}'')'), ('split(0.001, ''{1}'')'), ('split(1, ''{1}'', -1)'), ('split(1, ''{1}'', 101)'), ('split(1, ''{1,-1}'')'), ('split(1, ''{1,NULL}'')'),
  ('split(1, ''{1,NaN}'')'), ('split(1, ''{1,Infinity}'')'), ('split(1, ''{1,-Infinity}'')'), ('split(''NaN'', ''{1}'')'), ('split(''Infinity'', ''{1}'')'), ('split(''-Infinity'', ''{1}'')'), ('split(1, ''{{1,1},{1,1}}'')'),
  ('split(1e100, ''{1}'')'), ('split(-1e100, ''{1}'')'), ('split(1, ''{1e100}'')'), ('split(1, ''{1e-101}'')'), ('split(1e131000, ''{1}'')'), ('split(1, array_fill(1::numeric, ''{1000001}''))'),
  ('apportion(-1, ''{1}'')'), ('apportion(1, ''{}'')'), ('apportion(1, ''{0}'')'), ('apportion(1, ''{1}'', ''hare'')'), ('apportion(0, ''{1}'', ''DHONDT'')'), ('apportion(1, ''{1,-1}'')'), ('apportion(0, ''{NULL}'')'),
  ('apportion(1, ''{NaN}'', ''dhondt'')'), ('apportion(1, ''{Infinity}'', ''sainte_lague'')'), ('apportion(1, ''{{1}}'')'), ('apportion(1, ''{1e100}'', ''dhondt'')'), ('apportion(0, array_fill(1::numeric, ''{1000001}''))'),
  ('apportion(1, ''{1}'', repeat(''x'', 1048576))')) AS v (q);
