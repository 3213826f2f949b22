-- settle: what each channel may see of the settlement: its own

CREATE FUNCTION crm.my_settlement_plans() RETURNS TABLE (plan_id bigint, channel_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  own crm.staff;
BEGIN
  SELECT * INTO own FROM crm.staff s WHERE s.id = crm._own_staff(crm.actor(), day);
  RETURN QUERY
  SELECT p.id, own.channel_id
  FROM crm.plan p
  JOIN (SELECT y.id FROM crm.cycle y
        JOIN (SELECT x.org_id FROM (SELECT DISTINCT c.org_id FROM crm.cycle c) x
              WHERE EXISTS (SELECT FROM unnest('{provider,planner,resource_manager,approver}'::text[]) d(duty)
                            CROSS JOIN LATERAL crm._in_charge(x.org_id, d.duty, false, day) c WHERE c.staff_id = own.id)) o ON o.org_id = y.org_id) y ON y.id = p.cycle_id
  ORDER BY p.id;
END
$$;
COMMENT ON FUNCTION crm.my_settlement_plans() IS
  'The plans of whose settlement the acting person sees the part of the own channel, with that channel: those of cycles at whose unit or above it the person has the duty provider, planner, resource_manager or approver. None of who is no member of staff in post. 本渠道可见结算的计划';
REVOKE ALL ON FUNCTION crm.my_settlement_plans() FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, r.privilege, r.kind, r.object
FROM pg_catalog.unnest('{provider,planner,approver,resource_manager}'::text[]) d (duty)
CROSS JOIN (VALUES ('SELECT', 'TABLE', 'crm_bi.my_settlement'), ('SELECT', 'TABLE', 'crm_bi.my_settlement_line'), ('SELECT', 'TABLE', 'crm_bi.my_settlement_reconciliation'),
                   ('EXECUTE', 'FUNCTION', 'crm.my_settlement_plans()')) r (privilege, kind, object)
-- who may read every view must be able to
UNION ALL SELECT 'analyst', 'EXECUTE', 'FUNCTION', 'crm.my_settlement_plans()';
