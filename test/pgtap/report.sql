-- The monthly report: it parses, every number on it is that of crm_bi, both languages say all, hostile names stay text, and bad input is refused with a hint.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.as_of = '2025-08-20';

-- phrases --------------------------------------------------------------------------

CREATE FUNCTION pg_temp.places(phrase text) RETURNS text[] LANGUAGE sql AS $$
  SELECT array_agg(DISTINCT m[1] ORDER BY m[1]) FROM regexp_matches(phrase, '\{(\w+)\}', 'g') m
$$;
SELECT is_empty('SELECT phrase FROM crm.report_phrase WHERE pg_temp.places(en) IS DISTINCT FROM pg_temp.places(zh)', 'a phrase has the same places in both languages');
SELECT is(crm._report_say(('en', jsonb_build_object('a', x.phrase), '[]', '[]', '2025-01-01', '2025-01-01', 1, '')::crm._report_frame, 'a', x.args), x.said, 'said: ' || x.phrase)
FROM (VALUES ('{a} of {b}', '{"a": "{b}", "b": "<i>"}'::jsonb, '{b} of <i>'), ('{ and {} and {A} and {c}', '{"a": "1"}', '{ and {} and {A} and {c}'), ('100 %', '{}', '100 %')) x (phrase, args, said);
SELECT is(crm._report_percent(r.rate, r.signed), r.shown, 'a rate: ' || coalesce(r.rate::text, 'none'))
FROM (VALUES (0.1234, false, '12.3%'), (0.0051, true, '+0.51%'), (-0.0051, true, '-0.51%'), (0, true, '0.0%'), (0.00999, false, '1.0%'), (12.3456, false, '1,234.6%'), (NULL, true, '-'),
             (0.00001, true, '0.00%')) r (rate, signed, shown);
SELECT is(crm._report_short(n, l), shown, 'a count: ' || n) FROM (VALUES (9999, 'zh', '9,999'), (10000, 'zh', '1万'), (123456, 'zh', '12.35万'), (-20500, 'zh', '-2.05万'), (123456789, 'zh', '1.23亿'), (123456, 'en', '123,456')) r (n, l, shown);
SELECT is(crm._report_step(s, 3), w, 'ticks over ' || s) FROM (VALUES (3, 1), (4, 2), (0.07, 0.05), (100, 50), (61, 50), (60, 20), (0.0004, 0.0002)) r (s, w);

-- before anybody is there -----------------------------------------------------------

INSERT INTO crm.organisation (id, code, name) VALUES (999, 'z', 'Nobody''s');
SELECT matches(crm.report('2025-08-20', 999), '<p id="no-figures">There are no figures for Nobody''s in July 2025: ', 'an empty book has a page');
SELECT ok(xmlparse(document crm.report('2025-08-20', 999, 'zh')) IS DOCUMENT, 'in Chinese, too');
DELETE FROM crm.organisation WHERE id = 999;

CALL crm.generate(customers => 1500, seed => 9, units => '{3,5,9}', as_of => '2025-12-31');
INSERT INTO crm.addressable_population (org_id, year, kind, n) SELECT o.id, y, 'person', 900 FROM crm.organisation o, generate_series(2024, 2025) y;
INSERT INTO crm.service_case (customer_id, id, kind, category, intake, opened_at) SELECT c.id, 1, 'complaint', 'delay', 'phone', '2023-01-05'::timestamptz + c.id * interval '15 hours' FROM crm.customer c WHERE c.id % 2 = 0;
INSERT INTO crm.prospect (customer_id, id, source, entered_on, introduced_by) SELECT c.id, 1, 'referral', '2023-08-05'::date + (c.id % 720)::integer, 1 + c.id / 3 FROM crm.customer c WHERE c.id % 3 = 0 AND EXISTS (SELECT FROM crm.customer x WHERE x.id = 1 + c.id / 3);
INSERT INTO crm.completeness_month (month, day) SELECT m::date, m::date + 25 FROM generate_series(timestamp '2024-05-01', '2025-07-01', '1 month') m;
INSERT INTO crm.completeness_cell (month, org_id, channel_id, kind, tier, customers, complete, score_sum, points, weight) SELECT m.month, o.id, 1, 'person', 'none', 50, 5, 20 + extract(month FROM m.month) / 7, 1, 1 FROM crm.completeness_month m, crm.organisation o;
CALL crm.rebuild('2025-08-20', batch => NULL);
UPDATE crm.organisation SET name = '<script>alert(1)</script> & "Q" ''x'' ]]> {closing}' || chr(1) WHERE id = 1;
UPDATE crm.organisation SET name = '</td><img src="https://example.com/a" onerror=''alert(2)''/>' || repeat('很长的名称', 12) WHERE id = 2;
UPDATE crm.channel SET name = '<b>Bank & Co</b>', name_zh = '<b>银行</b>' WHERE code = 'bancassurance';
INSERT INTO crm.target (org_id, channel_id, code, class, grain, period_start, value, purpose, label) VALUES
  (1, NULL, 'plan_customers', NULL, 'year', '2025-01-01', 700, 'target', NULL), (1, 2, 'repeat_purchase', NULL, 'year', '2025-01-01', 0.0615, 'target', NULL), (1, NULL, 'activity', 'dormant', 'quarter', '2025-07-01', 300, 'target', NULL),
  (1, NULL, 'new_customers', NULL, 'month', '2025-07-01', 4, 'target', NULL), (1, NULL, 'repeat_purchase', NULL, 'year', '2024-01-01', 0.0815, 'benchmark', '<best> & "others"'), (2, NULL, 'plan_customers', NULL, 'year', '2025-01-01', 7, 'target', NULL);
