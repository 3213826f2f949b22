-- Workflows: definitions and their faults, versions, transitions and who may make them, limits in working time, the log, views.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'Asia/Shanghai';
\ir include/helpers.sql

CREATE ROLE crm_test_pool; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('sales', 'crm_test_pool');
CALL crm.grant_duty('pool', 'crm_test_pool');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
-- enterprise 1, sub-bureau 2, office 3, outlets 4 and 5, another sub-bureau 6
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'e', 'Enterprise'), (2, 1, 'b', 'Bureau'), (3, 2, 'o', 'Office'), (4, 3, 'x', 'X'), (5, 3, 'y', 'Y'), (6, 1, 'z', 'Z');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES
  (1, '1', 'Top', 1, 1, '2020-01-01', NULL, 'top'), (2, '2', 'Bureau', 2, 1, '2020-01-01', NULL, 'bureau'), (3, '3', 'Office', 3, 1, '2020-01-01', NULL, 'office'),
  (4, '4', 'Head', 4, 1, '2020-01-01', NULL, 'head'), (5, '5', 'Ann', 4, 1, '2020-01-01', NULL, 'ann'), (6, '6', 'Ben', 4, 1, '2020-01-01', NULL, 'ben'),
  (7, '7', 'Cat', 5, 1, '2020-01-01', NULL, 'cat'), (8, '8', 'Gone', 3, 1, '2020-01-01', '2021-01-01', 'gone'), (9, '9', 'Mute', 3, 1, '2020-01-01', NULL, NULL),
  (10, '10', 'Other', 6, 1, '2020-01-01', NULL, 'other'), (11, '11', 'Second', 3, 1, '2020-01-01', NULL, 'second');
INSERT INTO crm.position (staff_id, org_id, duty, from_date, to_date) VALUES
  (1, 1, 'manager', '2020-01-01', NULL), (2, 2, 'manager', '2020-01-01', NULL), (3, 3, 'manager', '2020-01-01', NULL), (4, 4, 'manager', '2020-01-01', NULL),
  (8, 3, 'manager', '2020-01-01', NULL), (9, 3, 'manager', '2020-01-01', NULL), (10, 6, 'manager', '2020-01-01', NULL),
  (7, 3, 'manager', '2020-01-01', '2020-02-01'), (11, 3, 'approver', '2020-01-01', NULL);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'C' || i, 4, 1, '2024-01-01' FROM generate_series(1, 9) i;
SELECT crm.claim(1, 5), crm.claim(2, 6) \gset

-- definitions ---------------------------------------------------------------------

CREATE FUNCTION crm.note(item crm.workflow_item) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF item.data ->> 'title' = 'fail' THEN
    RAISE EXCEPTION 'action of item % fails', item.id USING ERRCODE = 'P0001';
  ELSIF item.data ->> 'title' = 'on' AND item.state = 'submitted' THEN
    PERFORM crm.make_transition(item.id, 'finish');
  END IF;
  INSERT INTO pg_temp.noted VALUES (item.id, item.state, item.responsible);
END
$$;
CREATE TEMP TABLE noted (id bigint, state text, responsible text);
GRANT ALL ON noted TO crm_owner;
ALTER FUNCTION crm.note(crm.workflow_item) OWNER TO crm_owner;
REVOKE ALL ON FUNCTION crm.note(crm.workflow_item) FROM PUBLIC;
INSERT INTO crm.workflow_action (code, function) VALUES ('note', 'note');
SELECT throws_ok($$INSERT INTO crm.workflow_action VALUES ('none', 'nothing here')$$, '42883', NULL, 'an action must be a function');
SELECT throws_ok($$INSERT INTO crm.workflow_action VALUES ('none', 'actor()')$$, '42883', NULL, 'that takes an item');

\set paper '{"name": "Paper", "name_zh": "文件", "subject": "customer", "fields": {"title": "text", "amount": {"type": "numeric", "required": false}, "helper_id": {"type": "bigint", "required": false}}, "states": [{"state": "draft", "name_zh": "草稿", "initial": true}, {"state": "submitted", "limit_hours": 15, "responsible": "above:manager", "action": "note"}, {"state": "approved", "responsible": "opener", "limit_hours": 7.5}, {"state": "done", "final": true, "action": "note"}, {"state": "rejected", "final": true}], "transitions": [{"transition": "submit", "from": "draft", "to": "submitted", "by": ["opener", "holder", "field:helper_id"], "fields": {"amount": "numeric", "day": {"type": "date", "required": false}, "kind": {"type": "text", "required": false, "options": ["a", "b"]}}}, {"transition": "approve", "from": "submitted", "to": "approved", "by": ["above:manager", "duty:approver"], "not_by": ["opener", "submit"]}, {"transition": "reject", "from": ["submitted", "approved"], "to": "rejected", "by": "above:manager", "not_by": "opener", "reason_required": true}, {"transition": "return", "from": "submitted", "to": "draft", "by": "responsible", "reason_required": true}, {"transition": "finish", "from": ["approved", "submitted"], "to": "done", "by": "anyone"}]}'
SELECT is_empty(format('SELECT * FROM crm.workflow_faults(%L)', :'paper'), 'nothing is wrong with it');
SELECT is(crm.define_workflow('paper', :'paper'), 1, 'a first version');
SELECT is(crm.define_workflow('paper', :'paper'::jsonb || '{"open_by": null}'), 1, 'the same again is no other');
SELECT is(crm.define_workflow('other', :'paper'), 1, 'but under another name');
SELECT results_eq($$SELECT state, is_initial, is_final, limit_hours FROM crm_bi.workflow_state WHERE workflow = 'paper' ORDER BY state_order$$,
  $$VALUES ('draft', true, false, NULL), ('submitted', false, false, 15), ('approved', false, false, 7.5), ('done', false, true, NULL), ('rejected', false, true, NULL)$$, 'its states');
