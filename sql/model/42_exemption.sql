-- recycle: exemptions with an end

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('exemption_days', 'integer', '60', true, false,
   'Days beyond the due time of a holding up to which it may be exempt from recycling; 0: not at all.');

CREATE TABLE crm.exemption_kind (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  name text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name_zh) <> '')
);
COMMENT ON TABLE crm.exemption_kind IS 'Why a holding may be exempt from recycling; rows may be added. 豁免类型';
COMMENT ON COLUMN crm.exemption_kind.code IS 'Code.';
COMMENT ON COLUMN crm.exemption_kind.name IS 'Name in English.';
COMMENT ON COLUMN crm.exemption_kind.name_zh IS 'Name in Chinese.';
INSERT INTO crm.exemption_kind (code, name, name_zh) VALUES
  ('application', 'open application', '投保申请处理中'),
  ('case', 'open case', '服务案件处理中'),
  ('planned_contact', 'planned next contact', '已计划下次联系'),
  ('other', 'other', '其他');

ALTER TABLE crm.holding ADD COLUMN exempt_until timestamptz, ADD COLUMN disputed_until timestamptz;
COMMENT ON COLUMN crm.holding.exempt_until IS 'Until when the sweep passes it over: the latest end of its exemptions in crm.recycle_exemption that were not withdrawn; NULL: none.';

COMMENT ON COLUMN crm.holding.disputed_until IS 'Until when the sweep passes it over since somebody claimed the customer by crm.open_dispute(); when the dispute ended before, its end. NULL: never. 争议冻结至';

CREATE TABLE crm.recycle_exemption (
  customer_id bigint NOT NULL,
  holding_id bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL REFERENCES crm.exemption_kind ON UPDATE CASCADE,
  until timestamptz NOT NULL,
  reason text NOT NULL CHECK (pg_catalog.btrim(reason) <> ''),
  granted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  granted_by text NOT NULL DEFAULT crm.actor(),
  withdrawn_at timestamptz,
  withdrawn_by text,
  withdrawal_reason text CHECK (pg_catalog.btrim(withdrawal_reason) <> ''),
  PRIMARY KEY (customer_id, holding_id, id),
  FOREIGN KEY (customer_id, holding_id) REFERENCES crm.holding ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT recycle_exemption_until_check CHECK (until > granted_at AND pg_catalog.isfinite(until)),
  CONSTRAINT recycle_exemption_withdrawal_check CHECK (pg_catalog.num_nulls(withdrawn_at, withdrawn_by, withdrawal_reason) IN (0, 3))
);
COMMENT ON TABLE crm.recycle_exemption IS 'Exemptions of holdings from recycling, each with an end; over with the holding in any case. Written by crm.exempt(), crm.withdraw_exemption() and, after crm.appointment, by a trigger. 回收豁免';
COMMENT ON COLUMN crm.recycle_exemption.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.recycle_exemption.holding_id IS 'Holding of that customer.';
COMMENT ON COLUMN crm.recycle_exemption.id IS 'Key within the holding, rising.';
COMMENT ON COLUMN crm.recycle_exemption.kind IS 'Why.';
COMMENT ON COLUMN crm.recycle_exemption.until IS 'From then on the sweep may end the holding.';
COMMENT ON COLUMN crm.recycle_exemption.reason IS 'What exactly: the application, the case, what was agreed.';
COMMENT ON COLUMN crm.recycle_exemption.granted_at IS 'When.';
COMMENT ON COLUMN crm.recycle_exemption.granted_by IS 'By whom.';
COMMENT ON COLUMN crm.recycle_exemption.withdrawn_at IS 'When it was withdrawn; NULL: it stands.';
COMMENT ON COLUMN crm.recycle_exemption.withdrawn_by IS 'By whom.';
COMMENT ON COLUMN crm.recycle_exemption.withdrawal_reason IS 'Why.';
CREATE INDEX ON crm.recycle_exemption (kind);

-- the one place that says what keeps a holding ------------------------------------

