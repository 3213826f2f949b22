-- Instances of the generalised assignment problem, the same for the same seed.
--   psql -v kind=d -v customers=200 -v holders=10 -v seed=0.5 -f weighted.sql
-- Types c and d are those of S. Martello and P. Toth, Knapsack Problems (Wiley 1990), chapter 7, as used by P. C. Chu and J. E. Beasley,
-- A genetic algorithm for the generalised assignment problem, Computers & Operations Research 24 (1997); type e is that of M. Laguna, J. P. Kelly,
-- J. L. Gonzalez-Velarde and F. Glover, Tabu search for the multilevel generalized assignment problem, European Journal of Operational Research 82 (1995).
-- All values are whole numbers, costs are to be least, every customer may go to every holder.
--   c   load 5..25, cost 10..50
--   d   load 1..100, cost 111 - load + (-10..10)
--   e   load 1 - 10 ln(0..1], cost 1000 / load - 10 (0..1)
-- Each capacity is 0.8 of the holder's loads in all, over the number of holders.
--   sparse   a large book: 20 holders for each customer, load 1..5, cost 0..999
DROP TABLE IF EXISTS edge, capacity;
SELECT setseed(:seed);

CREATE TABLE edge AS
SELECT g::bigint AS customer_id, h::bigint AS holder_id, l.load::bigint AS load,
  CASE :'kind' WHEN 'c' THEN 10 + floor(41 * random()) WHEN 'd' THEN 111 - l.load + floor(21 * random()) - 10
    ELSE round(1000 / l.load - 10 * random()) END AS cost
FROM generate_series(1, :customers) g, generate_series(1, :holders) h, LATERAL (
  SELECT CASE :'kind' WHEN 'c' THEN 5 + floor(21 * random()) WHEN 'd' THEN 1 + floor(100 * random())
    ELSE round(1 - 10 * ln(1 - random())) END AS load WHERE g > 0 AND h > 0) l
WHERE :'kind' <> 'sparse'
UNION ALL
SELECT g, 1 + (k * :holders / 20 + floor(random() * (:holders / 20)))::bigint, l.load, floor(random() * 1000)
FROM generate_series(1, :customers) g, generate_series(0, 19) k, LATERAL (SELECT (1 + floor(5 * random()))::bigint AS load WHERE g > 0 AND k >= 0) l
WHERE :'kind' = 'sparse';

CREATE TABLE capacity AS
SELECT holder_id, floor(0.8 * sum(load) / CASE :'kind' WHEN 'sparse' THEN 20 ELSE :holders END)::bigint AS capacity
FROM edge GROUP BY holder_id;
VACUUM ANALYZE edge, capacity;
