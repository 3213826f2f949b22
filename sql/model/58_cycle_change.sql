-- allocate: what was changed in cycles beside their workflows: offers, stages, adjustments, terms, computations

CREATE TABLE crm.cycle_change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cycle_id bigint NOT NULL REFERENCES crm.cycle,
  plan_id bigint REFERENCES crm.plan,
  kind text NOT NULL CHECK (kind IN ('offer', 'stage', 'adjustment', 'limit', 'terms', 'acceptance', 'attribution', 'hold_out', 'computation')),
  subject text NOT NULL,
  customer_id bigint REFERENCES crm.customer ON DELETE CASCADE,
  before jsonb,
  after jsonb,
  reason text,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_by text NOT NULL DEFAULT crm.actor(),
  CONSTRAINT cycle_change_of_check CHECK ((kind = 'offer') = (plan_id IS NULL)),
  CONSTRAINT cycle_change_what_check CHECK (pg_catalog.num_nonnulls(before, after) > 0)
);
COMMENT ON TABLE crm.cycle_change IS 'What was changed in cycles; written by triggers. First releases stand in crm.cycle_release, transitions of plans and proposals in crm.workflow_log; crm_bi.cycle_change shows all together. 周期变更';
COMMENT ON COLUMN crm.cycle_change.id IS 'Key, in order of change.';
COMMENT ON COLUMN crm.cycle_change.cycle_id IS 'Cycle.';
COMMENT ON COLUMN crm.cycle_change.plan_id IS 'Plan; NULL: an offer.';
COMMENT ON COLUMN crm.cycle_change.kind IS 'offer (withdrawn, or released again), stage, adjustment, limit (of a unit), terms, acceptance (of terms), attribution, hold_out or computation.';
COMMENT ON COLUMN crm.cycle_change.subject IS 'Which: the key of the provider, of the adjustment, the number of the stage or version, the keys of channel and unit, the keys of the channels with the thing or the one that accepts.';
COMMENT ON COLUMN crm.cycle_change.customer_id IS 'Customer offered, pinned or barred.';
COMMENT ON COLUMN crm.cycle_change.before IS 'What stood in the columns that changed; NULL: it was made.';
COMMENT ON COLUMN crm.cycle_change.after IS 'What stands there since; NULL: it was taken away.';
COMMENT ON COLUMN crm.cycle_change.reason IS 'Why, where a reason was given.';
COMMENT ON COLUMN crm.cycle_change.changed_at IS 'When.';
COMMENT ON COLUMN crm.cycle_change.changed_by IS 'Who.';
CREATE INDEX ON crm.cycle_change (cycle_id);
CREATE INDEX ON crm.cycle_change (plan_id, changed_by);
CREATE INDEX ON crm.cycle_change (customer_id);
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES
  ('crm.cycle_change', 'customer_id', 'move', false, 'History goes on after a merge.');

-- Arguments: the kind, and the columns that tell which row of the plan it is. Of a customer deleted as a whole nothing is kept.
CREATE FUNCTION crm._plan_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  was CONSTANT jsonb := CASE WHEN TG_OP <> 'INSERT' THEN jsonb_strip_nulls(to_jsonb(OLD)) END;
  now CONSTANT jsonb := CASE WHEN TG_OP <> 'DELETE' THEN jsonb_strip_nulls(to_jsonb(NEW)) END;
  told CONSTANT jsonb := coalesce(now, was);
BEGIN
  IF NOT crm._merging() THEN
    INSERT INTO crm.cycle_change (cycle_id, plan_id, kind, subject, customer_id, before, after, reason)
    SELECT p.cycle_id, p.id, TG_ARGV[0], (SELECT string_agg(told ->> c.name, '/' ORDER BY c.n) FROM unnest(TG_ARGV[1:]) WITH ORDINALITY c(name, n)),
           -- a change that only takes away, or only adds, is one all the same
           (told ->> 'customer_id')::bigint, CASE WHEN TG_OP = 'UPDATE' THEN coalesce(f.before, '{}') ELSE f.before END, CASE WHEN TG_OP = 'UPDATE' THEN coalesce(f.after, '{}') ELSE f.after END, now ->> 'note'
    FROM crm.plan p
    CROSS JOIN LATERAL (
      SELECT jsonb_object_agg(k, was -> k) FILTER (WHERE was ? k) AS before, jsonb_object_agg(k, now -> k) FILTER (WHERE now ? k) AS after
      FROM jsonb_object_keys(coalesce(was, '{}') || coalesce(now, '{}')) k
      WHERE k <> ALL ('{plan_id,id,customer_id,set_at,set_by,made_at,made_by}') AND was -> k IS DISTINCT FROM now -> k) f
    WHERE p.id = (told ->> 'plan_id')::bigint AND num_nonnulls(f.before, f.after) > 0
      AND (NOT told ? 'customer_id' OR EXISTS (SELECT FROM crm.customer c WHERE c.id = (told ->> 'customer_id')::bigint));
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_changed() IS 'Trigger: writes what changed of a row that belongs to a plan to crm.cycle_change; what a merge changes stands in crm.merge_row.';
REVOKE ALL ON FUNCTION crm._plan_changed() FROM PUBLIC;
-- rows that come back from a dump were made before, and their history comes with them
CREATE TRIGGER made AFTER INSERT ON crm.plan_stage FOR EACH ROW WHEN (NEW.set_at >= pg_catalog.now()) EXECUTE FUNCTION crm._plan_changed('stage', 'stage');
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON crm.plan_stage FOR EACH ROW EXECUTE FUNCTION crm._plan_changed('stage', 'stage');
CREATE TRIGGER made AFTER INSERT ON crm.plan_adjustment FOR EACH ROW WHEN (NEW.made_at >= pg_catalog.now()) EXECUTE FUNCTION crm._plan_changed('adjustment', 'id');
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON crm.plan_adjustment FOR EACH ROW EXECUTE FUNCTION crm._plan_changed('adjustment', 'id');
CREATE TRIGGER made AFTER INSERT ON crm.plan_limit FOR EACH ROW WHEN (NEW.set_at >= pg_catalog.now()) EXECUTE FUNCTION crm._plan_changed('limit', 'channel_id', 'org_id');
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON crm.plan_limit FOR EACH ROW EXECUTE FUNCTION crm._plan_changed('limit', 'channel_id', 'org_id');
CREATE TRIGGER made AFTER INSERT ON crm.plan_terms FOR EACH ROW WHEN (NEW.set_at >= pg_catalog.now())
  EXECUTE FUNCTION crm._plan_changed('terms', 'provider_channel_id', 'user_channel_id', 'thing');
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON crm.plan_terms FOR EACH ROW EXECUTE FUNCTION crm._plan_changed('terms', 'provider_channel_id', 'user_channel_id', 'thing');
CREATE TRIGGER made AFTER INSERT ON crm.plan_terms_acceptance FOR EACH ROW WHEN (NEW.accepted_at >= pg_catalog.now())
  EXECUTE FUNCTION crm._plan_changed('acceptance', 'provider_channel_id', 'user_channel_id', 'channel_id');
