-- allocate: the terms of a plan: how the channel that gives customers and the one that uses them share what comes of them

CREATE TABLE crm.plan_terms (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  provider_channel_id bigint NOT NULL REFERENCES crm.channel,
  user_channel_id bigint NOT NULL REFERENCES crm.channel,
  thing text NOT NULL CHECK (thing IN ('premium', 'assessment', 'commission', 'cost')),
  provider_share numeric NOT NULL CHECK (provider_share >= 0 AND provider_share <= 1 AND pg_catalog.scale(provider_share) <= 30),
  user_share numeric NOT NULL CHECK (user_share >= 0 AND user_share <= 1 AND pg_catalog.scale(user_share) <= 30),
  note text,
  set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  set_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (plan_id, provider_channel_id, user_channel_id, thing),
  CHECK (provider_channel_id <> user_channel_id),
  CONSTRAINT plan_terms_sum_check CHECK (provider_share + user_share = 1)
);
COMMENT ON TABLE crm.plan_terms IS 'Terms of plans: shares in what comes of customers whom one channel gave to another. 利益分配条款';
COMMENT ON COLUMN crm.plan_terms.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_terms.provider_channel_id IS 'Channel that gave them.';
COMMENT ON COLUMN crm.plan_terms.user_channel_id IS 'Channel that uses them.';
COMMENT ON COLUMN crm.plan_terms.thing IS 'premium 实收保费, assessment 考核任务 (credit), commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm.plan_terms.provider_share IS 'Share of the provider, 0 to 1.';
COMMENT ON COLUMN crm.plan_terms.user_share IS 'Share of the user; the two make 1.';
COMMENT ON COLUMN crm.plan_terms.note IS 'Why they are so.';
COMMENT ON COLUMN crm.plan_terms.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.plan_terms.set_by IS 'Who set it.';
CREATE INDEX ON crm.plan_terms (provider_channel_id);
CREATE INDEX ON crm.plan_terms (user_channel_id);

CREATE TABLE crm.plan_terms_acceptance (
  plan_id bigint NOT NULL REFERENCES crm.plan,
  provider_channel_id bigint NOT NULL REFERENCES crm.channel,
  user_channel_id bigint NOT NULL REFERENCES crm.channel,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  accepted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  accepted_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (plan_id, provider_channel_id, user_channel_id, channel_id),
  CHECK (channel_id IN (provider_channel_id, user_channel_id))
);
COMMENT ON TABLE crm.plan_terms_acceptance IS 'Which channel has accepted which terms; a change of the terms takes it back. 条款确认';
COMMENT ON COLUMN crm.plan_terms_acceptance.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_terms_acceptance.provider_channel_id IS 'Channel that gives.';
COMMENT ON COLUMN crm.plan_terms_acceptance.user_channel_id IS 'Channel that uses.';
COMMENT ON COLUMN crm.plan_terms_acceptance.channel_id IS 'Which of the two accepts.';
COMMENT ON COLUMN crm.plan_terms_acceptance.accepted_at IS 'When.';
COMMENT ON COLUMN crm.plan_terms_acceptance.accepted_by IS 'Who, for the channel.';
CREATE INDEX ON crm.plan_terms_acceptance (provider_channel_id);
CREATE INDEX ON crm.plan_terms_acceptance (user_channel_id);
CREATE INDEX ON crm.plan_terms_acceptance (channel_id);