CREATE TEMP TABLE page AS SELECT l AS language, crm.report('2025-08-20', 1, l) AS html, xmlparse(document crm.report('2025-08-20', 1, l)) AS doc FROM unnest('{en,zh}'::text[]) l;
SELECT is((SELECT array_agg(language ORDER BY language) FROM page WHERE doc IS DOCUMENT), '{en,zh}', 'both pages are well-formed');

-- every number is that of crm_bi ------------------------------------------------------

CREATE FUNCTION pg_temp.cell(path text) RETURNS numeric LANGUAGE sql AS $$
  SELECT nullif((xpath('string((' || path || '//data)[1]/@value)', p.doc))[1]::text, '')::numeric FROM page p WHERE p.language = 'en'
$$;
CREATE TEMP TABLE event ON COMMIT DROP AS SELECT * FROM crm_bi.kpi_event;
CREATE FUNCTION pg_temp.figure(of_code text, of_grain text, last_month date, org bigint DEFAULT 1, of_channel text DEFAULT NULL, of_class text DEFAULT NULL, of_kind text DEFAULT NULL, OUT value numeric) LANGUAGE plpgsql AS $$
DECLARE
  code record;
BEGIN
  SELECT * INTO code FROM crm_bi.kpi_code c WHERE c.code = of_code;
  EXECUTE format('SELECT CASE WHEN $1 THEN sum(k.numerator) / nullif(sum(k.denominator), 0) ELSE coalesce(sum(k.numerator), 0) END
                  FROM %s k
                  WHERE k.org_id = $2 AND k.code = $3 AND k.grain = $4 AND k.period_end = $5 AND ($6 IS NULL OR k.channel = $6) AND ($7 IS NULL OR k.kind = $7) AND k.class IS NOT DISTINCT FROM $8',
                 CASE code.shown_in WHEN 'kpi' THEN 'crm_bi.kpi' ELSE 'event' END) INTO value
  USING code.has_denominator, org, of_code, of_grain, CASE of_grain WHEN 'year' THEN date '2025-12-31' ELSE (last_month + interval '1 month - 1 day')::date END, of_channel, of_kind, of_class;
END
$$;
CREATE TEMP VIEW figure AS
SELECT c.code, c.balance, pg_temp.figure(c.code, 'month', '2025-07-01') AS m, pg_temp.figure(c.code, 'month', '2025-06-01') AS m_before, pg_temp.figure(c.code, 'month', '2024-07-01') AS m_year,
       pg_temp.figure(c.code, 'month', '2024-12-01') AS m_begin, pg_temp.figure(c.code, 'month', '2023-07-01') AS m_two, pg_temp.figure(c.code, 'year', NULL) AS y,
       pg_temp.figure(c.code, 'trailing_12', '2025-07-01') AS t, pg_temp.figure(c.code, 'trailing_12', '2024-07-01') AS t_year, pg_temp.figure(c.code, 'trailing_12', '2025-06-01') AS t_before