SELECT results_eq($$SELECT transition, from_state, to_state, made_by, not_made_by, fields FROM crm_bi.workflow_transition WHERE workflow = 'paper' AND transition IN ('submit', 'reject') ORDER BY 1, 2$$,
  $$VALUES ('reject', 'approved', 'rejected', 'above:manager', 'opener', NULL), ('reject', 'submitted', 'rejected', 'above:manager', 'opener', NULL),
           ('submit', 'draft', 'submitted', 'opener, holder, field:helper_id', NULL, 'amount numeric, day date ?, kind text ?')$$, 'and transitions');

CREATE FUNCTION pg_temp.broken(path text, value jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT CASE WHEN value IS NULL THEN definition #- path::text[] ELSE jsonb_set(definition, path::text[], value) END FROM crm.workflow_version WHERE workflow = 'paper' AND version = 1
$$;
SELECT is((SELECT array_agg(f) FROM crm.workflow_faults(pg_temp.broken(p, v::jsonb)) f), f, f[1]) FROM (VALUES
  ('{states,0,initial}', 'false', ARRAY['no state is initial']),
  ('{states,2,initial}', 'true', ARRAY['several states are initial: "draft", "approved"']),
  ('{states,3,initial}', 'true', ARRAY['several states are initial: "draft", "done"', 'state "done" is both initial and final']),
  ('{states,3,limit_hours}', '3', ARRAY['final state "done" has a time limit']),
  ('{states,3,responsible}', '"opener"', ARRAY['final state "done" has somebody responsible']),
  ('{states,5}', '{"state": "lonely", "final": true}', ARRAY['state "lonely" cannot be reached']),
  ('{states,5}', '{"state": "draft"}', ARRAY['state "draft" is named twice']),
  ('{states,1,state}', '"draft"', ARRAY['state "draft" is named twice', 'transition "approve" begins at an unknown state "submitted"', 'transition "reject" begins at an unknown state "submitted"',
    'transition "return" begins at an unknown state "submitted"', 'transition "finish" begins at an unknown state "submitted"', 'transition "submit" leads to an unknown state "submitted"']),
  ('{transitions,1,transition}', '"submit"', ARRAY['transition "submit" is named twice']),
  ('{transitions,4,from}', '"done"', ARRAY['transition "finish" begins at the final state "done"', 'state "done" cannot be reached']),
  ('{transitions,4,from}', '[]', ARRAY['transition "finish" begins nowhere', 'state "done" cannot be reached']),
  ('{transitions,4,to}', '"nowhere"', ARRAY['transition "finish" leads to an unknown state "nowhere"', 'state "done" cannot be reached']),
  ('{transitions,4,by}', '[]', ARRAY['transition "finish" may be made by nobody']),
  ('{transitions,4,by}', '"king"', ARRAY['who may make transition "finish" names "king"']),
  ('{transitions,4,by}', '["opener:x"]', ARRAY['who may make transition "finish" names "opener:x"']),
  ('{transitions,4,by}', '["duty"]', ARRAY['who may make transition "finish" names "duty"']),
  ('{transitions,4,by}', '["duty:king", "above:"]', ARRAY['who may make transition "finish" names an unknown duty ""', 'who may make transition "finish" names an unknown duty "king"']),
  ('{transitions,4,by}', '["field:amount"]', ARRAY['who may make transition "finish" names a field "amount" that no opening or transition fills as bigint']),
  ('{transitions,4,not_by}', '["duty:manager"]', ARRAY['who may not make transition "finish" names "duty:manager"']),
  ('{subject}', '"plan"', ARRAY['who may make transition "submit" names the holder, though the subject is no customer']),
  ('{states,1,action}', '"explode"', ARRAY['state "submitted" has an unknown action "explode"']),
  ('{states,1,responsible}', '"duty:king"', ARRAY['the person responsible for state "submitted" names an unknown duty "king"']),
  ('{states,1,responsible}', '"holder"', ARRAY['the person responsible for state "submitted" names "holder"']),
  ('{open_by}', '["opener"]', ARRAY['who may open names "opener"']),
  ('{assign_by}', '["nobody"]', ARRAY['who may assign names "nobody"']),
  ('{states}', NULL, ARRAY['the definition has no "states"']),
  ('{states}', '[]', ARRAY['the definition has no state']),
  ('{states}', '{}', ARRAY['"states" of the definition is not an array']),
  ('{states,1}', '7', ARRAY['state 2 is not an object']),
  ('{states,1}', 'null', ARRAY['state 2 is not an object']),
  ('{states,1,state}', '"Sub mitted"', ARRAY['"state" of state "Sub mitted" is not a name of small letters, digits and underscores']),
  ('{states,1,state}', '"o''; DROP TABLE x"', ARRAY['"state" of state "o''; DROP TABLE x" is not a name of small letters, digits and underscores']),
  ('{states,1,state}', NULL, ARRAY['state 2 has no "state"']),
  ('{states,1,limit_hours}', '-1', ARRAY['"limit_hours" of state "submitted" is not a number of hours from 0.01 to 10000']),
  ('{states,1,limit_hours}', '"soon"', ARRAY['"limit_hours" of state "submitted" is not a number of hours from 0.01 to 10000']),
  ('{states,1,limit}', '5', ARRAY['state "submitted" has an unknown key "limit"']),
  ('{states,1,name}', '" "', ARRAY['"name" of state "submitted" is not a text of 1 to 200 characters']),
  ('{transitions,1,by}', '[1]', ARRAY['"by" of transition "approve" is not a text or an array of different texts']),
  ('{transitions,1,by}', '["opener", "opener"]', ARRAY['"by" of transition "approve" is not a text or an array of different texts']),
  ('{transitions,1,reason_required}', '"yes"', ARRAY['"reason_required" of transition "approve" is not true or false']),
  ('{transitions,1,fields}', '{"a": "money"}', ARRAY['field "a" of transition "approve" has an unknown type "money"']),
  ('{transitions,1,fields}', '{"a b": "text"}', ARRAY['field "a b" of transition "approve" is not a name of small letters, digits and underscores']),
  ('{transitions,1,fields}', '{"a": 5}', ARRAY['field "a" of transition "approve" has no type']),
  ('{transitions,1,fields}', '{"a": {"type": "date", "options": ["x"]}}', ARRAY['field "a" of transition "approve" has options but is not a text']),
  ('{transitions,4,fields}', '{"amount": "bigint"}', ARRAY['field "amount" has several types']),
  ('{fields}', '{"a": {"required": true}}', ARRAY['field "a" of the opening has no "type"', 'who may make transition "submit" names a field "helper_id" that no opening or transition fills as bigint'])) v (p, v, f);
SELECT is((SELECT string_agg(f, '|') FROM crm.workflow_faults(d) f), f, 'faulty: ' || f) FROM (VALUES
  (NULL::jsonb, 'the definition is null'), ('null', 'the definition is not an object'), ('[]', 'the definition is not an object'), ('"x"', 'the definition is not an object'),
  ('{}', 'the definition has no "states"|the definition has no "transitions"'),
  ('{"states": [{"state": "a", "initial": true}], "transitions": []}', 'no state is final'),
  ('{"states": [{"state": "a", "initial": true}, {"state": "b"}, {"state": "c", "final": true}], "transitions": [{"transition": "x", "from": "a", "to": "b", "by": "anyone"}, {"transition": "y", "from": "b", "to": "a", "by": "anyone"}]}',
   'state "c" cannot be reached|from state "a" there is no way to a final state|from state "b" there is no way to a final state'),
  (jsonb_build_object('states', (SELECT jsonb_agg(jsonb_build_object('state', 's' || i)) FROM generate_series(1, 10000) i), 'transitions', '[]'::jsonb), 'the definition has more than 200 states'),
  (jsonb_build_object('states', jsonb_build_array(jsonb_build_object('state', 'a')), 'transitions', (SELECT jsonb_agg(i) FROM generate_series(1, 1001) i)), 'the definition has more than 1000 transitions'),
  (jsonb_build_object('states', '[{"state": "a", "initial": true}, {"state": "b", "final": true}]'::jsonb, 'transitions', jsonb_build_array(jsonb_build_object('transition', 't', 'from', 'a', 'to', 'b', 'by', 'anyone',
     'fields', (SELECT jsonb_object_agg('f' || i, 'text') FROM generate_series(1, 101) i)))), 'transition "t" has more than 100 fields'),
  (to_jsonb(repeat('x', 2000000)), 'the definition has more than 1000000 bytes'),
  (jsonb_build_object('states', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 50000) i), 'transitions', '[]'::jsonb), 'the definition has more than 1000000 bytes')) v (d, f);
