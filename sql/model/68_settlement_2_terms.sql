-- settle: further versions of the terms of a plan, and which is in force on which day

CREATE TABLE crm.terms_amendment (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  provider_channel_id bigint NOT NULL REFERENCES crm.channel,
  user_channel_id bigint NOT NULL REFERENCES crm.channel,
  version integer NOT NULL CHECK (version >= 2),
  from_date date NOT NULL CHECK (from_date BETWEEN '1900-01-01' AND '2199-12-31'),
  premium_share numeric NOT NULL CHECK (premium_share >= 0 AND premium_share <= 1 AND pg_catalog.scale(premium_share) <= 30),
  assessment_share numeric NOT NULL CHECK (assessment_share >= 0 AND assessment_share <= 1 AND pg_catalog.scale(assessment_share) <= 30),
  commission_share numeric NOT NULL CHECK (commission_share >= 0 AND commission_share <= 1 AND pg_catalog.scale(commission_share) <= 30),
  cost_share numeric NOT NULL CHECK (cost_share >= 0 AND cost_share <= 1 AND pg_catalog.scale(cost_share) <= 30),
  note text,
  proposed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  proposed_by text NOT NULL DEFAULT crm.actor(),
  provider_accepted_at timestamptz,
  provider_accepted_by text,
  user_accepted_at timestamptz,
  user_accepted_by text,
  withdrawn_at timestamptz,
  withdrawn_by text,
  PRIMARY KEY (plan_id, provider_channel_id, user_channel_id, version),
  CHECK (provider_channel_id <> user_channel_id),
  CONSTRAINT terms_amendment_provider_check CHECK ((provider_accepted_at IS NULL) = (provider_accepted_by IS NULL)),
  CONSTRAINT terms_amendment_user_check CHECK ((user_accepted_at IS NULL) = (user_accepted_by IS NULL)),
  CONSTRAINT terms_amendment_two_check CHECK (provider_accepted_by <> user_accepted_by),
  CONSTRAINT terms_amendment_withdrawn_check CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL)
    AND (withdrawn_at IS NULL OR provider_accepted_at IS NULL OR user_accepted_at IS NULL))
);
COMMENT ON TABLE crm.terms_amendment IS 'Terms of an approved plan from a day on, in force once both channels have accepted them. 条款变更';
COMMENT ON COLUMN crm.terms_amendment.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.terms_amendment.provider_channel_id IS 'Channel that gave the customers.';
COMMENT ON COLUMN crm.terms_amendment.user_channel_id IS 'Channel that uses them.';
COMMENT ON COLUMN crm.terms_amendment.version IS 'Version, from 2: 1 are the terms of the plan.';
COMMENT ON COLUMN crm.terms_amendment.from_date IS 'First day.';
COMMENT ON COLUMN crm.terms_amendment.premium_share IS 'Share of the provider in premium received; the rest is the user''s.';
COMMENT ON COLUMN crm.terms_amendment.assessment_share IS 'In assessment credit.';
COMMENT ON COLUMN crm.terms_amendment.commission_share IS 'In direct commission.';
COMMENT ON COLUMN crm.terms_amendment.cost_share IS 'In cost.';
COMMENT ON COLUMN crm.terms_amendment.note IS 'Why.';
COMMENT ON COLUMN crm.terms_amendment.proposed_at IS 'When it was proposed.';
COMMENT ON COLUMN crm.terms_amendment.proposed_by IS 'By whom.';
COMMENT ON COLUMN crm.terms_amendment.provider_accepted_at IS 'When the provider accepted.';
COMMENT ON COLUMN crm.terms_amendment.provider_accepted_by IS 'Who for it.';
COMMENT ON COLUMN crm.terms_amendment.user_accepted_at IS 'When the user accepted.';
COMMENT ON COLUMN crm.terms_amendment.user_accepted_by IS 'Who for it.';
COMMENT ON COLUMN crm.terms_amendment.withdrawn_at IS 'When it was withdrawn.';
COMMENT ON COLUMN crm.terms_amendment.withdrawn_by IS 'By whom.';
CREATE INDEX ON crm.terms_amendment (provider_channel_id);
CREATE INDEX ON crm.terms_amendment (user_channel_id);

