-- settle: months, what two channels share in each, and the lines; none of it changes once it is settled

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('assessment_credit', 'crm.assessment_credit', 'annual_premium', false, false,
   'What a policy counts in assessment, by the day of its issue: annual_premium (a tenth of a single premium) or count (1 each).');

CREATE TABLE crm.settlement_period (
  month date PRIMARY KEY CHECK (month = pg_catalog.date_trunc('month', month::timestamp)::date AND month BETWEEN '1900-01-01' AND '2199-12-31'),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'settled')),
  closed_at timestamptz,
  closed_by text,
  settled_at timestamptz,
  settled_by text,
  reopened_at timestamptz,
  reopened_by text,
  reopen_reason text,
  CONSTRAINT settlement_period_closed_check CHECK (pg_catalog.num_nonnulls(closed_at, closed_by) = CASE state WHEN 'open' THEN 0 ELSE 2 END),
  CONSTRAINT settlement_period_settled_check CHECK (pg_catalog.num_nonnulls(settled_at, settled_by) = CASE state WHEN 'settled' THEN 2 ELSE 0 END),
  CONSTRAINT settlement_period_reopened_check CHECK (pg_catalog.num_nonnulls(reopened_at, reopened_by, reopen_reason) IN (0, 3)),
  CONSTRAINT settlement_period_two_check CHECK (settled_by <> closed_by)
);
COMMENT ON TABLE crm.settlement_period IS 'Months of the settlement between channels: those after the last that is not open are open. 结算期间';
COMMENT ON COLUMN crm.settlement_period.month IS 'First day of the month.';
COMMENT ON COLUMN crm.settlement_period.state IS 'open, closed (takes no more lines, may be opened again) or settled (never changes).';
COMMENT ON COLUMN crm.settlement_period.closed_at IS 'When it was closed.';
COMMENT ON COLUMN crm.settlement_period.closed_by IS 'Who closed it.';
COMMENT ON COLUMN crm.settlement_period.settled_at IS 'When it was settled.';
COMMENT ON COLUMN crm.settlement_period.settled_by IS 'Who settled it, not who closed it.';
COMMENT ON COLUMN crm.settlement_period.reopened_at IS 'When it was opened again last.';
COMMENT ON COLUMN crm.settlement_period.reopened_by IS 'Who opened it again.';
COMMENT ON COLUMN crm.settlement_period.reopen_reason IS 'Why.';

CREATE TABLE crm.settlement_account (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id bigint NOT NULL REFERENCES crm.plan,
  thing text NOT NULL CHECK (thing IN ('premium', 'assessment', 'commission', 'cost')),
  provider_channel_id bigint REFERENCES crm.channel,
  user_channel_id bigint NOT NULL REFERENCES crm.channel,
  terms_version integer,
  UNIQUE NULLS NOT DISTINCT (plan_id, thing, provider_channel_id, user_channel_id, terms_version)
);
COMMENT ON TABLE crm.settlement_account IS 'What two channels share by a version of the terms of a plan. 结算科目';
COMMENT ON COLUMN crm.settlement_account.id IS 'Key.';
COMMENT ON COLUMN crm.settlement_account.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.settlement_account.thing IS 'premium 实收保费, assessment 考核任务 (credit), commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm.settlement_account.provider_channel_id IS 'Channel that provided the customers; NULL: none.';
COMMENT ON COLUMN crm.settlement_account.user_channel_id IS 'Channel of the holders.';
COMMENT ON COLUMN crm.settlement_account.terms_version IS 'Version of the terms, 1 those of the plan; NULL: no terms, all is the user''s.';
CREATE INDEX ON crm.settlement_account (provider_channel_id);
CREATE INDEX ON crm.settlement_account (user_channel_id);

CREATE TABLE crm.settlement (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES crm.settlement_account,
  month date NOT NULL REFERENCES crm.settlement_period,
  lines bigint,
  provider_amount numeric,
  user_amount numeric,
  UNIQUE (account_id, month),
  CONSTRAINT settlement_closed_check CHECK (pg_catalog.num_nonnulls(lines, provider_amount, user_amount) IN (0, 3))
);
COMMENT ON TABLE crm.settlement IS 'A month of an account, to which lines are posted. 结算';
COMMENT ON COLUMN crm.settlement.id IS 'Key.';
COMMENT ON COLUMN crm.settlement.account_id IS 'Account: plan, thing, channels and version of the terms.';
COMMENT ON COLUMN crm.settlement.month IS 'Month.';
COMMENT ON COLUMN crm.settlement.lines IS 'Lines, since the month was closed.';
COMMENT ON COLUMN crm.settlement.provider_amount IS 'Their sum for the provider.';
COMMENT ON COLUMN crm.settlement.user_amount IS 'Their sum for the user.';
CREATE INDEX ON crm.settlement (month);

