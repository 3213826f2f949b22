-- report: numbers, days and sentences as a page shows them. Markup is of type xml throughout; text becomes markup only by xmlelement(), which escapes it.

-- codes: [{code, part, place, nature, better, card}], classes: [{dimension, class, class_order}]
CREATE TYPE crm._report_frame AS (language text, words jsonb, codes jsonb, classes jsonb, month date, as_of date, org_id bigint, org_name text);
COMMENT ON TYPE crm._report_frame IS 'What every part of a report needs: language, words by key, figures and classes, the month it tells of, its day, its unit.';
-- member: the channel, or the key of a unit; kind only where persons and companies are told apart
CREATE TYPE crm._report_figure AS (member text, grain text, month date, code text, class text, kind text, numerator numeric, denominator numeric);
COMMENT ON TYPE crm._report_figure IS 'A figure in a period, told by the month with which it ends; the year that holds the month of the report by that month.';

-- what XML cannot hold at all would make a page nobody can parse
CREATE FUNCTION crm._report_clean(words text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN regexp_replace(words, '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]', '', 'g');
END
$$;
COMMENT ON FUNCTION crm._report_clean(text) IS 'Text without the control characters that XML forbids.';

CREATE FUNCTION crm._report_say(frame crm._report_frame, key text, args jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
  SELECT coalesce(string_agg(coalesce(p.m[1], args ->> p.m[2], '{' || p.m[2] || '}'), '' ORDER BY p.i), '')
  FROM regexp_matches(coalesce((frame).words ->> key, key), '([^{]+|\{(?![a-z_]+\}))|\{([a-z_]+)\}', 'g') WITH ORDINALITY p (m, i));
END
$$;
COMMENT ON FUNCTION crm._report_say(crm._report_frame, text, jsonb) IS 'The phrase of a key with its {places} filled, once: what is filled in is not looked into. Without a phrase the key.';

CREATE FUNCTION crm._report_number(n numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(to_char(round(n), 'FM999,999,999,999,999,990'), '-');
END
$$;
COMMENT ON FUNCTION crm._report_number(numeric) IS 'A count with thousand separators; NULL is a dash.';

CREATE FUNCTION crm._report_short(n numeric, language text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN language <> 'zh' OR abs(n) < 10000 THEN crm._report_number(n)
              WHEN abs(n) < 100000000 THEN rtrim(rtrim(to_char(n / 10000, 'FM99990.00'), '0'), '.') || '万'
              ELSE rtrim(rtrim(to_char(n / 100000000, 'FM999999990.00'), '0'), '.') || '亿' END;
END
$$;
COMMENT ON FUNCTION crm._report_short(numeric, text) IS 'A count as a heading shows it: in Chinese from 10,000 on in 万.';

-- One digit after the point; below 1 % two, or small rates would all be alike.
CREATE FUNCTION crm._report_percent(rate numeric, signed boolean DEFAULT false, unit text DEFAULT '%') RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  small CONSTANT boolean := abs(round(100 * rate, 2)) < 1 AND rate <> 0;
  shown CONSTANT numeric := round(100 * rate, CASE WHEN small THEN 2 ELSE 1 END);
BEGIN
  RETURN coalesce(CASE WHEN signed AND shown > 0 THEN '+' ELSE '' END || to_char(shown, CASE WHEN small THEN 'FM0.00' ELSE 'FM999,999,990.0' END) || unit, '-');
END
$$;
COMMENT ON FUNCTION crm._report_percent(numeric, boolean, text) IS 'A fraction in percent, or with another unit in points; NULL is a dash.';

CREATE FUNCTION crm._report_signed(n numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN round(n) > 0 THEN '+' ELSE '' END || crm._report_number(n);
END
$$;
COMMENT ON FUNCTION crm._report_signed(numeric) IS 'A difference of counts with its sign.';

CREATE FUNCTION crm._report_month(frame crm._report_frame, month date, short boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN (frame).language = 'zh' THEN to_char(month::timestamp, CASE WHEN short THEN 'YY"年"FMMM"月"' ELSE 'YYYY"年"FMMM"月"' END)
              ELSE left((ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'])
                        [extract(month FROM month)::integer], CASE WHEN short THEN 3 ELSE 9 END) || to_char(month::timestamp, CASE WHEN short THEN ' YY' ELSE ' YYYY' END) END;
END
$$;
COMMENT ON FUNCTION crm._report_month(crm._report_frame, date, boolean) IS 'Name of a month with its year.';

CREATE FUNCTION crm._report_day(frame crm._report_frame, day date) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN (frame).language = 'zh' THEN to_char(day::timestamp, 'YYYY"年"FMMM"月"FMDD"日"')
              ELSE extract(day FROM day) || ' ' || crm._report_month(frame, day) END;
END
$$;
COMMENT ON FUNCTION crm._report_day(crm._report_frame, date) IS 'A day in words.';

-- Whether a change is good where the figure is to rise or to fall; NULL where neither is better.
CREATE FUNCTION crm._report_tone(change numeric, better text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN change IS NULL OR change = 0 OR better IS NULL THEN 'even' WHEN (change > 0) = (better = 'up') THEN 'good' ELSE 'bad' END;
END
$$;
COMMENT ON FUNCTION crm._report_tone(numeric, text) IS 'good, bad or even: which colour a change has.';

-- A number on the page beside its exact value, which programs can read.
CREATE FUNCTION crm._report_data(value numeric, shown text) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE WHEN value IS NULL THEN xmlelement(name span, xmlattributes('none' AS class), shown)
              ELSE xmlelement(name data, xmlattributes(trim_scale(value) AS value), shown) END;
END
$$;
COMMENT ON FUNCTION crm._report_data(numeric, text) IS 'A number as shown, with its value for programs.';

-- value and change of a figure: counts as they are and in percent of before, rates in percent and in points
CREATE FUNCTION crm._report_value(frame crm._report_frame, value numeric, nature text) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN crm._report_data(value, CASE WHEN nature IN ('rate', 'share', 'growth') THEN crm._report_percent(value, nature = 'growth')
                                      WHEN nature = 'ratio' THEN coalesce(to_char(value, 'FM999,999,999,990.00'), '-') ELSE crm._report_number(value) END);
END
$$;
COMMENT ON FUNCTION crm._report_value(crm._report_frame, numeric, text) IS 'A value of a figure: balance, count, rate, growth or ratio.';

CREATE FUNCTION crm._report_change(frame crm._report_frame, value numeric, before numeric, nature text, better text, percent boolean DEFAULT true) RETURNS xml
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN xmlelement(name span, xmlattributes(crm._report_tone(value - before, better) AS class),
           crm._report_data(value - before,
             CASE WHEN nature IN ('rate', 'share', 'growth') THEN crm._report_percent(value - before, true, crm._report_say(frame, 'points'))
                  WHEN nature = 'ratio' THEN coalesce(CASE WHEN value > before THEN '+' ELSE '' END || to_char(value - before, 'FM999,999,999,990.00'), '-')
                  ELSE coalesce(crm._report_signed(value - before), '-') END),
           CASE WHEN percent AND nature IN ('balance', 'count', 'ratio') AND value <> before AND before > 0
                THEN xmlelement(name small, ' ' || crm._report_percent((value - before) / before, true)) END);
END
$$;
COMMENT ON FUNCTION crm._report_change(crm._report_frame, numeric, numeric, text, text, boolean) IS 'The change of a figure, in its colour.';