FROM (SELECT k.code, k.code IN (SELECT r.code FROM crm.report_figure r WHERE r.nature = 'balance') AS balance FROM crm_bi.kpi_code k WHERE k.dimension IS NULL AND k.code <> 'recycle') c;
SELECT set_eq($$SELECT i::text FROM page p, unnest(xpath('//table[@class="figures"]//tr/@id', p.doc)) i WHERE p.language = 'en'$$, $$SELECT 'figure-' || k.code FROM figure k UNION ALL SELECT 'figure-persistency_' || m || '_' || b FROM unnest('{13,25}'::text[]) m, unnest('{count,premium}'::text[]) b$$, 'the table has every figure, of events those that are listed, and persistency');
SELECT pg_temp.same($$SELECT f.code, n.n, round(pg_temp.cell(format('//tr[@id="figure-%s"]/td[%s]', f.code, n.n)), 12) FROM figure f, generate_series(1, 6) n (n)$$,
  $$SELECT f.code, v.n, round(v.v, 12) FROM figure f CROSS JOIN LATERAL (VALUES (1, f.m), (2, f.m - f.m_before), (3, f.m - f.m_year), (4, CASE WHEN f.balance THEN f.m - f.m_begin ELSE f.y END),
      (5, CASE WHEN f.balance THEN f.m - f.m_year ELSE f.t END), (6, CASE WHEN f.balance THEN f.m - f.m_year - (f.m_year - f.m_two) ELSE f.t - f.t_year END)) v (n, v)$$, 'with its values and changes');
CREATE FUNCTION pg_temp.persistency(of_code text, first date, last date) RETURNS numeric LANGUAGE sql AS $$
  SELECT sum(p.numerator) / nullif(sum(p.denominator), 0) FROM crm_bi.persistency p WHERE p.org_id = 1 AND p.code || '_' || p.basis = of_code AND p.period_start BETWEEN first AND last
$$;
SELECT pg_temp.same($$SELECT c.code, n.n, round(pg_temp.cell(format('//tr[@id="figure-%s"]/td[%s]', c.code, n.n)), 12) FROM crm.report_figure c, generate_series(1, 6) n (n) WHERE c.code ~ '^persistency'$$,
  $$SELECT c.code, v.n, round(v.v, 12) FROM crm.report_figure c
    CROSS JOIN LATERAL (SELECT pg_temp.persistency(c.code, '2025-07-01', '2025-07-01') AS m, pg_temp.persistency(c.code, '2025-06-01', '2025-06-01') AS m_before, pg_temp.persistency(c.code, '2024-07-01', '2024-07-01') AS m_year,
                               pg_temp.persistency(c.code, '2025-01-01', '2025-07-01') AS y, pg_temp.persistency(c.code, '2024-08-01', '2025-07-01') AS t, pg_temp.persistency(c.code, '2023-08-01', '2024-07-01') AS t_year) f
    CROSS JOIN LATERAL (VALUES (1, f.m), (2, f.m - f.m_before), (3, f.m - f.m_year), (4, f.y), (5, f.t), (6, f.t - f.t_year)) v (n, v) WHERE c.code ~ '^persistency'$$, 'persistency by months in which it is told');
SELECT is_empty($$SELECT f.code FROM figure f WHERE f.code IN ('market_penetration', 'referral_rate', 'referral_conversion', 'complaints_per_10k', 'average_completeness') AND f.m IS NULL$$, 'there are some of each');
SELECT pg_temp.same($$SELECT r.code, n.n, round(pg_temp.cell(format('//div[@id="card-%s"]/p[%s]', r.code, n.n)), 12) FROM crm.report_figure r JOIN crm_bi.kpi_code USING (code), generate_series(2, 4) n (n) WHERE r.card IS NOT NULL$$,
  $$SELECT f.code, v.n, round(v.v, 12) FROM figure f JOIN crm.report_figure r ON r.code = f.code AND r.card IS NOT NULL
    CROSS JOIN LATERAL (SELECT r.nature IN ('balance', 'count') AS month) x
    CROSS JOIN LATERAL (VALUES (2, CASE WHEN x.month THEN f.m ELSE f.t END), (3, CASE WHEN x.month THEN f.m - f.m_before ELSE f.t - f.t_before END), (4, CASE WHEN x.month THEN f.m - f.m_year ELSE f.t - f.t_year END)) v (n, v)$$, 'so do the cards');

