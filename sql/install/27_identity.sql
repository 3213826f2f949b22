-- book: finding duplicates

-- names and numbers: normal forms, keys, similarity

CREATE FUNCTION crm.normal_name(name text) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_normal_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.normal_name(text) IS
  'A name without case, width, diacritics and punctuation, its words apart by a space; Chinese characters stand together. Only the first 128 characters count, here and in what follows.';
CREATE FUNCTION crm.name_key(name text) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_name_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.name_key(text) IS
  'Key of a whole name: the skeletons of its words (first letter, classes of the consonants) in their own order, or its Chinese characters. NULL for a name without letters.';
CREATE FUNCTION crm.name_keys(name text) RETURNS text[]
  AS 'MODULE_PATHNAME', 'crm_name_keys_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.name_keys(text) IS
  'Keys of a name, the first that of the whole. Chinese names that differ in one character share one, and so do names that share a word by its sound.';
CREATE FUNCTION crm.name_similarity(a text, b text) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_name_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION crm.name_similarity(text, text) IS
  'Similarity of two names, 0 to 1: words in any order by Jaro and Winkler, each weighed by its letters; Chinese names by surname (0.7) and given name (0.3 less its edit distance by length), those of more than four characters as one word. NULL where one has no letters.';
CREATE FUNCTION crm.phone_digits(phone text) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_phone_digits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.phone_digits(text) IS
  'The digits of a telephone number without the country code of China and the 0 before an area code; NULL without any.';
CREATE FUNCTION crm.digits_distance(a text, b text) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_digits_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION crm.digits_distance(text, text) IS
  'How many digits or letters of a number are wrong, missing, added or exchanged with their neighbour; what stands between them, case and width do not count. The first 40 count. NULL where one has none.';
CREATE FUNCTION crm.digits_similarity(a text, b text) RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_digits_similarity' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION crm.digits_similarity(text, text) IS
  'Similarity of two numbers, 0 to 1: 1 less crm.digits_distance() by the length of the longer one. NULL where one has no digits.';
CREATE FUNCTION crm._digits_near(number text) RETURNS text[]
  AS 'MODULE_PATHNAME', 'crm_digits_near' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._digits_near(text) IS 'A number and all numbers one digit off. Errors: 54000 above 20 digits.';
