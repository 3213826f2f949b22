-- recycle: giving a customer back with a reason of a dictionary

CREATE TABLE crm.return_reason (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  name text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name_zh) <> ''),
  needs_note boolean NOT NULL DEFAULT false,
  in_use boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE crm.return_reason IS 'Why a holder gives a customer back; rows may be added. 退回原因';
COMMENT ON COLUMN crm.return_reason.code IS 'Code.';
COMMENT ON COLUMN crm.return_reason.name IS 'Name in English.';
COMMENT ON COLUMN crm.return_reason.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.return_reason.needs_note IS 'Whether a note must be added.';
COMMENT ON COLUMN crm.return_reason.in_use IS 'Whether it may be given now; those given before stay.';
INSERT INTO crm.return_reason (code, name, name_zh, needs_note) VALUES
  ('unreachable', 'cannot be reached', '无法联系', false),
  ('no_interest', 'no interest', '无意向', false),
  ('moved_away', 'moved out of the area', '迁离服务区域', false),
  ('served_elsewhere', 'served by somebody else', '已由他人服务', false),
  ('wrong_data', 'data are wrong', '资料有误', false),
  ('wish', 'wish of the customer', '客户要求更换', false),
  ('no_time', 'no time to look after', '无力跟进', false),
  ('other', 'other', '其他', true);

ALTER TABLE crm.holding ADD COLUMN return_code text REFERENCES crm.return_reason ON UPDATE CASCADE;
COMMENT ON COLUMN crm.holding.return_code IS 'Of a release by crm.return_customer(): why, see crm.return_reason; the note stands in end_reason.';
CREATE INDEX holding_return ON crm.holding (return_code) WHERE return_code IS NOT NULL;

CREATE FUNCTION crm.return_customer(customer_id bigint, reason_code text, note text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  why crm.return_reason;
  ended bigint;
BEGIN
  IF return_customer.reason_code IS NULL THEN
    RAISE EXCEPTION 'the reason must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO why FROM crm.return_reason r WHERE r.code = return_customer.reason_code AND r.in_use;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no reason "%" for a return', return_customer.reason_code
      USING ERRCODE = 'invalid_parameter_value', HINT = coalesce('The reasons are ' || (SELECT string_agg(r.code, ', ' ORDER BY r.code) FROM crm.return_reason r WHERE r.in_use) || '.', 'No reason of crm.return_reason is in use.');
  END IF;
  IF why.needs_note AND coalesce(btrim(return_customer.note), '') = '' THEN
    RAISE EXCEPTION 'reason "%" needs a note', why.code USING ERRCODE = 'check_violation';
  END IF;
  ended := crm.release(return_customer.customer_id, NULL, nullif(btrim(return_customer.note), ''));
  UPDATE crm.holding h SET return_code = why.code WHERE h.customer_id = return_customer.customer_id AND h.id = ended;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm.return_customer(bigint, text, text) IS
  'Gives a customer back to the pool as crm.release(), with a reason of crm.return_reason; returns the key of the holding that ended. Errors: 22004, 22023 no such reason, 23514 it needs a note, and as crm.release(). 退回客户';
REVOKE ALL ON FUNCTION crm.return_customer(bigint, text, text) FROM PUBLIC;

GRANT SELECT ON crm.return_reason TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'SELECT', 'TABLE', 'crm.return_reason'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.return_customer(bigint, text, text)'),
  ('manager', 'SELECT', 'TABLE', 'crm.return_reason'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.return_customer(bigint, text, text)');