CREATE TRIGGER changed AFTER UPDATE OR DELETE ON crm.plan_terms_acceptance FOR EACH ROW
  EXECUTE FUNCTION crm._plan_changed('acceptance', 'provider_channel_id', 'user_channel_id', 'channel_id');

CREATE FUNCTION crm._tell_why(plan_id bigint, reason text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE crm.cycle_change c SET reason = _tell_why.reason
  WHERE c.id = (SELECT pg_catalog.max(x.id) FROM crm.cycle_change x WHERE x.plan_id = _tell_why.plan_id) AND _tell_why.reason IS NOT NULL;
END;
COMMENT ON FUNCTION crm._tell_why(bigint, text) IS 'Adds to the last change of a plan, a row just deleted, why; whoever deletes it has the plan locked.';
REVOKE ALL ON FUNCTION crm._tell_why(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm._plan_computed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO crm.cycle_change (cycle_id, plan_id, kind, subject, before, after)
  SELECT NEW.cycle_id, NEW.id, 'computation', NEW.version,
         (SELECT c.after FROM crm.cycle_change c WHERE c.plan_id = NEW.id AND c.kind = 'computation' ORDER BY c.id DESC LIMIT 1),
         jsonb_build_object('as_of', NEW.as_of, 'customers', coalesce(sum(l.customers), 0), 'expected_purchases', coalesce(sum(l.expected_purchases), 0),
                            'expected_premium', coalesce(sum(l.expected_premium), 0), 'expected_cost', coalesce(sum(l.expected_cost), 0))
  FROM crm.plan_line l WHERE l.plan_id = NEW.id;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_computed() IS 'Trigger: writes what a computation came to, and the one before, to crm.cycle_change.';
REVOKE ALL ON FUNCTION crm._plan_computed() FROM PUBLIC;
CREATE TRIGGER computed AFTER UPDATE ON crm.plan FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION crm._plan_computed();

-- the plan is made at the first statement, mostly a release that changes no offer, and kept for those that change many
CREATE FUNCTION crm._offers_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
BEGIN
  IF NOT crm._merging() THEN
    INSERT INTO crm.cycle_change (cycle_id, kind, subject, customer_id, before, after, reason)
    SELECT n.cycle_id, 'offer', n.provider_id, n.customer_id,
           jsonb_strip_nulls(jsonb_build_object('release_id', w.release_id, 'withdrawn_at', w.withdrawn_at, 'withdrawn_by', w.withdrawn_by, 'withdrawal_reason', w.withdrawal_reason)),
           jsonb_strip_nulls(jsonb_build_object('release_id', n.release_id, 'withdrawn_at', n.withdrawn_at, 'withdrawn_by', n.withdrawn_by)), n.withdrawal_reason
    FROM was w JOIN now n ON n.cycle_id = w.cycle_id AND n.customer_id = w.customer_id AND n.provider_id = w.provider_id
    WHERE (n.release_id, n.withdrawn_at) IS DISTINCT FROM (w.release_id, w.withdrawn_at)
    ORDER BY n.customer_id, n.provider_id;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._offers_changed() IS 'Trigger: writes which offers were withdrawn or released again to crm.cycle_change.';
REVOKE ALL ON FUNCTION crm._offers_changed() FROM PUBLIC;
CREATE TRIGGER changed AFTER UPDATE ON crm.cycle_offer REFERENCING OLD TABLE AS was NEW TABLE AS now FOR EACH STATEMENT EXECUTE FUNCTION crm._offers_changed();

GRANT SELECT ON crm.cycle_change TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.cycle_change' FROM (VALUES ('resource_manager'), ('planner'), ('approver')) d(duty);
