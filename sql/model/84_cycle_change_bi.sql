-- bi: all that was done in cycles of resources, in one history

CREATE VIEW crm_bi.cycle_change AS
WITH change AS (
  SELECT 'change/' || c.id AS key, c.cycle_id, c.plan_id, NULL::bigint AS proposal_id, c.kind,
         CASE WHEN c.kind = 'computation' THEN 'compute' WHEN c.kind = 'acceptance' THEN CASE WHEN c.after IS NULL THEN 'lapse' ELSE 'accept' END
              WHEN c.kind = 'offer' THEN CASE WHEN c.after ? 'withdrawn_at' THEN 'withdraw' ELSE 'release' END
              WHEN c.before IS NULL THEN 'make' WHEN c.after IS NULL THEN 'drop' ELSE 'change' END AS action,
         CASE c.kind WHEN 'offer' THEN (SELECT p.code FROM crm.provider p WHERE p.id = c.subject::bigint)
              WHEN 'terms' THEN (SELECT pg_catalog.concat_ws('/', p.code, u.code, pg_catalog.split_part(c.subject, '/', 3)) FROM crm.channel p, crm.channel u
                                 WHERE p.id = pg_catalog.split_part(c.subject, '/', 1)::bigint AND u.id = pg_catalog.split_part(c.subject, '/', 2)::bigint)
              WHEN 'limit' THEN (SELECT h.code || '/' || pg_catalog.split_part(c.subject, '/', 2) FROM crm.channel h WHERE h.id = pg_catalog.split_part(c.subject, '/', 1)::bigint)
              WHEN 'acceptance' THEN (SELECT pg_catalog.concat_ws('/', p.code, u.code, a.code) FROM crm.channel p, crm.channel u, crm.channel a
                                      WHERE p.id = pg_catalog.split_part(c.subject, '/', 1)::bigint AND u.id = pg_catalog.split_part(c.subject, '/', 2)::bigint
                                        AND a.id = pg_catalog.split_part(c.subject, '/', 3)::bigint)
              ELSE c.subject END AS subject,
         c.customer_id, c.before::text AS before, c.after::text AS after, c.reason, c.changed_at AS at, c.changed_by AS by_whom
  FROM crm.cycle_change c
  UNION ALL
  SELECT 'release/' || r.id, r.cycle_id, NULL, NULL, 'release', 'release', p.code, NULL, NULL,
         pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('condition', r.condition::text, 'as_of', r.as_of, 'released', r.released, 'refused', r.refused))::text, r.note, r.released_at, r.released_by
  FROM crm.cycle_release r JOIN crm.provider p ON p.id = r.provider_id
  UNION ALL
  SELECT 'version/' || v.proposal_id || '/' || v.version, p.cycle_id, NULL, v.proposal_id, 'proposal', CASE v.version WHEN 1 THEN 'make' ELSE 'change' END, v.version::text, NULL,
         (pg_catalog.to_jsonb(w) - '{proposal_id,version,note,made_at,made_by}'::text[])::text, (pg_catalog.to_jsonb(v) - '{proposal_id,version,note,made_at,made_by}'::text[])::text, v.note, v.made_at, v.made_by
  FROM crm.proposal_version v
  JOIN crm.proposal p ON p.id = v.proposal_id
  LEFT JOIN crm.proposal_version w ON w.proposal_id = v.proposal_id AND w.version = v.version - 1
  UNION ALL
  SELECT 'workflow/' || l.id, coalesce(n.cycle_id, p.cycle_id), n.id, p.id, CASE WHEN n.id IS NULL THEN 'proposal' ELSE 'plan' END, coalesce(l.transition, l.kind), coalesce(n.name, p.title), NULL,
         CASE WHEN l.kind = 'assign' THEN NULL ELSE l.from_state END, CASE WHEN l.kind = 'assign' THEN l.responsible ELSE l.to_state END, l.reason, l.at, l.by_whom
  FROM crm.workflow_log l LEFT JOIN crm.plan n ON n.item_id = l.item_id LEFT JOIN crm.proposal p ON p.item_id = l.item_id
  WHERE pg_catalog.num_nonnulls(n.id, p.id) > 0
  UNION ALL
  SELECT 'open/' || y.id, y.id, NULL, NULL, 'cycle', 'open', y.name, NULL, NULL, 'open', NULL, y.opened_at, y.opened_by FROM crm.cycle y
  UNION ALL
  SELECT 'close/' || y.id, y.id, NULL, NULL, 'cycle', 'close', y.name, NULL, 'open', 'closed', NULL, y.closed_at, y.closed_by FROM crm.cycle y WHERE y.closed_at IS NOT NULL)
SELECT c.key AS cycle_change_key, c.cycle_id, c.plan_id, c.proposal_id, c.kind, c.action, c.subject, c.customer_id, c.before, c.after, c.reason, c.at AS changed_at, c.by_whom AS changed_by
FROM change c;
COMMENT ON VIEW crm_bi.cycle_change IS 'All that was done in cycles of resources: one row for each change, release, version of a proposal and transition. 资源周期变更历史';
COMMENT ON COLUMN crm_bi.cycle_change.cycle_change_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.cycle_change.cycle_id IS 'Cycle. 周期';
COMMENT ON COLUMN crm_bi.cycle_change.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.cycle_change.proposal_id IS 'Proposal. 方案';
COMMENT ON COLUMN crm_bi.cycle_change.kind IS 'cycle 周期, release 释放, offer 资源客户, proposal 方案, plan 计划, stage 批次, adjustment 人工调整, limit 机构上下限, terms 条款, acceptance 条款确认, attribution 归属方式, hold_out 对照组 or computation 计算. 对象';
COMMENT ON COLUMN crm_bi.cycle_change.action IS 'What was done: open, close, release, withdraw, make, change, drop, accept, lapse (of an acceptance, with other terms), compute, assign, or the transition of a plan or proposal. 操作';
COMMENT ON COLUMN crm_bi.cycle_change.subject IS 'Which one: name, code, number or key. 对象标识';
COMMENT ON COLUMN crm_bi.cycle_change.customer_id IS 'Customer offered, pinned or barred. 客户';
COMMENT ON COLUMN crm_bi.cycle_change.before IS 'What was so before, of what changed; NULL: it was made. 变更前';
COMMENT ON COLUMN crm_bi.cycle_change.after IS 'What is so after it; NULL: it was taken away. 变更后';
COMMENT ON COLUMN crm_bi.cycle_change.reason IS 'Why, where a reason was given. 原因';
COMMENT ON COLUMN crm_bi.cycle_change.changed_at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.cycle_change.changed_by IS 'Who. 操作人';
