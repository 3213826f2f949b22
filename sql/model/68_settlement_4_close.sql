-- settle: months are closed, opened again, and settled by somebody else

CREATE FUNCTION crm._settlement_month(day date) RETURNS crm.settlement_period
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  period crm.settlement_period;
BEGIN
  IF _settlement_month.day IS NULL THEN
    RAISE EXCEPTION 'the month must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF _settlement_month.day NOT BETWEEN '1900-01-01' AND '2199-12-31' THEN
    RAISE EXCEPTION 'day "%" is out of range', _settlement_month.day USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a day from 1900 to 2199.';
  END IF;
  PERFORM crm._ask_finance();
  PERFORM crm._open_settlement_book();
  SELECT * INTO period FROM crm.settlement_period p WHERE p.month = date_trunc('month', _settlement_month.day::timestamp)::date FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nothing is posted to %', to_char(_settlement_month.day, 'YYYY-MM')
      USING ERRCODE = 'undefined_object', HINT = 'crm.post_settlement() posts; crm_bi.settlement_period shows the months.';
  END IF;
  RETURN period;
END
$$;
COMMENT ON FUNCTION crm._settlement_month(date) IS 'Locks the settlement and a month of it, named by any of its days. Errors: 22004, 22023, 40001, 42501, 42704 nothing posted.';
REVOKE ALL ON FUNCTION crm._settlement_month(date) FROM PUBLIC;

CREATE FUNCTION crm.close_settlement(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  period CONSTANT crm.settlement_period := crm._settlement_month(close_settlement.month);
  earlier date;
  lines bigint;
BEGIN
  IF period.state <> 'open' THEN
    RAISE EXCEPTION 'the settlement of % is %', to_char(period.month, 'YYYY-MM'), period.state USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF (period.month + interval '1 month')::date > least(crm.today(), crm._business_day(clock_timestamp())) THEN
    -- what comes in its last days would be late, and of one to come all that is received before it; nobody ends a month by saying that it is later than it is
    RAISE EXCEPTION '% is not over', to_char(period.month, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A month is closed from the first day of the next on; what has a wrong day is corrected where it was recorded.';
  END IF;
  PERFORM crm._attribute_policies();
  PERFORM crm._post_settlement();
  SELECT min(p.month) INTO earlier FROM crm.settlement_period p WHERE p.state = 'open' AND p.month < period.month;
  IF earlier IS NOT NULL THEN
    RAISE EXCEPTION 'the settlement of % is open', to_char(earlier, 'YYYY-MM') USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Months are closed in their order.';
  END IF;
  UPDATE crm.settlement s SET lines = coalesce(l.lines, 0), provider_amount = coalesce(l.provider_amount, 0), user_amount = coalesce(l.user_amount, 0)
  FROM crm.settlement x
  LEFT JOIN (SELECT y.settlement_id, count(*) AS lines, sum(y.provider_amount) AS provider_amount, sum(y.user_amount) AS user_amount
             FROM crm.settlement_line y GROUP BY y.settlement_id) l ON l.settlement_id = x.id
  WHERE x.month = period.month AND s.id = x.id;
  UPDATE crm.settlement_period p SET state = 'closed', closed_at = clock_timestamp(), closed_by = crm.actor() WHERE p.month = period.month;
  SELECT coalesce(sum(s.lines), 0) INTO lines FROM crm.settlement s WHERE s.month = period.month;
  RETURN lines;
END
$$;
COMMENT ON FUNCTION crm.close_settlement(date) IS
  'Posts what is due, then closes a month, named by any of its days: its sums are written down and it takes no more lines. Returns how many it has. Errors: 22004, 22023, 40001, 42501, 42704 nothing posted to it, 55000 not open, not over by crm.today() and by the clock, or an earlier month is open. 结算关账';
REVOKE ALL ON FUNCTION crm.close_settlement(date) FROM PUBLIC;

CREATE FUNCTION crm.reopen_settlement(month date, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  period CONSTANT crm.settlement_period := crm._settlement_month(reopen_settlement.month);
BEGIN
  IF coalesce(btrim(reopen_settlement.reason), '') = '' THEN
    RAISE EXCEPTION 'opening the settlement of % again needs a reason', to_char(period.month, 'YYYY-MM') USING ERRCODE = 'not_null_violation', HINT = 'Give it as reason.';
  ELSIF period.state <> 'closed' THEN
    RAISE EXCEPTION 'the settlement of % is %', to_char(period.month, 'YYYY-MM'), period.state
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Only a month that is closed and not settled is opened again.';
  ELSIF EXISTS (SELECT FROM crm.settlement_period p WHERE p.month > period.month AND p.state <> 'open') THEN
    RAISE EXCEPTION 'a later month than % is closed', to_char(period.month, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Open the later ones first.';
  END IF;
  UPDATE crm.settlement_period p
  SET state = 'open', closed_at = NULL, closed_by = NULL, reopened_at = clock_timestamp(), reopened_by = crm.actor(), reopen_reason = reopen_settlement.reason
  WHERE p.month = period.month;
  UPDATE crm.settlement s SET lines = NULL, provider_amount = NULL, user_amount = NULL WHERE s.month = period.month;
END
$$;
COMMENT ON FUNCTION crm.reopen_settlement(date, text) IS
  'Opens a month again that is closed and not settled, with a reason. Errors: 22004, 22023, 23502 no reason, 40001, 42501, 42704, 55000 not closed, or a later month is. 结算反关账';
REVOKE ALL ON FUNCTION crm.reopen_settlement(date, text) FROM PUBLIC;

CREATE FUNCTION crm.confirm_settlement(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  period CONSTANT crm.settlement_period := crm._settlement_month(confirm_settlement.month);
BEGIN
  IF period.state <> 'closed' THEN
    RAISE EXCEPTION 'the settlement of % is %', to_char(period.month, 'YYYY-MM'), period.state
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.close_settlement() closes a month, then somebody else settles it.';
  ELSIF period.closed_by = crm.actor() THEN
    RAISE EXCEPTION '"%" has closed %', crm.actor(), to_char(period.month, 'YYYY-MM') USING ERRCODE = 'insufficient_privilege', HINT = 'Somebody else settles it.';
  ELSIF EXISTS (SELECT FROM crm.settlement_period p WHERE p.month < period.month AND p.state <> 'settled') THEN
    RAISE EXCEPTION 'an earlier month than % is not settled', to_char(period.month, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Months are settled in their order.';
  END IF;
  UPDATE crm.settlement_period p SET state = 'settled', settled_at = clock_timestamp(), settled_by = crm.actor() WHERE p.month = period.month;
END
$$;
COMMENT ON FUNCTION crm.confirm_settlement(date) IS
  'Settles a month that somebody else has closed: from then on nobody changes it. Errors: 22004, 22023, 40001, 42501 closed by the same person, 42704, 55000 not closed, or an earlier month is not settled. 确认结算';
REVOKE ALL ON FUNCTION crm.confirm_settlement(date) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('finance', 'EXECUTE', 'FUNCTION', 'crm.close_settlement(date)'),
  ('finance', 'EXECUTE', 'FUNCTION', 'crm.reopen_settlement(date, text)'),
  ('finance', 'EXECUTE', 'FUNCTION', 'crm.confirm_settlement(date)');
