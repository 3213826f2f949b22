-- Small instances of the assignment problem, our answers, and the same as linear programs.
--   psql -v cases=300 -f assign.sql
SET client_min_messages = warning;
SELECT setseed(0.25);
CREATE EXTENSION crm;

CREATE TABLE instance AS
SELECT k, CASE WHEN k > :cases THEN 'groups' ELSE (ARRAY['places', 'floors', 'loads'])[1 + k % 3] END AS kind, k % 16 = 1 AS tight,
  CASE WHEN k % 8 > 1 THEN 1 + floor(random() * 12) WHEN k % 3 = 2 THEN 10 + floor(random() * 15) ELSE 60 + floor(random() * 100) END::int AS customers,
  CASE WHEN k % 8 > 1 THEN 1 + floor(random() * 4) ELSE 3 + floor(random() * 6) END::int AS holders,
  (ARRAY['few', 'signed', 'same'])[1 + k / 3 % 3] AS benefits, 0.3 + random() AS room
FROM generate_series(1, :cases + :cases / 2) k;
CREATE TABLE edge AS
SELECT k, 5 * c - 11 AS customer_id, 10 * h AS holder_id, kind,
  floor(CASE benefits WHEN 'few' THEN random() * 3 WHEN 'signed' THEN random() * 101 - 50 ELSE 1 END)::int AS benefit,
  CASE kind WHEN 'loads' THEN floor(random() * 10)::int ELSE 1 END AS load
FROM instance, generate_series(1, customers) c, generate_series(1, holders) h WHERE random() < 0.7;
CREATE TABLE capacity AS
SELECT k, holder_id, kind, capacity, CASE WHEN kind NOT IN ('floors', 'groups') THEN 0
  WHEN tight THEN least(capacity, (customers + h - 1) / holders) ELSE least(capacity, round(CASE kind WHEN 'groups' THEN 0.7 ELSE 1.6 END * random() * customers / holders))::int END AS floor, holder_id AS within
FROM (SELECT k, kind, tight, customers, holders, h, 10 * h AS holder_id, floor(2 * random() * room * customers / holders * CASE kind WHEN 'loads' THEN 5 WHEN 'floors' THEN 2 WHEN 'groups' THEN 1.5 ELSE 1 END)::int AS capacity
      FROM instance, generate_series(1, holders) h) s;
-- up to three limits over several holders; who finds no place has one outside
INSERT INTO edge SELECT k, customer_id, 0, kind, 0, 1 FROM edge WHERE kind = 'groups' GROUP BY k, customer_id, kind;
UPDATE capacity SET within = 1000 + (holder_id / 10 + k) % 4 WHERE kind = 'groups' AND (holder_id / 10 + k) % 4 > 0;
INSERT INTO capacity
SELECT k, within, kind, floor(sum(capacity) * CASE WHEN k % 5 = 0 THEN 1 ELSE random() * 1.2 END)::int, 0, within FROM capacity WHERE within > 1000 GROUP BY k, within, kind;
INSERT INTO capacity SELECT k, 0, kind, 1000, 0, 0 FROM instance WHERE kind = 'groups';

-- The answer with one capacity and one floor changed.
CREATE FUNCTION answer(k integer, objective text, holder_id integer DEFAULT NULL, more integer DEFAULT 0, less integer DEFAULT 0,
                       OUT state text, OUT n bigint, OUT total numeric, OUT s crm.assignment) LANGUAGE plpgsql AS $$
BEGIN
  s := crm.solve_assignment(format('SELECT customer_id, holder_id, benefit, load FROM edge WHERE k = %s', k),
    format('SELECT holder_id, capacity + CASE holder_id WHEN %1$L THEN %2$s ELSE 0 END AS capacity, floor - CASE holder_id WHEN %1$L THEN %3$s ELSE 0 END AS floor, within FROM capacity WHERE k = %4$s',
           holder_id, more, less, k), objective, 60);
  n := s.assigned;
  total := s.total;
  state := CASE WHEN s.is_proven AND s.bound = s.total AND s.assigned_bound = s.assigned THEN 'best' ELSE 'unproven' END;
EXCEPTION WHEN invalid_parameter_value THEN
  state := CASE WHEN SQLERRM = 'the floors of the capacities query cannot all be met' THEN 'impossible' ELSE SQLERRM END;
END
$$;
CREATE TABLE ours AS
SELECT i.k, i.kind, o.objective, r.* FROM instance i CROSS JOIN (VALUES ('max'), ('min')) o(objective) CROSS JOIN LATERAL answer(i.k, o.objective) r
WHERE EXISTS (SELECT FROM edge e WHERE e.k = i.k);

-- A customer without a holder costs more than all benefits can bring.
CREATE VIEW variable AS SELECT *, row_number() OVER (PARTITION BY k ORDER BY customer_id, holder_id) AS x FROM edge;
CREATE FUNCTION program(k integer, objective text) RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(E'\n', 'Maximize', ' total:',
    (SELECT string_agg(format(' + %s x%s', 100000 + CASE program.objective WHEN 'max' THEN v.benefit ELSE -v.benefit END, v.x), E'\n' ORDER BY v.x) FROM variable v WHERE v.k = program.k),
    'Subject To',
    (SELECT string_agg(format(' c%s: %s <= 1', c.n, c.terms), E'\n') FROM (
       SELECT row_number() OVER (ORDER BY v.customer_id) AS n, string_agg('x' || v.x, ' + ' ORDER BY v.x) AS terms FROM variable v WHERE v.k = program.k GROUP BY v.customer_id) c),
    (SELECT string_agg(format(E' l%s: %s <= %s\n n%s: %s >= %s', h.holder_id, h.loads, h.capacity, h.holder_id, h.heads, h.floor), E'\n') FROM (
       SELECT c.holder_id, c.capacity, c.floor, coalesce(string_agg(v.load || ' x' || v.x, ' + ' ORDER BY v.x), '0 x1') AS loads,
         coalesce(string_agg('x' || v.x, ' + ' ORDER BY v.x), '0 x1') AS heads
       FROM capacity c LEFT JOIN (SELECT m.within, y.* FROM variable y JOIN capacity m ON m.k = y.k AND m.holder_id = y.holder_id
         UNION SELECT y.holder_id, y.* FROM variable y) v ON v.k = c.k AND v.within = c.holder_id WHERE c.k = program.k GROUP BY c.holder_id, c.capacity, c.floor) h),
    'Binary', (SELECT string_agg(' x' || v.x, E'\n' ORDER BY v.x) FROM variable v WHERE v.k = program.k), 'End')
$$;