CREATE FUNCTION pg_temp.bridge(id text) RETURNS numeric[] LANGUAGE sql AS $$
  SELECT array_agg(v::text::numeric) FROM page p, unnest(xpath(format('//figure[@id="%s"]//text/@data-value', id), p.doc)) v WHERE p.language = 'en'
$$;
SELECT is(pg_temp.bridge('bridge-' || g.id), ARRAY[pg_temp.figure('insured', 'month', g.opening), pg_temp.figure('gained', g.grain, '2025-07-01'), pg_temp.figure('won_back', g.grain, '2025-07-01'),
            -(SELECT sum(k.numerator) FROM crm_bi.kpi k WHERE k.org_id = 1 AND k.code = 'total_churn' AND k.grain = g.grain AND k.period_end = '2025-07-31'),
            pg_temp.figure('moved_in', g.grain, '2025-07-01'), -pg_temp.figure('moved_out', g.grain, '2025-07-01'), pg_temp.figure('insured', 'month', '2025-07-01')], 'the steps of the waterfall: ' || g.id)
FROM (VALUES ('month', 'month', date '2025-06-01'), ('twelve', 'trailing_12', '2024-07-01')) g (id, grain, opening);
SELECT is((SELECT sum(v) FROM unnest((pg_temp.bridge('bridge-' || id))[1:6]) v), (pg_temp.bridge('bridge-' || id))[7], 'which end where they lead: ' || id) FROM unnest('{month,twelve}'::text[]) id;

SELECT pg_temp.same($$SELECT o.org_id, n.n, round(pg_temp.cell(format('//tr[@data-member="unit-%s"]/td[%s]', o.org_id, n.n)), 12) FROM crm_bi.organisation o, unnest('{1,3,4,5,6,7,8}'::integer[]) n (n) WHERE o.parent_id = 1$$,
  $$SELECT o.org_id, v.n, round(v.v, 12) FROM crm_bi.organisation o CROSS JOIN LATERAL (VALUES (1, pg_temp.figure('insured', 'month', '2025-07-01', o.org_id)),
      (3, pg_temp.figure('insured', 'month', '2025-07-01', o.org_id) - pg_temp.figure('insured', 'month', '2025-06-01', o.org_id)), (4, pg_temp.figure('insured', 'month', '2025-07-01', o.org_id) - pg_temp.figure('insured', 'month', '2024-07-01', o.org_id)),
      (5, pg_temp.figure('new_customers', 'trailing_12', '2025-07-01', o.org_id)), (6, pg_temp.figure('repeat_purchase', 'trailing_12', '2025-07-01', o.org_id)),
      (7, pg_temp.figure('total_churn', 'trailing_12', '2025-07-01', o.org_id)), (8, pg_temp.figure('win_back', 'trailing_12', '2025-07-01', o.org_id))) v (n, v) WHERE o.parent_id = 1$$, 'the units');
SELECT is((SELECT sum(v::text::numeric) FROM page p, unnest(xpath('//section[@id="units"]//tbody/tr/td[1]/data/@value', p.doc)) v WHERE p.language = 'en'), pg_temp.figure('insured', 'month', '2025-07-01'), 'which make the whole with the unit itself');
SELECT is((SELECT array_agg((xpath(format('string(//tr[@data-member="unit-%s"]/td[7]/small)', o.org_id), p.doc))[1]::text ORDER BY o.org_id) FROM page p, crm_bi.organisation o WHERE p.language = 'en' AND o.parent_id = 1),
          (SELECT array_agg('rank ' || r ORDER BY org_id) FROM (SELECT o.org_id, rank() OVER (ORDER BY pg_temp.figure('total_churn', 'trailing_12', '2025-07-01', o.org_id)) AS r FROM crm_bi.organisation o WHERE o.parent_id = 1) x), 'with ranks by churn, the least first');
