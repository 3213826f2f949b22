-- What several of the tests beside this folder use, each by \ir include/helpers.sql before its first function.

-- the code in which a statement ends, 00000 when it succeeds
CREATE FUNCTION pg_temp.code_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN '00000';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
$$;

-- code and message in which a statement and its deferred constraints end
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  SET CONSTRAINTS ALL IMMEDIATE;
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- a statement that must fail with the code, and words that its message must contain
CREATE FUNCTION pg_temp.refused(statement text, code text, words text, description text) RETURNS text LANGUAGE sql AS $$
  SELECT matches(pg_temp.refusal(statement), '^' || code || ' .*' || words, description)
$$;

-- the pages that a query looks at
CREATE FUNCTION pg_temp.buffers(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan;
  RETURN (plan #>> '{0,Plan,Shared Hit Blocks}')::bigint + (plan #>> '{0,Plan,Shared Read Blocks}')::bigint;
END
$$;

-- the rows of a view of crm_bi, and how many values its key has
CREATE FUNCTION pg_temp.rows_of(name, key name) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  n bigint[];
BEGIN
  EXECUTE format('SELECT ARRAY[count(*), count(DISTINCT %I)] FROM crm_bi.%I', key, $1) INTO n;
  RETURN n;
END
$$;

-- two queries that must give the same rows, in any order
CREATE FUNCTION pg_temp.same(got text, wanted text, name text) RETURNS text LANGUAGE sql AS $$
  SELECT is_empty(format('(SELECT * FROM (%1$s) a EXCEPT ALL SELECT * FROM (%2$s) b) UNION ALL (SELECT * FROM (%2$s) a EXCEPT ALL SELECT * FROM (%1$s) b)', got, wanted), name)
$$;
-- all that a statement ends with
CREATE FUNCTION pg_temp.told(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  code := '00000';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;

-- what a statement answers to a person who comes by the pooled login crm_test_pool; its code, message and hint when it fails
CREATE FUNCTION pg_temp.as(person text, statement text, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  SET LOCAL SESSION AUTHORIZATION crm_test_pool;
  PERFORM set_config('crm.actor', person, true);
  EXECUTE statement INTO answer;
  RESET SESSION AUTHORIZATION;
  PERFORM set_config('crm.actor', '', true);
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  answer := SQLSTATE || ' ' || SQLERRM || coalesce(' / ' || nullif(hint, ''), '');
END
$$;

-- what a statement answers to a login, its code when it fails
CREATE FUNCTION pg_temp.by_login(login name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', login);
  IF statement ~ '^(SELECT|INSERT)' THEN EXECUTE statement INTO answer; ELSE EXECUTE statement; answer := 'done'; END IF;
  RESET SESSION AUTHORIZATION;
  RETURN answer;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
$$;
