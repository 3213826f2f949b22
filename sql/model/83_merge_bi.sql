-- bi: the queue of duplicates, and merges, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.duplicate_candidate AS
SELECT d.customer_id || '/' || d.other_id AS candidate_key, d.customer_id, d.other_id, d.score::numeric AS score,
       pg_catalog.array_to_string(d.reasons, ', ') AS reasons, d.state, d.obstacle, d.found_at, d.decided_at, d.decided_by
FROM crm.duplicate_candidate d;
COMMENT ON VIEW crm_bi.duplicate_candidate IS 'Pairs of customers who may be one: one row each. 疑似重复客户';
COMMENT ON COLUMN crm_bi.duplicate_candidate.candidate_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.duplicate_candidate.customer_id IS 'Customer with the smaller key. 客户';
COMMENT ON COLUMN crm_bi.duplicate_candidate.other_id IS 'The other customer. 另一客户';
COMMENT ON COLUMN crm_bi.duplicate_candidate.score IS 'How surely they are one, 0 to 1. 相似度';
COMMENT ON COLUMN crm_bi.duplicate_candidate.reasons IS 'What agrees, what nearly does, and what tells them apart. 依据';
COMMENT ON COLUMN crm_bi.duplicate_candidate.state IS 'open 待定, or rejected: two customers 已排除.';
COMMENT ON COLUMN crm_bi.duplicate_candidate.obstacle IS 'Why the automatic merge left the pair to somebody. 未自动合并的原因';
COMMENT ON COLUMN crm_bi.duplicate_candidate.found_at IS 'When the pair was found first. 发现时间';
COMMENT ON COLUMN crm_bi.duplicate_candidate.decided_at IS 'When it was rejected. 排除时间';
COMMENT ON COLUMN crm_bi.duplicate_candidate.decided_by IS 'Who rejected it. 排除人';

CREATE VIEW crm_bi.customer_merge AS
SELECT m.id AS merge_id, m.kept_id, m.dropped_id, m.state = 'undone' AS is_undone, m.automatic AS is_automatic, m.reason, m.score::numeric AS score,
       pg_catalog.array_to_string(m.reasons, ', ') AS reasons, r.rows_moved, r.rows_left_out, m.merged_at, m.merged_by, m.undone_at, m.undone_by, m.undone_reason
FROM crm.merge_record m
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*) FILTER (WHERE x.key_after IS NOT NULL) AS rows_moved, pg_catalog.count(*) FILTER (WHERE x.key_after IS NULL) AS rows_left_out
  FROM crm.merge_row x WHERE x.merge_id = m.id AND x.relation <> 'crm.customer') r;
COMMENT ON VIEW crm_bi.customer_merge IS 'Merges of two customers into one, those undone as well: one row each. 客户合并';
COMMENT ON COLUMN crm_bi.customer_merge.merge_id IS 'Key of the merge. 合并键';
COMMENT ON COLUMN crm_bi.customer_merge.kept_id IS 'Customer kept. 保留客户';
COMMENT ON COLUMN crm_bi.customer_merge.dropped_id IS 'Customer merged into the other. 被合并客户';
COMMENT ON COLUMN crm_bi.customer_merge.is_undone IS 'Whether it was undone. 是否已撤销';
COMMENT ON COLUMN crm_bi.customer_merge.is_automatic IS 'Whether nobody had to decide. 是否自动合并';
COMMENT ON COLUMN crm_bi.customer_merge.reason IS 'Why they are one. 合并原因';
COMMENT ON COLUMN crm_bi.customer_merge.score IS 'How surely, 0 to 1; NULL when the search had not found them. 相似度';
COMMENT ON COLUMN crm_bi.customer_merge.reasons IS 'What agreed, what nearly did, and what told them apart. 依据';
COMMENT ON COLUMN crm_bi.customer_merge.rows_moved IS 'Rows moved, filled or changed; those that follow a policy or product aside. 转移行数';
COMMENT ON COLUMN crm_bi.customer_merge.rows_left_out IS 'Rows of the customer merged that the other had no place for. 未转移行数';
COMMENT ON COLUMN crm_bi.customer_merge.merged_at IS 'When. 合并时间';
COMMENT ON COLUMN crm_bi.customer_merge.merged_by IS 'By whom. 合并人';
COMMENT ON COLUMN crm_bi.customer_merge.undone_at IS 'When it was undone. 撤销时间';
COMMENT ON COLUMN crm_bi.customer_merge.undone_by IS 'Who undid it. 撤销人';
COMMENT ON COLUMN crm_bi.customer_merge.undone_reason IS 'Why it was undone. 撤销原因';