-- the largest allowed, all states in one ring and a chord from each
SELECT is(crm.define_workflow('ring', jsonb_build_object(
  'states', (SELECT jsonb_agg(jsonb_build_object('state', 's' || i, 'initial', i = 1, 'final', i = 200, 'name', 'a "name" with ''quotes'' \ ' || i)) FROM generate_series(1, 200) i),
  'transitions', (SELECT jsonb_agg(jsonb_build_object('transition', format('t%s_%s', i, j), 'from', 's' || i, 'to', 's' || 1 + (i * j) % 200, 'by', 'anyone')) FROM generate_series(1, 199) i, generate_series(1, 5) j))), 1, 'a large one is taken');
SELECT pg_temp.refused(s, c, w, w) FROM (VALUES
  ($$SELECT crm.define_workflow(NULL, '{}')$$, '22004', 'the workflow must be named'),
  ($$SELECT crm.define_workflow('paper', NULL)$$, '22023', 'faulty: the definition is null'),
  ($$SELECT crm.define_workflow('P', '{"states": [{"state": "a", "initial": true}, {"state": "b", "final": true}], "transitions": [{"transition": "x", "from": "a", "to": "b", "by": "anyone"}]}')$$, '22023', 'name "P" of a workflow'),
  ($$SELECT crm.define_workflow('paper', pg_temp.broken('{states,0,initial}', 'false'))$$, '22023', 'definition of workflow "paper" is faulty: no state is initial')) v (s, c, w);
SELECT is((SELECT detail FROM pg_temp.told($$SELECT crm.define_workflow('paper', pg_temp.broken('{transitions,4,from}', '"done"'))$$)), 'Also: state "done" cannot be reached.', 'further faults are told, too');

-- random graphs: what cannot be reached, and what leads nowhere, by following every step again and again
CREATE FUNCTION pg_temp.closure(seed integer) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  d jsonb;
  n integer := -1;
BEGIN
  DROP TABLE IF EXISTS step, way;
  CREATE TEMP TABLE step AS SELECT DISTINCT a, b FROM (SELECT 1 + abs(hashint4(seed * 100 + i)) % 6 AS a, 1 + abs(hashint4(seed * 100 + 50 + i)) % 8 AS b FROM generate_series(1, 4 + seed % 9) i) x;
  CREATE TEMP TABLE way AS SELECT a, b FROM step UNION SELECT i, i FROM generate_series(1, 8) i;
  WHILE n <> (SELECT count(*) FROM way) LOOP
    n := (SELECT count(*) FROM way);
    INSERT INTO way SELECT x.a, y.b FROM way x JOIN way y ON y.a = x.b EXCEPT SELECT a, b FROM way;
  END LOOP;
  d := jsonb_build_object('states', (SELECT jsonb_agg(jsonb_build_object('state', 's' || i, 'initial', i = 1, 'final', i > 6)) FROM generate_series(1, 8) i),
    'transitions', (SELECT jsonb_agg(jsonb_build_object('transition', format('t%s_%s', a, b), 'from', 's' || a, 'to', 's' || b, 'by', 'anyone')) FROM step));
  RETURN ARRAY[(SELECT string_agg(f, '; ' ORDER BY f) FROM crm.workflow_faults(d) f),
    (SELECT string_agg(f, '; ' ORDER BY f) FROM (
       SELECT format('state "s%s" cannot be reached', i) AS f FROM generate_series(1, 8) i WHERE NOT EXISTS (SELECT FROM way WHERE a = 1 AND b = i)
       UNION ALL SELECT format('from state "s%s" there is no way to a final state', i) FROM generate_series(1, 8) i WHERE NOT EXISTS (SELECT FROM way WHERE a = i AND b > 6)) x)];