CREATE FUNCTION crm._kept_by(holding crm.holding, as_of timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN (_kept_by.holding).locked THEN 'locked'
              WHEN (_kept_by.holding).disputed_until > _kept_by.as_of THEN 'in_dispute'
              WHEN (_kept_by.holding).exempt_until > _kept_by.as_of THEN 'exempt'
              WHEN (_kept_by.holding).protected_until > _kept_by.as_of THEN 'protected' END;
END;
COMMENT ON FUNCTION crm._kept_by(crm.holding, timestamptz) IS 'What keeps a holding from a sweep as of an instant, from the columns of its row alone: locked, in_dispute, exempt or protected; NULL: nothing.';

CREATE FUNCTION crm._kept_until(holding crm.holding) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN (_kept_until.holding).locked THEN 'infinity'
              ELSE greatest((_kept_until.holding).disputed_until, (_kept_until.holding).exempt_until, (_kept_until.holding).protected_until) END;
END;
COMMENT ON FUNCTION crm._kept_until(crm.holding) IS 'Until when a holding is kept from sweeps, as crm._kept_by(); NULL: it is not.';

-- granting and withdrawing -------------------------------------------------------

CREATE FUNCTION crm._exempt_until(customer_id bigint, holding_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE crm.holding h SET exempt_until = x.until
  FROM (SELECT max(e.until) AS until FROM crm.recycle_exemption e
        WHERE e.customer_id = _exempt_until.customer_id AND e.holding_id = _exempt_until.holding_id AND e.withdrawn_at IS NULL) x
  WHERE h.customer_id = _exempt_until.customer_id AND h.id = _exempt_until.holding_id AND h.exempt_until IS DISTINCT FROM x.until;
END
$$;
COMMENT ON FUNCTION crm._exempt_until(bigint, bigint) IS 'Brings the end of the exemptions of a holding into its row.';
REVOKE ALL ON FUNCTION crm._exempt_until(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._exempt_at_most(holding crm.holding, kind text, day date) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  days CONSTANT integer := crm._setting_for('exemption_days', holding.org_id, holding.channel_id, day)::integer;
BEGIN
  -- a planned contact is no way round the end that the rule sets to every holding
  RETURN least(holding.due_at + days * interval '24 hours',
               CASE WHEN kind = 'planned_contact' THEN holding.held_from + crm.recycle_days(holding.rule, 'at most') * interval '24 hours' END);
END
$$;
COMMENT ON FUNCTION crm._exempt_at_most(crm.holding, text, date) IS
  'Until when a holding may be exempt at most, by an exemption of a kind granted on a day: exemption_days after it falls due, for a planned contact not beyond the clause "at most" of its rule; NULL: it never falls due.';
REVOKE ALL ON FUNCTION crm._exempt_at_most(crm.holding, text, date) FROM PUBLIC;

CREATE FUNCTION crm.exempt(customer_id bigint, kind text, until timestamptz, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(exempt.customer_id);
  latest timestamptz;
  made bigint;
BEGIN
  PERFORM crm._act_for(held.staff_id);
  IF exempt.kind IS NULL OR exempt.until IS NULL OR exempt.reason IS NULL THEN
    RAISE EXCEPTION 'kind, until and reason must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT EXISTS (SELECT FROM crm.exemption_kind k WHERE k.code = exempt.kind) THEN
    RAISE EXCEPTION 'there is no exemption of kind "%"', exempt.kind
      USING ERRCODE = 'invalid_parameter_value', HINT = coalesce('The kinds are ' || (SELECT string_agg(k.code, ', ' ORDER BY k.code) FROM crm.exemption_kind k) || '.', 'There are no kinds: add rows to crm.exemption_kind.');
  END IF;
  IF held.due_at IS NULL THEN
    RAISE EXCEPTION 'the holding of customer "%" never falls due', exempt.customer_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  latest := crm._exempt_at_most(held, exempt.kind, crm._business_day(clock_timestamp()));
  IF exempt.until <= clock_timestamp() THEN
    RAISE EXCEPTION 'exemption until "%" is over already', exempt.until USING ERRCODE = 'invalid_parameter_value';
  ELSIF exempt.until > latest THEN
    RAISE EXCEPTION 'exemption until "%" is too long', exempt.until
      USING ERRCODE = 'configuration_limit_exceeded',
            DETAIL = format('The holding falls due at %s and may be exempt until %s, however often.', held.due_at, latest),
            HINT = 'A contact moves the due time.';
  END IF;
  INSERT INTO crm.recycle_exemption (customer_id, holding_id, kind, until, reason)
  VALUES (held.customer_id, held.id, exempt.kind, exempt.until, exempt.reason) RETURNING id INTO made;
  PERFORM crm._exempt_until(held.customer_id, held.id);
  RETURN made;
END
$$;
COMMENT ON FUNCTION crm.exempt(bigint, text, timestamptz, text) IS
  'Keeps the open holding of a customer out of the sweep until an instant, at the latest so many days after it falls due as the setting exemption_days says, however often, and for a planned contact (see also crm.make_appointment) not beyond the clause at most of its rule; by the holder, or for any holder whoever may transfer. Returns the key of the exemption within the holding. Errors: 22004; 22023 kind not known, or over already; 23514 reason blank; 53400 too long; 55000 held by nobody, or never due; 42501 not for that holder; 23503 unknown; 40P01 as crm.claim. 回收豁免';
REVOKE ALL ON FUNCTION crm.exempt(bigint, text, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION crm.withdraw_exemption(customer_id bigint, reason text, exemption_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(withdraw_exemption.customer_id);
  n bigint;
BEGIN
  PERFORM crm._act_for(held.staff_id);
  IF withdraw_exemption.reason IS NULL THEN
    RAISE EXCEPTION 'the reason must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE crm.recycle_exemption e SET withdrawn_at = clock_timestamp(), withdrawn_by = crm.actor(), withdrawal_reason = withdraw_exemption.reason
  WHERE e.customer_id = held.customer_id AND e.holding_id = held.id AND e.withdrawn_at IS NULL AND e.until > clock_timestamp()
    AND (withdraw_exemption.exemption_id IS NULL OR e.id = withdraw_exemption.exemption_id);
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n = 0 THEN
    RAISE EXCEPTION 'the holding of customer "%" has no such exemption in force', withdraw_exemption.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.recycle_exemption lists them.';
  END IF;
  PERFORM crm._exempt_until(held.customer_id, held.id);
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm.withdraw_exemption(bigint, text, bigint) IS
  'Withdraws one exemption of the open holding of a customer, or all that are in force; returns how many. Errors: 22004; 23514 reason blank; 55000 none in force, or held by nobody; 42501 not for that holder; 23503 unknown; 40P01 as crm.claim. 撤回豁免';
REVOKE ALL ON FUNCTION crm.withdraw_exemption(bigint, text, bigint) FROM PUBLIC;

GRANT SELECT ON crm.exemption_kind, crm.recycle_exemption TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'SELECT', 'TABLE', 'crm.exemption_kind'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.exempt(bigint, text, timestamptz, text)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.withdraw_exemption(bigint, text, bigint)'),
  ('manager', 'SELECT', 'TABLE', 'crm.exemption_kind'),
  ('manager', 'SELECT', 'TABLE', 'crm.recycle_exemption'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.exempt(bigint, text, timestamptz, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.withdraw_exemption(bigint, text, bigint)');
