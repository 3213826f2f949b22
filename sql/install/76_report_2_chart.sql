-- report: charts as SVG, drawn 360 wide so that a telephone shows them at their own size. Text in them is phrases and numbers.

CREATE FUNCTION crm._report_step(span numeric, parts integer) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT p.unit * CASE WHEN p.x <= p.unit THEN 1 WHEN p.x <= 2 * p.unit THEN 2 WHEN p.x <= 5 * p.unit THEN 5 ELSE 10 END
  FROM (SELECT span / parts AS x, power(10::numeric, floor(log(span / parts))) AS unit) p);
END
$$;
COMMENT ON FUNCTION crm._report_step(numeric, integer) IS 'The distance of about so many ticks over a span above 0: 1, 2 or 5 times a power of ten.';

CREATE FUNCTION crm._report_text(x numeric, y numeric, words text, class text DEFAULT NULL, anchor text DEFAULT NULL) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN xmlelement(name text, xmlattributes(round(x, 1) AS x, round(y, 1) AS y, class AS class, anchor AS "text-anchor"), words);
END
$$;
COMMENT ON FUNCTION crm._report_text(numeric, numeric, text, text, text) IS 'Text in a chart.';

CREATE FUNCTION crm._report_rect(x numeric, y numeric, width numeric, height numeric, class text) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN xmlelement(name rect, xmlattributes(round(x, 2) AS x, round(y, 2) AS y, round(greatest(width, 0), 2) AS width, round(height, 2) AS height, class AS class));
END
$$;
COMMENT ON FUNCTION crm._report_rect(numeric, numeric, numeric, numeric, text) IS 'A bar in a chart.';

-- a line through points evenly spaced, broken where a value is not known
CREATE FUNCTION crm._report_path(points numeric[], x numeric, width numeric, y numeric, height numeric, low numeric, high numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT string_agg(CASE WHEN p.before IS NULL THEN 'M' ELSE 'L' END
                    || round(_report_path.x + width * (p.i - 1) / greatest(cardinality(points) - 1, 1), 1) || ' '
                    || round(_report_path.y + height * (1 - (p.v - low) / coalesce(nullif(high - low, 0), 1)), 1)
                    || CASE WHEN p.before IS NULL AND p.after IS NULL THEN 'h0.01' ELSE '' END, '' ORDER BY p.i)
  FROM (SELECT u.v, u.i, lag(u.v) OVER (ORDER BY u.i) AS before, lead(u.v) OVER (ORDER BY u.i) AS after FROM unnest(points) WITH ORDINALITY u (v, i)) p
  WHERE p.v IS NOT NULL);
END
$$;
COMMENT ON FUNCTION crm._report_path(numeric[], numeric, numeric, numeric, numeric, numeric, numeric) IS 'Path data of a line; NULL without any value.';

