-- Which recycle rule a holding follows: plan, product line and tier of the customer, unit and channel.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES
  (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North one');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
SELECT i, 's' || i, 'Staff ' || i, 2 + i % 3, 1 + i % 2, '2020-01-01' FROM generate_series(1, 6) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 60) i;
INSERT INTO crm.product (id, code, name, line) VALUES (1, 'w', 'Whole life', 'life'), (2, 'h', 'Health', 'health'), (3, 'a', 'Accident', 'accident');
SELECT ok(crm.post() > 0, 'a book');
CREATE TEMP TABLE day AS SELECT crm._business_day(now()) AS today;

CREATE FUNCTION pg_temp.buy(customer bigint, product bigint, premium numeric, ago integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium) SELECT $1, $2, 1, d.today - $4, 'single', $3 FROM day d;
  SELECT crm.post()
$$;

-- bad input --------------------------------------------------------------------

SELECT is(pg_temp.code_of(s), code, name) FROM (VALUES
  ($$INSERT INTO crm.recycle_rule_for (rule) VALUES ('never')$$, '23514', 'a rule for nobody in particular is the setting''s'),
  ($$INSERT INTO crm.recycle_rule_for (line, rule) VALUES ('lief', 'never')$$, '22023', 'a line that no product has'),
  ($$INSERT INTO crm.recycle_rule_for (line, rule) VALUES ('', 'never')$$, '22023', 'a blank line'),
  ($$INSERT INTO crm.recycle_rule_for (tier, rule) VALUES ('bronze', 'never')$$, '22023', 'a tier of no scale'),
  ($$INSERT INTO crm.recycle_rule_for (tier, rule) VALUES ('gold', 'sometimes')$$, '22P02', 'a rule that is none'),
  ($$INSERT INTO crm.recycle_rule_for (tier, rule) VALUES ('gold', NULL)$$, '23502', 'no rule'),
  ($$INSERT INTO crm.recycle_rule_for (tier, org_id, rule) VALUES ('gold', 99, 'never')$$, '23503', 'a unit that is not there'),
  ($$INSERT INTO crm.recycle_rule_for (tier, valid_from, valid_to, rule) VALUES ('gold', '2020-01-01', '2020-01-01', 'never')$$, '23514', 'no days'),
  ($$INSERT INTO crm.recycle_rule_for (tier, valid_from, rule) VALUES ('gold', 'infinity', 'never')$$, '23514', 'never in force'),
  ($$INSERT INTO crm.recycle_rule_for (tier, rule) VALUES ('gold', 'never'), ('gold', 'at most 1 day')$$, '23505', 'two for the same at once')) v (s, code, name);
SELECT is_empty('SELECT * FROM crm._recycle_classes(ARRAY[1,2,3], current_date)', 'without rules nobody is asked');

-- precedence, against loops ------------------------------------------------------

CREATE FUNCTION pg_temp.above(unit bigint) RETURNS SETOF bigint LANGUAGE sql AS $$
  WITH RECURSIVE up AS (SELECT o.id, o.parent_id, 0 AS n FROM crm.organisation o WHERE o.id = $1
                        UNION ALL SELECT o.id, o.parent_id, u.n + 1 FROM up u JOIN crm.organisation o ON o.id = u.parent_id)
  SELECT x.id FROM (SELECT id, n FROM up UNION ALL SELECT NULL, 99) x ORDER BY n