CREATE FUNCTION crm._require_parties(provider_channel_id bigint, user_channel_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM crm._require_known('channel', _require_parties.provider_channel_id), crm._require_known('channel', _require_parties.user_channel_id);
  IF _require_parties.provider_channel_id = _require_parties.user_channel_id THEN
    RAISE EXCEPTION 'channel "%" has no terms with itself', _require_parties.user_channel_id USING ERRCODE = 'check_violation', HINT = 'Terms are between two channels.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_parties(bigint, bigint) IS 'Whether two channels can have terms. Errors: 23503 unknown, 23514 the same one.';
REVOKE ALL ON FUNCTION crm._require_parties(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._require_share(name text, share numeric) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (share >= 0 AND share <= 1 AND scale(share) <= 30) THEN
    RAISE EXCEPTION '% % is no share', name, share USING ERRCODE = 'check_violation', HINT = 'A share is from 0 to 1, with at most 30 digits after the point.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_share(text, numeric) IS 'Errors: 23514.';
REVOKE ALL ON FUNCTION crm._require_share(text, numeric) FROM PUBLIC;

CREATE FUNCTION crm.set_terms(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, thing text, provider_share numeric, user_share numeric, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(set_terms.plan_id, true);
BEGIN
  PERFORM crm._require_values('terms', json_build_object('provider_channel_id', set_terms.provider_channel_id, 'user_channel_id', set_terms.user_channel_id,
    'thing', set_terms.thing, 'provider_share', set_terms.provider_share, 'user_share', set_terms.user_share));
  PERFORM crm._require_parties(set_terms.provider_channel_id, set_terms.user_channel_id);
  IF set_terms.thing NOT IN ('premium', 'assessment', 'commission', 'cost') THEN
    RAISE EXCEPTION 'there is no thing "%" to be shared', set_terms.thing USING ERRCODE = 'check_violation', HINT = 'They are premium, assessment, commission and cost.';
  ELSIF set_terms.provider_share + set_terms.user_share <> 1 OR set_terms.provider_share = 'NaN' OR set_terms.user_share = 'NaN' THEN
    RAISE EXCEPTION 'shares % and % do not make 1', set_terms.provider_share, set_terms.user_share
      USING ERRCODE = 'check_violation', HINT = 'Give shares such as 0.3 and 0.7.';
  END IF;
  PERFORM crm._require_share('provider_share', set_terms.provider_share), crm._require_share('user_share', set_terms.user_share);
  INSERT INTO crm.plan_terms AS t (plan_id, provider_channel_id, user_channel_id, thing, provider_share, user_share, note)
  VALUES (plan.id, set_terms.provider_channel_id, set_terms.user_channel_id, set_terms.thing, set_terms.provider_share, set_terms.user_share, set_terms.note)
  ON CONFLICT ON CONSTRAINT plan_terms_pkey DO UPDATE
  SET provider_share = excluded.provider_share, user_share = excluded.user_share, note = excluded.note, set_at = excluded.set_at, set_by = excluded.set_by;
  DELETE FROM crm.plan_terms_acceptance a
  WHERE a.plan_id = plan.id AND a.provider_channel_id = set_terms.provider_channel_id AND a.user_channel_id = set_terms.user_channel_id;
END
$$;
COMMENT ON FUNCTION crm.set_terms(bigint, bigint, bigint, text, numeric, numeric, text) IS
  'Sets how two channels share premium, assessment credit, commission or cost of customers that one gives to the other by a draft plan; both then accept anew. Errors: 22004, 23502, 23503, 23514 shares beyond 0 to 1 or that do not make 1, no such thing, one channel with itself; 42501, 55000 not a draft. 设定利益分配';
REVOKE ALL ON FUNCTION crm.set_terms(bigint, bigint, bigint, text, numeric, numeric, text) FROM PUBLIC;

CREATE FUNCTION crm._act_for_party(plan crm.plan, provider_channel_id bigint, user_channel_id bigint, channel_id bigint, other_accepted_by text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF _act_for_party.channel_id IS NULL THEN
    RAISE EXCEPTION 'the channel must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF _act_for_party.channel_id NOT IN (_act_for_party.provider_channel_id, _act_for_party.user_channel_id) THEN
    RAISE EXCEPTION 'channel "%" is not a party to these terms', _act_for_party.channel_id
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The channel that gives accepts them, and the one that uses.';
  END IF;
  PERFORM crm._act_for_side(_act_for_party.channel_id, NULL, CASE _act_for_party.channel_id WHEN _act_for_party.provider_channel_id THEN 'provider' ELSE 'planner' END, y.org_id, NULL)
  FROM crm.cycle y WHERE y.id = plan.cycle_id;
  IF _act_for_party.other_accepted_by = crm.actor() THEN
    RAISE EXCEPTION '"%" has accepted these terms for the other channel', crm.actor()
      USING ERRCODE = 'insufficient_privilege', HINT = 'Somebody else accepts for this one.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._act_for_party(crm.plan, bigint, bigint, bigint, text) IS
  'Whether the acting person may accept terms between two channels for one of them: as its provider or planner at the unit of the cycle, and nobody for both. Errors: 22004, 22023 not a party, 42501.';
REVOKE ALL ON FUNCTION crm._act_for_party(crm.plan, bigint, bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.accept_terms(plan_id bigint, provider_channel_id bigint, user_channel_id bigint, channel_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._draft_plan(accept_terms.plan_id);
  missing text;
BEGIN
  PERFORM crm._act_for_party(plan, accept_terms.provider_channel_id, accept_terms.user_channel_id, accept_terms.channel_id,
    (SELECT a.accepted_by FROM crm.plan_terms_acceptance a
     WHERE a.plan_id = plan.id AND a.provider_channel_id = accept_terms.provider_channel_id AND a.user_channel_id = accept_terms.user_channel_id
       AND a.channel_id <> accept_terms.channel_id));
  SELECT string_agg(u.thing, ', ') INTO missing FROM unnest('{premium,assessment,commission,cost}'::text[]) u(thing)
  WHERE NOT EXISTS (SELECT FROM crm.plan_terms t WHERE t.plan_id = plan.id AND t.provider_channel_id = accept_terms.provider_channel_id
                      AND t.user_channel_id = accept_terms.user_channel_id AND t.thing = u.thing);
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'terms for % are missing', missing USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.set_terms() sets them.';
  END IF;
  INSERT INTO crm.plan_terms_acceptance (plan_id, provider_channel_id, user_channel_id, channel_id)
  VALUES (plan.id, accept_terms.provider_channel_id, accept_terms.user_channel_id, accept_terms.channel_id) ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION crm.accept_terms(bigint, bigint, bigint, bigint) IS
  'Accepts the terms between two channels for one of them: for the one that gives whoever of it has the duty provider at the unit of the cycle, for the one that uses planner; nobody for both. Again changes nothing. Errors: 22004, 22023 not a party, 42501 not for that channel, or the same person has accepted for the other; 55000 terms missing or not a draft. 确认条款';
REVOKE ALL ON FUNCTION crm.accept_terms(bigint, bigint, bigint, bigint) FROM PUBLIC;

CREATE VIEW crm._plan_terms_needed AS
SELECT n.plan_id, n.provider_channel_id, n.user_channel_id, n.customers,
       (SELECT pg_catalog.count(*) FROM crm.plan_terms t
        WHERE t.plan_id = n.plan_id AND t.provider_channel_id = n.provider_channel_id AND t.user_channel_id = n.user_channel_id) = 4 AS complete,
       (SELECT pg_catalog.count(*) FROM crm.plan_terms_acceptance a
        WHERE a.plan_id = n.plan_id AND a.provider_channel_id = n.provider_channel_id AND a.user_channel_id = n.user_channel_id) = 2 AS accepted
FROM (SELECT l.plan_id, p.channel_id AS provider_channel_id, l.channel_id AS user_channel_id, pg_catalog.sum(l.customers)::bigint AS customers
      FROM crm.plan_line l JOIN crm.provider p ON p.id = l.provider_id
      WHERE p.channel_id <> l.channel_id GROUP BY l.plan_id, p.channel_id, l.channel_id) n;
COMMENT ON VIEW crm._plan_terms_needed IS 'Pairs of channels between which a plan moves customers, and whether their terms are complete and accepted by both.';

GRANT SELECT ON crm.plan_terms, crm.plan_terms_acceptance, crm._plan_terms_needed TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('planner', 'EXECUTE', 'FUNCTION', 'crm.set_terms(bigint, bigint, bigint, text, numeric, numeric, text)'),
  ('resource_manager', 'EXECUTE', 'FUNCTION', 'crm.set_terms(bigint, bigint, bigint, text, numeric, numeric, text)'),
  ('planner', 'EXECUTE', 'FUNCTION', 'crm.accept_terms(bigint, bigint, bigint, bigint)'),
  ('provider', 'EXECUTE', 'FUNCTION', 'crm.accept_terms(bigint, bigint, bigint, bigint)');
