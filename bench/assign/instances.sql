-- Instances of the assignment problem, the same for the same seed.
--   psql -v kind=uniform -v customers=100000 -v holders=1000 -v load=0.9 -f instances.sql
-- Every customer has 20 edges to different holders (dense: an edge to each). Benefits are whole numbers, so that totals can be compared exactly.
--   uniform    holders all over, benefit at random in 0..999,999
--   clustered  16 holders of the customer's own region and 4 elsewhere; the nearer, the better
--   tied       holders all over, benefit at random in 0..9
--   dense      every holder, benefit at random in 0..999,999
-- load is the total capacity over the number of customers; capacities differ by a factor of up to 3.
DROP TABLE IF EXISTS edge, capacity, place;
SELECT setseed(0.5);

CREATE TABLE capacity AS
SELECT h AS holder_id, greatest(floor(:load * :customers * w / sum(w) OVER ()), 1)::bigint AS capacity
FROM (SELECT h, 0.5 + random() AS w FROM generate_series(1, :holders) h) s;

-- regions of 32 holders, each around a point of the unit square
CREATE TABLE place AS
SELECT h AS holder_id, r.x + 0.1 * random() AS x, r.y + 0.1 * random() AS y
FROM generate_series(1, :holders) h
JOIN (SELECT r, random() AS x, random() AS y FROM generate_series(0, (:holders - 1) / 32) r) r ON r.r = (h - 1) / 32;

CREATE TABLE edge AS
SELECT g::bigint AS customer_id, 1 + (k * :holders / 20 + floor(random() * (:holders / 20)))::bigint AS holder_id,
  floor(random() * CASE :'kind' WHEN 'tied' THEN 10 ELSE 1000000 END)::double precision AS benefit
FROM generate_series(1, :customers) g, generate_series(0, 19) k
WHERE :'kind' IN ('uniform', 'tied')
UNION ALL
SELECT g, h, floor(random() * 1000000) FROM generate_series(1, :customers) g, generate_series(1, :holders) h
WHERE :'kind' = 'dense'
UNION ALL
SELECT e.g, e.h, round(1000000 * (2 - sqrt((e.x - p.x) ^ 2 + (e.y - p.y) ^ 2)))
FROM (SELECT g, x, y, 1 + CASE WHEN k < 16 THEN 32 * r + 2 * k + (random() < 0.5)::int
        ELSE (32 * (r + 1) + floor(((k - 16) + random()) * (:holders - 32) / 4))::bigint % :holders END AS h
      FROM (SELECT g, r, c.x + 0.1 * random() AS x, c.y + 0.1 * random() AS y
            FROM (SELECT g, floor(random() * (:holders / 32))::int AS r FROM generate_series(1, :customers) g) s
            JOIN (SELECT (holder_id - 1) / 32 AS r, min(x) AS x, min(y) AS y FROM place GROUP BY 1) c USING (r)
            WHERE :'kind' = 'clustered' ORDER BY g) s, generate_series(0, 19) k) e
JOIN place p ON p.holder_id = e.h;
VACUUM ANALYZE edge, capacity;
