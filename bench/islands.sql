-- The accounts of the whole book in plain SQL at its best: gaps and islands, all periods at once.
-- From crm.cover, as CALL crm.rebuild() starts; to islands.kpi, one row per node with its subtree, channel, kind,
-- account, class and period.  PostgreSQL and DuckDB run the same text.  Variable as_of: the day it stands on.
-- Cells (unit, channel, kind) are one number, (unit * 1000 + channel) * 2 + company, so that grouping compares
-- one number; a state is coverage + 4 * (activity + 4 * (tier + 6 * (long-term + 2 * plan))).

CREATE UNLOGGED TABLE islands.calendar AS
SELECT d.d::date AS day, (extract(year FROM d.d) * 12 + extract(month FROM d.d) - 1)::integer AS month
FROM generate_series(timestamp '1990-01-01', timestamp '2030-12-31', interval '1 day') AS d (d);

-- cover with the rank that tells the main policy of those in force
CREATE UNLOGGED TABLE islands.cover AS
SELECT c.customer_id, c.policy_id, c.role = 'policyholder' AS own, c.from_date, c.to_date, c.ended_by = 'lapse' AS lapse,
       c.issued_on, c.channel_id, c.long_term, c.own_book, c.amount,
       row_number() OVER (PARTITION BY c.customer_id ORDER BY c.role DESC, c.annual_premium DESC, c.issued_on, c.policy_id) * 1000 + c.channel_id AS main
FROM crm.cover c WHERE c.from_date < c.to_date AND c.from_date <= date :'as_of';
ANALYZE islands.cover;

-- the days on which a customer's standing may change, numbered by customer and day
CREATE UNLOGGED TABLE islands.boundary AS
SELECT row_number() OVER (ORDER BY e.customer_id, e.day) AS id, e.customer_id, e.day,
       bool_or(e.purchase) AS purchase, bool_or(e.long_purchase) AS long_purchase, max(e.cover_end) AS cover_end,
       max(e.org_id) AS org_id, max(e.own_policy) % 1000 AS own_channel, max(e.other_policy) % 1000 AS other_channel
FROM (
  SELECT c.customer_id, c.from_date AS day, c.own AND c.issued_on = c.from_date AS purchase,
         c.own AND c.long_term AND c.issued_on = c.from_date AS long_purchase, NULL::integer AS cover_end, NULL::bigint AS org_id,
         CASE WHEN c.own AND c.issued_on = c.from_date THEN c.policy_id * 1000 + c.channel_id END AS own_policy,
         CASE WHEN NOT c.own AND c.issued_on = c.from_date THEN c.policy_id * 1000 + c.channel_id END AS other_policy
  FROM islands.cover c
  UNION ALL
  SELECT c.customer_id, c.issued_on, c.own, c.own AND c.long_term, NULL, NULL,
         CASE WHEN c.own THEN c.policy_id * 1000 + c.channel_id END, CASE WHEN NOT c.own THEN c.policy_id * 1000 + c.channel_id END
  FROM islands.cover c WHERE c.issued_on < c.from_date
  UNION ALL
  SELECT c.customer_id, c.to_date, false, false, CASE WHEN c.lapse THEN 1 ELSE 0 END, NULL, NULL, NULL
  FROM islands.cover c WHERE c.to_date <= date :'as_of'
  UNION ALL
  SELECT p.customer_id, p.day + t.days, false, false, NULL, NULL, NULL, NULL
  FROM (SELECT c.customer_id, c.issued_on AS day, lead(c.issued_on) OVER (PARTITION BY c.customer_id ORDER BY c.issued_on) AS next_day
        FROM islands.cover c WHERE c.own GROUP BY c.customer_id, c.issued_on) p
  CROSS JOIN (VALUES (365), (1095)) AS t (days)
  WHERE p.day + t.days < coalesce(p.next_day, date '2999-01-01') AND p.day + t.days <= date :'as_of'
  UNION ALL
  SELECT o.customer_id, o.from_date, false, false, NULL, o.org_id, NULL, NULL FROM crm.customer_organisation o WHERE o.from_date <= date :'as_of'
  UNION ALL
  SELECT k.id, k.known_from, false, false, NULL, NULL, NULL, NULL FROM crm.customer k WHERE k.known_from <= date :'as_of') e
