-- book: what staff can do better than others, for plans and allocation by affinity

CREATE TABLE crm.staff_skill (
  staff_id bigint NOT NULL REFERENCES crm.staff,
  kind text NOT NULL CHECK (kind IN ('language', 'tier', 'line', 'community')),
  value text NOT NULL,
  note text,
  PRIMARY KEY (staff_id, kind, value)
);
COMMENT ON TABLE crm.staff_skill IS 'Languages that staff speak, tiers and product lines they are trained for, communities they know. 人员特长';
COMMENT ON COLUMN crm.staff_skill.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.staff_skill.kind IS 'language 语言, tier 客户等级, line 产品线 or community 社区.';
COMMENT ON COLUMN crm.staff_skill.value IS 'Code of crm.profile_code with field language, tier of a scale, line of crm.product, or code of crm.community.';
COMMENT ON COLUMN crm.staff_skill.note IS 'Certificate or remark.';
CREATE INDEX ON crm.staff_skill (kind, value);

CREATE FUNCTION crm._skill_known() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (CASE NEW.kind
       WHEN 'language' THEN EXISTS (SELECT FROM crm.profile_code c WHERE c.field = 'language' AND c.code = NEW.value)
       WHEN 'tier' THEN EXISTS (SELECT FROM crm._tier_label l WHERE l.label = NEW.value)
       WHEN 'line' THEN EXISTS (SELECT FROM crm.product p WHERE p.line = NEW.value)
       WHEN 'community' THEN EXISTS (SELECT FROM crm.community m WHERE m.code = NEW.value)
       ELSE true END) THEN
    RAISE EXCEPTION '% "%" is not known', NEW.kind, NEW.value
      USING ERRCODE = 'foreign_key_violation',
            HINT = CASE NEW.kind WHEN 'language' THEN 'Rows of crm.profile_code with field language list the codes.' WHEN 'tier' THEN 'The setting tier_scale names the tiers.'
                   WHEN 'line' THEN 'It must be a line of crm.product.' ELSE 'crm.community lists the codes.' END;
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._skill_known() IS 'Trigger: a skill is in a language, tier, line or community that there is. Errors: 23503.';
REVOKE ALL ON FUNCTION crm._skill_known() FROM PUBLIC;
CREATE TRIGGER known BEFORE INSERT OR UPDATE ON crm.staff_skill
  FOR EACH ROW EXECUTE FUNCTION crm._skill_known();

CREATE FUNCTION crm._community_used() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM crm.staff_skill s WHERE s.kind = 'community' AND s.value = OLD.code) THEN
    RAISE EXCEPTION 'community "%" is in use', OLD.code USING ERRCODE = 'foreign_key_violation', HINT = 'Correct crm.staff_skill first.';
  END IF;
  RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END
$$;
COMMENT ON FUNCTION crm._community_used() IS 'Trigger: the code of a community that staff know stays. Errors: 23503.';
REVOKE ALL ON FUNCTION crm._community_used() FROM PUBLIC;
CREATE TRIGGER used_update BEFORE UPDATE OF code ON crm.community
  FOR EACH ROW WHEN (OLD.code <> NEW.code) EXECUTE FUNCTION crm._community_used();
CREATE TRIGGER used_delete BEFORE DELETE ON crm.community
  FOR EACH ROW EXECUTE FUNCTION crm._community_used();

CREATE FUNCTION crm._customer_traits(customers bigint[], as_of date) RETURNS TABLE (customer_id bigint, kind text, value text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM crm.staff_skill s) THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT p.customer_id, v.kind, v.value
  FROM unnest(_customer_traits.customers) u(id) JOIN crm.profile p ON p.customer_id = u.id LEFT JOIN crm.community m ON m.id = p.community_id
  CROSS JOIN LATERAL (VALUES ('language', p.language), ('community', m.code)) v(kind, value) WHERE v.value IS NOT NULL
  UNION ALL
  SELECT t.customer_id, 'tier', t.tier FROM crm._tiers_of(_customer_traits.customers, _customer_traits.as_of) t
  UNION ALL
  SELECT l.customer_id, 'line', l.line
  FROM (SELECT DISTINCT ON (c.customer_id) c.customer_id, r.line
        FROM unnest(_customer_traits.customers) u(id)
        JOIN crm.cover c ON c.customer_id = u.id
        JOIN crm.policy p ON p.customer_id = c.customer_id AND p.id = c.policy_id
        JOIN crm.product r ON r.id = p.product_id
        WHERE c.from_date <= _customer_traits.as_of AND c.to_date > _customer_traits.as_of
        ORDER BY c.customer_id, c.issued_on DESC, c.policy_id DESC) l;
END
$$;
COMMENT ON FUNCTION crm._customer_traits(bigint[], date) IS
  'What skills of staff could suit customers: their language and community, tier on a day, line of the policy in force issued last. Nothing while crm.staff_skill is empty.';
REVOKE ALL ON FUNCTION crm._customer_traits(bigint[], date) FROM PUBLIC;

GRANT SELECT ON crm.staff_skill TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT 'manager', p.privilege, 'TABLE', 'crm.staff_skill' FROM pg_catalog.unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p(privilege);