CREATE VIEW crm._terms_in_force AS
SELECT v.*, pg_catalog.lead(v.from_date) OVER (PARTITION BY v.plan_id, v.provider_channel_id, v.user_channel_id ORDER BY v.from_date, v.version) AS to_date
FROM (SELECT t.plan_id, t.provider_channel_id, t.user_channel_id, 1 AS version, date '1900-01-01' AS from_date,
             pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'premium') AS premium_share,
             pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'assessment') AS assessment_share,
             pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'commission') AS commission_share,
             pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'cost') AS cost_share
      FROM crm.plan_terms t JOIN crm.plan p ON p.id = t.plan_id
      WHERE p.state IN ('approved', 'carried_out')
        AND (SELECT pg_catalog.count(*) FROM crm.plan_terms_acceptance a
             WHERE a.plan_id = t.plan_id AND a.provider_channel_id = t.provider_channel_id AND a.user_channel_id = t.user_channel_id) = 2
      GROUP BY t.plan_id, t.provider_channel_id, t.user_channel_id HAVING pg_catalog.count(*) = 4
      UNION ALL
      SELECT m.plan_id, m.provider_channel_id, m.user_channel_id, m.version, m.from_date, m.premium_share, m.assessment_share, m.commission_share, m.cost_share
      FROM crm.terms_amendment m WHERE m.provider_accepted_at IS NOT NULL AND m.user_accepted_at IS NOT NULL) v;
COMMENT ON VIEW crm._terms_in_force IS 'Terms between two channels by a plan that was approved, accepted by both, each from a day to before a day: the shares of the provider.';

CREATE FUNCTION crm._amended_plan(plan_id bigint) RETURNS crm.plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.plan := crm._plan(_amended_plan.plan_id);
BEGIN
  SELECT * INTO plan FROM crm.plan p WHERE p.id = plan.id FOR NO KEY UPDATE;
  IF plan.state NOT IN ('approved', 'carried_out') THEN
    RAISE EXCEPTION 'plan "%" is %', plan.name, plan.state
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The terms of a draft are set by crm.set_terms(); those of an approved plan are amended.';
  END IF;
  PERFORM crm._ask_duty('{planner,resource_manager}', y.org_id) FROM crm.cycle y WHERE y.id = plan.cycle_id;
  RETURN plan;
END
$$;
COMMENT ON FUNCTION crm._amended_plan(bigint) IS 'Locks a plan that was approved, for who plans or manages resources there. Errors: 22004, 23503, 42501, 55000.';
REVOKE ALL ON FUNCTION crm._amended_plan(bigint) FROM PUBLIC;

CREATE FUNCTION crm._check_amendment(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, from_date date, version integer DEFAULT NULL) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  open_month CONSTANT date := crm._first_open_month();
  agreed date;
  later integer;
BEGIN
  IF _check_amendment.from_date < open_month THEN
    RAISE EXCEPTION 'terms from % on would change what is closed', _check_amendment.from_date
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('They may change from %s on.', open_month);
  END IF;
  SELECT t.from_date, t.version INTO agreed, later FROM crm._terms_in_force t
  WHERE t.plan_id = _check_amendment.plan_id AND t.provider_channel_id = _check_amendment.provider_channel_id AND t.user_channel_id = _check_amendment.user_channel_id
  ORDER BY t.from_date DESC, t.version DESC LIMIT 1;
  IF agreed > _check_amendment.from_date THEN
    RAISE EXCEPTION 'other terms are agreed from % on', agreed USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'New terms begin on that day or later.';
  ELSIF agreed = _check_amendment.from_date AND later > _check_amendment.version THEN
    RAISE EXCEPTION 'version % is agreed from the same day on', later USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.amend_terms() proposes another.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._check_amendment(bigint, bigint, bigint, date, integer) IS 'Whether terms may change from a day on. Errors: 55000 a closed month, terms agreed from a later day, or a later version from the same day.';
REVOKE ALL ON FUNCTION crm._check_amendment(bigint, bigint, bigint, date, integer) FROM PUBLIC;