-- What a line is of may go, the line stays: no foreign key to the book.
CREATE TABLE crm.settlement_line (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  settlement_id bigint NOT NULL REFERENCES crm.settlement,
  policy_id bigint NOT NULL,
  source_id bigint NOT NULL,
  day date NOT NULL,
  provider_amount numeric(17,2) NOT NULL,
  user_amount numeric(17,2) NOT NULL,
  amount numeric(17,2) NOT NULL GENERATED ALWAYS AS (provider_amount + user_amount) STORED,
  posted_at timestamptz NOT NULL,
  posted_by text NOT NULL,
  CONSTRAINT settlement_line_amount_check CHECK (provider_amount <> 'NaN' AND user_amount <> 'NaN' AND (provider_amount <> 0 OR user_amount <> 0))
);
COMMENT ON TABLE crm.settlement_line IS 'Receipts, commissions, costs and credits divided between two channels; a line never changes, what turns out otherwise is posted by a further line. 结算明细';
COMMENT ON COLUMN crm.settlement_line.id IS 'Key, in order of posting.';
COMMENT ON COLUMN crm.settlement_line.settlement_id IS 'Month of an account.';
COMMENT ON COLUMN crm.settlement_line.policy_id IS 'Policy.';
COMMENT ON COLUMN crm.settlement_line.source_id IS 'Key of the receipt, commission or cost; of an assessment credit that of the policy.';
COMMENT ON COLUMN crm.settlement_line.day IS 'Its day: received, earned, incurred or issued.';
COMMENT ON COLUMN crm.settlement_line.provider_amount IS 'Part of the provider.';
COMMENT ON COLUMN crm.settlement_line.user_amount IS 'Part of the user.';
COMMENT ON COLUMN crm.settlement_line.amount IS 'Both together.';
COMMENT ON COLUMN crm.settlement_line.posted_at IS 'When it was posted.';
COMMENT ON COLUMN crm.settlement_line.posted_by IS 'By whom.';
CREATE INDEX ON crm.settlement_line (settlement_id);
CREATE INDEX ON crm.settlement_line (policy_id, source_id);

CREATE FUNCTION crm._settlement_stays() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stands date;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    -- empty tables may be emptied, for a restore
    IF TG_TABLE_NAME = 'settlement_line' AND EXISTS (SELECT FROM crm.settlement_line) OR EXISTS (SELECT FROM crm.settlement_period p WHERE p.state = 'settled') THEN
      RAISE EXCEPTION 'crm.% cannot be emptied', TG_TABLE_NAME USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'What is posted stays.';
    END IF;
    RETURN NULL;
  ELSIF TG_TABLE_NAME = 'settlement_line' AND TG_OP = 'INSERT' THEN
    SELECT s.month INTO stands FROM crm.settlement s JOIN crm.settlement_period p ON p.month = s.month
    WHERE p.state <> 'open' AND s.id IN (SELECT n.settlement_id FROM new_rows n) ORDER BY s.month LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'the settlement of % takes no more lines', to_char(stands, 'YYYY-MM')
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.post_settlement() posts what is late to the next open month.';
    END IF;
    RETURN NULL;
  ELSIF TG_TABLE_NAME = 'settlement_line' THEN
    RAISE EXCEPTION 'lines of a settlement do not change'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Correct what they are of; crm.post_settlement() posts the difference.';
  ELSIF TG_TABLE_NAME = 'settlement_period' THEN
    stands := CASE WHEN OLD.state = 'settled' OR TG_OP = 'UPDATE' AND (NEW.month <> OLD.month OR (OLD.state, NEW.state) = ('open', 'settled')) THEN OLD.month END;
  ELSIF TG_TABLE_NAME = 'settlement' THEN
    stands := (SELECT p.month FROM crm.settlement_period p
               WHERE p.state = 'settled' AND p.month IN (OLD.month, NEW.month) LIMIT 1);
  ELSE
    stands := (SELECT p.month FROM crm.settlement s JOIN crm.settlement_period p ON p.month = s.month WHERE s.account_id = OLD.id AND p.state = 'settled' LIMIT 1);
  END IF;
  IF stands IS NOT NULL THEN
    RAISE EXCEPTION 'the settlement of % cannot be changed', to_char(stands, 'YYYY-MM')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A month is closed, then settled, and stays; what is late falls into the next open month.';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION crm._settlement_stays() IS 'Trigger: lines never change, a month that is closed takes none, a month that is settled stays as it is, whoever asks. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._settlement_stays() FROM PUBLIC;
CREATE TRIGGER stays_line BEFORE UPDATE OR DELETE OR TRUNCATE ON crm.settlement_line FOR EACH STATEMENT EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays_insert AFTER INSERT ON crm.settlement_line REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON crm.settlement_account FOR EACH ROW EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays_truncate BEFORE TRUNCATE ON crm.settlement_account FOR EACH STATEMENT EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays BEFORE INSERT OR UPDATE OR DELETE ON crm.settlement FOR EACH ROW EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays_truncate BEFORE TRUNCATE ON crm.settlement FOR EACH STATEMENT EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON crm.settlement_period FOR EACH ROW EXECUTE FUNCTION crm._settlement_stays();
CREATE TRIGGER stays_truncate BEFORE TRUNCATE ON crm.settlement_period FOR EACH STATEMENT EXECUTE FUNCTION crm._settlement_stays();

CREATE FUNCTION crm._first_open_month() RETURNS date
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT (pg_catalog.max(p.month) + interval '1 month')::date FROM crm.settlement_period p WHERE p.state <> 'open';
END;
COMMENT ON FUNCTION crm._first_open_month() IS 'The month after the last that is closed or settled; NULL: none is.';

GRANT SELECT ON crm.settlement_period, crm.settlement_account, crm.settlement, crm.settlement_line TO crm_bi_owner;