END
$$;
CREATE TEMP TABLE graph AS SELECT i, pg_temp.closure(i) AS c FROM generate_series(1, 150) i;
SELECT is_empty('SELECT * FROM graph WHERE c[1] IS DISTINCT FROM c[2]', 'random graphs have the faults that following every step finds');
SELECT cmp_ok((SELECT count(DISTINCT c[1]) FROM graph), '>', 50::bigint, 'of many kinds');

-- items ----------------------------------------------------------------------------

SELECT ok(pg_temp.as('ann', $$SELECT crm.open_item('paper', 1, 4, 1, '{"title": "First"}')$$)::bigint > 0, 'an item is opened');
SELECT max(id) AS i FROM crm.workflow_item \gset
SELECT results_eq('SELECT workflow, version, state, subject_id, org_id, channel_id, data, opened_by, responsible, due_at, closed_at FROM crm.workflow_item',
  $$VALUES ('paper', 1, 'draft', 1::bigint, 4::bigint, 1::bigint, '{"title": "First"}'::jsonb, 'ann', 'ann', NULL::timestamptz, NULL::timestamptz)$$, 'in the hands of who opened it');
SELECT is(pg_temp.as(who, format(statement, :i)), answer, name) FROM (VALUES
  ('ann', $$SELECT crm.make_transition(%s, 'approve')$$, format('55000 item "%s" is in state "draft", from which there is no transition "approve" / Legal in that state: submit.', :i), 'not from this state; what is legal is told'),
  ('ann', $$SELECT crm.make_transition(%s, 'fly')$$, '22023 version 1 of workflow "paper" has no transition "fly" / Legal in that state: submit.', 'no such transition'),
  ('ann', $$SELECT crm.make_transition(%s, NULL)$$, '22004 the transition must be given', 'none at all'),
  ('ann', $$SELECT crm.make_transition(NULL, 'submit')$$, '22004 the item must be given', 'no item'),
  ('ann', $$SELECT crm.make_transition(-%s, 'submit')$$, format('23503 there is no item "-%s"', :i), 'no such item'),
  ('ben', $$SELECT crm.make_transition(%s, 'submit', '{"amount": 5}')$$, format('42501 "ben" may not make transition "submit" of item "%s" / It may be made by opener, holder, field:helper_id.', :i), 'not for a colleague'),
  ('nobody', $$SELECT crm.make_transition(%s, 'submit', '{"amount": 5}')$$, format('42501 "nobody" may not make transition "submit" of item "%s" / It may be made by opener, holder, field:helper_id.', :i), 'nor for nobody'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit')$$, '23502 transition "submit" needs field "amount" / Give it in the data, as numeric.', 'a field is missing'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '{"amount": null}')$$, '23502 transition "submit" needs field "amount" / Give it in the data, as numeric.', 'or null'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', NULL)$$, '23502 transition "submit" needs field "amount" / Give it in the data, as numeric.', 'or all is'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '{"amount": "5"}')$$, '22023 field "amount" of transition "submit" cannot be "5" / Its type is numeric.', 'a field of another type'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '{"amount": 5, "day": "2026-02-30"}')$$, '22023 field "day" of transition "submit" cannot be "2026-02-30" / Its type is date.', 'no such day'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '{"amount": 5, "day": "today"}')$$, '22023 field "day" of transition "submit" cannot be "today" / Its type is date.', 'a day is a date'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '{"amount": 5, "kind": "c"}')$$, '22023 field "kind" of transition "submit" cannot be "c" / It is one of a, b.', 'none of the options'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '{"amount": 5, "title": "x"}')$$, '22023 transition "submit" of workflow "paper" has no field "title" / Its fields are amount, day, kind.', 'a field of another transition'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '[]')$$, '22023 data of an item must be an object, not array', 'no object'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', '"x"')$$, '22023 data of an item must be an object, not string', 'nor this'),
  ('ann', $$SELECT crm.make_transition(%s, 'submit', 'null')$$, '22023 data of an item must be an object, not null', 'nor that')) v (who, statement, answer, name);
SELECT is((SELECT count(*) FROM crm.workflow_log), 1::bigint, 'what is refused leaves nothing behind');
SELECT is(pg_temp.as('ann', format('SELECT string_agg((transition, to_state, may, needs)::text, '' '') FROM crm.legal_transitions(%s)', :i)), '(submit,submitted,t,{amount})', 'what may be done next');
SELECT is(pg_temp.as('ben', format('SELECT string_agg((transition, to_state, may, needs)::text, '' '') FROM crm.legal_transitions(%s)', :i)), '(submit,submitted,f,{amount})', 'and by whom');

SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'submit', '{"amount": 5, "day": "2026-03-01", "kind": "b"}', 'please')$$, :i)), 'submitted', 'submitted');
SELECT results_eq(format('SELECT responsible, data, due_at FROM crm.workflow_item WHERE id = %s', :i),
  format($$SELECT 'office', '{"title": "First", "amount": 5, "day": "2026-03-01", "kind": "b"}'::jsonb, crm.add_working_time(entered_at, '15 hours') FROM crm.workflow_item WHERE id = %s$$, :i), 'the nearest manager above has it, until the end of the limit');
SELECT results_eq('SELECT * FROM noted', format($$VALUES (%s::bigint, 'submitted', 'office')$$, :i), 'the action was done');
SELECT is(pg_temp.as(who, format(statement, :i)), answer, name) FROM (VALUES
  ('head', $$SELECT crm.make_transition(%s, 'approve')$$, format('42501 "head" may not make transition "approve" of item "%s" / It may be made by above:manager, duty:approver.', :i), 'the manager of the unit is not above it'),
  ('other', $$SELECT crm.make_transition(%s, 'approve')$$, format('42501 "other" may not make transition "approve" of item "%s" / It may be made by above:manager, duty:approver.', :i), 'nor one beside'),
  ('gone', $$SELECT crm.make_transition(%s, 'approve')$$, format('42501 "gone" may not make transition "approve" of item "%s" / It may be made by above:manager, duty:approver.', :i), 'nor one who left'),
  ('cat', $$SELECT crm.make_transition(%s, 'approve')$$, format('42501 "cat" may not make transition "approve" of item "%s" / It may be made by above:manager, duty:approver.', :i), 'nor whose duty is over'),
  ('office', $$SELECT crm.make_transition(%s, 'reject')$$, '23502 transition "reject" needs a reason / Give it as reason.', 'a reason is missing'),
  ('office', $$SELECT crm.make_transition(%s, 'reject', '{}', '  ')$$, '23502 transition "reject" needs a reason / Give it as reason.', 'or empty'),
  ('second', $$SELECT crm.make_transition(%s, 'return', '{}', 'why')$$, format('42501 "second" may not make transition "return" of item "%s" / It may be made by responsible.', :i), 'only the one responsible returns it'),
  ('office', $$SELECT crm.make_transition(%s, 'return', '{}', 'more')$$, 'draft', 'who does')) v (who, statement, answer, name);