SELECT pg_temp.same($$SELECT h.channel, n.n, round(pg_temp.cell(format('//tr[@data-member="channel-%s"]/td[%s]', h.channel, n.n)), 12) FROM crm_bi.channel h, unnest('{1,4,7}'::integer[]) n (n) WHERE h.channel IN (SELECT channel FROM crm_bi.kpi WHERE org_id = 1 AND code = 'insured')$$,
  $$SELECT h.channel, v.n, round(v.v, 12) FROM crm_bi.channel h CROSS JOIN LATERAL (VALUES (1, pg_temp.figure('insured', 'month', '2025-07-01', 1, h.channel)),
      (4, pg_temp.figure('insured', 'month', '2025-07-01', 1, h.channel) - pg_temp.figure('insured', 'month', '2024-07-01', 1, h.channel)), (7, pg_temp.figure('total_churn', 'trailing_12', '2025-07-01', 1, h.channel))) v (n, v)
    WHERE h.channel IN (SELECT channel FROM crm_bi.kpi WHERE org_id = 1 AND code = 'insured')$$, 'the channels');
SELECT pg_temp.same($$SELECT k.code, k.class, pg_temp.cell(format('//tr[@data-class="%s-%s"]/td[2]', k.code, k.class)), coalesce(pg_temp.cell(format('//tr[@data-class="%s-%s"]/td[4]', k.code, k.class)), 0)
    FROM crm_bi.kpi k WHERE k.org_id = 1 AND k.grain = 'month' AND k.period_start = '2025-07-01' AND k.class IS NOT NULL GROUP BY k.code, k.class$$,
  $$SELECT k.code, k.class, pg_temp.figure(k.code, 'month', '2025-07-01', 1, NULL, k.class), pg_temp.figure(k.code, 'month', '2025-07-01', 1, NULL, k.class) - pg_temp.figure(k.code, 'month', '2024-07-01', 1, NULL, k.class)
    FROM crm_bi.kpi k WHERE k.org_id = 1 AND k.grain = 'month' AND k.period_start = '2025-07-01' AND k.class IS NOT NULL GROUP BY k.code, k.class$$, 'the classes');
SELECT is((SELECT array_agg(pg_temp.cell(format('//tr[@data-class="kind-%s"]/td[2]', k)) ORDER BY k) FROM unnest('{company,person}'::text[]) k), ARRAY[pg_temp.figure('insured', 'month', '2025-07-01', 1, NULL, NULL, 'company'), pg_temp.figure('insured', 'month', '2025-07-01', 1, NULL, NULL, 'person')], 'persons apart from companies');
SELECT pg_temp.same($$SELECT t.target_id, pg_temp.cell(format('//tr[@data-target="target-%s"]/td[2]', t.target_id)), round(pg_temp.cell(format('//tr[@data-target="target-%s"]/td[3]', t.target_id)), 12), round(pg_temp.cell(format('//tr[@data-target="target-%s"]/td[6]', t.target_id)), 12),
    (SELECT (xpath(format('string(//tr[@data-target="target-%s"]/td[7]//@class)', t.target_id), p.doc))[1]::text FROM page p WHERE p.language = 'en') FROM crm_bi.target t WHERE t.org_id = 1$$,
  $$SELECT t.target_id, trim_scale(t.target), round(t.actual, 12), round(t.forecast, 12), 'status ' || t.status FROM crm_bi.target t WHERE t.org_id = 1$$, 'targets of the unit');
SELECT is((SELECT count(*) FROM page p, unnest(xpath('//tr/@data-target', p.doc)) t WHERE p.language = 'en'), 4::bigint, 'and of no other');
SELECT is((SELECT array_agg(round(v::text::numeric, 12)) FROM page p, unnest(xpath('//section[@id="benchmarks"]//tbody/tr/td/data/@value | //section[@id="benchmarks"]//tbody/tr/td/span/data/@value', p.doc)) v WHERE p.language = 'en'),
          (SELECT ARRAY[trim_scale(b.benchmark), round(b.actual, 12), round(b.actual_gap, 12)] FROM crm_bi.target_benchmark b), 'the benchmark');

-- names are text ----------------------------------------------------------------------

