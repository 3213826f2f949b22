-- bi: what was changed of quotas and calendars, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.quota_change AS
SELECT pg_catalog.row_number() OVER (ORDER BY q.changed_at, q.id) AS quota_change_no, q.staff_id, s.name AS staff_name, s.org_id, q.before, q.after, q.changed_at, q.changed_by
FROM crm.quota_change q LEFT JOIN crm.staff s ON s.id = q.staff_id;
COMMENT ON VIEW crm_bi.quota_change IS 'What was changed of quotas: one row for each change of an own quota or of the setting. 配额变更';
COMMENT ON COLUMN crm_bi.quota_change.quota_change_no IS 'Number, in order of change. 序号';
COMMENT ON COLUMN crm_bi.quota_change.staff_id IS 'Member of staff whose own quota it was; NULL: the setting. 人员';
COMMENT ON COLUMN crm_bi.quota_change.staff_name IS 'Name. 人员姓名';
COMMENT ON COLUMN crm_bi.quota_change.org_id IS 'Unit of the member of staff today. 机构';
COMMENT ON COLUMN crm_bi.quota_change.before IS 'Quota, or row of the setting, before; NULL: there was none. 变更前';
COMMENT ON COLUMN crm_bi.quota_change.after IS 'Since then; NULL: none. 变更后';
COMMENT ON COLUMN crm_bi.quota_change.changed_at IS 'When. 变更时间';
COMMENT ON COLUMN crm_bi.quota_change.changed_by IS 'Who. 变更人';

CREATE VIEW crm_bi.calendar_change AS
SELECT pg_catalog.row_number() OVER (ORDER BY c.changed_at, c.id) AS calendar_change_no, c.relation, coalesce(c.after ->> 'calendar', c.before ->> 'calendar', c.after ->> 'code', c.before ->> 'code') AS calendar,
       coalesce(c.after ->> 'day', c.before ->> 'day')::date AS day, c.before::text AS before, c.after::text AS after, c.changed_at, c.changed_by
FROM crm.calendar_change c;
COMMENT ON VIEW crm_bi.calendar_change IS 'What was changed of calendars of working time: one row for each change. 日历变更';
COMMENT ON COLUMN crm_bi.calendar_change.calendar_change_no IS 'Number, in order of change. 序号';
COMMENT ON COLUMN crm_bi.calendar_change.relation IS 'calendar 日历, working_hours 工作时间, holiday 节假日 or organisation_calendar 机构日历. 变更内容';
COMMENT ON COLUMN crm_bi.calendar_change.calendar IS 'Calendar. 日历';
COMMENT ON COLUMN crm_bi.calendar_change.day IS 'Day, of a holiday. 日期';
COMMENT ON COLUMN crm_bi.calendar_change.before IS 'Row before; NULL: it was new. 变更前';
COMMENT ON COLUMN crm_bi.calendar_change.after IS 'Row since; NULL: it was deleted. 变更后';
COMMENT ON COLUMN crm_bi.calendar_change.changed_at IS 'When. 变更时间';
COMMENT ON COLUMN crm_bi.calendar_change.changed_by IS 'Who. 变更人';
