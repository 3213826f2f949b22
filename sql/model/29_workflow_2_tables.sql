-- base: workflows as data: states, transitions, fields, actions; items and their log

CREATE TABLE crm.workflow_action (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$'),
  function text NOT NULL,
  description text
);
COMMENT ON TABLE crm.workflow_action IS 'What may be done on entry into a state: functions of schema crm, called as f(crm.workflow_item) in the transaction of the transition, with the item locked. 进入动作';
COMMENT ON COLUMN crm.workflow_action.code IS 'Code by which definitions name it.';
COMMENT ON COLUMN crm.workflow_action.function IS 'Name of the function, without its schema.';
COMMENT ON COLUMN crm.workflow_action.description IS 'What it does.';

CREATE FUNCTION crm._check_action() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regprocedure(format('crm.%I(crm.workflow_item)', NEW.function)) IS NULL THEN
    RAISE EXCEPTION 'there is no function crm.%(crm.workflow_item)', quote_ident(NEW.function)
      USING ERRCODE = 'undefined_function', HINT = 'Make the function first.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._check_action() IS 'Trigger: an action must be a function that takes an item.';
CREATE TRIGGER check_action BEFORE INSERT OR UPDATE ON crm.workflow_action FOR EACH ROW EXECUTE FUNCTION crm._check_action();

CREATE TABLE crm.workflow (
  code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]*$' AND pg_catalog.length(code) <= 60),
  version integer NOT NULL
);
COMMENT ON TABLE crm.workflow IS 'Workflows: what goes through states. Written by crm.define_workflow(). 流程';
COMMENT ON COLUMN crm.workflow.code IS 'Code.';
COMMENT ON COLUMN crm.workflow.version IS 'Version that new items take.';

CREATE TABLE crm.workflow_version (
  workflow text NOT NULL REFERENCES crm.workflow,
  version integer NOT NULL CHECK (version >= 1),
  name text NOT NULL,
  name_zh text NOT NULL,
  subject text NOT NULL,
  one_per_subject boolean NOT NULL,
  open_by text[] NOT NULL,
  assign_by text[] NOT NULL,
  definition jsonb NOT NULL,
  defined_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  defined_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (workflow, version)
);
COMMENT ON TABLE crm.workflow_version IS 'Versions of workflows; running items stay on theirs. 流程版本';
COMMENT ON COLUMN crm.workflow_version.workflow IS 'Workflow.';
COMMENT ON COLUMN crm.workflow_version.version IS 'Version, from 1.';
COMMENT ON COLUMN crm.workflow_version.name IS 'Name in English.';
COMMENT ON COLUMN crm.workflow_version.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.workflow_version.subject IS 'What an item is about: customer, or another word that says whose key crm.workflow_item.subject_id is.';
COMMENT ON COLUMN crm.workflow_version.one_per_subject IS 'Whether a subject has at most one open item.';
COMMENT ON COLUMN crm.workflow_version.open_by IS 'Who may open an item with crm.open_item(); empty: nobody but functions of crm.';
COMMENT ON COLUMN crm.workflow_version.assign_by IS 'Who may make another person responsible.';
COMMENT ON COLUMN crm.workflow_version.definition IS 'The definition as given.';
COMMENT ON COLUMN crm.workflow_version.defined_at IS 'When it was defined.';
COMMENT ON COLUMN crm.workflow_version.defined_by IS 'Who defined it.';

CREATE TABLE crm.workflow_state (
  workflow text NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  place integer NOT NULL,
  name text NOT NULL,
  name_zh text NOT NULL,
  initial boolean NOT NULL,
  final boolean NOT NULL,
  limit_hours numeric CHECK (limit_hours > 0),
  responsible text,
  action text REFERENCES crm.workflow_action ON UPDATE CASCADE,
  PRIMARY KEY (workflow, version, state),
  FOREIGN KEY (workflow, version) REFERENCES crm.workflow_version,
  CHECK (NOT (final AND (initial OR limit_hours IS NOT NULL OR responsible IS NOT NULL)))
);
COMMENT ON TABLE crm.workflow_state IS 'States of workflows. 流程状态';
COMMENT ON COLUMN crm.workflow_state.workflow IS 'Workflow.';
COMMENT ON COLUMN crm.workflow_state.version IS 'Version.';
COMMENT ON COLUMN crm.workflow_state.state IS 'Code of the state.';
COMMENT ON COLUMN crm.workflow_state.place IS 'Place in the definition.';
COMMENT ON COLUMN crm.workflow_state.name IS 'Name in English.';
COMMENT ON COLUMN crm.workflow_state.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.workflow_state.initial IS 'Where items begin; one in a workflow.';
COMMENT ON COLUMN crm.workflow_state.final IS 'Where items end.';
COMMENT ON COLUMN crm.workflow_state.limit_hours IS 'Working hours after which a stay is overdue; NULL: never.';
COMMENT ON COLUMN crm.workflow_state.responsible IS 'Who becomes responsible on entry; NULL: who was, at the beginning the opener.';
COMMENT ON COLUMN crm.workflow_state.action IS 'What is done on entry; NULL: nothing.';
CREATE UNIQUE INDEX workflow_state_initial ON crm.workflow_state (workflow, version) WHERE initial;
CREATE INDEX ON crm.workflow_state (action);

