-- import: customers and what is known about them

PERFORM crm._import_declare('customer', 100, 'customer', 'customer', '{source_key}',
  '{kind,name,resident_id,birth_date,sex,org_code>organisation,org_from,channel_code>channel,known_from}',
  joins => 'LEFT JOIN LATERAL (SELECT x.org_id FROM crm.customer_organisation x
      WHERE x.customer_id = o.id AND (w.org_from_ IS NULL OR x.from_date <= w.org_from_) ORDER BY x.from_date DESC LIMIT 1) m ON true',
  extra => ', w.birth_date_ AS _birth_date, w.sex_ AS _sex, w.org_code_1 AS _org_id, w.org_from_ AS _org_from,
      o.id IS NOT NULL AND w.org_from_ IS NOT NULL AND coalesce(m.org_id, o.org_id) <> w.org_code_1 AS _moves, w.org_from_ IS NULL AND m.org_id <> w.org_code_1 AS _undated',
  also => 'o.id IS NOT NULL AND w.org_from_ IS NOT NULL AND coalesce(m.org_id, o.org_id) <> w.org_code_1',
  hook => '_import_moves');
UPDATE crm.import_column c SET value = v.value, type = coalesce(v.type, c.type), targets = coalesce(v.targets, c.targets), required = coalesce(v.required, c.required)
FROM (VALUES
  ('birth_date', 'coalesce(w.birth_date_, crm.birth_date(w.resident_id_))', NULL, NULL::text[], NULL::boolean),
  ('sex', 'coalesce(w.sex_, crm.sex(w.resident_id_))', NULL, NULL, NULL),
  ('org_code', 'CASE WHEN o.id IS NULL OR (w.org_from_ IS NULL AND m.org_id IS NULL) THEN w.org_code_1 ELSE o.org_id END', NULL, NULL, NULL),
  ('org_from', NULL, 'date', NULL, NULL),
  ('channel_code', NULL, NULL, '{source_channel_id}', true)) v (name, value, type, targets, required)
WHERE c.kind = 'customer' AND c.name = v.name;