SELECT is((SELECT responsible FROM crm.workflow_item WHERE id = :i), 'office', 'where nothing is said who was responsible stays so');
SELECT is(pg_temp.as('ann', format($$SELECT crm.assign_item(%s, 'ann', 'mine')$$, :i)), format('42501 "ann" may not make another person responsible for item "%s" / It may be done by responsible, duty:manager.', :i), 'not everybody assigns');
SELECT is(pg_temp.as('office', format($$SELECT crm.assign_item(%s, 'ann', NULL)$$, :i)), '23502 another person responsible needs a reason / Give it as reason.', 'nor without a reason');
SELECT is(pg_temp.as('office', format($$SELECT crm.assign_item(%s, NULL, 'x')$$, :i)), '22004 the person responsible must be given', 'nor to nobody');
SELECT is(pg_temp.as('office', format($$SELECT crm.assign_item(%s, 'gone', 'x')$$, :i)), '23503 nobody in post acts as "gone" / Give the login of a member of staff in post, or the acting person.', 'nor to somebody who left');
SELECT is(pg_temp.as('office', format($$SELECT crm.assign_item(%s, 'ann', 'yours')$$, :i)), '', 'who is responsible does');
SELECT is(pg_temp.as('top', format($$SELECT crm.assign_item(%s, 'ann', 'again')$$, :i)), '', 'the same again');
SELECT is((SELECT count(*) FROM crm.workflow_log WHERE kind = 'assign'), 1::bigint, 'is nothing to note');
-- submitted by the holder of the customer, who is also a manager above
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (5, 2, 'approver');
SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'submit')$$, :i)), 'submitted', 'what was filled in earlier need not be again');
SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'approve')$$, :i)), format('42501 "ann" may not make transition "approve" of item "%s", which is their own / Somebody else decides.', :i), 'nobody approves their own');
SELECT is(pg_temp.as('second', format($$SELECT crm.make_transition(%s, 'approve')$$, :i)), 'approved', 'somebody with the duty does');
SELECT is((SELECT responsible FROM crm.workflow_item WHERE id = :i), 'ann', 'back to the opener');
SELECT is(pg_temp.as('cat', format($$SELECT crm.make_transition(%s, 'finish')$$, :i)), 'done', 'anyone');
SELECT ok(closed_at = entered_at AND responsible IS NULL AND due_at IS NULL, 'closed, in nobody''s hands') FROM crm.workflow_item WHERE id = :i;
SELECT is(pg_temp.as('cat', format($$SELECT crm.make_transition(%s, 'finish')$$, :i)), format('55000 item "%s" is in state "done", from which there is no transition "finish" / The item is closed.', :i), 'and done with');
SELECT is(pg_temp.as('top', format($$SELECT crm.assign_item(%s, 'ann', 'x')$$, :i)), format('55000 item "%s" is closed / Nobody is responsible for a closed item.', :i), 'nobody becomes responsible for it');
SELECT results_eq(format('SELECT kind, transition, from_state, to_state, by_whom, reason, responsible FROM crm_bi.workflow_change WHERE item_id = %s ORDER BY workflow_change_id', :i), $$VALUES
  ('open', NULL, NULL, 'draft', 'ann', NULL, 'ann'), ('transition', 'submit', 'draft', 'submitted', 'ann', 'please', 'office'), ('transition', 'return', 'submitted', 'draft', 'office', 'more', 'office'),
  ('assign', NULL, 'draft', 'draft', 'office', 'yours', 'ann'), ('transition', 'submit', 'draft', 'submitted', 'ann', NULL, 'office'), ('transition', 'approve', 'submitted', 'approved', 'second', NULL, 'ann'),
  ('transition', 'finish', 'approved', 'done', 'cat', NULL, NULL)$$, 'all of it is written down');

-- who opens
SELECT is(pg_temp.as('ann', statement), answer, name) FROM (VALUES
  ($$SELECT crm.open_item('nothing', 1, 4)$$, '22023 there is no workflow "nothing" / crm.workflow lists the workflows.', 'no such workflow'),
  ($$SELECT crm.open_item(NULL, 1, 4)$$, '22004 workflow, subject and unit must be given', 'none'),
  ($$SELECT crm.open_item('paper', NULL, 4)$$, '22004 workflow, subject and unit must be given', 'no subject'),
  ($$SELECT crm.open_item('paper', 1, NULL)$$, '22004 workflow, subject and unit must be given', 'no unit'),
  ($$SELECT crm.open_item('paper', 99, 4, NULL, '{"title": "x"}')$$, '23503 there is no customer "99" / crm_bi.customer shows the customers.', 'no such customer'),
  ($$SELECT crm.open_item('paper', 1, 99, NULL, '{"title": "x"}')$$, '23503 there is no unit "99" / crm.organisation lists the units.', 'no such unit'),
  ($$SELECT crm.open_item('paper', 1, 4)$$, '23502 opening needs field "title" / Give it in the data, as text.', 'a field is missing'),
  ($$SELECT crm.open_item('paper', 1, 4, NULL, '{"title": " "}')$$, '23502 opening needs field "title" / Give it in the data, as text.', 'or empty'),
  ($$SELECT crm.open_item('paper', 1, 4, NULL, '{"title": "x", "helper_id": 1.5}')$$, '22023 field "helper_id" of opening cannot be 1.5 / Its type is bigint.', 'no whole number'),
  ($$SELECT crm.open_item('paper', 1, 4, NULL, '{"title": "x", "helper_id": 5.0}')$$, '22023 field "helper_id" of opening cannot be 5.0 / Its type is bigint.', 'nor written as one'),
  ($$SELECT crm.open_item('paper', 1, 4, NULL, '{"title": "x", "helper_id": 1e30}')$$, '22023 field "helper_id" of opening cannot be 1000000000000000000000000000000 / Its type is bigint.', 'too large a number'),
  ($$SELECT crm.open_item('paper', 1, 4, NULL, '{"title": "x"}', 'gone')$$, '23503 nobody in post acts as "gone" / Give the login of a member of staff in post, or the acting person.', 'nobody to be responsible'),
  ($$SELECT crm.open_item('paper', 1, 4, NULL, jsonb_build_object('title', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 60000) i)))$$, '54000 data of an item is longer than 1000000 bytes', 'too much')) v (statement, answer, name);