CREATE TABLE crm.workflow_transition (
  workflow text NOT NULL,
  version integer NOT NULL,
  transition text NOT NULL,
  place integer NOT NULL,
  name text NOT NULL,
  name_zh text NOT NULL,
  to_state text NOT NULL,
  made_by text[] NOT NULL,
  not_made_by text[] NOT NULL,
  reason_required boolean NOT NULL,
  PRIMARY KEY (workflow, version, transition),
  FOREIGN KEY (workflow, version, to_state) REFERENCES crm.workflow_state
);
COMMENT ON TABLE crm.workflow_transition IS 'Transitions of workflows. 流程转换';
COMMENT ON COLUMN crm.workflow_transition.workflow IS 'Workflow.';
COMMENT ON COLUMN crm.workflow_transition.version IS 'Version.';
COMMENT ON COLUMN crm.workflow_transition.transition IS 'Code of the transition.';
COMMENT ON COLUMN crm.workflow_transition.place IS 'Place in the definition.';
COMMENT ON COLUMN crm.workflow_transition.name IS 'Name in English.';
COMMENT ON COLUMN crm.workflow_transition.name_zh IS 'Name in Chinese.';
COMMENT ON COLUMN crm.workflow_transition.to_state IS 'State it leads to.';
COMMENT ON COLUMN crm.workflow_transition.made_by IS 'Who may make it: anyone, opener, responsible, holder, duty:, above: or field:.';
COMMENT ON COLUMN crm.workflow_transition.not_made_by IS 'Who may not, though otherwise allowed: opener, responsible, or who made a transition of that name.';
COMMENT ON COLUMN crm.workflow_transition.reason_required IS 'Whether a reason must be given.';
CREATE INDEX ON crm.workflow_transition (workflow, version, to_state);

CREATE TABLE crm.workflow_transition_from (
  workflow text NOT NULL,
  version integer NOT NULL,
  transition text NOT NULL,
  from_state text NOT NULL,
  PRIMARY KEY (workflow, version, transition, from_state),
  FOREIGN KEY (workflow, version, transition) REFERENCES crm.workflow_transition,
  FOREIGN KEY (workflow, version, from_state) REFERENCES crm.workflow_state
);
COMMENT ON TABLE crm.workflow_transition_from IS 'States from which a transition may be made. 转换的起始状态';
COMMENT ON COLUMN crm.workflow_transition_from.workflow IS 'Workflow.';
COMMENT ON COLUMN crm.workflow_transition_from.version IS 'Version.';
COMMENT ON COLUMN crm.workflow_transition_from.transition IS 'Transition.';
COMMENT ON COLUMN crm.workflow_transition_from.from_state IS 'State.';
CREATE INDEX ON crm.workflow_transition_from (workflow, version, from_state);

CREATE TABLE crm.workflow_field (
  workflow text NOT NULL,
  version integer NOT NULL,
  transition text,
  field text NOT NULL,
  place integer NOT NULL,
  type text NOT NULL CHECK (type IN ('text', 'integer', 'bigint', 'numeric', 'date', 'timestamptz', 'boolean')),
  required boolean NOT NULL,
  options text[],
  UNIQUE NULLS NOT DISTINCT (workflow, version, transition, field),
  FOREIGN KEY (workflow, version) REFERENCES crm.workflow_version,
  FOREIGN KEY (workflow, version, transition) REFERENCES crm.workflow_transition
);
COMMENT ON TABLE crm.workflow_field IS 'Fields of the data of items that may, or must, be filled by a transition or at the opening. 填写项';
COMMENT ON COLUMN crm.workflow_field.workflow IS 'Workflow.';
COMMENT ON COLUMN crm.workflow_field.version IS 'Version.';
COMMENT ON COLUMN crm.workflow_field.transition IS 'Transition; NULL: the opening.';
COMMENT ON COLUMN crm.workflow_field.field IS 'Name of the field.';
COMMENT ON COLUMN crm.workflow_field.place IS 'Order of the fields by name.';
COMMENT ON COLUMN crm.workflow_field.type IS 'Type.';
COMMENT ON COLUMN crm.workflow_field.required IS 'Whether it must be filled afterwards.';
COMMENT ON COLUMN crm.workflow_field.options IS 'Values that a text may have; NULL: any.';

