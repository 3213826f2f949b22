-- classify: named lists, and target lists frozen from conditions

CREATE TABLE crm.list (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner text NOT NULL DEFAULT crm.actor(),
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  condition crm.condition NOT NULL,
  shared boolean NOT NULL DEFAULT false,
  note text,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  UNIQUE (owner, name)
);
COMMENT ON TABLE crm.list IS 'Named conditions: who meets one is on the list. 客户名单';
COMMENT ON COLUMN crm.list.id IS 'Key.';
COMMENT ON COLUMN crm.list.owner IS 'Whose list it is, by crm.actor().';
COMMENT ON COLUMN crm.list.name IS 'Name, one of its kind for the owner.';
COMMENT ON COLUMN crm.list.condition IS 'Who is on it.';
COMMENT ON COLUMN crm.list.shared IS 'Whether others may use it.';
COMMENT ON COLUMN crm.list.note IS 'What it is for.';
COMMENT ON COLUMN crm.list.created_at IS 'When it was first saved.';
COMMENT ON COLUMN crm.list.updated_at IS 'When it was last saved.';
CREATE INDEX ON crm.list (name) WHERE shared;

CREATE TABLE crm.target_list (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  condition crm.condition NOT NULL,
  as_of date NOT NULL,
  note text,
  frozen_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  frozen_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.target_list IS 'Target lists: the customers who met a condition on a day. 目标客户名单';
COMMENT ON COLUMN crm.target_list.id IS 'Key.';
COMMENT ON COLUMN crm.target_list.name IS 'Name.';
COMMENT ON COLUMN crm.target_list.condition IS 'The condition its members met.';
COMMENT ON COLUMN crm.target_list.as_of IS 'The day on which they met it.';
COMMENT ON COLUMN crm.target_list.note IS 'What it is for.';
COMMENT ON COLUMN crm.target_list.frozen_at IS 'When it was frozen or last refreshed.';
COMMENT ON COLUMN crm.target_list.frozen_by IS 'Who did that.';

CREATE TABLE crm.target_list_member (
  target_list_id bigint NOT NULL REFERENCES crm.target_list ON DELETE CASCADE,
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  added_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  PRIMARY KEY (target_list_id, customer_id)
);
COMMENT ON TABLE crm.target_list_member IS 'Who is on a target list.';
COMMENT ON COLUMN crm.target_list_member.target_list_id IS 'Target list.';
COMMENT ON COLUMN crm.target_list_member.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.target_list_member.added_at IS 'When the customer came onto it.';
CREATE INDEX ON crm.target_list_member (customer_id);

CREATE FUNCTION crm.save_list(name text, condition crm.condition, shared boolean DEFAULT false, note text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  list_id bigint;
BEGIN
  PERFORM crm._require_values('a list', json_build_object('name', save_list.name, 'condition', save_list.condition));
  INSERT INTO crm.list AS l (name, condition, shared, note)
  VALUES (save_list.name, save_list.condition, save_list.shared, save_list.note)
  ON CONFLICT (owner, name) DO UPDATE
  SET condition = excluded.condition, shared = excluded.shared, note = excluded.note, updated_at = pg_catalog.now()
  RETURNING l.id INTO list_id;
  RETURN list_id;
END
$$;
COMMENT ON FUNCTION crm.save_list(text, crm.condition, boolean, text) IS
  'Saves a condition under a name as a list of the actor, replacing an earlier one of that name. Errors: those of crm.condition; 23502, 23514 without a name.';
REVOKE ALL ON FUNCTION crm.save_list(text, crm.condition, boolean, text) FROM PUBLIC;

CREATE FUNCTION crm.drop_list(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM crm.list l WHERE l.owner = crm.actor() AND l.name = drop_list.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'you have no list "%"', drop_list.name USING ERRCODE = 'undefined_object', HINT = 'crm.lists() shows your lists and shared ones.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm.drop_list(text) IS 'Drops a list of the actor; target lists frozen from it stay. Errors: 42704.';
REVOKE ALL ON FUNCTION crm.drop_list(text) FROM PUBLIC;

CREATE FUNCTION crm.lists(OUT name text, OUT owner text, OUT shared boolean, OUT condition crm.condition, OUT note text, OUT updated_at timestamptz)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT l.name, l.owner, l.shared, l.condition, l.note, l.updated_at FROM crm.list l
               WHERE l.shared OR l.owner = crm.actor() ORDER BY l.name, l.owner;
END
$$;
COMMENT ON FUNCTION crm.lists() IS 'The lists of the actor and those shared.';
REVOKE ALL ON FUNCTION crm.lists() FROM PUBLIC;

CREATE FUNCTION crm.list_condition(name text, owner text DEFAULT NULL) RETURNS crm.condition
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  conditions crm.condition[];
BEGIN
  SELECT pg_catalog.array_agg(l.condition) INTO conditions FROM crm.list l
  WHERE l.name = list_condition.name AND (l.shared OR l.owner = crm.actor())
    AND (l.owner = list_condition.owner OR list_condition.owner IS NULL
         AND (l.owner = crm.actor() OR NOT EXISTS (SELECT FROM crm.list o WHERE o.owner = crm.actor() AND o.name = l.name)));
  CASE pg_catalog.cardinality(conditions)
    WHEN 1 THEN
      RETURN conditions[1];
    ELSE
      IF conditions IS NULL THEN
        RAISE EXCEPTION 'there is no list "%" for you', list_condition.name
          USING ERRCODE = 'undefined_object', HINT = 'crm.lists() shows your lists and shared ones.';
      END IF;
      RAISE EXCEPTION 'there are % shared lists "%"', pg_catalog.cardinality(conditions), list_condition.name
        USING ERRCODE = 'ambiguous_alias', HINT = 'Name the owner as well: crm.list_condition(name, owner).';
  END CASE;
END
$$;
COMMENT ON FUNCTION crm.list_condition(text, text) IS
  'The condition of a list: the actor''s own, else the shared one of that name. Conditions combine by &, | and -. Errors: 42704, 42P09 when several owners share one of that name.';
REVOKE ALL ON FUNCTION crm.list_condition(text, text) FROM PUBLIC;

-- A custom plan knows the condition, so that it becomes plain operators.
CREATE FUNCTION crm.list_count(condition crm.condition) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  day date := crm.today();
BEGIN
  RETURN (SELECT pg_catalog.count(*) FROM crm_bi.listed_customer c WHERE crm.matches(list_count.condition, c, day));
END
$$;
COMMENT ON FUNCTION crm.list_count(crm.condition) IS 'How many customers meet a condition, as of crm.today(); with the caller''s rights on crm_bi.listed_customer.';

CREATE FUNCTION crm.list_preview(condition crm.condition, at_most integer DEFAULT 100,
  OUT customer_id bigint, OUT kind text, OUT name text, OUT org_id bigint, OUT channel text, OUT coverage text, OUT activity text, OUT tier text, OUT amount numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  day date := crm.today();
BEGIN
  RETURN QUERY SELECT c.customer_id, c.kind, c.name, c.org_id, c.channel, c.coverage, c.activity, c.tier, c.amount
               FROM crm_bi.listed_customer c WHERE crm.matches(list_preview.condition, c, day) ORDER BY c.customer_id LIMIT list_preview.at_most;
END
$$;
COMMENT ON FUNCTION crm.list_preview(crm.condition, integer) IS
  'The first customers who meet a condition, as of crm.today(); with the caller''s rights on crm_bi.listed_customer. Errors: 2201W for a negative number.';

CREATE FUNCTION crm.list_members(condition crm.condition) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  day date := crm.today();
BEGIN
  RETURN ARRAY(SELECT c.customer_id FROM crm_bi.listed_customer c WHERE crm.matches(list_members.condition, c, day) ORDER BY c.customer_id);
END
$$;
COMMENT ON FUNCTION crm.list_members(crm.condition) IS
  'The customers who meet a condition, in order of id, as of crm.today(), as crm.allocate() takes them; with the caller''s rights on crm_bi.listed_customer.';

CREATE FUNCTION crm._freeze_list(name text, condition crm.condition, day date, members bigint[], note text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  list_id bigint;
BEGIN
  INSERT INTO crm.target_list AS t (name, condition, as_of, note)
  VALUES (_freeze_list.name, _freeze_list.condition, _freeze_list.day, _freeze_list.note) RETURNING t.id INTO list_id;
  INSERT INTO crm.target_list_member (target_list_id, customer_id)
  SELECT list_id, m FROM pg_catalog.unnest(_freeze_list.members) AS m;
  RETURN list_id;
END
$$;
COMMENT ON FUNCTION crm._freeze_list(text, crm.condition, date, bigint[], text) IS 'Writes a target list and its members.';
REVOKE ALL ON FUNCTION crm._freeze_list(text, crm.condition, date, bigint[], text) FROM PUBLIC;

CREATE FUNCTION crm.freeze_list(name text, condition crm.condition, note text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF condition IS NULL THEN
    RAISE EXCEPTION 'a target list needs a condition' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RETURN crm._freeze_list(name, condition, crm.today(), crm.list_members(condition), note);
END
$$;
COMMENT ON FUNCTION crm.freeze_list(text, crm.condition, text) IS
  'Freezes the customers who meet a condition as of crm.today() into a target list for allocation or campaigns, and returns its id. With the caller''s rights on crm_bi.listed_customer. Errors: 22004, 23502, 23514. 冻结名单';
REVOKE ALL ON FUNCTION crm.freeze_list(text, crm.condition, text) FROM PUBLIC;

CREATE FUNCTION crm._refresh_target_list(target_list_id bigint, day date, members bigint[], OUT added bigint, OUT removed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE crm.target_list t SET as_of = _refresh_target_list.day, frozen_at = pg_catalog.clock_timestamp(), frozen_by = crm.actor()
  WHERE t.id = _refresh_target_list.target_list_id;
  DELETE FROM crm.target_list_member m
  WHERE m.target_list_id = _refresh_target_list.target_list_id
    AND NOT EXISTS (SELECT FROM pg_catalog.unnest(_refresh_target_list.members) AS u WHERE u = m.customer_id);
  GET DIAGNOSTICS removed = ROW_COUNT;
  INSERT INTO crm.target_list_member (target_list_id, customer_id)
  SELECT _refresh_target_list.target_list_id, u FROM pg_catalog.unnest(_refresh_target_list.members) AS u
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
END
$$;
COMMENT ON FUNCTION crm._refresh_target_list(bigint, date, bigint[]) IS 'Brings the members of a target list to those given.';
REVOKE ALL ON FUNCTION crm._refresh_target_list(bigint, date, bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._target_condition(target_list_id bigint) RETURNS crm.condition
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  condition crm.condition;
BEGIN
  SELECT t.condition INTO condition FROM crm.target_list t WHERE t.id = _target_condition.target_list_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no target list "%"', _target_condition.target_list_id
      USING ERRCODE = 'undefined_object', HINT = 'crm_bi.target_list shows them; crm.freeze_list() makes one.';
  END IF;
  RETURN condition;
END
$$;
COMMENT ON FUNCTION crm._target_condition(bigint) IS 'The condition of a target list, which it locks.';
REVOKE ALL ON FUNCTION crm._target_condition(bigint) FROM PUBLIC;

CREATE FUNCTION crm.refresh_target_list(target_list_id bigint, OUT added bigint, OUT removed bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  condition crm.condition := crm._target_condition(target_list_id);
BEGIN
  SELECT r.added, r.removed INTO added, removed
  FROM crm._refresh_target_list(target_list_id, crm.today(), crm.list_members(condition)) r;
END
$$;
COMMENT ON FUNCTION crm.refresh_target_list(bigint) IS
  'Applies the condition of a target list anew, as of crm.today(): who meets it now comes onto it, who does not goes. With the caller''s rights on crm_bi.listed_customer. Errors: 42704. 刷新名单';
REVOKE ALL ON FUNCTION crm.refresh_target_list(bigint) FROM PUBLIC;

GRANT SELECT ON crm.target_list, crm.target_list_member TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.save_list(text, crm.condition, boolean, text)'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.drop_list(text)'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.lists()'),
  ('analyst', 'EXECUTE', 'FUNCTION', 'crm.list_condition(text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.save_list(text, crm.condition, boolean, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.drop_list(text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.lists()'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.list_condition(text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.freeze_list(text, crm.condition, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.refresh_target_list(bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._freeze_list(text, crm.condition, date, bigint[], text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._refresh_target_list(bigint, date, bigint[])'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._target_condition(bigint)'),
  ('manager', 'SELECT', 'TABLE', 'crm.target_list'),
  ('manager', 'DELETE', 'TABLE', 'crm.target_list'),
  ('manager', 'SELECT', 'TABLE', 'crm.target_list_member'),
  ('manager', 'DELETE', 'TABLE', 'crm.target_list_member'),
  ('manager', 'USAGE', 'SCHEMA', 'crm_bi'),
  ('manager', 'SELECT', 'TABLE', 'crm_bi.customer'),
  ('manager', 'SELECT', 'TABLE', 'crm_bi.list'),
  ('manager', 'SELECT', 'TABLE', 'crm_bi.target_list'),
  ('manager', 'SELECT', 'TABLE', 'crm_bi.target_list_member'),
  ('manager', 'SELECT', 'TABLE', 'crm_bi.listed_customer');
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES
  ('crm.target_list_member', 'customer_id', 'move', false, 'Once on each list, and lists frozen later know one customer.');
