-- engage: who may be contacted now, and from when on

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('guards_held', 'crm.contact_guard', 'protected', true, false,
   'Whether customers held in the unit or channel are kept from contacts by others than the holder, service apart: those that are protected, always all, or never any.');

CREATE FUNCTION crm._guarded_until(customer_id bigint, at timestamptz, staff_id bigint, channel_id bigint, always boolean) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  held crm.holding;
  guard text;
BEGIN
  SELECT * INTO held FROM crm.holding h WHERE h.customer_id = _guarded_until.customer_id AND h.held_to IS NULL;
  IF NOT FOUND OR NOT (_guarded_until.always OR coalesce(held.protected_until > _guarded_until.at, false))
     OR (CASE WHEN _guarded_until.staff_id IS NULL THEN held.channel_id = _guarded_until.channel_id
              WHEN held.staff_id IS NOT NULL THEN held.staff_id = _guarded_until.staff_id
              ELSE EXISTS (SELECT FROM crm.staff s WHERE s.id = _guarded_until.staff_id AND crm._lies_within(s.channel_id, s.org_id, held.channel_id, held.org_id)) END) THEN
    RETURN NULL;
  END IF;
  guard := crm._setting_for('guards_held', held.org_id, held.channel_id, crm._business_day(_guarded_until.at));
  RETURN CASE WHEN guard = 'always' THEN 'infinity' WHEN guard = 'protected' AND held.protected_until > _guarded_until.at THEN held.protected_until END;
END
$$;
COMMENT ON FUNCTION crm._guarded_until(bigint, timestamptz, bigint, bigint, boolean) IS
  'Until when the holding of a customer, as it stands, keeps out others at an instant: a member of staff, or where that is NULL everybody in a channel; infinity: no end is known, NULL: it does not. always: whether the setting guards_held may say so anywhere.';