CREATE FUNCTION crm._import_moves(low bigint, high bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm.customer_organisation AS o (customer_id, from_date, org_id)
  SELECT t.id, t._org_from, t._org_id FROM crm_import_change t
  WHERE t._moves AND t.row_no BETWEEN low AND high ORDER BY t.id
  ON CONFLICT (customer_id, from_date) DO UPDATE SET org_id = excluded.org_id, recorded_at = now(), recorded_by = crm.actor();
END
$$;
COMMENT ON FUNCTION crm._import_moves(bigint, bigint) IS 'Records the moves of customers between units that an import tells.';
REVOKE ALL ON FUNCTION crm._import_moves(bigint, bigint) FROM PUBLIC;

PERFORM crm._import_declare('profile', 110, 'profile', 'profile', '{customer_key}',
  '{customer_key>customer,employment_status,position_type,industry,employer,marital_status,social_role,children,education,asset_band,income_band,investable_amount,debt_amount,language,community_code>community,verified_on,verified_source}',
  joins => 'LEFT JOIN crm.customer c ON c.id = w.customer_key_1', extra => ', c.kind AS _customer_kind');
PERFORM crm._import_declare('contact_point', 120, 'contact_point', 'contact point', '{source_key}',
  '{customer_key>customer,kind,value,preferred,wrong,use,rank,valid_from,valid_to,source,verified_on,verified_source}');
UPDATE crm.import_column c SET value = 'CASE WHEN w.kind_ = ''mobile'' THEN crm._try_mobile(w.value_)::text ELSE w.value_ END'
WHERE c.kind = 'contact_point' AND c.name = 'value';
PERFORM crm._import_declare('consent', 130, 'consent', 'consent', '{source_key}', '{customer_key>customer,purpose,way,state,on_date,source,note}');
PERFORM crm._import_declare('do_not_contact', 140, 'do_not_contact', 'request to be left alone', '{source_key}',
  '{customer_key>customer,way,channel_code>channel,from_date,to_date,source,reason}');

-- a relation told by its inverse is turned round, as the trigger does
PERFORM crm._import_declare('relation', 150, 'relation', 'relation', '{source_key}',
  '{customer_key>customer,kind,other_key>customer,title,from_date,to_date,source,verified_on,note}',
  joins => 'LEFT JOIN crm.relation_kind r ON w.kind_ IN (r.code, r.inverse)
      LEFT JOIN crm.customer a ON a.id = w.customer_key_1 LEFT JOIN crm.customer b ON b.id = w.other_key_1
      CROSS JOIN LATERAL (SELECT coalesce(r.code <> w.kind_ OR r.code = r.inverse AND w.other_key_1 < w.customer_key_1, false) AS turned) i',
  extra => ', r.code IS NOT NULL AS _known, coalesce(r.customer_kind <> CASE WHEN r.code = w.kind_ THEN a.kind ELSE b.kind END
      OR r.other_kind <> CASE WHEN r.code = w.kind_ THEN b.kind ELSE a.kind END, false) AS _misfit');
UPDATE crm.import_column c SET value = v.value
FROM (VALUES ('customer_key', 'CASE WHEN i.turned THEN w.other_key_1 ELSE w.customer_key_1 END'), ('kind', 'coalesce(r.code, w.kind_)'),
             ('other_key', 'CASE WHEN i.turned THEN w.customer_key_1 ELSE w.other_key_1 END')) v (name, value)
WHERE c.kind = 'relation' AND c.name = v.name;
PERFORM crm._import_declare('household', 160, 'household', 'household', '{source_key}', '{name,address,note}');
PERFORM crm._import_declare('household_member', 170, 'household_member', 'member of a household', '{customer_key,from_date}',
  '{customer_key>customer,from_date,household_key>household,role}',
  joins => 'LEFT JOIN crm.customer c ON c.id = w.customer_key_1', extra => ', c.kind AS _customer_kind');
PERFORM crm._import_declare('blacklist', 180, 'blacklist', 'entry of the blacklist', '{source_key}', '{customer_key>customer,category,reason,from_date,to_date,end_reason}');
PERFORM crm._import_declare('asset', 190, 'asset', 'asset', '{source_key}',
  '{customer_key>customer,kind,description,value,valued_on,owned_from,owned_to,source,verified_on}');
PERFORM crm._import_declare('debt', 200, 'debt', 'debt', '{source_key}',
  '{customer_key>customer,kind,creditor,asset_key>asset,amount,stated_on,due_on,repaid_on,source,verified_on}');
PERFORM crm._import_declare('cover_elsewhere', 210, 'cover_elsewhere', 'cover elsewhere', '{source_key}',
  '{customer_key>customer,kind,insurer,sum_insured,annual_premium,from_date,to_date,source,verified_on}');
PERFORM crm._import_declare('product_holding', 220, 'product_holding', 'product holding', '{source_key}',
  '{customer_key>customer,category_code>product_category,product_code>product,channel_code>channel,org_code>organisation,opened_on,matures_on,closed_on}');
PERFORM crm._import_declare('product_balance', 230, 'product_balance', 'balance', '{holding_key,from_date}', '{holding_key>product_holding,from_date,balance}',
  joins => 'LEFT JOIN crm.product_holding h ON h.customer_id = w.holding_key_1 AND h.id = w.holding_key_2',
  extra => ', h.opened_on AS _opened_on, h.closed_on AS _closed_on');
PERFORM crm._import_declare('need', 240, 'need', 'need', '{source_key}',
  '{customer_key>customer,kind,category_code>product_category,what,amount,wanted_by,noted_on,source,closed_on,outcome}');

INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint) VALUES
  ('customer', 1, 'resident_id', '23514', 't.kind <> ''company'' OR t.resident_id IS NULL', 'a company has no resident number', NULL),
  ('customer', 2, 'birth_date', '23514', 't.kind <> ''company'' OR t._birth_date IS NULL', 'a company has no date of birth', NULL),
  ('customer', 3, 'sex', '23514', 't.kind <> ''company'' OR t._sex IS NULL', 'a company has no sex', NULL),
  ('customer', 4, 'birth_date', '23514', 'crm.birth_date(t.resident_id) = t.birth_date', 'differs from the date of birth in the resident number', 'Leave it empty to take it from the number.'),
  ('customer', 5, 'sex', '23514', 'crm.sex(t.resident_id) = t.sex', 'differs from the sex in the resident number', 'Leave it empty to take it from the number.'),
  ('customer', 6, 'known_from', '23514', 't.known_from >= t.birth_date', 'lies before the date of birth', NULL),
  ('customer', 7, 'birth_date', '23514', 't.birth_date <= (SELECT crm._business_day(now()))', 'a day of birth lies in the future', NULL),
  ('customer', 8, 'org_from', '23502', 'NOT t._undated', 'the day is needed for a customer who has moved before', 'Tell the first day in the unit.'),
  ('contact_point', 1, 'value', '22P02', 't.kind IS DISTINCT FROM ''mobile'' OR t.value IS NOT NULL', 'is no mobile number of mainland China', 'Write 11 digits, beginning with 1; a number of another kind is a phone.'),
  ('contact_point', 2, 'value', '22P02', 't.kind <> ''email'' OR t.value ~ ''^[^@[:space:]]+@[^@[:space:].]+(\.[^@[:space:].]+)*$''', 'is no e-mail address', 'An e-mail address has one @ and no spaces.'),
  ('contact_point', 3, 'value', '22P02', 't.kind NOT IN (''phone'', ''fax'') OR t.value ~ ''[0-9０-９]''', 'is no telephone number', 'There is no digit in it.'),
  ('relation', 1, 'kind', '23503', 't.kind IS NULL OR t._known', 'there is no kind of relation with this code', 'crm.relation_kind lists the relations.'),
  ('relation', 2, 'kind', '23514', 'NOT t._misfit', 'this relation is not between customers of these kinds', 'Some relations are between persons, some with companies: see crm.relation_kind.'),
  ('household_member', 1, 'customer_key', '23514', 't._customer_kind <> ''company''', 'a company lives in no household', NULL),
  ('product_balance', 1, 'from_date', '23514', 't.from_date >= t._opened_on', 'lies before the holding was opened', NULL),
  ('product_balance', 2, 'from_date', '23514', 't.from_date < t._closed_on', 'lies after the holding was closed', NULL);
INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint)
SELECT 'profile', 10 + n, field, '23514', format('t._customer_kind <> ''company'' OR t.%I IS NULL', field), 'a company has no personal fields',
       'Of a company a profile has industry, bands, amounts, language and community only.'
FROM unnest(ARRAY['employment_status', 'position_type', 'employer', 'marital_status', 'social_role', 'children', 'education']) WITH ORDINALITY u (field, n);
INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint)
SELECT 'profile', n, field, '23503', format('t.%I IN (SELECT c.code FROM crm.profile_code c WHERE c.field = %L)', field, field),
       'there is no such code', format('Rows of crm.profile_code with field %s list the codes.', field)
FROM unnest(ARRAY['employment_status', 'position_type', 'industry', 'marital_status', 'social_role', 'education', 'asset_band', 'income_band', 'language']) WITH ORDINALITY u (field, n);
INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('customer', 9, 'kind', 'customer_check', 'a company has no resident number, date of birth or sex', NULL),
  ('profile', 20, 'verified_on', 'profile_verified_check', 'day and source of the verification go together', 'Fill both or none.'),
  ('profile', 21, 'children', 'profile_children_check', 'a number of children lies between 0 and 30', NULL),
  ('profile', 22, 'customer_key', '_profile_check', NULL, NULL),
  ('contact_point', 4, 'valid_to', 'contact_point_validity_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('contact_point', 5, 'verified_on', 'contact_point_verified_check', 'day and source of the verification go together', 'Fill both or none.'),
  ('contact_point', 6, 'rank', 'contact_point_rank_check', 'a rank is 1 or more', NULL),
  ('contact_point', 7, 'value', '_contact_point_canonical', NULL, NULL),
  ('do_not_contact', 1, 'to_date', 'do_not_contact_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('relation', 3, 'other_key', 'relation_other_check', 'nobody is related to the same customer', 'The two keys mean one customer.'),
  ('relation', 4, 'to_date', 'relation_dates_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('relation', 5, 'other_key', '_relation_check', NULL, NULL),
  ('relation', 6, 'other_key', 'relation_open_key', 'this relation of the two stands already under another key', 'End the other one, or leave this out.'),
  ('household_member', 2, 'role', 'household_member_check', 'who leaves a household has no role', NULL),
  ('blacklist', 1, 'to_date', 'blacklist_dates_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('blacklist', 2, 'end_reason', 'blacklist_end_check', 'the end and its reason go together', 'Fill both or none.'),
  ('blacklist', 3, 'from_date', 'blacklist_open_key', 'overlaps another entry of the customer that has no end', 'End the other one first.'),
  ('asset', 1, 'valued_on', 'asset_valued_check', 'a value and its day go together', 'Fill both or none.'),
  ('asset', 2, 'owned_to', 'asset_dates_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('cover_elsewhere', 1, 'to_date', 'cover_elsewhere_dates_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('product_holding', 1, 'matures_on', 'product_holding_matures_check', 'lies before the opening', NULL),
  ('product_holding', 2, 'closed_on', 'product_holding_closed_check', 'lies before the opening', NULL),
  ('product_holding', 3, 'opened_on', '_product_holding_check', NULL, NULL),
  ('product_balance', 3, 'from_date', '_product_balance_check', NULL, NULL),
  ('need', 1, 'what', 'need_named_check', 'a category or words are needed', 'Fill category_code or what.'),
  ('need', 2, 'outcome', 'need_closed_check', 'day and outcome go together, no earlier than the need', 'Fill both or none.');