CREATE TABLE crm.workflow_item (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  workflow text NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  subject_id bigint NOT NULL,
  sole boolean NOT NULL,
  org_id bigint NOT NULL REFERENCES crm.organisation,
  channel_id bigint REFERENCES crm.channel,
  data jsonb NOT NULL,
  opened_by text NOT NULL,
  opened_at timestamptz NOT NULL,
  responsible text CHECK (pg_catalog.btrim(responsible) <> ''),
  entered_at timestamptz NOT NULL,
  due_at timestamptz,
  closed_at timestamptz,
  FOREIGN KEY (workflow, version, state) REFERENCES crm.workflow_state,
  CONSTRAINT workflow_item_one_responsible CHECK ((closed_at IS NULL) = (responsible IS NOT NULL)),
  CHECK (closed_at IS NULL OR due_at IS NULL),
  CHECK (entered_at >= opened_at AND closed_at >= opened_at)
);
COMMENT ON TABLE crm.workflow_item IS 'What goes through the states of a workflow, with the one person responsible while it is open. Written by crm.open_item, make_transition and assign_item. 流程事项';
COMMENT ON COLUMN crm.workflow_item.id IS 'Key.';
COMMENT ON COLUMN crm.workflow_item.workflow IS 'Workflow.';
COMMENT ON COLUMN crm.workflow_item.version IS 'Version that it follows.';
COMMENT ON COLUMN crm.workflow_item.state IS 'State.';
COMMENT ON COLUMN crm.workflow_item.subject_id IS 'Key of what it is about; of which table, the subject of the version tells.';
COMMENT ON COLUMN crm.workflow_item.sole IS 'Whether the subject may have no other open item of the workflow.';
COMMENT ON COLUMN crm.workflow_item.org_id IS 'Unit in whose hands it lies: duties count there and above, and its calendar.';
COMMENT ON COLUMN crm.workflow_item.channel_id IS 'Channel that it concerns; NULL: none in particular.';
COMMENT ON COLUMN crm.workflow_item.data IS 'What has been filled in.';
COMMENT ON COLUMN crm.workflow_item.opened_by IS 'Who opened it.';
COMMENT ON COLUMN crm.workflow_item.opened_at IS 'When.';
COMMENT ON COLUMN crm.workflow_item.responsible IS 'Who is responsible, as crm.actor() names them; NULL when closed.';
COMMENT ON COLUMN crm.workflow_item.entered_at IS 'When it came into its state.';
COMMENT ON COLUMN crm.workflow_item.due_at IS 'End of the time limit of its state; NULL: none.';
COMMENT ON COLUMN crm.workflow_item.closed_at IS 'When it came into a final state; NULL while open.';
CREATE UNIQUE INDEX workflow_item_sole ON crm.workflow_item (workflow, subject_id) WHERE sole AND closed_at IS NULL;
CREATE INDEX ON crm.workflow_item (workflow, version, state);
CREATE INDEX ON crm.workflow_item (subject_id);
CREATE INDEX ON crm.workflow_item (responsible) WHERE closed_at IS NULL;
CREATE INDEX ON crm.workflow_item (due_at) WHERE closed_at IS NULL;
CREATE INDEX ON crm.workflow_item (org_id);
CREATE INDEX ON crm.workflow_item (channel_id);

CREATE TABLE crm.workflow_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_id bigint NOT NULL REFERENCES crm.workflow_item,
  kind text NOT NULL CHECK (kind IN ('open', 'transition', 'assign')),
  transition text,
  from_state text,
  to_state text NOT NULL,
  at timestamptz NOT NULL,
  by_whom text NOT NULL,
  reason text,
  responsible text,
  due_at timestamptz,
  data_before jsonb,
  data_after jsonb NOT NULL,
  CHECK ((kind = 'transition') = (transition IS NOT NULL)),
  CHECK ((kind = 'open') = (from_state IS NULL))
);
COMMENT ON TABLE crm.workflow_log IS 'What happened to items: one row for each opening, transition and change of the person responsible. 流程日志';
COMMENT ON COLUMN crm.workflow_log.id IS 'Key; orders the rows of an item.';
COMMENT ON COLUMN crm.workflow_log.item_id IS 'Item.';
COMMENT ON COLUMN crm.workflow_log.kind IS 'open, transition or assign.';
COMMENT ON COLUMN crm.workflow_log.transition IS 'Which transition.';
COMMENT ON COLUMN crm.workflow_log.from_state IS 'State before; NULL at the opening.';
COMMENT ON COLUMN crm.workflow_log.to_state IS 'State after.';
COMMENT ON COLUMN crm.workflow_log.at IS 'When.';
COMMENT ON COLUMN crm.workflow_log.by_whom IS 'Who.';
COMMENT ON COLUMN crm.workflow_log.reason IS 'Why.';
COMMENT ON COLUMN crm.workflow_log.responsible IS 'Who is responsible afterwards.';
COMMENT ON COLUMN crm.workflow_log.due_at IS 'End of the time limit afterwards.';
COMMENT ON COLUMN crm.workflow_log.data_before IS 'Data before; NULL at the opening.';
COMMENT ON COLUMN crm.workflow_log.data_after IS 'Data after.';
CREATE INDEX ON crm.workflow_log (item_id, id);
CREATE INDEX ON crm.workflow_log (by_whom);

GRANT SELECT ON crm.position_kind, crm.authority_level, crm.position, crm.workflow, crm.workflow_version, crm.workflow_state, crm.workflow_transition,
  crm.workflow_transition_from, crm.workflow_field, crm.workflow_item, crm.workflow_log TO crm_bi_owner;