CREATE FUNCTION crm.amend_terms(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, from_date date, premium_share numeric, assessment_share numeric,
  commission_share numeric, cost_share numeric, note text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._amended_plan(amend_terms.plan_id);
  version integer;
BEGIN
  PERFORM crm._require_values('terms', json_build_object('provider_channel_id', amend_terms.provider_channel_id, 'user_channel_id', amend_terms.user_channel_id,
    'from_date', amend_terms.from_date, 'premium_share', amend_terms.premium_share, 'assessment_share', amend_terms.assessment_share,
    'commission_share', amend_terms.commission_share, 'cost_share', amend_terms.cost_share));
  PERFORM crm._require_parties(amend_terms.provider_channel_id, amend_terms.user_channel_id);
  PERFORM crm._require_days(amend_terms.from_date, NULL);
  PERFORM crm._require_share(s.name, s.share)
  FROM (VALUES ('premium_share', amend_terms.premium_share), ('assessment_share', amend_terms.assessment_share), ('commission_share', amend_terms.commission_share),
               ('cost_share', amend_terms.cost_share)) s(name, share);
  PERFORM crm._check_amendment(plan.id, amend_terms.provider_channel_id, amend_terms.user_channel_id, amend_terms.from_date);
  SELECT coalesce(max(m.version), 1) + 1 INTO version FROM crm.terms_amendment m
  WHERE m.plan_id = plan.id AND m.provider_channel_id = amend_terms.provider_channel_id AND m.user_channel_id = amend_terms.user_channel_id;
  INSERT INTO crm.terms_amendment (plan_id, provider_channel_id, user_channel_id, version, from_date, premium_share, assessment_share, commission_share, cost_share, note)
  VALUES (plan.id, amend_terms.provider_channel_id, amend_terms.user_channel_id, version, amend_terms.from_date, amend_terms.premium_share, amend_terms.assessment_share,
          amend_terms.commission_share, amend_terms.cost_share, amend_terms.note);
  RETURN version;
END
$$;
COMMENT ON FUNCTION crm.amend_terms(bigint, bigint, bigint, date, numeric, numeric, numeric, numeric, text) IS
  'Proposes other terms between two channels for an approved plan from a day on: the shares of the provider, 0 to 1, the rest is the user''s. In force once both channels have accepted by crm.accept_amendment(); what is received on that day and later goes by them. Returns the version. Errors: 22004, 23502, 23503, 23514 shares beyond 0 to 1 or one channel with itself, 42501, 55000 the plan is not approved, the day lies in a closed month, or terms from a later day are agreed. 变更条款';
REVOKE ALL ON FUNCTION crm.amend_terms(bigint, bigint, bigint, date, numeric, numeric, numeric, numeric, text) FROM PUBLIC;

CREATE FUNCTION crm._amendment(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, version integer) RETURNS crm.terms_amendment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  amendment crm.terms_amendment;
BEGIN
  IF num_nulls(_amendment.plan_id, _amendment.provider_channel_id, _amendment.user_channel_id, _amendment.version) > 0 THEN
    RAISE EXCEPTION 'plan, channels and version must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO amendment FROM crm.terms_amendment m
  WHERE m.plan_id = _amendment.plan_id AND m.provider_channel_id = _amendment.provider_channel_id AND m.user_channel_id = _amendment.user_channel_id AND m.version = _amendment.version
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'plan "%" has no version % of terms between channels "%" and "%" to be agreed', _amendment.plan_id, _amendment.version, _amendment.provider_channel_id, _amendment.user_channel_id
      USING ERRCODE = 'undefined_object', HINT = 'crm_bi.terms_version shows the versions; crm.amend_terms() proposes one.';
  ELSIF amendment.withdrawn_at IS NOT NULL THEN
    RAISE EXCEPTION 'version % of these terms was withdrawn', amendment.version USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.amend_terms() proposes another.';
  END IF;
  RETURN amendment;
END
$$;
COMMENT ON FUNCTION crm._amendment(bigint, bigint, bigint, integer) IS 'Locks a version of terms that was not withdrawn. Errors: 22004, 42704, 55000.';
REVOKE ALL ON FUNCTION crm._amendment(bigint, bigint, bigint, integer) FROM PUBLIC;

CREATE FUNCTION crm.accept_amendment(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, version integer, channel_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  amendment crm.terms_amendment;
BEGIN
  PERFORM crm._open_settlement_book();
  amendment := crm._amendment(accept_amendment.plan_id, accept_amendment.provider_channel_id, accept_amendment.user_channel_id, accept_amendment.version);
  PERFORM crm._act_for_party(crm._plan(amendment.plan_id), amendment.provider_channel_id, amendment.user_channel_id, accept_amendment.channel_id,
    CASE accept_amendment.channel_id WHEN amendment.provider_channel_id THEN amendment.user_accepted_by ELSE amendment.provider_accepted_by END);
  IF num_nonnulls(amendment.provider_accepted_at, amendment.user_accepted_at) < 2 THEN
    PERFORM crm._check_amendment(amendment.plan_id, amendment.provider_channel_id, amendment.user_channel_id, amendment.from_date, amendment.version);
    UPDATE crm.terms_amendment m
    SET provider_accepted_at = CASE WHEN accept_amendment.channel_id = m.provider_channel_id THEN coalesce(m.provider_accepted_at, clock_timestamp()) ELSE m.provider_accepted_at END,
        provider_accepted_by = CASE WHEN accept_amendment.channel_id = m.provider_channel_id THEN coalesce(m.provider_accepted_by, crm.actor()) ELSE m.provider_accepted_by END,
        user_accepted_at = CASE WHEN accept_amendment.channel_id = m.user_channel_id THEN coalesce(m.user_accepted_at, clock_timestamp()) ELSE m.user_accepted_at END,
        user_accepted_by = CASE WHEN accept_amendment.channel_id = m.user_channel_id THEN coalesce(m.user_accepted_by, crm.actor()) ELSE m.user_accepted_by END
    WHERE m.plan_id = amendment.plan_id AND m.provider_channel_id = amendment.provider_channel_id AND m.user_channel_id = amendment.user_channel_id AND m.version = amendment.version
    RETURNING m.* INTO amendment;
  END IF;
  RETURN num_nonnulls(amendment.provider_accepted_at, amendment.user_accepted_at) = 2;
END
$$;
COMMENT ON FUNCTION crm.accept_amendment(bigint, bigint, bigint, integer, bigint) IS
  'Accepts a version of terms for one of the two channels; again changes nothing. Returns whether both have, so that it is in force. Errors: 22004, 22023 not a party, 40001, 42501 not for that channel, or the same person has accepted for the other; 42704, 55000 withdrawn, the day lies in a closed month, or terms from a later day, or a later version from the same one, are agreed. 确认条款变更';
REVOKE ALL ON FUNCTION crm.accept_amendment(bigint, bigint, bigint, integer, bigint) FROM PUBLIC;

CREATE FUNCTION crm.withdraw_amendment(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, version integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._amended_plan(withdraw_amendment.plan_id);
  amendment CONSTANT crm.terms_amendment := crm._amendment(plan.id, withdraw_amendment.provider_channel_id, withdraw_amendment.user_channel_id, withdraw_amendment.version);
BEGIN
  IF num_nonnulls(amendment.provider_accepted_at, amendment.user_accepted_at) = 2 THEN
    RAISE EXCEPTION 'version % of these terms is agreed', amendment.version USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.amend_terms() proposes another.';
  END IF;
  UPDATE crm.terms_amendment m SET withdrawn_at = clock_timestamp(), withdrawn_by = crm.actor()
  WHERE m.plan_id = amendment.plan_id AND m.provider_channel_id = amendment.provider_channel_id AND m.user_channel_id = amendment.user_channel_id AND m.version = amendment.version;
END
$$;
COMMENT ON FUNCTION crm.withdraw_amendment(bigint, bigint, bigint, integer) IS 'Withdraws a version of terms that is not agreed. Errors: 22004, 23503, 42501, 42704, 55000 agreed or withdrawn. 撤回条款变更';
REVOKE ALL ON FUNCTION crm.withdraw_amendment(bigint, bigint, bigint, integer) FROM PUBLIC;

GRANT SELECT ON crm.terms_amendment, crm._terms_in_force TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('planner'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.amend_terms(bigint, bigint, bigint, date, numeric, numeric, numeric, numeric, text)'), ('crm.withdraw_amendment(bigint, bigint, bigint, integer)')) f(name);
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('planner', 'EXECUTE', 'FUNCTION', 'crm.accept_amendment(bigint, bigint, bigint, integer, bigint)'),
  ('provider', 'EXECUTE', 'FUNCTION', 'crm.accept_amendment(bigint, bigint, bigint, integer, bigint)');
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.terms_version' FROM (VALUES ('planner'), ('resource_manager'), ('approver'), ('provider')) d(duty);
