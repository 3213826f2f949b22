-- engage: what contacts are for

CREATE TABLE crm.contact_kind (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  name text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL UNIQUE CHECK (pg_catalog.btrim(name_zh) <> ''),
  exempt boolean NOT NULL DEFAULT false,
  consent text CHECK (consent IN ('marketing', 'service', 'survey', 'sharing')),
  needs_consent boolean NOT NULL DEFAULT false,
  CONSTRAINT contact_kind_needs_check CHECK (consent IS NOT NULL OR NOT needs_consent)
);
COMMENT ON TABLE crm.contact_kind IS 'Kinds of purposes of contacts: what may stand against one; rows may be added. 联系目的类别';
COMMENT ON COLUMN crm.contact_kind.code IS 'Code.';
COMMENT ON COLUMN crm.contact_kind.name IS 'Name in English.';
COMMENT ON COLUMN crm.contact_kind.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.contact_kind.exempt IS 'Service that the customer is owed: caps that name no purpose and no kind pass over it, and so do do-not-contact, the blacklist and the guard of customers held by others.';
COMMENT ON COLUMN crm.contact_kind.consent IS 'Purpose of consent (crm.consent) that must not be withdrawn; NULL: none.';
COMMENT ON COLUMN crm.contact_kind.needs_consent IS 'Whether that consent must have been given.';
INSERT INTO crm.contact_kind (code, name, name_zh, exempt, consent) VALUES
  ('sales', 'sales', '营销', false, 'marketing'),
  ('service', 'service', '服务', true, NULL),
  ('survey', 'survey', '调查', false, 'survey'),
  ('care', 'greetings and care', '问候关怀', false, NULL),
  ('other', 'other', '其他', false, NULL);

CREATE TABLE crm.contact_purpose (
  code text PRIMARY KEY CHECK (pg_catalog.btrim(code) <> ''),
  kind text NOT NULL REFERENCES crm.contact_kind ON UPDATE CASCADE,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> '')
);
COMMENT ON TABLE crm.contact_purpose IS 'What contacts are for; rows may be added. 联系目的';
COMMENT ON COLUMN crm.contact_purpose.code IS 'Code.';
COMMENT ON COLUMN crm.contact_purpose.kind IS 'Kind.';
COMMENT ON COLUMN crm.contact_purpose.name IS 'Name in English.';
COMMENT ON COLUMN crm.contact_purpose.name_zh IS 'Name in Chinese.';
CREATE INDEX ON crm.contact_purpose (kind);
INSERT INTO crm.contact_purpose (code, kind, name, name_zh) VALUES
  ('sales', 'sales', 'sales', '营销'),
  ('service', 'service', 'service', '服务'),
  ('return_call', 'service', 'return call', '回访'),
  ('premium_due', 'service', 'premium due', '续期提醒'),
  ('maturity', 'service', 'maturity', '满期提醒'),
  ('claim', 'service', 'claim', '理赔'),
  ('complaint', 'service', 'complaint', '投诉处理'),
  ('hand_over', 'service', 'change of customer manager', '客户经理变更'),
  ('survey', 'survey', 'survey', '调查'),
  ('birthday', 'care', 'birthday', '生日问候'),
  ('greeting', 'care', 'greeting', '节日问候'),
  ('activity', 'sales', 'invitation to an activity', '活动邀请');
-- what a book of before called its purposes goes on
INSERT INTO crm.contact_purpose (code, kind, name, name_zh)
SELECT DISTINCT t.purpose, 'other', t.purpose, t.purpose FROM crm.contact t
ON CONFLICT (code) DO NOTHING;

ALTER TABLE crm.contact
  ADD COLUMN way text NOT NULL DEFAULT 'any' CHECK (way IN ('any', 'call', 'sms', 'email', 'post', 'wechat', 'visit')),
  ADD COLUMN direction text NOT NULL DEFAULT 'outbound' CHECK (direction IN ('outbound', 'inbound')),
  ADD COLUMN obstacle text CHECK (pg_catalog.btrim(obstacle) <> ''),
  ADD FOREIGN KEY (purpose) REFERENCES crm.contact_purpose ON UPDATE CASCADE;
COMMENT ON COLUMN crm.contact.purpose IS 'What it was for.';
COMMENT ON COLUMN crm.contact.at IS 'When; stamped by crm.record_contact(), told to crm.report_contact().';
COMMENT ON COLUMN crm.contact.way IS 'call, sms, email, post, wechat, visit, or any: not told.';
COMMENT ON COLUMN crm.contact.direction IS 'outbound, or inbound: the customer came to us.';
COMMENT ON COLUMN crm.contact.obstacle IS 'What stood against it when it was had all the same: cap, do not contact and so on; of an inbound one what would have stood against an outbound one; NULL: nothing.';
CREATE INDEX ON crm.contact (purpose);
CREATE INDEX ON crm.contact (customer_id, at);

CREATE FUNCTION crm._require_purpose(purpose text) RETURNS crm.contact_purpose
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p crm.contact_purpose;
BEGIN
  IF purpose IS NULL THEN
    RAISE EXCEPTION 'the purpose must be given' USING ERRCODE = 'not_null_violation';
  ELSIF btrim(purpose) = '' THEN
    RAISE EXCEPTION 'purpose "%" is blank', purpose USING ERRCODE = 'check_violation';
  END IF;
  SELECT * INTO p FROM crm.contact_purpose x WHERE x.code = purpose;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no purpose "%"', purpose
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm.contact_purpose lists the purposes.';
  END IF;
  RETURN p;
END
$$;
COMMENT ON FUNCTION crm._require_purpose(text) IS 'The purpose of a contact. Errors: 23502, 23503 unknown, 23514 blank.';

GRANT SELECT ON crm.contact, crm.contact_kind, crm.contact_purpose TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.contact_kind'),
  ('manager', 'SELECT', 'TABLE', 'crm.contact_purpose'),
  ('sales', 'SELECT', 'TABLE', 'crm.contact_kind'),
  ('sales', 'SELECT', 'TABLE', 'crm.contact_purpose');