CREATE FUNCTION crm._report_spark(points numeric[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT xmlelement(name svg, xmlattributes('spark' AS class, '0 0 120 30' AS "viewBox", 'none' AS "preserveAspectRatio", 'true' AS "aria-hidden"),
           xmlelement(name path, xmlattributes(crm._report_path(points, 2, 116, 3, 24, min(p.v), max(p.v)) AS d)))
  FROM unnest(points) p (v) HAVING count(p.v) > 1);
END
$$;
COMMENT ON FUNCTION crm._report_spark(numeric[]) IS 'A small line without axes; NULL of fewer than two values.';

-- Months along the bottom, one or two lines, or columns from 0; the last value in figures.
CREATE FUNCTION crm._report_chart(frame crm._report_frame, title text, months date[], points numeric[], more numeric[], names text[], nature text, columns boolean) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  x0 CONSTANT numeric := 46;
  width CONSTANT numeric := 304;
  y0 CONSTANT numeric := 26;
  height CONSTANT numeric := 112;
  n CONSTANT integer := cardinality(months);
  low numeric;
  high numeric;
  step numeric;
  ticks xml;
  marks xml;
  shapes xml;
  ends xml;
BEGIN
  SELECT min(p.v), max(p.v) INTO low, high FROM unnest(points || more) p (v);
  IF low IS NULL THEN
    RETURN NULL;
  END IF;
  IF columns THEN
    low := least(low, 0);
    high := greatest(high, 0);
  END IF;
  step := crm._report_step(coalesce(nullif(high - low, 0), nullif(abs(high), 0), CASE WHEN nature = 'rate' THEN 0.01 ELSE 1 END), 3);
  IF nature IN ('balance', 'count') THEN
    step := greatest(step, 1);
  END IF;
  low := floor(low / step) * step;
  high := greatest(ceil(high / step) * step, low + step);

  SELECT xmlagg(xmlconcat(
           xmlelement(name path, xmlattributes(format('M%s %sh%s', x0, round(y0 + height * (1 - (t.v - low) / (high - low)), 1), width) AS d, 'grid' AS class)),
           crm._report_text(x0 - 6, y0 + height * (1 - (t.v - low) / (high - low)) + 4,
             CASE WHEN nature IN ('rate', 'growth') THEN trim_scale(100 * t.v) || '%' ELSE crm._report_short(t.v, (frame).language) END, 'tick', 'end')) ORDER BY t.v)
  INTO ticks FROM generate_series(low, high, step) t (v);

  SELECT xmlagg(crm._report_text(x0 + width * CASE WHEN columns THEN (i - 0.5) / n ELSE (i - 1)::numeric / greatest(n - 1, 1) END, y0 + height + 17,
                                 crm._report_month(frame, months[i], true), 'tick', CASE WHEN i = n AND NOT columns THEN 'end' WHEN i = n THEN 'end' WHEN i = 1 THEN 'start' ELSE 'middle' END) ORDER BY i)
  INTO marks FROM generate_series(1, n) i WHERE (n - i) % 6 = 0 AND (i = n OR i > 1 OR n > 6);

  IF columns THEN
    SELECT xmlagg(xmlelement(name g, xmlelement(name title, crm._report_month(frame, months[p.i]) || ': ' || crm._report_number(p.v)),
                    crm._report_rect(x0 + width * (p.i - 0.86) / n, y0 + height * (1 - (greatest(p.v, 0) - low) / (high - low)), width * 0.72 / n,
                                     height * abs(p.v) / (high - low), CASE WHEN p.i = n THEN 'one last' ELSE 'one' END)) ORDER BY p.i)
    INTO shapes FROM unnest(points) WITH ORDINALITY p (v, i) WHERE p.v IS NOT NULL;
  ELSE
    shapes := xmlconcat(
      CASE WHEN crm._report_path(more, x0, width, y0, height, low, high) IS NOT NULL
           THEN xmlelement(name path, xmlattributes(crm._report_path(more, x0, width, y0, height, low, high) AS d, 'line two' AS class)) END,
      CASE WHEN crm._report_path(points, x0, width, y0, height, low, high) IS NOT NULL
           THEN xmlelement(name path, xmlattributes(crm._report_path(points, x0, width, y0, height, low, high) AS d, 'line one' AS class)) END);
  END IF;

  -- the last value of each line, and of two lines their names
  SELECT xmlagg(xmlconcat(
           CASE WHEN NOT columns AND s.v[n] IS NOT NULL
                THEN xmlelement(name circle, xmlattributes(x0 + width AS cx, round(y0 + height * (1 - (s.v[n] - low) / (high - low)), 1) AS cy, 3 AS r, s.class AS class)) END,
           crm._report_rect(x0 + 152 * (s.i - 1), 5, 10, 10, s.class),
           crm._report_text(x0 + 14 + 152 * (s.i - 1), 14, s.name, 'legend'),
           crm._report_text(x0 + 152 * s.i - CASE WHEN s.i = 1 AND more IS NOT NULL THEN 12 ELSE 0 END + CASE WHEN more IS NULL THEN 152 ELSE 0 END, 14,
             CASE WHEN nature = 'rate' THEN crm._report_percent(s.v[n]) ELSE crm._report_short(s.v[n], (frame).language) END, 'last', 'end')) ORDER BY s.i)
  INTO ends FROM (VALUES (1, points, 'one', names[1]), (2, more, 'two', names[2])) s (i, v, class, name) WHERE s.v IS NOT NULL;

  RETURN xmlelement(name figure,
    xmlelement(name figcaption, title),
    xmlelement(name svg, xmlattributes('0 0 360 162' AS "viewBox", 'img' AS role), xmlelement(name title, title), ticks, marks, shapes, ends));
END
$$;
COMMENT ON FUNCTION crm._report_chart(crm._report_frame, text, date[], numeric[], numeric[], text[], text, boolean) IS 'A chart of months: lines, or columns; NULL without any value.';

-- Steps from the first value to the last, which is their sum. The axis begins below the lowest level, so that the steps are seen; a cut through the two ends says so.
CREATE FUNCTION crm._report_waterfall(frame crm._report_frame, title text, id text, labels text[], steps numeric[]) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  x0 CONSTANT numeric := 92;
  width CONSTANT numeric := 200;
  row CONSTANT numeric := 25;
  n CONSTANT integer := cardinality(steps);
  low numeric;
  high numeric;
  floor_at numeric;
  bars xml;
BEGIN
  SELECT min(l.level), max(l.level) INTO low, high
  FROM (SELECT sum(s.v) OVER (ORDER BY s.i) AS level FROM unnest(steps[:n - 1]) WITH ORDINALITY s (v, i)) l;
  floor_at := CASE WHEN high > low AND low > 0 THEN greatest(low - (high - low) * 0.3, 0) ELSE least(low, 0) END;
  IF floor_at < high * 0.05 THEN
    floor_at := least(floor_at, 0);
  END IF;
  high := coalesce(nullif(high, floor_at), floor_at + 1);
  SELECT xmlagg(xmlconcat(
           crm._report_text(0, row * s.i - 8, labels[s.i]),
           crm._report_rect(x0 + width * (least(s.a, s.b) - floor_at) / (high - floor_at), row * (s.i - 1) + 4, greatest(width * abs(s.b - s.a) / (high - floor_at), 1), row - 8,
                            CASE WHEN s.i IN (1, n) THEN 'one' WHEN s.v < 0 THEN 'fall' ELSE 'rise' END),
           CASE WHEN s.i IN (1, n) AND floor_at > 0 THEN
             xmlelement(name path, xmlattributes(format('M%s %sl6 %sl4 0l-6 %sz', x0 + 10, row * s.i - 1, -(row - 2), row - 2) AS d, 'cut' AS class)) END,
           CASE WHEN s.i < n THEN
             xmlelement(name path, xmlattributes(format('M%s %sv8', round(x0 + width * (s.b - floor_at) / (high - floor_at), 1), row * s.i - 4) AS d, 'join' AS class)) END,
           xmlelement(name text, xmlattributes(360 AS x, row * s.i - 8 AS y, 'end' AS "text-anchor", CASE WHEN s.i IN (1, n) THEN 'total' END AS class, trim_scale(s.v) AS "data-value"),
             CASE WHEN s.i IN (1, n) THEN crm._report_number(s.v) ELSE crm._report_signed(s.v) END)) ORDER BY s.i)
  INTO bars
  FROM (SELECT t.i, t.v, CASE WHEN t.i IN (1, n) THEN floor_at ELSE sum(t.v) OVER (ORDER BY t.i) - t.v END AS a,
               CASE WHEN t.i = n THEN t.v ELSE sum(t.v) OVER (ORDER BY t.i) END AS b
        FROM unnest(steps) WITH ORDINALITY t (v, i)) s;
  RETURN xmlelement(name figure, xmlattributes(id AS id),
    xmlelement(name figcaption, title),
    xmlelement(name svg, xmlattributes('0 0 360 ' || row * n AS "viewBox", 'img' AS role), xmlelement(name title, title), bars));
END
$$;
COMMENT ON FUNCTION crm._report_waterfall(crm._report_frame, text, text, text[], numeric[]) IS 'A waterfall: the first value, what is added and taken off, the last.';

CREATE FUNCTION crm._report_bar(share numeric, class text) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN xmlelement(name svg, xmlattributes('bar' AS class, '0 0 100 10' AS "viewBox", 'none' AS "preserveAspectRatio", 'true' AS "aria-hidden"),
           crm._report_rect(0, 0, 100, 10, 'back'), crm._report_rect(0, 0, 100 * least(share, 1), 10, class));
END
$$;
COMMENT ON FUNCTION crm._report_bar(numeric, text) IS 'A bar beside a number in a table.';
