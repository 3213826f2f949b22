-- settle: what each account must have of a source, by the attribution and the terms in force, beside what is posted to it

CREATE FUNCTION crm._settlement_part(plans bigint[], own_channel_id bigint)
RETURNS TABLE (plan_id bigint, provider_channel_id bigint, user_channel_id bigint, terms_version integer, thing text, policy_id bigint, source_id bigint, day date, amount numeric,
  due_provider_amount numeric, due_user_amount numeric, provider_amount numeric, user_amount numeric, lines bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT x.plan_id, x.provider_channel_id, x.user_channel_id, x.terms_version, x.thing, x.policy_id, x.source_id, max(x.day), coalesce(max(x.amount), 0),
         coalesce(sum(x.due_provider_amount), 0), coalesce(sum(x.due_user_amount), 0), coalesce(sum(x.provider_amount), 0), coalesce(sum(x.user_amount), 0), sum(x.lines)::bigint
  FROM (SELECT t.plan_id, t.provider_channel_id, t.user_channel_id, t.terms_version, t.thing, t.policy_id, t.source_id, t.day, t.amount,
               t.provider_amount AS due_provider_amount, t.user_amount AS due_user_amount, NULL::numeric AS provider_amount, NULL::numeric AS user_amount, 0 AS lines
        FROM crm._settlement_target(own_channel_id) t
        UNION ALL
        SELECT a.plan_id, a.provider_channel_id, a.user_channel_id, a.terms_version, a.thing, l.policy_id, l.source_id, l.day, NULL, NULL, NULL, l.provider_amount, l.user_amount, 1
        FROM crm.settlement_line l JOIN crm.settlement s ON s.id = l.settlement_id JOIN crm.settlement_account a ON a.id = s.account_id) x
  WHERE (plans IS NULL OR x.plan_id = ANY (plans)) AND (own_channel_id IS NULL OR own_channel_id = x.provider_channel_id OR own_channel_id = x.user_channel_id)
  GROUP BY x.plan_id, x.provider_channel_id, x.user_channel_id, x.terms_version, x.thing, x.policy_id, x.source_id;
END
$$;
COMMENT ON FUNCTION crm._settlement_part(bigint[], bigint) IS
  'Each source of an attributed policy, or of a line, by plan, pair of channels and version of the terms: what they must have of it and what is posted; amount is that of the whole source, 0 where they must have nothing. Of given plans and a channel; NULL: of all.';
REVOKE ALL ON FUNCTION crm._settlement_part(bigint[], bigint) FROM PUBLIC;

CREATE FUNCTION crm.settlement_parts()
RETURNS TABLE (plan_id bigint, provider_channel_id bigint, user_channel_id bigint, terms_version integer, thing text, policy_id bigint, source_id bigint, day date, amount numeric,
  due_provider_amount numeric, due_user_amount numeric, provider_amount numeric, user_amount numeric, lines bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100000
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT * FROM crm._settlement_part(NULL, NULL);
END;
COMMENT ON FUNCTION crm.settlement_parts() IS
  'What plans and pairs of channels must have of each source by the attribution and the terms in force, and what is posted to them. 应分与已入账';
REVOKE ALL ON FUNCTION crm.settlement_parts() FROM PUBLIC;

CREATE FUNCTION crm.my_settlement_parts()
RETURNS TABLE (own_channel_id bigint, provider_channel_id bigint, user_channel_id bigint, thing text, policy_id bigint, source_id bigint, day date, amount numeric,
  due_provider_amount numeric, due_user_amount numeric, provider_amount numeric, user_amount numeric, lines bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own bigint;
  plans bigint[];
BEGIN
  SELECT max(m.channel_id), array_agg(m.plan_id) INTO own, plans FROM crm.my_settlement_plans() m;
  IF own IS NOT NULL THEN
    RETURN QUERY
    SELECT own, x.provider_channel_id, x.user_channel_id, x.thing, x.policy_id, x.source_id, x.day, x.amount, x.due_provider_amount, x.due_user_amount, x.provider_amount, x.user_amount, x.lines
    FROM crm._settlement_part(plans, own) x;
  END IF;
END
$$;
COMMENT ON FUNCTION crm.my_settlement_parts() IS
  'What the own channel and those with which it shares must have of each source by the attribution and the terms in force, and what is posted to them, in plans that the acting person sees (crm.my_settlement_plans()). 本渠道应分与已入账';
REVOKE ALL ON FUNCTION crm.my_settlement_parts() FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.settlement_parts()' FROM pg_catalog.unnest('{finance,analyst}'::text[]) d (duty)
UNION ALL
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.my_settlement_parts()' FROM pg_catalog.unnest('{provider,planner,approver,resource_manager,analyst}'::text[]) d (duty);
