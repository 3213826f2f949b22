-- import: policies, what goes on with them, partners, prospects and contacts

PERFORM crm._import_declare('partner', 250, 'partner', 'partner', '{code}',
  '{code,name,kind,class,customer_key>customer,channel_code>channel,org_code>organisation,staff_code>staff,contact_name,contact_mobile,employees,from_date,to_date,note}');
PERFORM crm._import_declare('partner_action', 260, 'partner_action', 'joint action', '{source_key}',
  '{partner_code>partner,kind,name,campaign,from_date,to_date,cost,result}');
PERFORM crm._import_declare('prospect', 270, 'prospect', 'prospect', '{source_key}',
  '{customer_key>customer,source>prospect_source,entered_on,campaign,partner_code>partner,action_key>partner_action,introduced_by_key>customer,channel_code>channel,org_code>organisation,staff_code>staff,consent_key>consent,category_code>product_category,intention,note}',
  joins => 'LEFT JOIN crm.prospect_source f ON f.code = w.source LEFT JOIN crm.consent g ON g.customer_id = w.consent_key_1 AND g.id = w.consent_key_2',
  extra => ', f.by_partner AS _by_partner, g.state AS _consent_state');
PERFORM crm._import_declare('appointment', 280, 'appointment', 'appointment', '{source_key}',
  '{customer_key>customer,prospect_key>prospect,staff_code>staff,at,place,callback_at,called_back_at,callback_result,result,note}');

PERFORM crm._import_declare('policy', 300, 'policy', 'policy', '{source_key}',
  '{customer_key>customer,product_code>product,channel_code>channel,servicer_code>staff,book,sector_line,issued_on,term_months,matures_on,payment,premium,payments,sum_insured}',
  joins => 'LEFT JOIN crm.customer c ON c.id = w.customer_key_1', extra => ', c.birth_date AS _birth_date, o.issued_on AS _old_issued_on');
UPDATE crm.import_column c SET required = true, initial = NULL WHERE c.kind = 'policy' AND c.name = 'payment';
PERFORM crm._import_declare('insured', 310, 'policy_insured', 'insured person', '{policy_key,customer_key}', '{policy_key>policy,customer_key>customer}',
  joins => 'LEFT JOIN crm.customer c ON c.id = w.customer_key_1', extra => ', c.kind AS _customer_kind');
UPDATE crm.import_column c SET targets = '{insured_id}' WHERE c.kind = 'insured' AND c.name = 'customer_key';
PERFORM crm._import_declare('event', 320, 'policy_event', 'event', '{policy_key,kind,on_date}', '{policy_key>policy,kind,on_date,reason}',
  joins => 'LEFT JOIN crm.policy p ON p.customer_id = w.policy_key_1 AND p.id = w.policy_key_2', extra => ', p.issued_on AS _issued_on, p.matures_on AS _matures_on');
PERFORM crm._import_declare('premium_due', 330, 'premium_due', 'premium due', '{policy_key,number}', '{policy_key>policy,number,due_on,amount,grace_days,waived}');
PERFORM crm._import_declare('premium_receipt', 340, 'premium_receipt', 'receipt', '{source_key}',
  '{policy_key>policy,number,received_on,amount,way,reverses_key>premium_receipt,reason}',
  joins => 'LEFT JOIN crm.premium_due d ON d.customer_id = w.policy_key_1 AND d.policy_id = w.policy_key_2 AND d.number = w.number_',
  extra => ', d.number IS NOT NULL AS _due, w.policy_key_2 IS NOT NULL AS _of_policy');
PERFORM crm._import_declare('policy_claim', 350, 'policy_claim', 'claim', '{source_key}',
  '{policy_key>policy,insured_key>customer,kind,occurred_on,reported_on,reported_by,claimed_amount,outcome,decided_on,reason,paid_amount,paid_on}');
PERFORM crm._import_declare('service_order', 360, 'service_order', 'servicing order', '{source_key}',
  '{policy_key>policy,kind>service_order_kind,applicant,applicant_key>customer,applicant_name,channel_code>channel,org_code>organisation,applied_at,result,ended_at,reason}');