GROUP BY e.customer_id, e.day;
ANALYZE islands.boundary;

-- what is in force from each of these days on
CREATE UNLOGGED TABLE islands.in_force AS
SELECT b.id, bool_or(c.long_term) AS long_term, bool_or(c.own AND c.long_term AND c.own_book) AS plan,
       sum(CASE WHEN c.own THEN c.amount ELSE 0 END) AS amount, min(c.main) % 1000 AS channel_id
FROM islands.boundary b
JOIN islands.cover c ON c.customer_id = b.customer_id AND c.from_date <= b.day AND b.day < c.to_date
GROUP BY b.id;
ANALYZE islands.in_force;

CREATE UNLOGGED TABLE islands.segment AS
SELECT s.id, s.customer_id, m.month,
       (coalesce(s.move % 1000000, k.org_id) * 1000 + coalesce(s.channel_id, s.own_last % 1000, s.other_last % 1000, k.source_channel_id)) * 2
         + CASE WHEN k.kind = 'company' THEN 1 ELSE 0 END AS cell,
       CASE WHEN s.channel_id IS NOT NULL THEN 2 WHEN s.was THEN 3 WHEN k.known_from <= s.day THEN 1 ELSE 0 END
         + 4 * (CASE WHEN s.purchase_day IS NULL THEN 0 WHEN s.day - s.purchase_day >= 1095 THEN 3 WHEN s.day - s.purchase_day >= 365 THEN 2 ELSE 1 END
         + 4 * (CASE WHEN s.channel_id IS NULL THEN 0 WHEN s.amount > 100000000 THEN 5 WHEN s.amount > 50000000 THEN 4
                     WHEN s.amount > 30000000 THEN 3 WHEN s.amount >= 10000000 THEN 2 ELSE 1 END
         + 6 * (CASE WHEN s.long_term THEN 1 ELSE 0 END + CASE WHEN s.plan THEN 2 ELSE 0 END))) AS state,
       s.was, s.purchase, s.first_purchase, s.last_purchase, s.last_long_purchase, s.last_end,
       lead(m.month) OVER (PARTITION BY s.customer_id ORDER BY s.id) AS next_month
FROM (
  SELECT b.id, b.customer_id, b.day, b.purchase, f.long_term, f.plan, f.amount, f.channel_id,
         max(CASE WHEN b.org_id IS NOT NULL THEN b.id * 1000000 + b.org_id END) OVER w AS move,
         max(CASE WHEN b.own_channel IS NOT NULL THEN b.id * 1000 + b.own_channel END) OVER w AS own_last,
         max(CASE WHEN b.other_channel IS NOT NULL THEN b.id * 1000 + b.other_channel END) OVER w AS other_last,
         coalesce(bool_or(f.id IS NOT NULL) OVER w, false) AS was,
         max(CASE WHEN b.purchase THEN b.day END) OVER w AS purchase_day,
         min(CASE WHEN b.purchase THEN b.id END) OVER w AS first_purchase,
         max(CASE WHEN b.purchase THEN b.id END) OVER w AS last_purchase,
         max(CASE WHEN b.long_purchase THEN b.id END) OVER w AS last_long_purchase,
         max(CASE WHEN b.cover_end IS NOT NULL THEN b.id * 2 + b.cover_end END) OVER w AS last_end
  FROM islands.boundary b
  LEFT JOIN islands.in_force f ON f.id = b.id
  WINDOW w AS (PARTITION BY b.customer_id ORDER BY b.id ROWS UNBOUNDED PRECEDING)) s
JOIN crm.customer k ON k.id = s.customer_id
JOIN islands.calendar m ON m.day = s.day;
ANALYZE islands.segment;

-- the standing at the end of each month in which it changed, with the one before
CREATE UNLOGGED TABLE islands.month_end AS
SELECT s.*, lag(s.id) OVER w AS lo, lag(s.cell) OVER w AS lo_cell, lag(s.state) OVER w AS lo_state, lag(s.was) OVER w AS lo_was
FROM islands.segment s
WHERE s.next_month IS NULL OR s.next_month > s.month
WINDOW w AS (PARTITION BY s.customer_id ORDER BY s.id);
ANALYZE islands.month_end;

