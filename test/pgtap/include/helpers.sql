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
