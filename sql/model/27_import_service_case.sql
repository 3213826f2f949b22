-- import: cases of customers, and their categories

PERFORM crm._import_declare('case_category', 95, 'case_category', 'category of cases', '{code}', '{code,name,name_zh}');
PERFORM crm._import_declare('service_case', 420, 'service_case', 'case', '{source_key}',
  '{customer_key>customer,policy_key>policy,kind,category>case_category,intake,staff_code>staff,org_code>organisation,cause,note,opened_at,due_on,result,correction,closed_at}');
UPDATE crm.import_column c SET required = true, initial = NULL WHERE c.kind = 'service_case' AND c.name = 'opened_at';
INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint) VALUES
  ('service_case', 1, 'opened_at', '23514', 't.opened_at <= (SELECT now())', 'a case lies in the future', NULL);
INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('case_category', 1, 'code', 'case_category_code_check', 'a code is of small letters and underscores', NULL),
  ('service_case', 2, 'closed_at', 'service_case_closed_check', 'result and time of closing go together, not before the opening', 'Fill both or none.'),
  ('service_case', 3, 'correction', 'service_case_corrected_check', 'a correction needs a result', 'Fill result.');