-- opening and closing standing of the periods in which anything happened; periods p up to before q
CREATE UNLOGGED TABLE islands.span AS
SELECT s.grain, s.p, s.q, s.lo_cell, s.cell,
       CASE WHEN s.state % 4 = 2 AND NOT coalesce(s.lo_was, false) THEN 1 ELSE 0 END
         + CASE WHEN s.lo_state % 4 = 2 AND s.state % 4 = 2 AND s.lo_cell <> s.cell THEN 2 ELSE 0 END
         + CASE WHEN s.lo_state / 192 % 2 = 1 AND s.last_long_purchase > s.lo THEN 8 ELSE 0 END
         + CASE WHEN s.lo_state % 4 = 2 AND s.last_purchase > s.lo THEN 16 ELSE 0 END
         + CASE WHEN s.lo_state % 4 = 2 AND s.state % 4 <> 2 THEN 32 + CASE WHEN s.last_end % 2 = 1 AND s.last_end / 2 > s.lo THEN 64 ELSE 0 END ELSE 0 END
         + CASE WHEN s.lo_was AND s.lo_state % 4 <> 2 AND s.state % 4 = 2 THEN 128 ELSE 0 END AS mask
FROM (
  SELECT 1 AS grain, e.month AS p, e.month + 1 AS q, e.lo, e.lo_cell, e.lo_state, e.lo_was, e.cell, e.state, e.last_purchase, e.last_long_purchase, e.last_end
  FROM islands.month_end e
  UNION ALL
  SELECT 2, e.month / 3, e.month / 3 + 1, lag(e.id) OVER wq, lag(e.cell) OVER wq, lag(e.state) OVER wq, lag(e.was) OVER wq, e.cell, e.state, e.last_purchase, e.last_long_purchase, e.last_end
  FROM islands.month_end e
  WHERE e.next_month IS NULL OR e.next_month / 3 > e.month / 3
  WINDOW wq AS (PARTITION BY e.customer_id ORDER BY e.id)
  UNION ALL
  SELECT 3, e.month / 12, e.month / 12 + 1, lag(e.id) OVER wy, lag(e.cell) OVER wy, lag(e.state) OVER wy, lag(e.was) OVER wy, e.cell, e.state, e.last_purchase, e.last_long_purchase, e.last_end
  FROM islands.month_end e
  WHERE e.next_month IS NULL OR e.next_month / 12 > e.month / 12
  WINDOW wy AS (PARTITION BY e.customer_id ORDER BY e.id)
  UNION ALL
  -- trailing twelve: the closing standing changes in the month of a change, the opening one twelve months later
  SELECT 4, t.p, t.q, o.id, o.cell, o.state, o.was, c.cell, c.state, c.last_purchase, c.last_long_purchase, c.last_end
  FROM (SELECT b.p, lead(b.p) OVER wt AS q, max(b.lo) OVER wt AS lo, max(b.hi) OVER wt AS hi
        FROM (SELECT u.customer_id, u.p, max(u.lo) AS lo, max(u.hi) AS hi
              FROM (SELECT e.customer_id, e.month AS p, NULL::bigint AS lo, e.id AS hi FROM islands.month_end e
                    UNION ALL
                    SELECT e.customer_id, e.month + 12, e.id, NULL FROM islands.month_end e) u
              GROUP BY u.customer_id, u.p) b
        WINDOW wt AS (PARTITION BY b.customer_id ORDER BY b.p)) t
  JOIN islands.month_end c ON c.id = t.hi
  LEFT JOIN islands.month_end o ON o.id = t.lo
  WHERE t.hi > coalesce(t.lo, 0) AND t.p <= (SELECT m.month FROM islands.calendar m WHERE m.day = date :'as_of')) s;
ANALYZE islands.span;

-- changes of balances (grain 0) and of trailing twelve months, turnovers of the other grains, of each unit
CREATE UNLOGGED TABLE islands.change AS
SELECT a.account, CASE a.account WHEN 4 THEN s.state % 4 WHEN 5 THEN s.state / 4 % 4 WHEN 6 THEN s.state / 16 % 6 ELSE 0 END AS class,
       0 AS grain, s.cell, s.month AS p, sum(s.n) AS n
