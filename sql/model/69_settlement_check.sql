-- settle: what must hold of attributions, lines and months

CREATE FUNCTION crm._check_settlement() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  remedy CONSTANT text := 'SELECT crm.post_settlement(); what remains was written by hand.';
BEGIN
  IF NOT EXISTS (SELECT FROM crm.policy_attribution) AND NOT EXISTS (SELECT FROM crm.settlement_line) THEN
    RETURN;
  END IF;

  RETURN QUERY
  SELECT 'attribution', format('policy %s is not attributed as its holdings say', d.policy_id), 'SELECT crm.attribute_policies().'
  FROM (SELECT coalesce(a.policy_id, f.policy_id) AS policy_id
        FROM crm.policy_attribution a
        FULL JOIN (SELECT * FROM crm._attribution() x WHERE x.policy_id IN (SELECT k.policy_id FROM crm.policy_attribution k)) f
          ON f.policy_id = a.policy_id AND f.holding_id = a.holding_id
        WHERE (a.plan_id, a.provider_channel_id, a.channel_id, a.org_id, a.staff_id, a.share)
              IS DISTINCT FROM (f.plan_id, f.provider_channel_id, f.channel_id, f.org_id, f.staff_id, f.share)) d
  GROUP BY d.policy_id ORDER BY d.policy_id LIMIT 100;

  RETURN QUERY
  SELECT 'attribution_share', format('shares in policy %s make %s', a.policy_id, sum(a.share)), 'SELECT crm.attribute_policies().'
  FROM crm.policy_attribution a GROUP BY a.policy_id HAVING sum(a.share) <> 1 OR count(DISTINCT a.plan_id) > 1 ORDER BY a.policy_id LIMIT 100;

  RETURN QUERY
  SELECT 'settlement_source', format('%s %s of policy %s is %s, its lines come to %s', c.thing, c.source_id, c.policy_id, c.amount, CASE c.lines WHEN 0 THEN 'nothing' ELSE c.posted_amount::text END), remedy
  FROM crm._settlement_compared c WHERE c.amount <> c.posted_amount
  ORDER BY 2 LIMIT 100;

  RETURN QUERY
  SELECT 'settlement_division', format('%s %s of policy %s is divided otherwise than the terms say: %s and %s are missing', coalesce(a.thing, 'source'), d.source_id, d.policy_id,
                                       d.provider_amount, d.user_amount), remedy
  FROM crm._settlement_due d LEFT JOIN crm.settlement_account a ON a.id = d.account_id ORDER BY 2 LIMIT 100;

  RETURN QUERY
  SELECT 'settlement_reversal', format('receipt %s of policy %s is reversed, and %s remain', l.reverses, l.policy_id, sum(l.amount)), remedy
  FROM (SELECT r.policy_id, r.reverses, a.plan_id, a.provider_channel_id, a.user_channel_id, y.provider_amount, y.user_amount, y.amount
        FROM crm.premium_receipt r
        JOIN crm.settlement_line y ON y.policy_id = r.policy_id AND y.source_id IN (r.id, r.reverses)
        JOIN crm.settlement s ON s.id = y.settlement_id
        JOIN crm.settlement_account a ON a.id = s.account_id AND a.thing = 'premium'
        WHERE r.reverses IS NOT NULL) l
  GROUP BY l.policy_id, l.reverses, l.plan_id, l.provider_channel_id, l.user_channel_id HAVING sum(l.provider_amount) <> 0 OR sum(l.user_amount) <> 0
  ORDER BY 2 LIMIT 100;

  RETURN QUERY
  SELECT 'settlement_closed', format('settlement %s of %s is not the sum of its lines', s.id, to_char(s.month, 'YYYY-MM')),
         CASE p.state WHEN 'settled' THEN 'Find out who wrote there by hand, and restore it.' ELSE 'crm.reopen_settlement(), and close the month again.' END
  FROM crm.settlement s
  JOIN crm.settlement_period p ON p.month = s.month
  LEFT JOIN (SELECT y.settlement_id, count(*) AS lines, sum(y.provider_amount) AS provider_amount, sum(y.user_amount) AS user_amount, max(y.posted_at) AS posted_at
             FROM crm.settlement_line y GROUP BY y.settlement_id) l ON l.settlement_id = s.id
  WHERE CASE p.state WHEN 'open' THEN s.lines IS NOT NULL
        ELSE (s.lines, s.provider_amount, s.user_amount) IS DISTINCT FROM (coalesce(l.lines, 0), coalesce(l.provider_amount, 0), coalesce(l.user_amount, 0)) OR l.posted_at > p.closed_at END
  ORDER BY s.id LIMIT 100;

  RETURN QUERY
  SELECT 'settlement_order', format('%s is %s, though a later month is closed', to_char(p.month, 'YYYY-MM'), p.state), 'Close and settle the months in their order.'
  FROM crm.settlement_period p
  WHERE p.state = 'open' AND p.month < crm._first_open_month() OR p.state = 'closed' AND EXISTS (SELECT FROM crm.settlement_period x WHERE x.month > p.month AND x.state = 'settled');
END
$$;
COMMENT ON FUNCTION crm._check_settlement() IS
  'Invariants of attribution and settlement that do not hold, each with what to do; what was recorded since the last posting is among them. At most 100 rows of a kind.';
REVOKE ALL ON FUNCTION crm._check_settlement() FROM PUBLIC;