CREATE FUNCTION crm._dates_near(day date) RETURNS date[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT pg_catalog.array_agg(DISTINCT CASE
           WHEN v.y BETWEEN 1 AND 9999 AND v.m BETWEEN 1 AND 12
                AND v.d BETWEEN 1 AND CASE WHEN v.m = 2 THEN CASE WHEN v.y % 4 = 0 AND (v.y % 100 <> 0 OR v.y % 400 = 0) THEN 29 ELSE 28 END
                                           WHEN v.m IN (4, 6, 9, 11) THEN 30 ELSE 31 END
           THEN pg_catalog.make_date(v.y, v.m, v.d) END)
  FROM (SELECT pg_catalog.to_char(day::timestamp, 'YYYYMMDD') AS digits) t
  CROSS JOIN LATERAL pg_catalog.unnest(crm._digits_near(t.digits) || (pg_catalog.left(t.digits, 4) || pg_catalog.right(t.digits, 2) || pg_catalog.substr(t.digits, 5, 2))) n (digits)
  CROSS JOIN LATERAL (SELECT pg_catalog.left(n.digits, 4)::integer AS y, pg_catalog.substr(n.digits, 5, 2)::integer AS m, pg_catalog.right(n.digits, 2)::integer AS d) v
  WHERE pg_catalog.length(n.digits) = 8;
END;
COMMENT ON FUNCTION crm._dates_near(date) IS 'A day, the days one digit off, and the day with day and month exchanged; NULL stands for those that do not exist.';
CREATE FUNCTION crm._contact_key(kind text, value text) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_contact_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._contact_key(text, text) IS 'A contact point as crm.contact_point is searched by: digits of a telephone number, letters of an address, an e-mail address in lower case.';

CREATE DOMAIN crm.probability AS double precision CHECK (VALUE BETWEEN 0 AND 1);
COMMENT ON DOMAIN crm.probability IS 'A number from 0 to 1.';

-- records of persons and companies, and whether two are of one

CREATE TYPE crm.identity AS (
  kind text, name text, id_number text, birth_date text, phones text[], emails text[], addresses text[]);
COMMENT ON TYPE crm.identity IS
  'What tells a person or company: kind (those of different kinds are never one), name, id_number, birth_date as yyyymmdd, phones, emails, addresses; NULL where not known. Of each list the first 16 count.';

CREATE FUNCTION crm._match_weights_valid(weights jsonb) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_match_weights_valid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._match_weights_valid(jsonb) IS 'True, or an error: 22023 for a name that is not known or no number, 22003.';
CREATE DOMAIN crm.match_weights AS jsonb CHECK (crm._match_weights_valid(VALUE));
COMMENT ON DOMAIN crm.match_weights IS
  'Points by which crm.match_score() tells whether two records are of one person, as {"phone_same": 5}; those not named keep their default, crm.match_weight_list() shows all.';

CREATE FUNCTION crm._match_weight_names() RETURNS text[]
  AS 'MODULE_PATHNAME', 'crm_match_weight_names' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm._match_weight_names() IS 'Names of the weights.';
CREATE FUNCTION crm._match_weight_values(weights crm.match_weights) RETURNS double precision[]
  AS 'MODULE_PATHNAME', 'crm_match_weight_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm._match_weight_values(crm.match_weights) IS 'The weights in force, in the order of their names.';
CREATE FUNCTION crm.match_weight_list(weights crm.match_weights DEFAULT '{}', OUT name text, OUT value double precision)
RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 22
BEGIN ATOMIC
  SELECT n.name, v.value
  FROM pg_catalog.unnest(crm._match_weight_names()) WITH ORDINALITY n (name, i)
  JOIN pg_catalog.unnest(crm._match_weight_values(weights)) WITH ORDINALITY v (value, i) ON v.i = n.i ORDER BY n.i;
END;
COMMENT ON FUNCTION crm.match_weight_list(crm.match_weights) IS 'Every weight in force.';

CREATE FUNCTION crm.match_keys(record crm.identity) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'crm_match_keys' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION crm.match_keys(crm.identity) IS
  'Keys of a record: two records that share none are not compared. ID number, telephone, e-mail address; either end of ID number and telephone, parts of the birth date, address, each with the key of the name; birth date with each key of the name.';
CREATE FUNCTION crm.match_score(a crm.identity, b crm.identity, weights crm.match_weights DEFAULT '{}') RETURNS double precision
  AS 'MODULE_PATHNAME', 'crm_match_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION crm.match_score(crm.identity, crm.identity, crm.match_weights) IS
  'How surely two records are of one person, 0 to 1: 1 / (1 + 2^-points), the points of all fields and the prior added up. Same whichever comes first.';
CREATE FUNCTION crm.match_reasons(a crm.identity, b crm.identity, weights crm.match_weights DEFAULT '{}') RETURNS text[]
  AS 'MODULE_PATHNAME', 'crm_match_reasons' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION crm.match_reasons(crm.identity, crm.identity, crm.match_weights) IS
  'What agrees in two records, what nearly does, and what tells them apart.';

CREATE FUNCTION crm.match_pairs(
  records text, min_score double precision DEFAULT 0.5, weights crm.match_weights DEFAULT '{}', block_limit integer DEFAULT 200)
RETURNS TABLE (a bigint, b bigint, score double precision, reasons text[])
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r record;
BEGIN
  IF records IS NULL OR min_score IS NULL OR weights IS NULL OR block_limit IS NULL THEN
    RAISE EXCEPTION 'records, min_score, weights and block_limit must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF block_limit < 2 THEN
    RAISE EXCEPTION 'block_limit must be at least 2, not %', block_limit USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR r IN EXECUTE format(
    'WITH record AS MATERIALIZED (SELECT r.id::bigint AS id, r.record FROM (%s) r (id, record)),
     block AS MATERIALIZED (
       SELECT count(*) AS n, CASE WHEN count(*) <= $1 THEN array_agg(r.id ORDER BY r.id) END AS ids
       FROM record r, unnest(crm.match_keys(r.record)) k GROUP BY k HAVING count(*) > 1),
     pair AS (
       SELECT DISTINCT x.id AS a, y.id AS b
       FROM block b CROSS JOIN LATERAL unnest(b.ids) WITH ORDINALITY x (id, i) CROSS JOIN LATERAL unnest(b.ids[x.i + 1 :]) y (id)
       WHERE x.id < y.id),
     scored AS (
       SELECT p.a, p.b, crm.match_score(ra.record, rb.record, $3) AS score, ra.record AS a_record, rb.record AS b_record
       FROM pair p JOIN record ra ON ra.id = p.a JOIN record rb ON rb.id = p.b OFFSET 0)
     SELECT s.a, s.b, s.score, crm.match_reasons(s.a_record, s.b_record, $3) AS reasons, NULL::bigint AS skipped
     FROM scored s WHERE s.score >= $2
     UNION ALL
     SELECT NULL, NULL, NULL, NULL, count(*) FROM block b WHERE b.ids IS NULL HAVING count(*) > 0
     ORDER BY score DESC NULLS FIRST, a, b', records)
    USING block_limit, min_score, weights
  LOOP
    IF r.skipped IS NOT NULL THEN
      RAISE WARNING 'keys that more than % records share were skipped: %', block_limit, r.skipped
        USING HINT = 'The records were searched by their other keys; a higher block_limit searches these as well.';
      CONTINUE;
    END IF;
    a := r.a;
    b := r.b;
    score := r.score;
    reasons := r.reasons;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm.match_pairs(text, double precision, crm.match_weights, integer) IS
  'Pairs of one person among the rows of a query of (id bigint, record crm.identity), best first. The query only reads, with the rights of the caller; its names are qualified with their schemas. A key that more than block_limit records share is skipped, with a warning. Errors: 22004, 22023, 22003.';
