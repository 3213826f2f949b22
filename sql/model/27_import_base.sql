-- import: units, channels, staff, products and codes, known by their codes whatever the system

ALTER TABLE crm.staff
  ADD COLUMN phone text CHECK (pg_catalog.btrim(phone) <> ''),
  ADD COLUMN email text CHECK (pg_catalog.btrim(email) <> '');
COMMENT ON COLUMN crm.staff.phone IS 'Telephone number for customers.';
COMMENT ON COLUMN crm.staff.email IS 'E-mail address for customers.';

PERFORM crm._import_declare('organisation', 10, 'organisation', 'unit', '{code}', '{code,parent_code>organisation,name,area}');
PERFORM crm._import_declare('channel', 20, 'channel', 'channel', '{code}', '{code,name,name_zh,kind}');
PERFORM crm._import_declare('product_category', 30, 'product_category', 'category', '{code}',
  '{code,parent_code>product_category,org_code>organisation,name,name_zh,nature}');
PERFORM crm._import_declare('product', 40, 'product', 'product', '{code}', '{code,name,line,guaranteed_renewable,category_code>product_category}');
PERFORM crm._import_declare('staff', 50, 'staff', 'member of staff', '{code}', '{code,name,org_code>organisation,channel_code>channel,joined_on,left_on,login,phone,email}');
PERFORM crm._import_declare('community', 52, 'community', 'community', '{code}', '{code,name,name_zh,org_code>organisation}');
PERFORM crm._import_declare('relation_kind', 60, 'relation_kind', 'kind of relation', '{code}',
  '{code,inverse,name,name_zh,inverse_name,inverse_name_zh,customer_kind,other_kind,acyclic}');
PERFORM crm._import_declare('profile_code', 70, 'profile_code', 'code of a profile', '{field,code}', '{field,code,position,name,name_zh,from_amount,to_amount}');
PERFORM crm._import_declare('staff_skill', 75, 'staff_skill', 'skill of staff', '{staff_code,kind,value}', '{staff_code>staff,kind,value,note}');
PERFORM crm._import_declare('prospect_source', 80, 'prospect_source', 'source of prospects', '{code}', '{code,name,name_zh,by_partner,kind}');
PERFORM crm._import_declare('cost_kind', 85, 'cost_kind', 'kind of cost', '{code}', '{code,purpose,name,name_zh}');
PERFORM crm._import_declare('service_order_kind', 90, 'service_order_kind', 'kind of servicing order', '{code}', '{code,name,name_zh}');

INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('organisation', 1, 'parent_code', 'organisation_check', 'a unit cannot be placed below itself', 'Choose another unit above.'),
  ('organisation', 2, 'parent_code', '_organisation_tree', NULL, NULL),
  ('product_category', 1, 'parent_code', 'product_category_check', 'a category cannot be placed below itself', 'Choose another category above.'),
  ('product_category', 2, 'parent_code', '_product_category_check', NULL, NULL),
  ('product_category', 3, 'code', 'product_category_code_check', 'a code of a category is of letters, digits, points, hyphens and underscores', 'Write it as finance.savings.'),
  ('staff', 1, 'left_on', 'staff_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('staff', 2, 'joined_on', 'staff_joined_on_check', 'a day lies between 1900-01-01 and 2199-12-31', NULL),
  ('staff', 3, 'login', 'staff_login_key', 'another member of staff has this login', 'A login belongs to one person.'),
  ('relation_kind', 1, 'inverse', 'relation_kind_check', 'a kind that is its own inverse has the same name and kind of customer at both ends and is not acyclic', NULL),
  ('relation_kind', 2, 'code', 'relation_kind_code_check', 'a code is of small letters and underscores', NULL),
  ('relation_kind', 3, 'inverse', 'relation_kind_inverse_check', 'a code is of small letters and underscores', NULL),
  ('relation_kind', 4, 'inverse', 'relation_kind_inverse_key', 'another kind of relation has this inverse', NULL),
  ('profile_code', 1, 'to_amount', 'profile_code_check', 'a band ends above its beginning', NULL),
  ('profile_code', 2, 'from_amount', 'profile_code_check1', 'only bands of assets and income have amounts', NULL),
  ('profile_code', 3, 'code', 'profile_code_code_check', 'a code is of small letters, digits and underscores', NULL),
  ('profile_code', 4, 'code', '_profile_code_used', NULL, NULL),
  ('staff_skill', 1, 'value', '_skill_known', NULL, NULL),
  ('prospect_source', 1, 'code', 'prospect_source_code_check', 'a code is of small letters and underscores', NULL),
  ('cost_kind', 1, 'code', 'cost_kind_code_check', 'a code is of small letters and underscores', NULL),
  ('service_order_kind', 1, 'code', 'service_order_kind_code_check', 'a code is of small letters and underscores', NULL);
INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint) VALUES
  ('staff', 4, 'login', '22001', 'octet_length(t.login) < 64', 'a login has at most 63 bytes', NULL),
  ('staff', 5, 'phone', '22P02', 't.phone ~ ''[0-9０-９]''', 'is no telephone number', 'There is no digit in it.'),
  ('staff', 6, 'email', '22P02', 't.email ~ ''^[^@[:space:]]+@[^@[:space:].]+(\.[^@[:space:].]+)*$''', 'is no e-mail address', 'An e-mail address has one @ and no spaces.');
-- left empty the kind stays: files of codes rarely have it, and customers are classified by it
UPDATE crm.import_column c SET value = format('coalesce(w.kind_, (SELECT x.kind FROM crm.%I x WHERE x.code = w.code_))', c.kind)
WHERE c.kind IN ('channel', 'prospect_source') AND c.name = 'kind';
-- nor have files of staff always how to reach them
UPDATE crm.import_column c SET value = format('coalesce(w.%1$I, (SELECT x.%2$I FROM crm.staff x WHERE x.code = w.code_))', c.name || '_', c.name) WHERE c.kind = 'staff' AND c.name IN ('phone', 'email');
UPDATE crm.import_column c SET value = 'w.login_::name' WHERE c.kind = 'staff' AND c.name = 'login';
