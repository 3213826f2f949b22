-- Months closed, published and restated: what is published equals what crm_bi.kpi showed then, whatever is corrected, moved, merged, renamed or rebuilt since.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'commit';
CREATE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE sql AS $$SELECT code || ': ' || message FROM pg_temp.told(statement)$$;

-- a book not begun
SET LOCAL crm.actor = 'controller';
SELECT is(pg_temp.code_of($$SELECT crm.close_month('2020-01-01')$$), '55000', 'an empty book has no month to close');
CALL crm.generate(customers => 1500, seed => 7, as_of => '2025-12-31', years => 4, units => '{3,6,12}');
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';
ANALYZE;

-- what the view shows, kept by hand
CREATE TEMP TABLE kept (at text, month date, org_id bigint, code text, grain text, period_start date, class text, channel text, kind text, numerator numeric, denominator numeric, value numeric);
CREATE FUNCTION pg_temp.keep(at text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO kept SELECT at, date_trunc('month', k.period_end)::date, k.org_id, k.code, k.grain, k.period_start, k.class, k.channel, k.kind, k.numerator, k.denominator, k.value
  FROM (SELECT * FROM crm_bi.kpi UNION ALL SELECT e.* FROM crm_bi.kpi_event e JOIN crm_bi.kpi_code c USING (code) WHERE NOT c.goes_on) k WHERE k.period_end IN ('2025-09-30', '2025-10-31', '2025-11-30')
$$;
CREATE FUNCTION pg_temp.wanted(at text, month text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT k.org_id, k.code, k.grain, k.period_start, k.class, k.channel, k.kind, k.numerator, k.denominator, k.value FROM kept k WHERE k.at = %L AND k.month = %L', at, month || '-01')
$$;
CREATE FUNCTION pg_temp.version(month text, version integer) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT v.org_id, v.code, v.grain, v.period_start, v.class, v.channel, v.kind, v.numerator, v.denominator, v.value FROM crm_bi.kpi_version v WHERE v.month = %L AND v.version = %s', month || '-01', version)
$$;
-- published beside current, joined by hand, without figures of events unless they are asked for
CREATE FUNCTION pg_temp.of_events() RETURNS text[] LANGUAGE sql AS $$SELECT array_agg(c.code) FROM crm_bi.kpi_code c WHERE c.shown_in = 'kpi_event'$$;
CREATE FUNCTION pg_temp.beside(published text, now text, month text, events boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
  SELECT format($q$
    SELECT coalesce(a.org_id, b.org_id), coalesce(a.code, b.code), coalesce(a.grain, b.grain), coalesce(a.period_start, b.period_start), coalesce(a.class, b.class), coalesce(a.channel, b.channel), coalesce(a.kind, b.kind),
           a.numerator, a.denominator, a.value, b.numerator, b.denominator, b.value, coalesce(b.numerator, 0) - coalesce(a.numerator, 0),
           CASE WHEN a.org_id IS NULL THEN 'new' WHEN b.org_id IS NULL THEN 'vanished' WHEN a.numerator = b.numerator AND a.denominator IS NOT DISTINCT FROM b.denominator THEN 'same' ELSE 'changed' END
    FROM (SELECT * FROM kept WHERE at = %1$L AND month = %3$L AND (%4$L OR code <> ALL (pg_temp.of_events()))) a
    FULL JOIN (SELECT * FROM kept WHERE at = %2$L AND month = %3$L AND (%4$L OR code <> ALL (pg_temp.of_events()))) b
      ON concat_ws('|', a.org_id, a.code, a.grain, a.period_start, coalesce(a.class, '-'), a.channel, a.kind) = concat_ws('|', b.org_id, b.code, b.grain, b.period_start, coalesce(b.class, '-'), b.channel, b.kind)$q$,
    published, now, month || '-01', events)
$$;
CREATE FUNCTION pg_temp.shown(month text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT p.org_id, p.code, p.grain, p.period_start, p.class, p.channel, p.kind, p.numerator, p.denominator, p.value, p.current_numerator, p.current_denominator, p.current_value, p.numerator_difference, p.comparison
                 FROM crm_bi.kpi_published p WHERE p.month = %L', month || '-01')
$$;
SELECT pg_temp.keep('first');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'there are figures of ' || month) FROM kept GROUP BY month ORDER BY month;
SELECT results_eq($$SELECT grain, count(*) > 100 FROM kept WHERE month = '2025-09-01' GROUP BY 1 ORDER BY 1$$, $$VALUES ('month', true), ('quarter', true), ('trailing_12', true)$$, 'of a month, its quarter and twelve months');

-- months that cannot be closed ----------------------------------------------------

SELECT is(pg_temp.code($$SELECT crm.close_month(NULL)$$), '22004: the month must be given', 'a month must be given');
SELECT is(pg_temp.code_of($$SELECT crm.close_month('infinity')$$), '22023', 'infinity is no month');
SELECT is(pg_temp.code_of($$SELECT crm.close_month('1899-12-31')$$), '22023', 'nor is one before 1900');
SELECT is(pg_temp.code($$SELECT crm.close_month('1950-05-05')$$), '55000: there are no figures of 1950-05', 'nor one before the book');
SELECT is(pg_temp.code_of(format('SELECT crm.close_month(%L)', crm._business_day(clock_timestamp()) + 40)), '55000', 'a month to come is not closed');
SET LOCAL crm.as_of = '2199-01-01';
SELECT is((pg_temp.told(format('SELECT crm.close_month(%L)', crm._business_day(clock_timestamp()) + 40))).message, to_char(crm._business_day(clock_timestamp()) + 40, 'YYYY-MM') || ' is not over', 'not by a day set ahead either');
SET LOCAL crm.as_of = '2025-12-31';
SELECT is(pg_temp.code($$SELECT crm.close_month('2026-04-01')$$), '55000: the figures are posted up to 2026-02-28 only', 'nor is one that the figures do not reach');
SELECT is(pg_temp.code($$SELECT crm.publish_month('2025-09-01')$$), '55000: of 2025-09 no version is closed', 'what is not closed is not published');
SELECT is(pg_temp.code($$SELECT crm.restate_month('2025-09-01', 'why')$$), '55000: of 2025-09 no version is published', 'nor restated');
SELECT is(pg_temp.code($$SELECT crm.discard_closing('2025-09-01', 'why')$$), '55000: of 2025-09 no version is closed', 'nor given up');
SELECT is_empty('SELECT FROM crm.closing', 'nothing is left of all that');

-- queued changes, settings that the figures do not follow
SET LOCAL crm.posting = 'deferred';
UPDATE crm.customer SET known_from = known_from - 1 WHERE id = (SELECT min(id) FROM crm.customer);
SELECT is(pg_temp.code($$SELECT crm.close_month('2025-09-01')$$), '55000: 1 changes are queued and not in the figures', 'while changes are queued no month is closed');
SET LOCAL crm.posting = 'commit';
CALL crm.refresh('2025-12-31', NULL);
INSERT INTO crm.setting (name, value) VALUES ('tier_scale', 'small, big 1000');
SELECT matches((pg_temp.told($$SELECT crm.close_month('2025-09-01')$$)).message, '^settings have changed', 'nor while settings wait for a rebuild');
DELETE FROM crm.setting;
INSERT INTO crm.setting (name, value) VALUES ('reinstatement_months', '3');
SELECT matches((pg_temp.told($$SELECT crm.close_month('2025-09-01')$$)).message, '^settings have changed', 'those of cover, too');
DELETE FROM crm.setting;

-- closed and published --------------------------------------------------------------

UPDATE kept SET at = 'void';
SELECT pg_temp.keep('first');
SELECT is(crm.close_month('2025-09-17'), (SELECT count(*) FROM kept WHERE at = 'first' AND month = '2025-09-01'), 'a month is closed, named by any of its days');
SELECT pg_temp.same(pg_temp.version('2025-09', 1), pg_temp.wanted('first', '2025-09'), 'it keeps what the view shows');
SELECT is_empty('SELECT FROM crm_bi.kpi_published', 'and is not published yet');
SELECT is(pg_temp.code($$SELECT crm.close_month('2025-09-01')$$), '55000: 2025-09 is closed already', 'a month is not closed twice');
SELECT is(pg_temp.code($$SELECT crm.close_month('2025-11-01')$$), '55000: the month to close next is 2025-10', 'months are closed in their order');
SELECT is(pg_temp.code($$SELECT crm.close_month('2025-08-01')$$), '55000: the month to close next is 2025-10', 'not before the first');
SELECT is((pg_temp.told($$SELECT crm.close_month('2025-08-01')$$)).hint, 'Closing began with 2025-09.', 'which the hint names');
SELECT is(pg_temp.code($$SELECT crm.restate_month('2025-09-01', 'why')$$), '55000: of 2025-09 no version is published', 'what is not published is not restated');
SELECT is(pg_temp.code($$SELECT crm.publish_month('2025-09-01')$$), '42501: "controller" has closed 2025-09', 'nobody publishes what they closed');
SELECT is(crm.close_month('2025-10-31'), (SELECT count(*) FROM kept WHERE at = 'first' AND month = '2025-10-01'), 'the next month is closed');
SELECT is(pg_temp.code($$SELECT crm.discard_closing('2025-09-01', 'why')$$), '55000: a later month than 2025-09 is closed', 'then the one before is not given up');
SELECT is(pg_temp.code_of($$SELECT crm.discard_closing('2025-10-01', NULL)$$), '23502', 'giving up needs a reason');
SELECT is(pg_temp.code_of($$SELECT crm.discard_closing('2025-10-01', ' ')$$), '23514', 'in words');
SELECT is(crm.discard_closing('2025-10-01', 'too early'), 1, 'with one, the last is');
SELECT is_empty($$SELECT FROM crm_bi.kpi_version WHERE month = '2025-10-01'$$, 'its figures are gone');
SELECT results_eq($$SELECT state, discarded_by, discard_reason FROM crm_bi.closing WHERE month = '2025-10-01'$$, $$VALUES ('discarded', 'controller', 'too early')$$, 'the row tells who and why');
SELECT is(pg_temp.code($$SELECT crm.publish_month('2025-10-01')$$), '55000: of 2025-10 no version is closed', 'what was given up is not published');
SELECT lives_ok($$SELECT crm.close_month('2025-10-01')$$, 'the month is closed anew');
SET LOCAL crm.actor = 'manager';
SELECT is(pg_temp.code($$SELECT crm.publish_month('2025-10-01')$$), '55000: 2025-09 is not published', 'months are published in their order');
SELECT is(crm.publish_month('2025-09-30'), 1, 'somebody else publishes');
SELECT is(crm.publish_month('2025-10-01'), 2, 'version by version');
SELECT is(pg_temp.code($$SELECT crm.publish_month('2025-10-01')$$), '55000: of 2025-10 no version is closed', 'not twice');
SELECT is(pg_temp.code($$SELECT crm.discard_closing('2025-10-01', 'why')$$), '55000: of 2025-10 no version is closed', 'what is published is not given up');
SELECT is(pg_temp.code($$SELECT crm.close_month('2025-10-01')$$), '55000: 2025-10 is published already', 'nor closed');
SELECT results_eq('SELECT month, version, state, closed_by, published_by, closed_at < published_at FROM crm_bi.closing ORDER BY 1, 2',
  $$VALUES (date '2025-09-01', 1, 'published', 'controller', 'manager', true), ('2025-10-01', 1, 'discarded', 'controller', NULL, NULL), ('2025-10-01', 2, 'published', 'controller', 'manager', true)$$, 'who and when is told');
SELECT is((SELECT restates FROM crm_bi.closing WHERE month = '2025-10-01' AND version = 2), NULL, 'closing again restates nothing');
SELECT results_eq('SELECT DISTINCT comparison FROM crm_bi.kpi_published', $$VALUES ('same')$$, 'all is as published');
SELECT is(pg_temp.code($$SELECT crm.restate_month('2025-10-01', 'why')$$), '55000: the figures of 2025-10 are as published', 'there is nothing to restate');
SELECT results_eq('SELECT count(*), count(DISTINCT kpi_published_key) FROM crm_bi.kpi_published', 'SELECT count(*), count(*) FROM crm_bi.kpi_published', 'kpi_published_key is a key');
SELECT results_eq('SELECT count(*), count(DISTINCT kpi_version_key) FROM crm_bi.kpi_version', 'SELECT count(*), count(*) FROM crm_bi.kpi_version', 'kpi_version_key, too');
SET LOCAL crm.as_of = '2025-10-15';
SELECT is_empty('SELECT FROM crm_bi.kpi_published', 'on a day before the one on which the figures stand no comparison is made of what they cannot tell') WHERE EXISTS (SELECT FROM crm.generation g WHERE g.settled < '2025-10-15');
SELECT results_eq('SELECT DISTINCT month FROM crm_bi.kpi_published', $$VALUES (date '2025-09-01')$$, 'as of a day, months over by then are compared');
SET LOCAL crm.as_of = '2025-12-31';

-- corrections never change what is published ------------------------------------------

CREATE FUNCTION pg_temp.still(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN NEXT pg_temp.same(pg_temp.version('2025-09', 1), pg_temp.wanted('first', '2025-09'), what || ': September stands as published');
  RETURN NEXT pg_temp.same(pg_temp.version('2025-10', 2), pg_temp.wanted('first', '2025-10'), what || ': October, too');
  PERFORM pg_temp.keep(what);
  RETURN NEXT pg_temp.same(pg_temp.shown('2025-09'), pg_temp.beside('first', what, '2025-09'), what || ': beside it stands what is now');
  RETURN NEXT pg_temp.same(pg_temp.shown('2025-10'), pg_temp.beside('first', what, '2025-10'), what || ': of October as well');
END
$$;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium)
SELECT c.id, 900000 + c.id, (SELECT min(id) FROM crm.product), 1 + c.id % 3, '2025-08-01'::date + (c.id % 80)::integer, 5000 FROM crm.customer c WHERE c.id % 10 = 0;
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date)
SELECT p.customer_id, p.id, 'lapse', '2025-09-05' FROM crm.policy p WHERE p.id % 9 = 0 AND p.issued_on < '2025-01-01' AND NOT EXISTS (SELECT FROM crm.policy_event e WHERE e.policy_id = p.id);
SELECT ok(crm.post() > 0, 'posted');
SELECT pg_temp.still('late policies and lapses');
SELECT results_eq('SELECT DISTINCT comparison FROM crm_bi.kpi_published ORDER BY 1', $$VALUES ('changed'), ('new'), ('same'), ('vanished')$$, 'figures have changed, come and gone');
SELECT is_empty($$SELECT FROM crm_bi.kpi_published p WHERE p.value_difference IS DISTINCT FROM CASE WHEN p.denominator IS NULL AND p.current_denominator IS NULL THEN p.numerator_difference ELSE p.current_value - p.value END
  OR p.denominator_difference IS DISTINCT FROM CASE WHEN num_nonnulls(p.denominator, p.current_denominator) > 0 THEN coalesce(p.current_denominator, 0) - coalesce(p.denominator, 0) END$$, 'differences are now less then');

UPDATE crm.organisation o SET parent_id = (SELECT x.id FROM crm.organisation x WHERE x.level = 1 AND x.id <> o.parent_id ORDER BY x.id LIMIT 1) WHERE o.id = (SELECT min(x.id) FROM crm.organisation x WHERE x.level = 2);
SELECT ok(crm.post() >= 0, 'posted');
SELECT pg_temp.still('a unit placed elsewhere');
CALL crm.refresh('2026-01-15', NULL);
SET LOCAL crm.as_of = '2026-01-15';
SELECT pg_temp.still('folding');
DO $$
DECLARE
  pair bigint[];
BEGIN
  FOR pair IN SELECT ARRAY[min(c.id), max(c.id)] FROM (SELECT c.id, row_number() OVER (PARTITION BY c.kind ORDER BY c.id) / 2 AS n, c.kind FROM crm.customer c) c GROUP BY c.kind, c.n HAVING count(*) = 2 AND n < 6 LOOP
    PERFORM crm.merge(pair[1], pair[2], 'test', true);
  END LOOP;
END
$$;
SELECT ok(crm.post() >= 0, 'posted');
SELECT cmp_ok((SELECT count(*) FROM crm_bi.customer_merge), '>', 3::bigint, 'customers are merged');
SELECT pg_temp.still('merges');
CALL crm.rebuild('2026-01-15', NULL);
SELECT pg_temp.still('a rebuild');
SELECT is_empty($$SELECT k.code FROM kept k WHERE k.at IN ('merges', 'a rebuild') GROUP BY k.month, k.org_id, k.code, k.grain, k.period_start, k.class, k.channel, k.kind, k.numerator, k.denominator HAVING count(*) <> 2$$, 'which changes no figure');

-- restated -----------------------------------------------------------------------------

SET LOCAL crm.actor = 'controller';
SELECT is(pg_temp.code_of($$SELECT crm.restate_month('2025-09-01', NULL)$$), '23502', 'restating needs a reason');
SELECT is(pg_temp.code_of($$SELECT crm.restate_month('2025-09-01', '')$$), '23514', 'in words');
SELECT format('CREATE TEMP VIEW differing AS SELECT * FROM (%s) x (org_id, code, grain, period_start, class, channel, kind, numerator, denominator, value, current_numerator, current_denominator, current_value, numerator_difference, comparison) WHERE comparison <> ''same''',
              pg_temp.beside('first', 'a rebuild', '2025-09', true)) \gexec
SELECT results_eq($$SELECT crm.restate_month('2025-09-01', 'lapses came late')$$, 'SELECT count(*) FROM differing', 'a month is restated in what differs');
SELECT is_empty($$SELECT c.code FROM crm_bi.kpi_code c WHERE c.code IN ('referral_rate', 'complaints_per_10k') EXCEPT SELECT code FROM differing$$, 'figures of events among it');
SELECT is(pg_temp.code($$SELECT crm.restate_month('2025-09-01', 'again')$$), '55000: 2025-09 is restated already and not published', 'once at a time');
SELECT pg_temp.same($$SELECT org_id, code, grain, period_start, class, channel, kind, numerator_before, denominator_before, value_before, numerator, denominator, value, numerator_difference FROM crm_bi.kpi_restated$$,
  $$SELECT org_id, code, grain, period_start, class, channel, kind, numerator, denominator, value, current_numerator, current_denominator, current_value, numerator_difference FROM differing$$,
  'the differences are shown before it is published');
SELECT results_eq('SELECT DISTINCT version, restates, state, reason FROM crm_bi.kpi_restated', $$VALUES (2, 1, 'closed', 'lapses came late')$$, 'with the reason');
SELECT pg_temp.still('a restatement not published');
SELECT is(pg_temp.code($$SELECT crm.publish_month('2025-09-01')$$), '42501: "controller" has closed 2025-09', 'nobody publishes what they restated');
SELECT is(crm.discard_closing('2025-09-01', 'one more comes'), 2, 'a restatement may be given up, though later months are closed');
SELECT is_empty('SELECT FROM crm_bi.kpi_restated', 'then it changes nothing');
SELECT is(crm.restate_month('2025-09-01', 'lapses came late') > 0, true, 'and made again');
SET LOCAL crm.actor = 'manager';
SELECT is(crm.publish_month('2025-09-01'), 3, 'and published');
SELECT results_eq($$SELECT version, state, published_at IS NULL, superseded_at IS NULL FROM crm_bi.closing WHERE month = '2025-09-01' ORDER BY 1$$,
  $$VALUES (1, 'superseded', false, false), (2, 'discarded', true, true), (3, 'published', false, true)$$, 'then the one before is superseded');
SELECT is((SELECT superseded_at FROM crm_bi.closing WHERE month = '2025-09-01' AND version = 1), (SELECT published_at FROM crm_bi.closing WHERE month = '2025-09-01' AND version = 3), 'on the instant');
SELECT pg_temp.same(pg_temp.version('2025-09', 1), pg_temp.wanted('first', '2025-09'), 'the version before stays readable');
SELECT pg_temp.same(pg_temp.version('2025-09', 3), pg_temp.wanted('a rebuild', '2025-09'), 'the new one has the figures of now');
SELECT pg_temp.same($$SELECT v.org_id, v.code, v.grain, v.period_start, v.class, v.channel, v.kind, v.numerator, v.denominator, v.value FROM crm_bi.kpi_version v
  WHERE v.month = '2025-09-01' AND v.published_at <= (SELECT published_at FROM crm_bi.closing WHERE month = '2025-10-01' AND state = 'published')
    AND (v.superseded_at IS NULL OR v.superseded_at > (SELECT published_at FROM crm_bi.closing WHERE month = '2025-10-01' AND state = 'published'))$$,
  pg_temp.wanted('first', '2025-09'), 'so one reads it as published at an instant');
SELECT results_eq($$SELECT DISTINCT comparison FROM crm_bi.kpi_published WHERE month = '2025-09-01'$$, $$VALUES ('same')$$, 'nothing differs from the restated month');
SET LOCAL crm.actor = 'controller';
SELECT results_eq($$SELECT crm.close_month('2025-11-01')$$, $$SELECT count(*) FROM kept WHERE at = 'a rebuild' AND month = '2025-11-01'$$, 'the next month is closed as if nothing had been');

-- what is called otherwise, gone, or new
CREATE FUNCTION pg_temp.taken_back(change text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  BEGIN
    EXECUTE change;
    EXECUTE query INTO answer;
    RAISE SQLSTATE 'P0099';
  EXCEPTION WHEN SQLSTATE 'P0099' THEN NULL;
  END;
  RETURN answer;
END
$$;
SELECT is(pg_temp.taken_back($$UPDATE crm.channel SET code = 'renamed' WHERE id = 1$$, $$SELECT string_agg(DISTINCT comparison, ',') || ' ' || count(*) FILTER (WHERE channel = 'renamed') FROM crm_bi.kpi_published WHERE month = '2025-09-01'$$),
  (SELECT 'same ' || count(*) FROM crm_bi.kpi_published WHERE month = '2025-09-01' AND channel = (SELECT code FROM crm.channel WHERE id = 1)), 'a channel renamed is compared by its new code');
SELECT is(pg_temp.taken_back($$UPDATE crm.channel SET code = 'renamed' WHERE id = 1$$, $$SELECT count(*)::text FROM crm_bi.kpi_version WHERE channel = 'renamed'$$), '0', 'and what was published has the old one');
SELECT is(pg_temp.taken_back($$UPDATE crm.organisation SET name = 'Renamed'$$, $$SELECT (SELECT count(*) FROM crm_bi.kpi_version WHERE org_name = 'Renamed') || ' ' || (SELECT count(*) FROM crm_bi.kpi_published WHERE org_name <> 'Renamed')$$), '0 0', 'a unit, too');
SELECT is(pg_temp.taken_back($$INSERT INTO crm.kpi_code (code, name, name_zh, shape, account, base_account, dimension, cell, adds_over_periods, description) SELECT 'twin', name, name_zh, shape, account, base_account, dimension, cell, adds_over_periods, description FROM crm.kpi_code WHERE code = 'tier'$$,
    $$SELECT (SELECT count(*) FROM crm_bi.kpi_published WHERE code = 'twin') || ' ' || string_agg(DISTINCT comparison, ',') || (SELECT ' ' || count(*) FROM crm_bi.kpi WHERE code = 'twin' AND period_end = '2025-09-30' AND org_id = 1) FROM crm_bi.kpi_published WHERE month = '2025-09-01'$$),
  (SELECT '0 same ' || count(*) FROM crm_bi.kpi WHERE code = 'tier' AND period_end = '2025-09-30' AND org_id = 1), 'a figure that is new is no part of what was published before');
SELECT is(pg_temp.taken_back($$DELETE FROM crm.kpi_code WHERE code = 'tier'$$, $$SELECT string_agg(DISTINCT comparison, ',') || ' ' || (count(*) = (SELECT count(*) FROM crm_bi.kpi_version WHERE code = 'tier' AND month = '2025-09-01' AND state = 'published')) FROM crm_bi.kpi_published WHERE code = 'tier' AND month = '2025-09-01'$$),
  'vanished true', 'one that is computed no more stays published');
SELECT is(pg_temp.taken_back($$UPDATE crm.kpi_code SET shape = 0, base_account = NULL, base_at = NULL, base_unit = NULL, account = 1 WHERE code = 'total_churn'$$, $$SELECT count(*) FILTER (WHERE comparison = 'same') || ' ' || bool_and(denominator > 0) FROM crm_bi.kpi_published WHERE code = 'total_churn' AND month = '2025-09-01' AND comparison <> 'new'$$),
  '0 true', 'one defined otherwise, too');
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (7777, 1, 'gone', 'To be gone');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (777777, 'person', 'Guest', 7777, 1, '2025-01-01');
SELECT ok(crm.post() > 0, 'posted');
SELECT results_eq($$SELECT DISTINCT org_name, comparison FROM crm_bi.kpi_published WHERE org_id = 7777$$, $$VALUES ('To be gone', 'new')$$, 'a unit that is new is compared with nothing');
SELECT ok(crm.restate_month('2025-09-01', 'a unit more') > 0, 'the month is restated once more');
SET LOCAL crm.actor = 'manager';
SELECT is(crm.publish_month('2025-09-01'), 4, 'and published with the next version');
DELETE FROM crm.customer WHERE id = 777777;
SELECT ok(crm.post() > 0, 'posted');
DELETE FROM crm.organisation WHERE id = 7777;
SELECT results_eq($$SELECT DISTINCT org_name, comparison FROM crm_bi.kpi_published WHERE org_id = 7777$$, $$VALUES ('To be gone', 'vanished')$$, 'a unit that is gone stays published by its name');

-- decimals
SELECT is(crm._closing_number(12345, 2::smallint), 123.45, 'numbers have their decimals');
SELECT is(crm._closing_number(-5, 0::smallint), -5::numeric, 'or none');

-- nobody writes there ---------------------------------------------------------------------

SELECT is(pg_temp.code_of($$UPDATE crm.closing_figure SET scale = 1$$), '55000', 'figures closed are not changed');
SELECT is(pg_temp.code_of($$DELETE FROM crm.closing_figure$$), '55000', 'nor deleted');
SELECT is(pg_temp.code_of($$DELETE FROM crm.closing_unit$$), '55000', 'nor are units');
SELECT is(pg_temp.code_of($$DELETE FROM crm.closing$$), '55000', 'nor versions');
SELECT is(pg_temp.code_of(format('UPDATE crm.closing SET %s WHERE state = %L', s, 'published')), '55000', 'not changed either: ' || s)
FROM unnest(ARRAY['month = month + 31', 'version = version + 10', 'published_by = NULL, published_at = NULL', 'closed_by = ''x''', 'digest = NULL', 'codes = ''{}''', 'reason = ''x'', restates = 1']) s;
SELECT is(pg_temp.code_of($$UPDATE crm.closing SET superseded_at = NULL WHERE state = 'superseded'$$), '55000', 'what is superseded stays so');
SELECT is_empty('SELECT * FROM crm.check()', 'all holds');
ALTER TABLE crm.closing_figure DISABLE TRIGGER stands;
SELECT is(pg_temp.taken_back($$UPDATE crm.closing_figure SET cells = (SELECT x.cells FROM crm.closing_figure x WHERE x.code = 'coverage' LIMIT 1) WHERE month = '2025-10-01' AND org_id = 1 AND code = 'insured'$$,
  $$SELECT string_agg(check_name || ': ' || detail, ',') FROM crm.check()$$), 'published figures stand: version 2 of 2025-10 is not as it was closed', 'what is written by hand is found');
SELECT is(pg_temp.taken_back($$DELETE FROM crm.closing_figure WHERE month = '2025-11-01' AND code = 'insured'$$, $$SELECT pg_temp.code('SELECT crm.publish_month(''2025-11-01'')')$$),
  '22000: the figures of 2025-11 are not as they were closed', 'and not published');
ALTER TABLE crm.closing_figure ENABLE TRIGGER stands;

-- who may
CREATE ROLE crm_test_controller; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('controller', 'crm_test_controller');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('sales', 'crm_test_sales');
RESET crm.actor;
SELECT results_eq($$SELECT r, pg_temp.by_login(('crm_test_' || r)::name, s) FROM (VALUES
    ('controller', 'SELECT crm.publish_month(''2025-11-01'')'), ('manager', 'SELECT crm.close_month(''2025-12-01'')'), ('manager', 'SELECT crm.restate_month(''2025-10-01'', ''x'')'),
    ('manager', 'SELECT crm.discard_closing(''2025-11-01'', ''x'')'), ('analyst', 'SELECT crm.close_month(''2025-12-01'')'), ('analyst', 'SELECT crm.publish_month(''2025-11-01'')'), ('sales', 'SELECT crm.close_month(''2025-12-01'')'),
    ('sales', 'SELECT count(*) FROM crm_bi.kpi_published'), ('analyst', 'SELECT count(*) FROM crm.closing_figure'), ('controller', 'SELECT count(*) FROM crm.closing_figure')) x (r, s)$$,
  $$VALUES ('controller', '42501'), ('manager', '42501'), ('manager', '42501'), ('manager', '42501'), ('analyst', '42501'), ('analyst', '42501'), ('sales', '42501'), ('sales', '42501'), ('analyst', '42501'), ('controller', '42501')$$,
  'each duty has its part and no other');
SELECT is(pg_temp.by_login('crm_test_' || r, 'SELECT count(*) > 0 FROM crm_bi.' || v), 'true', r || ' reads ' || v)
FROM unnest('{controller,manager,analyst}'::text[]) r, unnest('{closing,kpi_version,kpi_published,kpi_restated,freshness}'::text[]) v;
SELECT is(pg_temp.by_login('crm_test_controller', $$SELECT crm.restate_month('2025-10-01', 'by duty') > 0$$), 'true', 'a controller restates');
SELECT is(pg_temp.by_login('crm_test_manager', $$SELECT crm.publish_month('2025-10-01')$$), '3', 'a manager publishes');
SELECT results_eq($$SELECT closed_by, published_by FROM crm_bi.closing WHERE month = '2025-10-01' AND state = 'published'$$, $$VALUES ('crm_test_controller', 'crm_test_manager')$$, 'by their names');
SELECT is_empty('SELECT * FROM crm.check()', 'all holds');
SELECT * FROM finish();
ROLLBACK;