PERFORM crm._import_declare('service_order_step', 370, 'service_order_step', 'step of a servicing order', '{order_key,number}',
  '{order_key>service_order,number,step,staff_code>staff,started_at,ended_at,result,note}');

PERFORM crm._import_declare('customer_cost', 380, 'customer_cost', 'cost', '{source_key}', '{customer_key>customer,policy_key>policy,kind>cost_kind,incurred_on,amount,note}');
PERFORM crm._import_declare('commission', 390, 'commission', 'commission', '{source_key}', '{policy_key>policy,kind,staff_code>staff,partner_code>partner,earned_on,amount}');
UPDATE crm.import_column c SET type = 'signed_money' WHERE c.kind IN ('customer_cost', 'commission') AND c.name = 'amount';

PERFORM crm._import_declare('contact', 400, 'contact', 'contact', '{source_key}', '{customer_key>customer,staff_code>staff,channel_code>channel,purpose,at,outcome,note}',
  hook => '_import_contacted');
UPDATE crm.import_column c SET required = true, initial = NULL WHERE c.kind = 'contact' AND c.name = 'at';

CREATE FUNCTION crm._import_contacted(low bigint, high bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE crm.holding h SET last_contact_at = x.at
  FROM (SELECT g.customer_id, g.id, max(t.at) AS at
        FROM crm_import_change t JOIN crm.staff s ON s.id = t.staff_id
        JOIN crm.holding g ON g.customer_id = t.customer_id AND g.held_to IS NULL AND g.held_from <= t.at
        WHERE t._action <> 'unchanged' AND t.row_no BETWEEN low AND high
          AND (g.staff_id = s.id OR g.staff_id IS NULL AND crm._lies_within(s.channel_id, s.org_id, g.channel_id, g.org_id))
        GROUP BY g.customer_id, g.id) x
  WHERE h.customer_id = x.customer_id AND h.id = x.id AND h.held_to IS NULL AND (h.last_contact_at IS NULL OR h.last_contact_at < x.at);
END
$$;
COMMENT ON FUNCTION crm._import_contacted(bigint, bigint) IS 'Moves the due time of holdings whose holder had an imported contact while holding, as crm.record_contact() does.';
REVOKE ALL ON FUNCTION crm._import_contacted(bigint, bigint) FROM PUBLIC;

INSERT INTO crm.import_rule (kind, nth, column_name, code, condition, message, hint) VALUES
  ('prospect', 1, 'partner_code', '23502', 'NOT t._by_partner OR t.partner_id IS NOT NULL', 'this source needs the partner', 'Tell who brought the customer.'),
  ('prospect', 2, 'introduced_by_key', '23502', 't.source <> ''referral'' OR t.introduced_by IS NOT NULL', 'a referral needs the customer who introduced', NULL),
  ('prospect', 3, 'consent_key', '23514', 't._consent_state = ''given''', 'this consent is not one that was given', NULL),
  ('policy', 1, 'payments', '23514', 't.payment <> ''single'' OR t.payments = 1', 'a single premium is paid once', 'Leave the number of payments empty, or write 1.'),
  ('policy', 2, 'issued_on', '23514', 't.issued_on >= t._birth_date', 'lies before the birth of the policyholder', NULL),
  ('policy', 3, 'issued_on', '23514',
   't._old_issued_on IS NULL OR t.issued_on <= t._old_issued_on OR NOT EXISTS (SELECT FROM crm.policy_event e WHERE e.customer_id = t._old_customer_id AND e.policy_id = t._old_id AND e.on_date < t.issued_on)',
   'lies after an event of the policy', 'Correct the events first.'),
  ('insured', 1, 'customer_key', '23514', 't._customer_kind <> ''company''', 'a company cannot be insured', NULL),
  ('event', 1, 'reason', '23502', 't.kind <> ''end'' OR t.reason IS NOT NULL', 'the reason is needed for an end', NULL),
  ('event', 2, 'reason', '23514', 't.kind = ''end'' OR t.reason IS NULL', 'only an end has a reason', NULL),
  ('event', 3, 'on_date', '23514', 't.on_date >= t._issued_on', 'lies before the issue of the policy', NULL),
  ('event', 4, 'on_date', '23514', 't.on_date <= t._matures_on', 'lies after the maturity of the policy', NULL),
  ('premium_receipt', 1, 'number', '23503', 't.number IS NULL OR NOT t._of_policy OR t._due', 'there is no premium due of this number', 'Import the premium due, or correct the number.'),
  ('contact', 1, 'at', '23514', 't.at <= (SELECT now())', 'a contact lies in the future', NULL);
INSERT INTO crm.import_rule (kind, nth, column_name, constraint_name, message, hint) VALUES
  ('partner', 1, 'to_date', 'partner_dates_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('partner', 2, 'employees', 'partner_employees_check', 'a number of employees is not negative', NULL),
  ('partner_action', 1, 'to_date', 'partner_action_dates_check', 'the last day lies before the first', 'Correct one of the days.'),
  ('prospect', 4, 'partner_code', 'prospect_action_check', 'a joint action needs its partner', 'Fill partner_code.'),
  ('prospect', 5, 'introduced_by_key', 'prospect_introduced_check', 'nobody introduces himself', NULL),
  ('prospect', 6, 'source', '_prospect_check', NULL, NULL),
  ('appointment', 1, 'callback_result', 'appointment_callback_check', 'time and result of the call go together', 'Fill both or none.'),
  ('policy', 4, 'matures_on', 'policy_check', 'lies before the day of issue', NULL),
  ('policy', 5, 'term_months', 'policy_term_months_check', 'a term is 1 month or more', NULL),
  ('policy', 6, 'payments', 'policy_payments_check', 'a number of payments lies between 1 and 1200', NULL),
  ('event', 5, 'reason', 'policy_event_check', 'an end has a reason, other events have none', NULL),
  ('premium_due', 1, 'number', 'premium_due_number_check', 'a number is 1 or more', NULL),
  ('premium_due', 2, 'amount', 'premium_due_amount_check', 'an amount is above 0', NULL),
  ('premium_due', 3, 'grace_days', 'premium_due_grace_days_check', 'days of grace lie between 0 and 3660', NULL),
  ('premium_receipt', 2, 'amount', 'premium_receipt_amount_check', 'an amount is above 0', NULL),
  ('premium_receipt', 3, 'reason', 'premium_receipt_reversal_check', 'a reversal has a reason, other receipts have none', NULL),
  ('premium_receipt', 4, 'reverses_key', '_premium_receipt_check', NULL, NULL),
  ('premium_receipt', 5, 'reverses_key', 'premium_receipt_customer_id_policy_id_reverses_key', 'this receipt is reversed already', NULL),
  ('policy_claim', 1, 'reported_on', 'policy_claim_reported_check', 'lies before the event', NULL),
  ('policy_claim', 2, 'decided_on', 'policy_claim_closed_check', 'outcome and day of the decision go together, no earlier than the report', 'Fill both or none.'),
  ('policy_claim', 3, 'reason', 'policy_claim_unpaid_check', 'what is not paid in full needs a reason', NULL),
  ('policy_claim', 4, 'paid_on', 'policy_claim_paid_check', 'amount and day of payment go together, of an accepted claim, no earlier than the decision', NULL),
  ('policy_claim', 5, 'insured_key', '_policy_claim_check', 'this customer is not insured by the policy', 'Import the insured person, or correct the key.'),
  ('service_order', 1, 'ended_at', 'service_order_ended_check', 'result and end go together, no earlier than the application', 'Fill both or none.'),
  ('service_order', 2, 'reason', 'service_order_refused_check', 'a refusal needs a reason', NULL),
  ('service_order', 3, 'applicant_name', 'service_order_proxy_check', 'a proxy needs a name', NULL),
  ('service_order_step', 1, 'ended_at', 'service_order_step_ended_check', 'result and end go together, no earlier than the start', 'Fill both or none.'),
  ('service_order_step', 2, 'number', 'service_order_step_number_check', 'a number is 1 or more', NULL),
  ('customer_cost', 1, 'amount', 'customer_cost_amount_check', 'an amount is not 0', NULL),
  ('commission', 1, 'amount', 'commission_amount_check', 'an amount is not 0', NULL),
  ('commission', 2, 'amount', 'commission_clawback_check', 'what is taken back is below 0', NULL);
