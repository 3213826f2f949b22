-- Small random books with the rare cases made common: CALL oracle.random_book(seed => 1, customers => 300).
-- Every choice is a hash of the seed and of what is chosen, so that a book depends on nothing but its parameters.
-- The book must be empty before; oracle.clear_book() empties it again.

CREATE FUNCTION oracle.rnd(seed bigint, what text, i bigint, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT abs(hashtextextended(what || ' ' || i, seed) % n)
$$;

-- A day between two days; one in two is a month end, the day after one, a leap day, or lies a dormancy limit
-- (or a day less) before a month end.
CREATE FUNCTION oracle.rnd_day(seed bigint, what text, i bigint, first date, last date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN d.day BETWEEN first AND last THEN d.day ELSE first + oracle.rnd(seed, what || ' again', i, last - first + 1)::integer END
  FROM (
    SELECT first + oracle.rnd(seed, what, i, last - first + 1)::integer AS any_day) a
  CROSS JOIN LATERAL (
    SELECT (date_trunc('month', a.any_day::timestamp) + interval '1 month')::date - 1 AS month_end) m
  CROSS JOIN LATERAL (
    SELECT CASE oracle.rnd(seed, what || ' how', i, 16)
             WHEN 0 THEN m.month_end
             WHEN 1 THEN m.month_end
             WHEN 2 THEN m.month_end + 1
             WHEN 3 THEN m.month_end - 365
             WHEN 4 THEN m.month_end - 364
             WHEN 5 THEN m.month_end - 1095
             WHEN 6 THEN m.month_end - 1094
             WHEN 7 THEN (date_trunc('year', a.any_day::timestamp) + interval '2 months')::date - 1
             WHEN 8 THEN (date_trunc('year', a.any_day::timestamp) + interval '1 year')::date - 1
             ELSE a.any_day END AS day) d
$$;

CREATE FUNCTION oracle.pick(seed bigint, what text, i bigint, choices anyarray) RETURNS anyelement LANGUAGE sql IMMUTABLE AS $$
  SELECT choices[1 + oracle.rnd(seed, what, i, cardinality(choices))]
$$;

CREATE PROCEDURE oracle.random_book(seed bigint, customers integer DEFAULT 300,
  first_day date DEFAULT '2008-01-01', last_day date DEFAULT '2024-12-31')
LANGUAGE plpgsql SET client_min_messages = warning AS $book$
DECLARE
  units CONSTANT integer := 14;
  channels bigint[] := (SELECT array_agg(h.id ORDER BY h.id) FROM crm.channel h);
  p record;
  kinds text[];
  days date[];
  pattern integer;
  base date;
  stop date;
BEGIN
  -- a deep branch 101 > 102 > ... > 106, a bushy rest, and a second root
  INSERT INTO crm.organisation (id, parent_id, code, name)
  SELECT 100 + u, CASE WHEN u IN (1, 11) THEN NULL WHEN u <= 6 THEN 100 + u - 1 WHEN u > 11 THEN 111
                       ELSE 101 + oracle.rnd(seed, 'parent', u, u - 1) END, 'u' || u, 'Unit ' || u
  FROM generate_series(1, units) AS u;

  INSERT INTO crm.product (id, code, name, guaranteed_renewable)
  VALUES (1, 'p1', 'Life', false), (2, 'p2', 'Accident', false), (3, 'p3', 'Health with guaranteed renewal', true);

  -- ids with gaps, the order of ids unlike any order in time
  CREATE TEMP TABLE b_customer AS
  SELECT 1000 + i * 3 AS id, i,
         CASE WHEN oracle.rnd(seed, 'kind', i, 100) < 12 THEN 'company' ELSE 'person' END AS kind,
         101 + oracle.rnd(seed, 'unit', i, units) AS org_id,
         oracle.pick(seed, 'source', i, channels) AS source_channel_id,
         oracle.rnd_day(seed, 'known', i, first_day - 400, last_day + 200) AS known_from,
         -- prospects and insured persons buy nothing themselves
         CASE WHEN oracle.rnd(seed, 'buys', i, 100) < 28 THEN 0
              ELSE 1 + oracle.rnd(seed, 'many', i, 3) * oracle.rnd(seed, 'how many', i, 4) END AS policies
  FROM generate_series(1, customers) AS i;
  INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
  SELECT c.id, c.kind, 'Customer ' || c.id, c.org_id, c.source_channel_id, c.known_from FROM b_customer c ORDER BY c.id;

  -- one in five is issued on the day of the one before; early years are denser, some lie after the last day
  CREATE TEMP TABLE b_policy AS
  SELECT c.id AS customer_id, c.kind, k.key,
         5000 + row_number() OVER (ORDER BY oracle.rnd(seed, 'order', k.key, 1000000007), k.key) AS id,
         oracle.rnd_day(seed, 'issue', k.day_key, first_day, last_day + 300) AS issued_on,
         oracle.pick(seed, 'term', k.key, ARRAY[NULL, NULL, 1, 6, 12, 12, 12, 13, 24, 36, 60, 120]) AS term_months,
         oracle.rnd(seed, 'maturity', k.key, 20) AS maturity,
         -- those of one day often cost the same, and all those of some customers
         CASE WHEN oracle.rnd(seed, 'one price', c.i, 5) = 0 THEN c.i::bigint * 100
              WHEN oracle.rnd(seed, 'same price', k.key, 3) < 2 THEN k.day_key ELSE k.key END AS price_key
  FROM b_customer c
  CROSS JOIN LATERAL generate_series(1, c.policies) AS j
  CROSS JOIN LATERAL (
    SELECT c.i::bigint * 100 + j AS key,
           c.i::bigint * 100 + j - (CASE WHEN oracle.rnd(seed, 'same day', c.i::bigint * 100 + j, 5) = 0 AND j > 1 THEN 1 ELSE 0 END) AS day_key) k;
  ALTER TABLE b_policy ADD matures_on date;
  UPDATE b_policy b SET matures_on = CASE
    WHEN oracle.rnd(seed, 'together', b.customer_id, 6) = 0 THEN NULL
    WHEN b.maturity = 0 THEN b.issued_on                     -- void
    WHEN b.maturity = 1 THEN b.issued_on + 1
    WHEN b.maturity < 4 OR b.term_months IS NULL THEN NULL
    ELSE (b.issued_on + make_interval(months => b.term_months))::date END;
  INSERT INTO crm.policy (customer_id, id, product_id, channel_id, book, issued_on, term_months, matures_on, payment, premium, payments)
  SELECT b.customer_id, b.id, 1 + oracle.rnd(seed, 'product', b.key, 3),
         oracle.pick(seed, 'channel', b.key, channels),
         CASE WHEN oracle.rnd(seed, 'book', b.key, 6) = 0 THEN 'legacy' ELSE 'own' END,
         b.issued_on, b.term_months, b.matures_on,
         oracle.pick(seed, 'payment', b.price_key, ARRAY['single', 'single', 'yearly', 'yearly', 'half_yearly', 'quarterly', 'monthly']),
         oracle.pick(seed, 'premium', b.price_key,
           ARRAY[100000, 100000, 300000, 300000.01, 500000, 500000.01, 1000000, 1000000.01, 99999.99, 150000, 50000, 25000, 10000, 10000, 1000, 83.33, 0]),
         oracle.pick(seed, 'payments', b.price_key, ARRAY[NULL, NULL, 1, 2, 3, 5, 10])
  FROM b_policy b ORDER BY b.id;

  CREATE TEMP TABLE b_insured AS
  SELECT DISTINCT b.customer_id, b.id AS policy_id, n.id AS insured_id
  FROM b_policy b
  CROSS JOIN LATERAL generate_series(1, CASE WHEN oracle.rnd(seed, 'insures', b.key, 5) > 1 THEN 0
                                             WHEN b.kind = 'company' THEN 4 ELSE 2 END) AS j
  JOIN b_customer n ON n.i = 1 + oracle.rnd(seed, 'insured', b.key * 10 + j, customers);
  INSERT INTO b_insured
  SELECT b.customer_id, b.id, b.customer_id FROM b_policy b WHERE oracle.rnd(seed, 'insures itself', b.key, 5) = 0;
  INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id)
  SELECT DISTINCT n.customer_id, n.policy_id, n.insured_id FROM b_insured n
  JOIN crm.customer c ON c.id = n.insured_id AND (c.kind = 'person' OR n.insured_id = n.customer_id);

  CREATE TEMP TABLE b_event (customer_id bigint, policy_id bigint, id bigint, kind text, on_date date);
  FOR p IN SELECT b.*, max(b.issued_on) OVER (PARTITION BY b.customer_id) AS last_issue FROM b_policy b ORDER BY b.id LOOP
    stop := least(p.matures_on, p.issued_on + 2500);
    pattern := CASE WHEN oracle.rnd(seed, 'together', p.customer_id, 6) = 0 THEN 9 ELSE oracle.rnd(seed, 'pattern', p.key, 18) END;
    base := oracle.rnd_day(seed, 'event', p.key, p.issued_on, CASE WHEN pattern IN (4, 5) THEN least(stop, p.issued_on + 300) ELSE stop END);
    CASE pattern
      WHEN 0, 1 THEN                       -- lapse for good
        kinds := '{lapse}'; days := ARRAY[base];
      WHEN 2 THEN                          -- in time
        kinds := '{lapse,reinstatement}'; days := ARRAY[base, base + oracle.rnd(seed, 'gap', p.key, 700)::integer];
      WHEN 3 THEN                          -- on the day of the lapse
        kinds := '{lapse,reinstatement,end}'; days := ARRAY[base, base, base + oracle.rnd(seed, 'gap', p.key, 400)::integer];
      WHEN 4 THEN                          -- the first day too late
        kinds := '{lapse,reinstatement}'; days := ARRAY[base, (base + interval '24 months')::date];
      WHEN 5 THEN                          -- the last day in time
        kinds := '{lapse,reinstatement}'; days := ARRAY[base, (base + interval '24 months')::date - 1];
      WHEN 6, 10, 14 THEN                          -- void, or begun late
        kinds := CASE WHEN oracle.rnd(seed, 'void', p.key, 2) = 0 THEN '{end}' ELSE '{lapse,reinstatement}' END;
        days := ARRAY[p.issued_on, p.issued_on + oracle.rnd(seed, 'gap', p.key, 500)::integer];
      WHEN 7 THEN                          -- ended while lapsed, then out of place
        kinds := '{lapse,end,reinstatement,lapse}'; days := ARRAY[base, base + 40, base + 60, base + 90];
      WHEN 8 THEN                          -- out of place before the issue, while open, on the maturity and after it
        kinds := '{lapse,reinstatement,lapse,end}';
        days := ARRAY[p.issued_on - 1, base, stop, stop + 1];
      WHEN 9 THEN                          -- all the customer's policies on one day, some by lapse, some for good
        kinds := CASE WHEN p.key % 2 = 0 THEN '{lapse}' ELSE '{end}' END;
        days := ARRAY[oracle.rnd_day(seed, 'together on', p.customer_id, p.last_issue + 1, p.last_issue + 90)];
      WHEN 11 THEN
        kinds := '{end}'; days := ARRAY[base];
      WHEN 12 THEN                         -- anything
        SELECT array_agg(oracle.pick(seed, 'kind of event', p.key * 10 + j, ARRAY['lapse', 'lapse', 'reinstatement', 'reinstatement', 'end'])),
               array_agg(oracle.rnd_day(seed, 'day of event', p.key * 10 + j, p.issued_on - 30, p.issued_on + 1500))
        INTO kinds, days FROM generate_series(1, 6) AS j;
      WHEN 13 THEN                         -- several lapses
        kinds := '{lapse,reinstatement,lapse,reinstatement,lapse}'; days := ARRAY[base, base + 31, base + 365, base + 730, base + 800];
      ELSE
        CONTINUE;
    END CASE;
    INSERT INTO b_event
    SELECT p.customer_id, p.id, CASE WHEN oracle.rnd(seed, 'backwards', p.key, 4) = 0 THEN 100 - e.n ELSE 100 + e.n END, e.kind, e.on_date
    FROM unnest(kinds, days) WITH ORDINALITY AS e(kind, on_date, n) WHERE e.kind IS NOT NULL;
  END LOOP;
  INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
  SELECT e.customer_id, e.policy_id, e.id, e.kind, e.on_date, CASE WHEN e.kind = 'end' THEN 'surrender' END
  FROM b_event e ORDER BY hashint8(e.policy_id), e.id;

  -- moves on any day, on the day of a purchase, before the customer is known, and to where the customer is already
  INSERT INTO crm.customer_organisation (customer_id, from_date, org_id)
  SELECT DISTINCT ON (c.id, m.day) c.id, m.day, 101 + oracle.rnd(seed, 'new unit', c.i * 10 + j, units)
  FROM b_customer c
  CROSS JOIN LATERAL generate_series(1, CASE WHEN oracle.rnd(seed, 'moves', c.i, 10) < 6 THEN 0 ELSE 1 + oracle.rnd(seed, 'move', c.i, 4) END) AS j
  CROSS JOIN LATERAL (
    SELECT CASE WHEN j = 2 AND c.policies > 0
                  THEN (SELECT min(b.issued_on) FROM b_policy b WHERE b.customer_id = c.id)
                WHEN j = 3 THEN c.known_from - 3
                ELSE oracle.rnd_day(seed, 'moved', c.i * 10 + j, first_day, last_day + 100) END AS day) m
  ORDER BY c.id, m.day, j;

  DROP TABLE b_customer, b_policy, b_insured, b_event;
  PERFORM setval(pg_get_serial_sequence('crm.' || t.name, 'id'), 1000000)
  FROM (VALUES ('organisation'), ('product'), ('customer'), ('policy'), ('policy_event')) AS t(name);
END
$book$;

CREATE PROCEDURE oracle.clear_book() LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM crm.policy_event;
  DELETE FROM crm.policy_insured;
  DELETE FROM crm.policy;
  DELETE FROM crm.contact_point;
  DELETE FROM crm.product_holding;
  DELETE FROM crm.holding;
  DELETE FROM crm.holding_count;
  DELETE FROM crm.staff;
  DELETE FROM crm.customer_organisation;
  DELETE FROM crm.customer;
  DELETE FROM crm.product;
  DELETE FROM crm.organisation;
END
$$;