SELECT is(pg_temp.as('ann', $$SELECT crm.open_item('paper', 1, 4, 99, '{"title": "x"}')$$) LIKE '23503%', true, 'no such channel');
SELECT crm.define_workflow('closed', :'paper'::jsonb || '{"open_by": []}'), crm.define_workflow('bosses', :'paper'::jsonb || '{"open_by": ["duty:manager", "holder"], "one_per_subject": true}') \gset
SELECT is(pg_temp.as('ann', $$SELECT crm.open_item('closed', 1, 4, 1, '{"title": "x"}')$$), '42501 "ann" may not open an item of workflow "closed" at unit "4" / Functions of crm open its items.', 'opened by functions only');
SELECT is(pg_temp.as('ben', $$SELECT crm.open_item('bosses', 1, 4, 1, '{"title": "x"}')$$), '42501 "ben" may not open an item of workflow "bosses" at unit "4" / It is open to duty:manager, holder.', 'not for all');
SELECT ok(pg_temp.as('ann', $$SELECT crm.open_item('bosses', 1, 4, 1, '{"title": "x"}', 'ben')$$)::bigint > 0, 'the holder');
SELECT is((SELECT responsible FROM crm.workflow_item ORDER BY id DESC LIMIT 1), 'ben', 'for somebody else');
SELECT is(pg_temp.as('head', $$SELECT crm.open_item('bosses', 1, 4, 1, '{"title": "x"}')$$), '55006 an item of workflow "bosses" is open already for customer "1" / End that one first.', 'one at a time');
SELECT ok(pg_temp.as('head', $$SELECT crm.open_item('bosses', 2, 4, 1, '{"title": "x"}')$$)::bigint > 0, 'for each customer');

-- actions
SELECT pg_temp.as('ann', $$SELECT crm.open_item('paper', 3, 4, 1, '{"title": "fail", "amount": 1}')$$) AS f, pg_temp.as('ann', $$SELECT crm.open_item('paper', 3, 4, 1, '{"title": "on", "amount": 1, "helper_id": 6}')$$) AS o \gset
SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'submit')$$, :f)), format('P0001 action of item %s fails', :f), 'an action that fails');
SELECT is((SELECT state FROM crm.workflow_item WHERE id = :f), 'draft', 'undoes the transition');
SELECT is(pg_temp.as('ben', format($$SELECT crm.make_transition(%s, 'submit')$$, :o)), 'done', 'an action may lead on; the person named in a field may');
SELECT results_eq(format('SELECT transition, to_state FROM crm.workflow_log WHERE item_id = %s ORDER BY id', :o), $$VALUES (NULL, 'draft'), ('submit', 'submitted'), ('finish', 'done')$$, 'step by step');

-- levels, and nobody there
UPDATE crm.authority_level SET active = false WHERE code = 'office';
SELECT pg_temp.as('ann', $$SELECT crm.open_item('paper', 4, 4, 1, '{"title": "x", "amount": 1}')$$) AS l \gset
SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'submit')$$, :l)), 'submitted', 'with the offices off');
SELECT is((SELECT responsible FROM crm.workflow_item WHERE id = :l), 'bureau', 'the level above has it');
SELECT is(pg_temp.as('office', format($$SELECT crm.make_transition(%s, 'reject', '{}', 'x')$$, :l)), format('42501 "office" may not make transition "reject" of item "%s" / It may be made by above:manager.', :l), 'the office has no say');
SELECT is(pg_temp.as('top', format($$SELECT crm.make_transition(%s, 'reject', '{}', 'x')$$, :l)), 'rejected', 'the top has');
UPDATE crm.authority_level SET active = true;
SELECT pg_temp.as('top', $$SELECT crm.open_item('paper', 4, 1, 1, '{"title": "x", "amount": 1}')$$) AS r \gset
SELECT is(pg_temp.as('top', format($$SELECT crm.make_transition(%s, 'submit')$$, :r)), 'submitted', 'nothing is above the top');
SELECT is(pg_temp.as('top', format($$SELECT crm.make_transition(%s, 'reject', '{}', 'x')$$, :r)), format('42501 "top" may not make transition "reject" of item "%s", which is their own / Somebody else decides.', :r), 'where the duty itself counts, but for one''s own');
DELETE FROM crm.position WHERE org_id = 1 AND staff_id = 1;
SELECT pg_temp.as('ann', $$SELECT crm.open_item('paper', 5, 1, 1, '{"title": "x", "amount": 1}')$$) AS n \gset
SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'submit')$$, :n)), '55000 nobody has the duty "manager" above unit "1" / Add a row to crm.position for a member of staff in post who has a login.', 'nobody to be responsible');
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'manager');
SELECT is(crm._unit_over(u), o, u::text || ' lie below ' || o) FROM (VALUES ('{4}'::bigint[], 3::bigint), ('{4,5}', 3), ('{4,3}', 2), ('{4,6}', 1), ('{1}', 1), ('{1,4}', 1), ('{4,4}', 3)) v (u, o);
SELECT is(crm._unit_over('{4,99}'), NULL, 'what is not there lies below nothing');