FROM (SELECT x.cell, x.state, x.month, sum(x.n) AS n
      FROM (SELECT e.cell, e.state, e.month, 1 AS n FROM islands.month_end e WHERE e.cell <> coalesce(e.lo_cell, 0) OR e.state <> coalesce(e.lo_state, -1)
            UNION ALL
            SELECT e.lo_cell, e.lo_state, e.month, -1 FROM islands.month_end e WHERE e.cell <> e.lo_cell OR e.state <> e.lo_state) x
      WHERE x.state % 4 > 0
      GROUP BY x.cell, x.state, x.month) s
CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6)) AS a (account)
WHERE CASE a.account WHEN 1 THEN s.state % 4 = 2 WHEN 2 THEN s.state / 96 % 2 = 1 WHEN 3 THEN s.state / 192 % 2 = 1 ELSE true END
GROUP BY 1, 2, s.cell, s.month
HAVING sum(s.n) <> 0
UNION ALL
SELECT a.account, 0, s.grain, CASE WHEN a.closing THEN s.cell ELSE s.lo_cell END, CASE WHEN x.n = 1 THEN s.p ELSE s.q END, sum(x.n)
FROM islands.span s
CROSS JOIN (VALUES (21, 1, true), (22, 2, true), (23, 2, false), (24, 8, false), (25, 16, false), (26, 32, false), (27, 64, false), (28, 128, false), (29, 128, true)) AS a (account, bit, closing)
CROSS JOIN (VALUES (1), (-1)) AS x (n)
WHERE s.mask > 0 AND (s.mask / a.bit) % 2 = 1 AND (x.n = 1 OR s.grain = 4 AND s.q IS NOT NULL)
GROUP BY 1, 3, 4, 5
UNION ALL
SELECT 20, 0, g.grain, s.cell, CASE WHEN x.n = 1 THEN s.month / g.span ELSE s.month + 12 END, sum(x.n)
FROM islands.segment s
CROSS JOIN (VALUES (1, 1), (2, 3), (3, 12), (4, 1)) AS g (grain, span)
CROSS JOIN (VALUES (1), (-1)) AS x (n)
WHERE s.purchase AND s.id = s.first_purchase AND (x.n = 1 OR g.grain = 4)
GROUP BY 3, 4, 5;
ANALYZE islands.change;

-- up the tree, changes into amounts
CREATE UNLOGGED TABLE islands.kpi AS
SELECT s.account, s.class, CASE WHEN s.grain = 0 THEN 1 ELSE s.grain END AS grain, s.cell / 2000 AS org_id, s.cell % 2000 / 2 AS channel_id, s.cell % 2 = 1 AS company,
       s.m AS period, s.n
FROM (
  SELECT t.account, t.class, t.grain, t.cell, g.m, t.n
  FROM (SELECT c.account, c.class, c.grain, c.cell, c.p, sum(c.n) OVER w AS n, lead(c.p) OVER w AS q
        FROM (SELECT c.account, c.class, c.grain, t.ancestor_id * 2000 + c.cell % 2000 AS cell, c.p, sum(c.n)::bigint AS n
              FROM islands.change c JOIN crm.organisation_tree t ON t.descendant_id = c.cell / 2000
              WHERE c.grain IN (0, 4)
              GROUP BY 1, 2, 3, 4, 5) c
        WINDOW w AS (PARTITION BY c.account, c.class, c.grain, c.cell ORDER BY c.p)) t
  CROSS JOIN LATERAL generate_series(t.p::integer, least(t.q::integer - 1, (SELECT m.month FROM islands.calendar m WHERE m.day = date :'as_of'))) AS g (m)
  WHERE t.n <> 0
  UNION ALL
  SELECT c.account, c.class, c.grain, t.ancestor_id * 2000 + c.cell % 2000, c.p, sum(c.n)
  FROM islands.change c JOIN crm.organisation_tree t ON t.descendant_id = c.cell / 2000
  WHERE c.grain IN (1, 2, 3)
  GROUP BY 1, 2, 3, 4, 5) s;