SELECT is((SELECT array_agg((xpath('string(//h1)', doc))[1]::text) FROM page WHERE language = 'en'), '{"&lt;script&gt;alert(1)&lt;/script&gt; &amp; \"Q\" ''x'' ]]&gt; {closing}"}', 'a hostile name is a heading');
SELECT is((SELECT count(*) FROM page p, unnest(xpath('//script | //img | //b | //iframe | //object | //link | //@onerror | //@href | //@src | //best', p.doc)) x), 0::bigint, 'nothing in it became an element or attribute');
SELECT is((SELECT count(*) FROM page p, unnest(xpath('//tr[@data-member="unit-2"]/th/text()', p.doc)) t WHERE t::text LIKE '&lt;/td&gt;&lt;img src="https://example.com/a"%'), 2::bigint, 'the name of a unit in its row');
SELECT is((SELECT array_agg((xpath('string(//section[@id="benchmarks"]//tbody/tr/td[2])', doc))[1]::text) FROM page), '{"&lt;best&gt; &amp; \"others\"","&lt;best&gt; &amp; \"others\""}', 'that of a benchmark');
SELECT is_empty($$SELECT language FROM page WHERE html ~* '<(script|link|img|iframe|object|embed|base|form)\M|url\(|@import|javascript:' OR html ~ E'[\\x01-\\x08]' OR regexp_replace(html, 'https://example\.com/a', '', 'g') ~ 'https?:'$$, 'no script, no resource from elsewhere');
SELECT is((SELECT array_agg((xpath('string(//meta[@http-equiv="Content-Security-Policy"]/@content)', doc))[1]::text) FROM page), '{"default-src ''none''; style-src ''unsafe-inline''","default-src ''none''; style-src ''unsafe-inline''"}', 'and the page forbids both to itself');
-- an element without content would be left open by a parser of HTML
SELECT is_empty($$SELECT DISTINCT m[1] FROM page, regexp_matches(html, '<(\w+)[^<>]*/>', 'g') m WHERE m[1] NOT IN ('meta', 'rect', 'path', 'circle', 'td')$$, 'no other element ends at once');
SELECT is_empty($$SELECT m[1] FROM page, regexp_matches(html, '<(td)[^<>]*/>(?!<td|</tr>)', 'g') m$$, 'an empty cell comes before another, or last');

-- both languages say all ----------------------------------------------------------------

SELECT is_empty($$SELECT x::text FROM page p, unnest(xpath('//body//text()', p.doc)) x WHERE x::text ~ '\{(?!closing)' OR x::text ~ '(section|column|change|note|code|class|card|chart|step|holding|status|cause|grain|unit|channel)/[a-z]'$$, 'no place is left empty and no key shown');
SELECT is_empty($$SELECT x::text FROM page p, unnest(xpath('//section[not(@id="units" or @id="channels" or @id="changes")]//text()', p.doc)) x
                  WHERE p.language = 'zh' AND regexp_replace(x::text, 'VIP|crm_bi|Newcombe|Bonferroni|&lt;[^;]*&gt;.*', '', 'g') ~ '[A-Za-z]{2}'$$, 'the Chinese page has no English');
SELECT is_empty($$SELECT x::text FROM page p, unnest(xpath('//section[not(@id="units")]//text()', p.doc)) x WHERE p.language = 'en' AND x::text ~ '[一-龥]'$$, 'nor the English one Chinese');
SELECT is((SELECT array_agg(i::text ORDER BY n) FROM page p, unnest(xpath('//section/@id', p.doc)) WITH ORDINALITY i (i, n) WHERE p.language = 'en'),
          (SELECT array_agg(i::text ORDER BY n) FROM page p, unnest(xpath('//section/@id', p.doc)) WITH ORDINALITY i (i, n) WHERE p.language = 'zh'), 'both have the same parts');
SELECT is((SELECT array_agg(v::text ORDER BY n) FROM page p, unnest(xpath('//data/@value', p.doc)) WITH ORDINALITY v (v, n) WHERE p.language = 'en'),
          (SELECT array_agg(v::text ORDER BY n) FROM page p, unnest(xpath('//data/@value', p.doc)) WITH ORDINALITY v (v, n) WHERE p.language = 'zh'), 'and the same numbers');
SET LOCAL crm.language = 'zh';
SELECT ok((SELECT html FROM page WHERE language = 'zh') = crm.report('2025-08-20', 1), 'the parameter crm.language decides where none is given');
RESET crm.language;

-- the same book, the same page
SET LOCAL "DateStyle" = 'German'; SET LOCAL "TimeZone" = 'America/New_York'; SET LOCAL extra_float_digits = -5; SET LOCAL search_path = pg_catalog; SET LOCAL xmloption = 'document'; SET LOCAL "IntervalStyle" = 'iso_8601'; SET LOCAL bytea_output = 'escape';
CREATE TEMP TABLE otherwise AS SELECT crm.report('20.08.2025', 1, 'en') AS html;
RESET "DateStyle"; RESET "TimeZone"; RESET extra_float_digits; RESET search_path; RESET xmloption;
SELECT ok((SELECT html FROM page WHERE language = 'en') = (SELECT html FROM otherwise), 'settings of the session change nothing');
SELECT is(current_setting('crm.as_of'), '2025-08-20', 'the day of the session stays');