$$;
CREATE FUNCTION pg_temp.naive(unit bigint, channel bigint, day date, line text, tier text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  l text; t text; o bigint; c bigint; found_rule text; kind record;
BEGIN
  FOR kind IN SELECT * FROM (VALUES (1, true, true), (2, true, false), (3, false, true)) k (n, by_line, by_tier) ORDER BY n LOOP
    l := CASE WHEN kind.by_line THEN line END;
    t := CASE WHEN kind.by_tier THEN tier END;
    CONTINUE WHEN kind.by_line AND l IS NULL OR kind.by_tier AND t IS NULL;
    FOR o IN SELECT * FROM pg_temp.above(unit) LOOP
      FOREACH c IN ARRAY ARRAY[channel, NULL] LOOP
        SELECT r.rule::text INTO found_rule FROM crm.recycle_rule_for r
        WHERE r.line IS NOT DISTINCT FROM l AND r.tier IS NOT DISTINCT FROM t AND r.org_id IS NOT DISTINCT FROM o AND r.channel_id IS NOT DISTINCT FROM c
          AND day >= r.valid_from AND (r.valid_to IS NULL OR day < r.valid_to)
        ORDER BY r.valid_from DESC LIMIT 1;
        IF FOUND THEN
          RETURN found_rule;
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
  RETURN crm._setting_for('recycle_rule', unit, channel, day)::crm.recycle_rule::text;
END
$$;
SELECT setseed(0.4);
INSERT INTO crm.setting (name, org_id, value) VALUES ('recycle_rule', NULL, 'at most 900 days'), ('recycle_rule', 4, 'at most 901 days');
INSERT INTO crm.recycle_rule_for (line, tier, org_id, channel_id, valid_from, valid_to, rule)
SELECT line, tier, org, channel, d, CASE WHEN random() < 0.3 THEN d + 400 END, format('at most %s days; cool off 10 days', row_number() OVER ())::crm.recycle_rule
FROM unnest(ARRAY[NULL, 'life', 'health']) line, unnest(ARRAY[NULL, 'gold', 'none']) tier, unnest(ARRAY[NULL, 1, 2, 4]::bigint[]) org, unnest(ARRAY[NULL, 1]::bigint[]) channel,
     unnest(ARRAY['2020-01-01', '2021-01-01']::date[]) d
WHERE num_nonnulls(line, tier) > 0 AND random() < 0.25;
SELECT cmp_ok((SELECT count(*) FROM crm.recycle_rule_for), '>', 20::bigint, 'some dozens of rules');
SELECT is_empty($$SELECT * FROM (
    SELECT o, c, d, l, t, crm._recycle_rule(o, c, d, l, t)::text AS got, pg_temp.naive(o, c, d, nullif(l, ''), t) AS wanted
    FROM unnest(ARRAY[NULL, 1, 2, 3, 4]::bigint[]) o, unnest(ARRAY[1, 2]::bigint[]) c, unnest(ARRAY['2019-12-31', '2020-01-01', '2020-12-31', '2021-01-01', '2021-02-03', '2021-02-04', '2022-02-05', '2030-01-01']::date[]) d,
         unnest(ARRAY['', 'life', 'health', 'accident']) l, unnest(ARRAY['none', 'gold', 'iron']) t) x WHERE got <> wanted$$,
  'line and tier, then line, then tier; the nearest unit, then the channel; the latest in force: as by loops');
SELECT is(crm._recycle_rule(4, 1, '2021-06-01', 'life', 'gold', 'at most 7 days')::text, 'at most 7 days', 'the rule of the plan goes before all');
DELETE FROM crm.recycle_rule_for;
DELETE FROM crm.setting WHERE name = 'recycle_rule';

-- whom the rules ask about -------------------------------------------------------

SELECT pg_temp.buy(1, 1, 1200000, 40), pg_temp.buy(2, 2, 400000, 30), pg_temp.buy(3, 1, 600000, 20), pg_temp.buy(3, 2, 1000, 10);
SELECT pg_temp.buy(4, 1, 1000, 10), pg_temp.buy(4, 3, 1000, 10);
INSERT INTO crm.recycle_rule_for (line, tier, org_id, rule) VALUES
  (NULL, 'platinum', NULL, 'contact every 14 days; cool off 10 days'), (NULL, 'none', NULL, 'at most 20 days'),
  ('health', NULL, NULL, 'contact every 60 days'), ('health', 'gold', 2, 'contact every 21 days');
SELECT results_eq($$SELECT customer_id, line, tier FROM crm._recycle_classes(ARRAY[1,2,3,4,5,99], (SELECT today FROM day)) ORDER BY 1$$,
  $$VALUES (1::bigint, 'life', 'platinum'), (2, 'health', 'iron'), (3, 'health', 'gold'), (4, 'accident', 'lead'), (5, '', 'none'), (99, '', 'none')$$,
  'line of the last purchase, of two on a day the later key; tier of the day');
SELECT results_eq($$SELECT line, tier FROM crm._recycle_classes(ARRAY[3], (SELECT today - 15 FROM day))$$, $$VALUES ('life', 'gold')$$, 'each as on another day');
SELECT crm.claim(1, 3), crm.claim(2, 3), crm.claim(3, 3);
SELECT results_eq($$SELECT customer_id, rule::text FROM crm.holding WHERE held_to IS NULL ORDER BY 1$$,
  $$VALUES (1::bigint, 'contact every 14 days; cool off 10 days'), (2, 'contact every 60 days'), (3, 'contact every 21 days')$$, 'a claim takes the rule of the customer')
FROM crm.staff WHERE id = 3 AND org_id = 2;
SELECT set_eq($$SELECT outcome FROM crm.allocate(ARRAY(SELECT generate_series(4, 20)), ARRAY[1, 3, 5])$$, ARRAY['allocated'], 'so does an allocation');
SELECT is_empty($$SELECT h.customer_id, h.rule, crm._recycle_rule_of(h.customer_id, h.org_id, h.channel_id, (SELECT today FROM day)) FROM crm.holding h
                  WHERE h.held_to IS NULL AND h.rule OPERATOR(crm.<>) crm._recycle_rule_of(h.customer_id, h.org_id, h.channel_id, (SELECT today FROM day))$$, 'of each');
SELECT is((SELECT count(*) FROM crm.holding WHERE rule::text = 'at most 20 days'), 16::bigint, 'one or the other');
SELECT set_eq($$SELECT outcome FROM crm.entrust(ARRAY[21, 22], 1)$$, ARRAY['allocated'], 'and a channel''s');
SELECT is_empty('SELECT * FROM crm._stale_rule', 'all as in force');

-- a change of tier --------------------------------------------------------------

SELECT pg_temp.buy(2, 2, 200000, 5);
SELECT is((SELECT rule::text FROM crm.holding WHERE customer_id = 2), 'contact every 21 days', 'who rises by a purchase follows the other rule at once');
SELECT pg_temp.buy(6, 1, 2000000, 1);
SELECT is((SELECT rule::text FROM crm.holding WHERE customer_id = 6 AND held_to IS NULL), 'contact every 14 days; cool off 10 days', 'so does who bought first');
SELECT results_eq($$SELECT event, before, after FROM crm_bi.holding_event WHERE customer_id = 6 ORDER BY event_no$$,
  $$VALUES ('allocation', NULL, 'staff member ' || (SELECT staff_id FROM crm.holding WHERE customer_id = 6)), ('rule', 'at most 20 days', 'contact every 14 days; cool off 10 days')$$, 'which the history tells');
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, matures_on, payment, premium) SELECT 7, 1, 1, d.today - 9, d.today + 3, 'single', 2000000 FROM day d;
SELECT ok(crm.post() > 0, 'a policy that soon ends');
SELECT is((SELECT rule::text FROM crm.holding WHERE customer_id = 7), 'contact every 14 days; cool off 10 days', 'makes a platinum customer');
SELECT set_config('crm.as_of', (today + 4)::text, true) FROM day;
SELECT results_eq('SELECT tier, holdings FROM crm._stale_rule', $$VALUES ('none', 1::bigint)$$, 'who falls by the passing of days is shown');
SELECT isnt_empty($$SELECT * FROM crm._check_holding() WHERE check_name = 'holding_rule' AND detail LIKE '%tier none%'$$, 'also by the check');
CALL crm.refresh_due(crm.today(), NULL);
SELECT is((SELECT rule::text FROM crm.holding WHERE customer_id = 7), 'at most 20 days', 'until refreshed');
SELECT set_config('crm.as_of', '', true);
CALL crm.refresh_due(crm.today(), NULL);
SELECT is((SELECT rule::text FROM crm.holding WHERE customer_id = 7), 'contact every 14 days; cool off 10 days', 'today it is as it was');