-- versions
SELECT is(crm.define_workflow('paper', pg_temp.broken('{states,1,limit_hours}', '3')), 2, 'a second version');
SELECT is(pg_temp.as('ann', format($$SELECT crm.make_transition(%s, 'submit')$$, :n)), 'submitted', 'an item that runs');
SELECT results_eq(format('SELECT version, due_at FROM crm.workflow_item WHERE id = %s', :n), format($$SELECT 1, crm.add_working_time(entered_at, '15 hours') FROM crm.workflow_item WHERE id = %s$$, :n), 'stays with its version');
SELECT crm.open_item('paper', 6, 4, 1, '{"title": "x"}') AS v \gset
SELECT is((SELECT version FROM crm.workflow_item WHERE id = :v), 2, 'a new one takes the new');
SELECT is(crm.define_workflow('paper', pg_temp.broken('{states,1,limit_hours}', '15')), 3, 'and back is a third');

-- who left
SELECT is(pg_temp.as('gone', $$SELECT crm.open_item('paper', 6, 4, 1, '{"title": "x"}')$$), '42501 "gone" may not open an item of workflow "paper" at unit "4" / It is open to anyone.', 'somebody who left opens nothing');
SELECT pg_temp.as('cat', $$SELECT crm.open_item('paper', 6, 4, 1, '{"title": "x", "amount": 1}')$$) AS g \gset
SELECT is(pg_temp.as('cat', format($$SELECT crm.make_transition(%s, 'submit')$$, :g)), 'submitted', 'an item');
UPDATE crm.staff SET left_on = crm.today() WHERE id = 7;
SELECT is(pg_temp.as('second', format($$SELECT crm.make_transition(%s, 'approve')$$, :g)), 'approved', 'that would go back to somebody who left');
SELECT is((SELECT responsible FROM crm.workflow_item WHERE id = :g), 'head', 'goes to the nearest manager');
SELECT is(pg_temp.as('cat', format($$SELECT crm.make_transition(%s, 'finish')$$, :g)), format('42501 "cat" may not make transition "finish" of item "%s" / It may be made by anyone.', :g), 'who left is not anyone');
UPDATE crm.staff SET left_on = NULL WHERE id = 7;

-- anybody tries anything
CREATE TEMP TABLE tried AS
SELECT i, pg_temp.as(person, CASE i % 5 WHEN 0 THEN format('SELECT crm.open_item(%L, %s, %s, 1, %L)', workflow, 1 + i % 9, 1 + i % 6, '{"title": "x"}')
                                        WHEN 1 THEN format('SELECT crm.assign_item(%s, %L, %L)', item, other, 'x')
                                        ELSE format('SELECT crm.make_transition(%s, %L, %L, %L)', item, transition, CASE WHEN transition = 'submit' THEN '{"amount": 1}' ELSE '{}' END, 'x') END) AS answer
FROM (SELECT i, (ARRAY['top', 'bureau', 'office', 'head', 'ann', 'ben', 'cat', 'second', 'gone', 'other'])[1 + abs(hashint4(i)) % 10] AS person,
             (ARRAY['ann', 'ben', 'office', 'gone'])[1 + abs(hashint4(i + 1000)) % 4] AS other, (ARRAY['paper', 'bosses'])[1 + abs(hashint4(i + 2000)) % 2] AS workflow,
             (ARRAY['submit', 'approve', 'reject', 'return', 'finish'])[1 + abs(hashint4(i + 3000)) % 5] AS transition, :n + 1 + abs(hashint4(i + 4000)) % 60 AS item
      FROM generate_series(1, 800) i) x;
SELECT is_empty($$SELECT DISTINCT left(answer, 60) FROM tried WHERE answer ~ '^[0-9A-Z]{5} ' AND left(answer, 5) NOT IN ('42501', '55000', '55006', '22023', '23502', '23503')$$, 'whatever is tried is done or refused');
SELECT cmp_ok((SELECT count(*) FROM tried WHERE answer !~ '^[0-9A-Z]{5} '), '>', 60::bigint, 'much of it is done');
SELECT is_empty('SELECT * FROM crm._check_workflow()', 'and leaves all as it must be');
SELECT is_empty($$SELECT l.id FROM crm.workflow_log l JOIN crm.workflow_item i ON i.id = l.item_id
                  WHERE l.kind = 'transition' AND NOT EXISTS (SELECT FROM crm.workflow_transition t JOIN crm.workflow_transition_from f USING (workflow, version, transition)
                    WHERE t.workflow = i.workflow AND t.version = i.version AND t.transition = l.transition AND t.to_state = l.to_state AND f.from_state = l.from_state)$$, 'every step is one of the definition');
SELECT is_empty($$SELECT a.id FROM crm.workflow_log a JOIN crm.workflow_log b ON b.item_id = a.item_id AND b.by_whom = a.by_whom AND (b.kind = 'open' OR b.transition = 'submit') AND b.id < a.id
                  WHERE a.transition = 'approve'$$, 'nobody approved their own');

-- nobody writes by hand
SELECT is(left(pg_temp.as('ann', s), 5), '42501', s) FROM unnest(ARRAY['UPDATE crm.workflow_log SET reason = NULL', 'DELETE FROM crm.workflow_log', 'INSERT INTO crm.workflow_log DEFAULT VALUES', $$UPDATE crm.workflow_item SET state = 'done'$$,
  $$SELECT crm.define_workflow('paper', '{}')$$, $$SELECT crm._open_item('closed', 1, 4, 1, '{}', NULL)$$, 'INSERT INTO crm.position DEFAULT VALUES', 'UPDATE crm.workflow_transition SET made_by = NULL',
  $$SELECT crm._enter_state(NULL, NULL)$$, $$SELECT crm.note(NULL)$$]) s;
