-- engage: careful use: how often customers may be contacted

CREATE TABLE crm.contact_cap (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  purpose text REFERENCES crm.contact_purpose ON UPDATE CASCADE,
  kind text REFERENCES crm.contact_kind ON UPDATE CASCADE,
  channel_id bigint REFERENCES crm.channel,
  tier text,
  org_id bigint REFERENCES crm.organisation,
  at_most crm.contact_limit NOT NULL,
  counts_inbound boolean NOT NULL DEFAULT false,
  valid_from date NOT NULL DEFAULT '1900-01-01' CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31'),
  note text CHECK (pg_catalog.btrim(note) <> ''),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor(),
  UNIQUE NULLS NOT DISTINCT (purpose, kind, channel_id, tier, org_id, valid_from),
  CONSTRAINT contact_cap_purpose_check CHECK (purpose IS NULL OR kind IS NULL)
);
COMMENT ON TABLE crm.contact_cap IS
  'How many contacts a customer may have in rolling windows: every cap that fits a contact must hold, those of the company and those for a purpose, channel, tier or unit alike. A cap ends by a later row for the same with unlimited. 联系频次上限';
COMMENT ON COLUMN crm.contact_cap.id IS 'Key.';
COMMENT ON COLUMN crm.contact_cap.purpose IS 'Purpose of the contacts that it counts and holds back; NULL: see kind.';
COMMENT ON COLUMN crm.contact_cap.kind IS 'Kind of their purposes; NULL where purpose is too: every kind that is not exempt.';
COMMENT ON COLUMN crm.contact_cap.channel_id IS 'Channel of the contacts; NULL: all channels together.';
COMMENT ON COLUMN crm.contact_cap.tier IS 'Tier of the customer on the day, or none (not insured); NULL: every customer.';
COMMENT ON COLUMN crm.contact_cap.org_id IS 'Unit with its subtree where the customer is at home on the day; NULL: the company.';
COMMENT ON COLUMN crm.contact_cap.at_most IS 'How many contacts, and within what time.';
COMMENT ON COLUMN crm.contact_cap.counts_inbound IS 'Whether contacts of the customer with us count too; they are never held back.';
COMMENT ON COLUMN crm.contact_cap.valid_from IS 'First day on which it holds, until a later row for the same purpose, kind, channel, tier and unit.';
COMMENT ON COLUMN crm.contact_cap.note IS 'Why.';
COMMENT ON COLUMN crm.contact_cap.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.contact_cap.set_by IS 'Who set it.';
CREATE INDEX ON crm.contact_cap (kind);
CREATE INDEX ON crm.contact_cap (channel_id);
CREATE INDEX ON crm.contact_cap (org_id);
CREATE TRIGGER stamp BEFORE UPDATE ON crm.contact_cap FOR EACH ROW EXECUTE FUNCTION crm._stamp();
CREATE TRIGGER check_tier BEFORE INSERT OR UPDATE OF tier ON crm.contact_cap
  FOR EACH ROW WHEN (NEW.tier IS NOT NULL) EXECUTE FUNCTION crm._require_tier();

CREATE TABLE crm.contact_account (
  customer_id bigint PRIMARY KEY REFERENCES crm.customer ON DELETE CASCADE,
  changes bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE crm.contact_account IS 'Whom contacts under a cap wait for: each writes the row of its customer before it counts, so that no two are let through by the same count, whatever they saw of the book.';
COMMENT ON COLUMN crm.contact_account.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.contact_account.changes IS 'Contacts that were recorded in turn.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.contact_account', 'customer_id', 'derived', 'Whom contacts wait for; the contacts of both count.');

CREATE FUNCTION crm._contact_cap(day date) RETURNS SETOF crm.contact_cap
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT DISTINCT ON (c.purpose, c.kind, c.channel_id, c.tier, c.org_id) c.*
  FROM crm.contact_cap c WHERE c.valid_from <= _contact_cap.day
  ORDER BY c.purpose, c.kind, c.channel_id, c.tier, c.org_id, c.valid_from DESC;
END;
COMMENT ON FUNCTION crm._contact_cap(date) IS 'The caps in force on a day, unlimited ones among them.';
-- what is planned will count here as well, so that nothing is planned over a cap
CREATE VIEW crm._contact_counted AS
SELECT t.customer_id, t.at, t.channel_id, t.direction, t.purpose FROM crm.contact t;
COMMENT ON VIEW crm._contact_counted IS 'Contacts as caps look at them.';

CREATE FUNCTION crm._cap_counts(cap crm.contact_cap, purpose text, kind text, exempt boolean, channel_id bigint, inbound boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT ((_cap_counts.cap).purpose IS NULL OR (_cap_counts.cap).purpose = _cap_counts.purpose)
    AND ((_cap_counts.cap).kind IS NULL OR (_cap_counts.cap).kind = _cap_counts.kind)
    AND (NOT _cap_counts.exempt OR (_cap_counts.cap).purpose IS NOT NULL OR (_cap_counts.cap).kind IS NOT NULL)
    AND ((_cap_counts.cap).channel_id IS NULL OR (_cap_counts.cap).channel_id = _cap_counts.channel_id)
    AND (NOT _cap_counts.inbound OR (_cap_counts.cap).counts_inbound);
END;
COMMENT ON FUNCTION crm._cap_counts(crm.contact_cap, text, text, boolean, bigint, boolean) IS 'Whether a cap counts a contact with that purpose, of that kind, in that channel.';

GRANT SELECT ON crm.contact_cap, crm._contact_counted TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.contact_cap');
