-- allocate: what each customer counts, by tier

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('tier_load', 'crm.tier_load', 'others 1', true, false,
   'What a customer counts against the quota of who holds it, by tier.');

CREATE FUNCTION crm._check_tier_load() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unknown CONSTANT text := (SELECT min(l.tier) FROM crm._named_loads(NEW.value) l
                            WHERE l.tier <> 'others' AND l.tier NOT IN (SELECT t.label FROM crm._tier_label t));
BEGIN
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION 'tier "%" is not known', unknown
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Tiers are %s.', (SELECT string_agg(t.label, ', ' ORDER BY t.label) FROM crm._tier_label t));
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._check_tier_load() IS 'Trigger: a tier that counts otherwise must be named by a scale. Errors: 22023.';
REVOKE ALL ON FUNCTION crm._check_tier_load() FROM PUBLIC;
CREATE TRIGGER tier_load AFTER INSERT OR UPDATE ON crm.setting
  FOR EACH ROW WHEN (NEW.name = 'tier_load') EXECUTE FUNCTION crm._check_tier_load();

CREATE FUNCTION crm._tier_load(org_id bigint, channel_id bigint, as_of date) RETURNS crm.tier_load
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT crm._setting_for('tier_load', _tier_load.org_id, _tier_load.channel_id, _tier_load.as_of)::crm.tier_load;
END;
COMMENT ON FUNCTION crm._tier_load(bigint, bigint, date) IS 'What customers count for a unit and a channel on a day.';

CREATE FUNCTION crm._tiers_of(customers bigint[], as_of date) RETURNS TABLE (customer_id bigint, tier text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT u.id, coalesce(CASE WHEN s.valid_from <= _tiers_of.as_of AND s.valid_to > _tiers_of.as_of THEN s.tier
                             ELSE (SELECT c.label FROM crm.class c WHERE c.id = (crm.at(s.timeline, _tiers_of.as_of)).tier) END, 'none')
  FROM pg_catalog.unnest(_tiers_of.customers) u(id)
  LEFT JOIN crm.standing s ON s.slot = (SELECT g.slot FROM crm.generation g WHERE g.state = 'current') AND s.customer_id = u.id;
END;
COMMENT ON FUNCTION crm._tiers_of(bigint[], date) IS 'Tiers of customers on a day; none also where there is no standing yet.';

-- a change of tier or setting -----------------------------------------------

CREATE FUNCTION crm._stale_load(as_of date, OUT customer_id bigint, OUT id bigint, OUT org_id bigint, OUT channel_id bigint, OUT load integer, OUT load_now integer)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  literals text[];
  customers bigint[];
BEGIN
  -- nothing to look at where every customer counts 1
  SELECT array_agg(DISTINCT g.loads) INTO literals
  FROM (SELECT crm._setting_for('tier_load', h.org_id, h.channel_id, _stale_load.as_of) AS loads, min(h.load) AS least, max(h.load) AS most
        FROM crm.holding h WHERE h.held_to IS NULL AND h.staff_id IS NOT NULL GROUP BY h.org_id, h.channel_id) g
  WHERE g.least <> 1 OR g.most <> 1 OR EXISTS (SELECT FROM crm._named_loads(g.loads) l WHERE l.load <> 1);
  IF literals IS NULL THEN
    RETURN;
  END IF;
  customers := ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.held_to IS NULL AND h.staff_id IS NOT NULL ORDER BY h.customer_id);
  RETURN QUERY
  WITH unit AS MATERIALIZED (
    SELECT g.org_id, g.channel_id, crm._setting_for('tier_load', g.org_id, g.channel_id, _stale_load.as_of) AS loads
    FROM (SELECT DISTINCT h.org_id, h.channel_id FROM crm.holding h WHERE h.held_to IS NULL AND h.staff_id IS NOT NULL) g),
  counted AS MATERIALIZED (
    SELECT l.loads, t.label AS tier, crm.load_of(l.loads::crm.tier_load, t.label) AS load
    FROM unnest(literals) l(loads) CROSS JOIN (SELECT DISTINCT t.label FROM crm._tier t) t)
  SELECT h.customer_id, h.id, h.org_id, h.channel_id, h.load, c.load
  FROM crm._tiers_of(customers, _stale_load.as_of) t
  JOIN crm.holding h ON h.customer_id = t.customer_id AND h.held_to IS NULL AND h.staff_id IS NOT NULL
  JOIN unit n ON n.channel_id = h.channel_id AND n.org_id IS NOT DISTINCT FROM h.org_id
  JOIN counted c ON c.loads = n.loads AND c.tier = t.tier
  WHERE c.load <> h.load;
END
$$;
COMMENT ON FUNCTION crm._stale_load(date) IS 'Open holdings of staff that count otherwise than tier and setting of a day say; those of units and channels count against no quota.';
REVOKE ALL ON FUNCTION crm._stale_load(date) FROM PUBLIC;

CREATE FUNCTION crm.refresh_loads(as_of date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  customers bigint[];
  holdings bigint[];
  loads integer[];
  changed bigint;
BEGIN
  IF refresh_loads.as_of IS NULL THEN
    RAISE EXCEPTION 'the day whose tiers and settings are to hold must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT array_agg(s.customer_id), array_agg(s.id), array_agg(s.load_now) INTO customers, holdings, loads FROM crm._stale_load(refresh_loads.as_of) s;
  -- customers, then holdings, then the counts that their change is added to: the order of locks everywhere
  PERFORM FROM crm.customer c WHERE c.id = ANY (customers) ORDER BY c.id FOR NO KEY UPDATE;
  WITH locked AS MATERIALIZED (
    SELECT h.customer_id, h.id, s.load_now FROM unnest(customers, holdings, loads) s(customer_id, id, load_now)
    JOIN crm.holding h ON h.customer_id = s.customer_id AND h.id = s.id AND h.held_to IS NULL
    ORDER BY h.customer_id FOR UPDATE OF h)
  -- by the key alone: statistics taken when hardly anything was held would have all that is held read for each row
  UPDATE crm.holding h SET load = l.load_now FROM locked l
  WHERE h.customer_id = l.customer_id AND h.id = l.id AND h.load <> l.load_now;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm.refresh_loads(date) IS
  'Makes every open holding count what the setting tier_load says of the customer''s tier on a day, and returns how many changed: for the nightly job, and after a change of the setting. Who comes above the quota by it keeps all and gets no other. Errors: 22004.';
REVOKE ALL ON FUNCTION crm.refresh_loads(date) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.refresh_loads(date)');
