-- recycle: what changes of a holding between its start and its end

CREATE TABLE crm.holding_change (
  customer_id bigint NOT NULL,
  holding_id bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('lock', 'unlock', 'dispute', 'exemption', 'override', 'rule', 'load', 'undo')),
  before text,
  after text,
  reason text,
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_by text NOT NULL DEFAULT crm.actor(),
  ended_at timestamptz,
  ended_by text,
  PRIMARY KEY (customer_id, holding_id, id),
  FOREIGN KEY (customer_id, holding_id) REFERENCES crm.holding ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT holding_change_undo_check CHECK ((kind = 'undo') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (ended_by IS NULL))
);
COMMENT ON TABLE crm.holding_change IS 'What was changed of holdings between start and end, and ends that were undone; written by a trigger. Starts and ends stand in crm.holding itself, contacts in crm.contact. 持有变更';
COMMENT ON COLUMN crm.holding_change.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.holding_change.holding_id IS 'Holding of that customer.';
COMMENT ON COLUMN crm.holding_change.id IS 'Key within the holding, in order of change.';
COMMENT ON COLUMN crm.holding_change.kind IS 'lock, unlock, dispute (it is frozen by one until an instant, or no longer), exemption (its end was set, moved or taken away), override (of the protection), rule (another is followed), load (it counts otherwise) or undo (of a sweep, opened again).';
COMMENT ON COLUMN crm.holding_change.before IS 'What stood there before: end of the freeze, exemption or protection, rule, load, or of an undo the key of the sweep.';
COMMENT ON COLUMN crm.holding_change.after IS 'What stands there since.';
COMMENT ON COLUMN crm.holding_change.reason IS 'Why, where a reason was given.';
COMMENT ON COLUMN crm.holding_change.changed_at IS 'When.';
COMMENT ON COLUMN crm.holding_change.changed_by IS 'Who.';
COMMENT ON COLUMN crm.holding_change.ended_at IS 'Of an undo: when the holding had ended.';
COMMENT ON COLUMN crm.holding_change.ended_by IS 'Of an undo: who had ended it.';

CREATE FUNCTION crm._holding_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF crm._merging() THEN
    RETURN NULL;
  END IF;
  IF OLD.locked <> NEW.locked THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind) VALUES (NEW.customer_id, NEW.id, CASE WHEN NEW.locked THEN 'lock' ELSE 'unlock' END);
  END IF;
  IF OLD.disputed_until IS DISTINCT FROM NEW.disputed_until THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind, before, after) VALUES (NEW.customer_id, NEW.id, 'dispute', OLD.disputed_until, NEW.disputed_until);
  END IF;
  IF OLD.exempt_until IS DISTINCT FROM NEW.exempt_until THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind, before, after, reason)
    VALUES (NEW.customer_id, NEW.id, 'exemption', OLD.exempt_until, NEW.exempt_until,
            (SELECT coalesce(e.withdrawal_reason, e.reason) FROM crm.recycle_exemption e WHERE e.customer_id = NEW.customer_id AND e.holding_id = NEW.id
             ORDER BY coalesce(e.withdrawn_at, e.granted_at) DESC, e.id DESC LIMIT 1));
  END IF;
  IF OLD.overridden_at IS DISTINCT FROM NEW.overridden_at THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind, before, after, reason)
    VALUES (NEW.customer_id, NEW.id, 'override', OLD.protected_until, NEW.protected_until, NEW.override_reason);
  END IF;
  IF OLD.load <> NEW.load THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind, before, after) VALUES (NEW.customer_id, NEW.id, 'load', OLD.load, NEW.load);
  END IF;
  IF OLD.rule OPERATOR(crm.<>) NEW.rule THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind, before, after) VALUES (NEW.customer_id, NEW.id, 'rule', OLD.rule, NEW.rule);
  END IF;
  IF OLD.held_to IS NOT NULL AND NEW.held_to IS NULL THEN
    INSERT INTO crm.holding_change (customer_id, holding_id, kind, before, reason, ended_at, ended_by)
    VALUES (NEW.customer_id, NEW.id, 'undo', OLD.sweep_id, (SELECT s.undo_reason FROM crm.sweep s WHERE s.id = OLD.sweep_id), OLD.held_to, OLD.ended_by);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_changed() IS 'Trigger: writes what changed of a holding to crm.holding_change; what a merge changes stands in crm.merge_row.';
REVOKE ALL ON FUNCTION crm._holding_changed() FROM PUBLIC;
-- for rare changes only: starts, contacts, purchases and ends do not reach it
CREATE TRIGGER changed AFTER UPDATE ON crm.holding FOR EACH ROW
  WHEN (OLD.locked <> NEW.locked OR OLD.disputed_until IS DISTINCT FROM NEW.disputed_until OR OLD.exempt_until IS DISTINCT FROM NEW.exempt_until OR OLD.rule OPERATOR(crm.<>) NEW.rule
        OR OLD.overridden_at IS DISTINCT FROM NEW.overridden_at OR OLD.load <> NEW.load OR (OLD.held_to IS NOT NULL AND NEW.held_to IS NULL))
  EXECUTE FUNCTION crm._holding_changed();

GRANT SELECT ON crm.holding_change TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.holding_change');