SELECT throws_ok(s, '23514', NULL, s) FROM unnest(ARRAY[format('UPDATE crm.workflow_item SET responsible = NULL WHERE id = %s', :n), format($$UPDATE crm.workflow_item SET responsible = 'ann' WHERE id = %s$$, :i)]) s;
SELECT throws_ok('UPDATE crm.position SET to_date = from_date', '23514', NULL, 'a duty of no day');
SELECT throws_ok($$INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'king')$$, '23503', NULL, 'a duty that is none');

-- views ------------------------------------------------------------------------------

-- the log as if it had happened in spring
UPDATE crm.workflow_log l SET at = v.at::timestamptz, due_at = v.due::timestamptz
FROM (SELECT x.id, (ARRAY['2026-03-02 09:00', '2026-03-02 11:00', '2026-03-05 17:30', '2026-03-06 10:00', '2026-03-09 09:00', '2026-03-31 15:00', '2026-04-01 09:00'])[x.n] AS at,
             (ARRAY[NULL, '2026-03-04 11:00', NULL, NULL, '2026-03-11 09:00', '2026-04-01 15:00', NULL])[x.n] AS due
      FROM (SELECT l.id, row_number() OVER (ORDER BY l.id) AS n FROM crm.workflow_log l WHERE l.item_id = :i) x) v WHERE l.id = v.id;
UPDATE crm.workflow_item SET opened_at = '2026-03-02 09:00', entered_at = '2026-04-01 09:00', closed_at = '2026-04-01 09:00' WHERE id = :i;
SET LOCAL ROLE crm_test_analyst;
SELECT results_eq(format('SELECT state, working_hours, is_overdue, left_by FROM crm_bi.workflow_step WHERE item_id = %s ORDER BY workflow_step_id', :i), $$VALUES
  ('draft', 2::numeric, false, 'submit'), ('submitted', 28::numeric, true, 'return'), ('draft', 7.5, false, 'submit'), ('submitted', 125, true, 'approve'), ('approved', 2.5, false, 'finish'), ('done', NULL, false, NULL)$$, 'how long it was where');
SELECT results_eq(format('SELECT is_open, is_overdue, hours_in_state, responsible, customer_id FROM crm_bi.workflow_item WHERE item_id = %s', :i), 'VALUES (false, false, NULL::numeric, NULL, 1::bigint)', 'an item that is closed');
SELECT results_eq(format('SELECT is_open, is_overdue, state_name_zh, responsible, responsible_staff_id FROM crm_bi.workflow_item WHERE item_id = %s', :f), $$VALUES (true, false, '草稿', 'ann', 5::bigint)$$, 'one that is open');
SELECT results_eq($$SELECT state, month, entered, left_count, median_hours, p90_hours, overdue FROM crm_bi.workflow_throughput WHERE workflow = 'paper' AND month BETWEEN '2026-03-01' AND '2026-04-01' ORDER BY 2, 1$$, $$VALUES
  ('approved', '2026-03-01'::date, 1::bigint, 0::bigint, NULL::numeric, NULL::numeric, 0::bigint), ('draft', '2026-03-01', 2, 2, 2, 7.5, 0), ('submitted', '2026-03-01', 2, 2, 28, 125, 2),
  ('approved', '2026-04-01', 0, 1, 2.5, 2.5, 0), ('done', '2026-04-01', 1, 0, NULL, NULL, 0)$$, 'what went through');
SELECT is((SELECT sum(entered) FROM crm_bi.workflow_throughput), (SELECT count(*)::numeric FROM crm_bi.workflow_step), 'every step is counted once');
SELECT set_config('crm.as_of', (crm.today() + 30)::text, true) \gset
SELECT ok(is_overdue AND hours_in_state > 100, 'a month later it is overdue') FROM crm_bi.workflow_item WHERE item_id = :n;
SELECT set_config('crm.as_of', '', true) \gset
SELECT results_eq('SELECT staff_id, level, is_valid FROM crm_bi.position WHERE org_id = 3 ORDER BY 1', $$VALUES (3::bigint, 'office', true), (7, 'office', false), (8, 'office', false), (9, 'office', true), (11, 'office', true)$$, 'who has which duty');
SELECT is((SELECT array_agg(is_current ORDER BY version) FROM crm_bi.workflow WHERE workflow = 'paper'), '{f,f,t}', 'versions');
SELECT is(pg_temp.rows_of(v, k), ARRAY[n, n], v || ' has one row for each key') FROM (SELECT v, k, (pg_temp.rows_of(v, k))[1] AS n FROM (VALUES ('workflow', 'workflow_key'), ('workflow_state', 'workflow_state_key'),
  ('workflow_transition', 'workflow_transition_key'), ('workflow_step', 'workflow_step_id'), ('workflow_item', 'item_id'), ('workflow_change', 'workflow_change_id'), ('workflow_throughput', 'workflow_throughput_key'), ('position', 'position_id')) x (v, k)) y;
RESET ROLE;
SELECT is_empty($$SELECT a.attrelid::regclass, a.attname FROM pg_attribute a WHERE a.attrelid::regclass::text ~ '^crm_bi\.(workflow.*|position)$' AND a.attnum > 0
                  AND col_description(a.attrelid, a.attnum) !~ '\. \S*[一-龥]'$$, 'every column is told in both languages');

-- what must hold
SELECT is_empty('SELECT * FROM crm._check_workflow()', 'all is well');
SAVEPOINT s;
UPDATE crm.staff SET left_on = crm.today() WHERE id = 5;
SELECT is((SELECT count(*) FROM crm._check_workflow() WHERE check_name = 'workflow_responsible'), (SELECT count(*) FROM crm.workflow_item WHERE responsible = 'ann' AND closed_at IS NULL), 'whose person left is found');
UPDATE crm.workflow_item SET data = '{}' WHERE id = :i;
DELETE FROM crm.workflow_log WHERE item_id = :o AND transition = 'submit';
SELECT set_eq($$SELECT check_name FROM crm._check_workflow()$$, '{workflow_responsible,workflow_state,workflow_log}'::text[], 'and what was written by hand');
ROLLBACK TO s;
CALL crm.rebuild(batch => NULL);
SELECT is_empty('SELECT * FROM crm.check()', 'nothing is wrong');
SELECT * FROM finish();
ROLLBACK;