-- months ------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.month_of(day date) RETURNS text LANGUAGE sql AS $$ SELECT split_part((xpath('string(//title)', xmlparse(document crm.report(day, 3))))[1]::text, ' - ', 3) $$;
SELECT is(pg_temp.month_of(d), m, 'on ' || d) FROM (VALUES (date '2025-08-30', 'July 2025'), ('2025-08-31', 'August 2025'), ('2025-09-01', 'August 2025'), ('2025-01-15', 'December 2024'), ('2024-02-29', 'February 2024'), ('2024-02-28', 'January 2024')) x (d, m);
SELECT matches(crm.report('2025-06-15', 1), '<li id="note-year_unknown">', 'of an open year as of a day before the figures stand nothing is told, and that is said');
SELECT is((xpath('count(//tr[@id="figure-gained"]/td[4]//data)', xmlparse(document crm.report('2025-06-15', 1))))[1]::text, '0', 'the column is empty');
SELECT matches(crm.report('2025-01-15', 1), '<th>Year 2024</th>', 'in January the year is that of the month');
SELECT matches(crm.report('1950-01-15', 1), 'id="no-figures"', 'before the book there are none');
SELECT is((xpath('string(//tr[@id="figure-insured"]/td[3])', xmlparse(document crm.report((SELECT (date_trunc('month', min(d.first_day)::timestamp) + interval '1 month')::date FROM crm.generation d WHERE d.state = 'current'), 1))))[1]::text, '-', 'the first month of the book has no year before');
SELECT is((xpath('count(//section[@id="units"])', xmlparse(document crm.report('2025-08-20', 10))))[1]::text, '0', 'a unit without units has no such part');

-- bad input -----------------------------------------------------------------------------

SELECT is((t.code, t.message, t.hint)::text, (w.code, w.message, w.hint)::text, w.statement)
FROM (VALUES ('NULL, 1', '22004', 'as_of must not be null', ''), ('''infinity'', 1', '22023', 'day "infinity" is out of range', 'Give a day from 1900 to 2199.'), ('''1899-12-31'', 1', '22023', 'day "1899-12-31" is out of range', 'Give a day from 1900 to 2199.'),
             ('''2025-08-20'', NULL', '22004', 'org_id must not be null', 'crm_bi.organisation lists the units.'), ('''2025-08-20'', 12345', '23503', 'there is no unit "12345"', 'crm_bi.organisation lists the units.'),
             ('''2025-08-20'', 1, ''fr''', '22023', 'language "fr" is not known', 'Give en or zh, or none for the parameter crm.language.'), ('''2025-08-20'', 1, ''''', '22023', 'language "" is not known', 'Give en or zh, or none for the parameter crm.language.'),
             ('''2030-08-20'', 1', '55000', 'the figures are posted up to 2025-10-31 only, not up to 2030-08-20', 'Run CALL crm.refresh(), every night for preference.')) w (statement, code, message, hint),
     LATERAL pg_temp.told('SELECT crm.report(' || w.statement || ')') t;

-- rights ----------------------------------------------------------------------------------

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst'); CALL crm.grant_duty('sales', 'crm_test_sales');
SELECT is(pg_temp.by_login('crm_test_sales', $$SELECT length(crm.report('2025-08-20', 1))$$), '42501', 'sales may not');
SET LOCAL SESSION AUTHORIZATION crm_test_analyst;
CREATE TEMP TABLE read AS SELECT crm.report('2025-08-20', 1, 'en') AS html;
RESET SESSION AUTHORIZATION;
SELECT ok((SELECT html FROM read) = (SELECT html FROM page WHERE language = 'en'), 'an analyst reads the same page');
REVOKE SELECT ON crm_bi.kpi FROM crm_test_analyst;
SELECT is(pg_temp.by_login('crm_test_analyst', $$SELECT length(crm.report('2025-08-20', 1))$$), '42501', 'with no more rights than their own');

SELECT is_empty('SELECT * FROM crm.check()', 'all agrees');
SELECT * FROM finish();
ROLLBACK;
