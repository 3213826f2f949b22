-- kpi: what an account is

CREATE FUNCTION crm._is_balance(account integer) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT account < 20 OR account >= 100;
END;
COMMENT ON FUNCTION crm._is_balance(integer) IS 'Whether an account holds a balance, at the end of a day, and not a turnover, of a period.';