-- plans and rules that end -----------------------------------------------------------

UPDATE crm.holding SET plan_rule = 'at most 5 days' WHERE customer_id IN (1, 8);
SELECT is((SELECT sum(holdings) FROM crm._stale_rule), 2::numeric, 'a plan''s rule is not followed yet');
CALL crm.refresh_due(crm.today(), NULL);
SELECT results_eq('SELECT customer_id, rule::text FROM crm.holding WHERE customer_id IN (1, 8) ORDER BY 1', $$VALUES (1::bigint, 'at most 5 days'), (8, 'at most 5 days')$$, 'then it is');
UPDATE crm.recycle_rule_for SET valid_to = (SELECT today FROM day);
SELECT is_empty('SELECT * FROM crm._recycle_classes(NULL, (SELECT today FROM day))', 'rules that are over ask nobody');
CALL crm.refresh_due(crm.today(), NULL);
SELECT is_empty($$SELECT * FROM crm.holding WHERE held_to IS NULL AND plan_rule IS NULL AND rule OPERATOR(crm.<>) crm._setting_for('recycle_rule', org_id, channel_id, current_date)::crm.recycle_rule$$,
                'the setting holds again');
SELECT is_empty('SELECT * FROM crm.check()', 'all is in order');
SELECT * FROM finish();
ROLLBACK;
