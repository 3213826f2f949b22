-- classify: one function for each dimension, and changes of class

CREATE FUNCTION crm._class_of(customer_id bigint, as_of date, dimension text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  k record;
BEGIN
  IF _class_of.customer_id IS NULL OR as_of IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT * INTO k FROM crm.classify(as_of) c WHERE c.customer_id = _class_of.customer_id;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM crm.customer c WHERE c.id = _class_of.customer_id) THEN
      RAISE EXCEPTION 'customer % is not posted yet', _class_of.customer_id
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CALL crm.refresh() posts what is queued; SELECT crm.post() what this transaction has changed.';
    END IF;
    RAISE EXCEPTION 'there is no customer %', _class_of.customer_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF k.coverage IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN CASE dimension WHEN 'coverage' THEN k.coverage WHEN 'prospect_kind' THEN k.prospect_kind WHEN 'channel' THEN k.channel WHEN 'channels' THEN k.channels
                        WHEN 'service' THEN k.service WHEN 'reach' THEN k.reach WHEN 'activity' THEN k.activity WHEN 'touchpoints' THEN k.touchpoints
                        WHEN 'tier' THEN k.tier END;
END
$$;
COMMENT ON FUNCTION crm._class_of(bigint, date, text) IS 'The class of a customer in one dimension on a day. NULL before the customer is known. Errors: 23503 unknown, 55000 not posted yet.';
REVOKE ALL ON FUNCTION crm._class_of(bigint, date, text) FROM PUBLIC;

DECLARE
  d record;
BEGIN
  FOR d IN VALUES
    ('coverage', 'prospect 准客户, insured 老客户 or former 流失客户 on a day'),
    ('prospect_kind', 'Of a prospect on a day: appointment 预约, activity 服务活动, partner 联盟商家, referral 转介绍 or other 其他; NULL for others'),
    ('channel', 'Main channel on a day'),
    ('channels', 'Channels of the policies in force on a day, with '', '' between them; the main channel where there are none'),
    ('service', 'On a day served 已服务, or unserved: orphan 孤儿单, group_legacy 集团老业务, bancassurance 银保 or other 其他'),
    ('reach', 'On a day reachable 可联系, or unreachable: corporate_insured 法人客户的被保险人, sector_line 口子业务客户 or other 其他'),
    ('activity', 'Class of activity on a day; none: never purchased'),
    ('touchpoints', 'Touchpoints open on a day, with '', '' between them: maturity 满期, lapse 失效, claim 理赔, appointment 预约; crm_bi.touchpoint has their dates'),
    ('tier', 'Tier on a day; none: not insured')
  LOOP
    EXECUTE format($f$
CREATE FUNCTION crm.%1$I(customer_id bigint, as_of date) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$SELECT crm._class_of($1, $2, %1$L)$$;
COMMENT ON FUNCTION crm.%1$I(bigint, date) IS %2$L;
REVOKE ALL ON FUNCTION crm.%1$I(bigint, date) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.%1$I(bigint, date)'), ('manager', 'EXECUTE', 'FUNCTION', 'crm.%1$I(bigint, date)')$f$,
      d.column1, d.column2 || '. NULL before the customer is known. Errors: 23503, 55000.');
  END LOOP;
END;

CREATE FUNCTION crm.class_changes(first_day date, last_day date, of_dimension text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, on_date date, org_id bigint, channel text, dimension text, was text, became text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF class_changes.first_day IS NULL OR class_changes.last_day IS NULL THEN
    RAISE EXCEPTION 'the days must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF class_changes.last_day < class_changes.first_day THEN
    RAISE EXCEPTION 'the period from % to % is empty', class_changes.first_day, class_changes.last_day
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the first day before the last.';
  ELSIF class_changes.of_dimension NOT IN ('coverage', 'prospect_kind', 'channel', 'service', 'reach', 'activity', 'touchpoint', 'tier') THEN
    RAISE EXCEPTION 'there is no dimension "%"', class_changes.of_dimension
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Dimensions are coverage, prospect_kind, channel, service, reach, activity, touchpoint and tier.';
  END IF;
  RETURN QUERY
  SELECT v.customer_id, v.on_date, v.org_id, h.code, v.dimension,
         CASE WHEN v.was_id IS NULL THEN v.was WHEN v.dimension = 'channel' THEN hw.code ELSE coalesce(w.label, 'none') END,
         CASE WHEN v.was_id IS NULL THEN v.became WHEN v.dimension = 'channel' THEN hb.code ELSE coalesce(b.label, 'none') END
  FROM (SELECT s.customer_id, x.* FROM crm.standing s, crm._class_changes(s.timeline, s.facets, class_changes.first_day, class_changes.last_day + 1) x
        WHERE s.slot = (SELECT crm._slot())
          AND (class_changes.of_dimension IS NULL OR x.dimension = class_changes.of_dimension)) v
  JOIN crm.channel h ON h.id = v.channel_id
  LEFT JOIN crm.channel hw ON v.dimension = 'channel' AND hw.id = v.was_id
  LEFT JOIN crm.channel hb ON v.dimension = 'channel' AND hb.id = v.became_id
  LEFT JOIN crm.class w ON v.dimension <> 'channel' AND w.id = v.was_id
  LEFT JOIN crm.class b ON v.dimension <> 'channel' AND b.id = v.became_id;
END
$$;
COMMENT ON FUNCTION crm.class_changes(date, date, text) IS
  'Who changed class from first_day to last_day, both inclusive, past or to come, in one dimension or all (coverage, prospect_kind, channel, service, reach, activity, touchpoint, tier), with the unit and main channel of that day. A touchpoint opens (was NULL) and closes (became NULL). The first day of a customer tells coverage alone. Days to come are as known today: who turns dormant unless they buy. Errors: 22004, 22023.';
REVOKE ALL ON FUNCTION crm.class_changes(date, date, text) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.class_changes(date, date, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.class_changes(date, date, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.classify(date)'),
  ('manager', 'SELECT', 'TABLE', 'crm.standing'),
  ('manager', 'SELECT', 'TABLE', 'crm.generation'),
  ('manager', 'SELECT', 'TABLE', 'crm.class');
GRANT EXECUTE ON FUNCTION crm.class_changes(date, date, text) TO crm_bi_owner;