REVOKE ALL ON FUNCTION crm._guarded_until(bigint, timestamptz, bigint, bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm._free_from(periods datemultirange, day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(pg_catalog.upper(r), 'infinity') FROM pg_catalog.unnest(_free_from.periods) r WHERE r @> _free_from.day;
END;
COMMENT ON FUNCTION crm._free_from(datemultirange, date) IS 'First day after the period that a day lies in; infinity: it has no end, NULL: the day lies in none.';

-- a kept plan knows nothing of how many customers there are: joins are by hashes
-- one look at one instant for each customer; where something stands against it, no contact is allowed before next
CREATE FUNCTION crm._contact_look(customer_ids bigint[], ats timestamptz[], purpose crm.contact_purpose, channel_id bigint, way text, staff_id bigint)
RETURNS TABLE (customer_id bigint, cause text, next timestamptz, cap_id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  zone CONSTANT text := crm.setting_value('business_time_zone');
  kind CONSTANT crm.contact_kind := (SELECT k FROM crm.contact_kind k WHERE k.code = (_contact_look.purpose).kind);
  always CONSTANT boolean := EXISTS (SELECT FROM crm.setting s WHERE s.name = 'guards_held' AND s.value = 'always');
BEGIN
  RETURN QUERY
  WITH wish AS MATERIALIZED (
    SELECT u.id, u.at, (u.at AT TIME ZONE zone)::date AS day FROM unnest(_contact_look.customer_ids, _contact_look.ats) u(id, at)),
  cap AS MATERIALIZED (
    SELECT d.day, c.id, c.tier, c.org_id, c.channel_id, c.counts_inbound, c.at_most, crm.contact_window(c.at_most) AS reach,
           ARRAY(SELECT p.code FROM crm.contact_purpose p JOIN crm.contact_kind k ON k.code = p.kind WHERE crm._cap_counts(c, p.code, k.code, k.exempt, c.channel_id, false)) AS purposes
    FROM (SELECT DISTINCT w.day FROM wish w) d CROSS JOIN LATERAL crm._contact_cap(d.day) c
    WHERE crm._cap_counts(c, (_contact_look.purpose).code, kind.code, kind.exempt, _contact_look.channel_id, false)
      AND c.at_most OPERATOR(crm.<>) 'unlimited'),
  profile AS MATERIALIZED (
    SELECT w.id, w.at, w.day,
           CASE WHEN EXISTS (SELECT FROM cap c WHERE c.org_id IS NOT NULL) THEN
             coalesce((SELECT o.org_id FROM crm.customer_organisation o WHERE o.customer_id = w.id AND o.from_date <= w.day ORDER BY o.from_date DESC LIMIT 1),
                      (SELECT m.org_id FROM crm.customer m WHERE m.id = w.id)) END AS home,
           CASE WHEN EXISTS (SELECT FROM cap c WHERE c.tier IS NOT NULL) THEN
             coalesce((SELECT l.label FROM crm.generation g JOIN crm.standing s ON s.slot = g.slot AND s.customer_id = w.id JOIN crm.class l ON l.id = (crm.at(s.timeline, w.day)).tier
                       WHERE g.state = 'current'), 'none') END AS tier
    FROM wish w WHERE EXISTS (SELECT FROM cap)),
  -- one look at the contacts of a customer for each cap: joins would be planned by what arrays seem to hold
  fit AS (
    SELECT p.id, p.at, c.id AS cap_id, c.at_most,
           ARRAY(SELECT t.at FROM crm._contact_counted t
                 WHERE t.customer_id = p.id AND t.at > p.at - c.reach AND t.purpose = ANY (c.purposes)
                   AND (c.channel_id IS NULL OR t.channel_id = c.channel_id) AND (c.counts_inbound OR t.direction = 'outbound')
                 ORDER BY t.at) AS contacts
    FROM profile p JOIN cap c ON c.day = p.day AND (c.tier IS NULL OR c.tier = p.tier)
    WHERE CASE WHEN c.org_id IS NULL THEN true ELSE EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = c.org_id AND t.descendant_id = p.home) END),
  capped AS (
    SELECT DISTINCT ON (n.id) n.id, n.next, n.cap_id
    FROM (SELECT f.id, f.at, f.cap_id, crm.contact_allowed_from(f.at_most, f.contacts, f.at) AS next FROM fit f OFFSET 0) n
    WHERE n.next > n.at
    ORDER BY n.id, n.next DESC, n.cap_id),
  black AS (
    SELECT w.id, crm._free_from((SELECT range_agg(daterange(b.from_date, b.to_date)) FROM crm.blacklist b WHERE b.customer_id = w.id), w.day) AS free
    FROM wish w
    WHERE NOT kind.exempt AND EXISTS (SELECT FROM crm.blacklist b WHERE b.customer_id = w.id)),
  asked AS (
    SELECT w.id, w.day,
           crm.contact_obstacle(w.id, w.day, CASE WHEN kind.consent IS NULL THEN 'service' ELSE kind.consent END, _contact_look.way, _contact_look.channel_id) AS obstacle
    FROM wish w
    WHERE NOT kind.exempt
      AND (kind.needs_consent
           OR EXISTS (SELECT FROM crm.do_not_contact d WHERE d.customer_id = w.id)
           OR EXISTS (SELECT FROM crm.consent c WHERE c.customer_id = w.id AND c.state = 'withdrawn'))),
  barred AS (
    SELECT a.id, a.obstacle,
           CASE a.obstacle WHEN 'do not contact' THEN
             crm._free_from((SELECT range_agg(daterange(d.from_date, d.to_date)) FROM crm.do_not_contact d
                             WHERE d.customer_id = a.id AND d.way IN ('any', _contact_look.way)
                               AND (d.channel_id IS NULL OR d.channel_id = _contact_look.channel_id)), a.day)
           ELSE 'infinity' END AS free
    FROM asked a
    WHERE a.obstacle = 'do not contact' OR a.obstacle = 'consent withdrawn' AND kind.consent IS NOT NULL OR a.obstacle = 'no consent' AND kind.needs_consent),
  guarded AS MATERIALIZED (
    SELECT g.id, g.free FROM (SELECT w.id, crm._guarded_until(w.id, w.at, _contact_look.staff_id, _contact_look.channel_id, always) AS free FROM wish w
                        WHERE NOT kind.exempt AND (SELECT always OR h.protected_until > w.at FROM crm.holding h WHERE h.customer_id = w.id AND h.held_to IS NULL) OFFSET 0) g
    WHERE g.free IS NOT NULL)
  SELECT w.id,
         CASE WHEN b.free IS NOT NULL THEN 'blacklisted' WHEN r.id IS NOT NULL THEN r.obstacle WHEN g.id IS NOT NULL THEN 'held by another' WHEN p.id IS NOT NULL THEN 'cap' END,
         greatest(w.at, b.free::timestamp AT TIME ZONE zone, r.free::timestamp AT TIME ZONE zone, g.free, p.next),
         CASE WHEN b.free IS NULL AND r.id IS NULL AND g.id IS NULL THEN p.cap_id END
  FROM wish w
  LEFT JOIN guarded g ON g.id = w.id
  LEFT JOIN capped p ON p.id = w.id
  LEFT JOIN black b ON b.id = w.id
  LEFT JOIN barred r ON r.id = w.id;
END
$$;
COMMENT ON FUNCTION crm._contact_look(bigint[], timestamptz[], crm.contact_purpose, bigint, text, bigint) IS
  'What stands against contacting each customer at the instant at the same place: blacklisted, do not contact, consent withdrawn, no consent, held by another or cap, and which cap; at next at the earliest nothing may stand against it, infinity: no such instant is known. NULL and the instant itself: nothing does.';
REVOKE ALL ON FUNCTION crm._contact_look(bigint[], timestamptz[], crm.contact_purpose, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION crm._may_contact(customer_ids bigint[], purpose crm.contact_purpose, channel_id bigint, at timestamptz, way text, staff_id bigint)
RETURNS TABLE (customer_id bigint, allowed_from timestamptz, cause text, cap_id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  waiting bigint[];
  waiting_for timestamptz[];
  causes text[];
  caps bigint[];
  moved boolean;
BEGIN
  SELECT array_agg(l.customer_id), array_agg(l.next), array_agg(l.cause), array_agg(l.cap_id) INTO waiting, waiting_for, causes, caps
  FROM crm._contact_look(_may_contact.customer_ids, array_fill(_may_contact.at, ARRAY[cardinality(_may_contact.customer_ids)]),
                         _may_contact.purpose, _may_contact.channel_id, _may_contact.way, _may_contact.staff_id) l
  WHERE l.cause IS NOT NULL;
  IF waiting IS NULL THEN
    RETURN;
  END IF;
  -- what ends may give way to something else: looked at again until nothing does
  LOOP
    WITH looked AS (
      SELECT u.n, l.next
      FROM unnest(waiting, waiting_for) WITH ORDINALITY u(id, next, n)
      JOIN crm._contact_look(
        ARRAY(SELECT v.id FROM unnest(waiting, waiting_for) v(id, next) WHERE v.next < 'infinity'),
        ARRAY(SELECT v.next FROM unnest(waiting, waiting_for) v(id, next) WHERE v.next < 'infinity'),
        _may_contact.purpose, _may_contact.channel_id, _may_contact.way, _may_contact.staff_id) l ON l.customer_id = u.id)
    SELECT array_agg(coalesce(k.next, u.next) ORDER BY u.n), bool_or(k.next > u.next) INTO waiting_for, moved
    FROM unnest(waiting_for) WITH ORDINALITY u(next, n) LEFT JOIN looked k ON k.n = u.n;
    EXIT WHEN moved IS NOT TRUE;
  END LOOP;
  RETURN QUERY SELECT u.id, nullif(u.next, 'infinity'), u.cause, u.cap_id FROM unnest(waiting, waiting_for, causes, caps) u(id, next, cause, cap_id);
END
$$;
COMMENT ON FUNCTION crm._may_contact(bigint[], crm.contact_purpose, bigint, timestamptz, text, bigint) IS
  'The customers, each named once, who may not be contacted then, why, and from when on they may, by what is known now; NULL: no such instant is known.';
REVOKE ALL ON FUNCTION crm._may_contact(bigint[], crm.contact_purpose, bigint, timestamptz, text, bigint) FROM PUBLIC;

CREATE FUNCTION crm._require_contact(channel_id bigint, at timestamptz, way text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF _require_contact.channel_id IS NULL OR _require_contact.at IS NULL THEN
    RAISE EXCEPTION 'channel and time must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('channel', _require_contact.channel_id);
  IF _require_contact.at < '1900-01-02' OR _require_contact.at >= '2199-12-31' THEN
    RAISE EXCEPTION 'time "%" is out of range', _require_contact.at USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a time from 1900 to 2199.';
  ELSIF _require_contact.way IS NULL OR _require_contact.way NOT IN ('any', 'call', 'sms', 'email', 'post', 'wechat', 'visit') THEN
    RAISE EXCEPTION 'way of contact "%" is not known', _require_contact.way
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Ways are any, call, sms, email, post, wechat and visit.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_contact(bigint, timestamptz, text) IS 'Errors: 22004, 22023 time or way, 23503 channel.';

CREATE FUNCTION crm.may_contact(customer_id bigint, purpose text, channel_id bigint, at timestamptz, way text DEFAULT 'any', staff_id bigint DEFAULT NULL,
  OUT allowed boolean, OUT allowed_from timestamptz, OUT cause text, OUT cap_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  p CONSTANT crm.contact_purpose := crm._require_purpose(may_contact.purpose);
BEGIN
  PERFORM crm._require_contact(may_contact.channel_id, may_contact.at, may_contact.way);
  IF may_contact.customer_id IS NULL THEN
    RAISE EXCEPTION 'the customer must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('customer', may_contact.customer_id);
  SELECT false, m.allowed_from, m.cause, m.cap_id INTO allowed, allowed_from, cause, cap_id
  FROM crm._may_contact(ARRAY[may_contact.customer_id], p, may_contact.channel_id, may_contact.at, may_contact.way, may_contact.staff_id) m;
  IF NOT FOUND THEN
    allowed := true;
    allowed_from := may_contact.at;
  END IF;
END
$$;
COMMENT ON FUNCTION crm.may_contact(bigint, text, bigint, timestamptz, text, bigint) IS
  'Whether crm.record_contact() would take a contact with a customer for a purpose, in a channel and way at a time, by a member of staff, or where staff_id is NULL by anyone of the channel who holds; if not, from when on by what is known now (allowed_from NULL: no such time is known), why (blacklisted, do not contact, consent withdrawn, no consent, held by another or cap) and by which cap. Errors: 22004, 22023, 23502, 23503, 23514. 可否联系';
REVOKE ALL ON FUNCTION crm.may_contact(bigint, text, bigint, timestamptz, text, bigint) FROM PUBLIC;

CREATE FUNCTION crm.may_contact_each(customers bigint[], purpose text, channel_id bigint, at timestamptz, way text DEFAULT 'any', staff_id bigint DEFAULT NULL)
RETURNS TABLE (customer_id bigint, allowed boolean, allowed_from timestamptz, cause text, cap_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  p CONSTANT crm.contact_purpose := crm._require_purpose(may_contact_each.purpose);
  known bigint[];
BEGIN
  PERFORM crm._require_contact(may_contact_each.channel_id, may_contact_each.at, may_contact_each.way);
  IF array_ndims(may_contact_each.customers) > 1 THEN
    RAISE EXCEPTION 'customers must have one dimension' USING ERRCODE = 'array_subscript_error';
  ELSIF may_contact_each.customers IS NULL OR array_position(may_contact_each.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  known := ARRAY(SELECT c.id FROM crm.customer c WHERE c.id = ANY (may_contact_each.customers));
  RETURN QUERY
  SELECT u.id, k.id IS NOT NULL AND m.cause IS NULL,
         CASE WHEN k.id IS NOT NULL AND m.cause IS NULL THEN may_contact_each.at ELSE m.allowed_from END,
         CASE WHEN k.id IS NULL THEN 'unknown' ELSE m.cause END, m.cap_id
  FROM (SELECT DISTINCT x.id FROM unnest(may_contact_each.customers) x(id)) u
  LEFT JOIN unnest(known) k(id) ON k.id = u.id
  LEFT JOIN crm._may_contact(known, p, may_contact_each.channel_id, may_contact_each.at, may_contact_each.way, may_contact_each.staff_id) m ON m.customer_id = u.id
  ORDER BY u.id;
END
$$;
COMMENT ON FUNCTION crm.may_contact_each(bigint[], text, bigint, timestamptz, text, bigint) IS
  'crm.may_contact for many customers at once, one row each by key; cause unknown: there is no such customer. For planning, which schedules nobody over a cap. Errors: 22004, 22023, 23502, 23503, 23514, 2202E. 可否联系（批量）';
REVOKE ALL ON FUNCTION crm.may_contact_each(bigint[], text, bigint, timestamptz, text, bigint) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.may_contact(bigint, text, bigint, timestamptz, text, bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.may_contact_each(bigint[], text, bigint, timestamptz, text, bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.may_contact(bigint, text, bigint, timestamptz, text, bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.may_contact_each(bigint[], text, bigint, timestamptz, text, bigint)');
