-- book: contact points with validity and verification, products with their category

ALTER TABLE crm.contact_point
  DROP CONSTRAINT contact_point_kind_check,
  ADD CONSTRAINT contact_point_kind_check CHECK (kind IN ('mobile', 'phone', 'fax', 'email', 'address', 'wechat', 'qq', 'other')),
  ADD COLUMN use text CHECK (use IN ('home', 'work', 'mail', 'emergency')),
  ADD COLUMN rank integer CHECK (rank >= 1),
  ADD COLUMN valid_from date CHECK (valid_from BETWEEN '1900-01-01' AND '2199-12-31'),
  ADD COLUMN valid_to date CHECK (valid_to BETWEEN '1900-01-01' AND '2199-12-31'),
  ADD COLUMN source text CHECK (pg_catalog.btrim(source) <> ''),
  ADD COLUMN verified_on date CHECK (verified_on BETWEEN '1900-01-01' AND '2199-12-31'),
  ADD COLUMN verified_source text CHECK (pg_catalog.btrim(verified_source) <> ''),
  ADD CONSTRAINT contact_point_validity_check CHECK (valid_to > valid_from),
  ADD CONSTRAINT contact_point_verified_check CHECK ((verified_on IS NULL) = (verified_source IS NULL));
COMMENT ON COLUMN crm.contact_point.kind IS 'mobile 手机, phone 固定电话, fax 传真, email 电子邮箱, address 地址, wechat 微信, qq or other.';
COMMENT ON COLUMN crm.contact_point.value IS 'Number or address; a mobile number in 11 digits.';
COMMENT ON COLUMN crm.contact_point.use IS 'home 住宅, work 单位, mail 通讯 or emergency 紧急.';
COMMENT ON COLUMN crm.contact_point.rank IS 'Order in which to try after the preferred ones: 1 first, NULL last.';
COMMENT ON COLUMN crm.contact_point.valid_from IS 'First day on which it reaches the customer; NULL: not known.';
COMMENT ON COLUMN crm.contact_point.valid_to IS 'First day on which it no longer does; NULL: none known.';
COMMENT ON COLUMN crm.contact_point.source IS 'Where it comes from.';
COMMENT ON COLUMN crm.contact_point.verified_on IS 'Day on which it was last found right.';
COMMENT ON COLUMN crm.contact_point.verified_source IS 'How it was found right: claim, servicing, call and so on.';

ALTER TABLE crm.product ADD COLUMN category_id bigint;
COMMENT ON COLUMN crm.product.category_id IS 'Where it stands in crm.product_category; NULL: nowhere.';

ALTER TABLE crm.channel
  ADD COLUMN kind text NOT NULL DEFAULT 'other' CHECK (kind IN ('individual', 'bancassurance', 'group', 'telesales', 'other'));
COMMENT ON COLUMN crm.channel.kind IS 'What is sold through: individual agents, whose policies may become orphans; bancassurance, post included; group; telesales; or other.';
UPDATE crm.channel SET kind = code WHERE code IN ('individual', 'bancassurance', 'group', 'telesales');

-- numbers that are right but written otherwise; those that are wrong stay as they are
DECLARE
  p record;
BEGIN
  FOR p IN SELECT customer_id, id, value FROM crm.contact_point WHERE kind = 'mobile' AND value !~ '^1[0-9]{10}$' LOOP
    BEGIN
      UPDATE crm.contact_point c SET value = p.value::crm.mobile::text WHERE c.customer_id = p.customer_id AND c.id = p.id;
    EXCEPTION WHEN invalid_text_representation THEN
      NULL;
    END;
  END LOOP;
END;

COMMENT ON COLUMN crm.customer.version IS 'Counts changes of the customer and of what hangs on it, of policies only that they go; kept by posting.';
