-- bi: imports, how far they are, what they refused, and which row another system means

CREATE VIEW crm_bi.import_batch AS
SELECT b.id AS batch_id, b.source_system, b.by_whom, b.started_at, b.finished_at, b.stepwise, b.read, b.accepted, b.unchanged, b.rejected,
       (SELECT pg_catalog.count(*) FROM crm.import_reject j WHERE j.batch_id = b.id AND j.resubmitted_at IS NULL AND j.resolved_at IS NULL) AS open_rejects
FROM crm.import_batch b;
COMMENT ON VIEW crm_bi.import_batch IS 'Imports: one row each. 导入批次';
COMMENT ON COLUMN crm_bi.import_batch.batch_id IS 'Key. 批次键';
COMMENT ON COLUMN crm_bi.import_batch.source_system IS 'The other system. 来源系统';
COMMENT ON COLUMN crm_bi.import_batch.by_whom IS 'Who imported. 导入人';
COMMENT ON COLUMN crm_bi.import_batch.started_at IS 'Start. 开始时间';
COMMENT ON COLUMN crm_bi.import_batch.finished_at IS 'End; NULL while it runs or was broken off. 结束时间';
COMMENT ON COLUMN crm_bi.import_batch.stepwise IS 'Whether it commits as it goes. 是否分步提交';
COMMENT ON COLUMN crm_bi.import_batch.read IS 'Rows taken from the staging tables. 读取行数';
COMMENT ON COLUMN crm_bi.import_batch.accepted IS 'Rows that made or changed something. 接受行数';
COMMENT ON COLUMN crm_bi.import_batch.unchanged IS 'Rows that said what the book held already. 未变行数';
COMMENT ON COLUMN crm_bi.import_batch.rejected IS 'Rows refused. 拒绝行数';
COMMENT ON COLUMN crm_bi.import_batch.open_rejects IS 'Rows refused that were neither put back nor settled since. 待处理拒绝行数';

CREATE VIEW crm_bi.import_progress AS
SELECT b.id || '/' || k.kind AS progress_key, b.id AS batch_id, b.source_system, k.kind, n.position AS kind_order, b.started_at, b.finished_at,
       k.expected, k.read, k.inserted, k.updated, k.unchanged, k.rejected,
       CASE WHEN b.finished_at IS NOT NULL THEN 100.0 WHEN k.expected > 0 THEN pg_catalog.round(least(100.0 * k.read / k.expected, 100.0), 1) END AS percent
FROM crm.import_batch b JOIN crm.import_batch_kind k ON k.batch_id = b.id JOIN crm.import_kind n ON n.kind = k.kind;
COMMENT ON VIEW crm_bi.import_progress IS 'Imports by kind of row, running and past: one row for each kind of a batch; an import in one transaction shows when it is done. 导入进度';
COMMENT ON COLUMN crm_bi.import_progress.progress_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.import_progress.batch_id IS 'Batch. 批次';
COMMENT ON COLUMN crm_bi.import_progress.source_system IS 'The other system. 来源系统';
COMMENT ON COLUMN crm_bi.import_progress.kind IS 'Kind of row. 数据类别';
COMMENT ON COLUMN crm_bi.import_progress.kind_order IS 'Order in which the kinds are taken. 次序';
COMMENT ON COLUMN crm_bi.import_progress.started_at IS 'Start of the batch. 开始时间';
COMMENT ON COLUMN crm_bi.import_progress.finished_at IS 'End of the batch; NULL while it runs or was broken off. 结束时间';
COMMENT ON COLUMN crm_bi.import_progress.expected IS 'Rows that were waiting at the start of a stepwise import. 应导入行数';
COMMENT ON COLUMN crm_bi.import_progress.read IS 'Rows done. 已处理行数';
COMMENT ON COLUMN crm_bi.import_progress.inserted IS 'Rows that made something new. 新增行数';
COMMENT ON COLUMN crm_bi.import_progress.updated IS 'Rows that changed something. 更新行数';
COMMENT ON COLUMN crm_bi.import_progress.unchanged IS 'Rows that changed nothing. 未变行数';
COMMENT ON COLUMN crm_bi.import_progress.rejected IS 'Rows refused. 拒绝行数';
COMMENT ON COLUMN crm_bi.import_progress.percent IS 'Rows done of those expected, in percent. 进度百分比';

CREATE VIEW crm_bi.import_reject AS
SELECT r.id AS reason_id, j.batch_id, j.source_system, j.kind, j.row_no, j.source_key,
       CASE WHEN j.resolved_at IS NOT NULL THEN 'settled' WHEN j.resubmitted_at IS NOT NULL THEN 'put back' WHEN j.follows THEN 'follows' ELSE 'open' END AS state,
       r.column_name, r.code, r.message, r.hint, r.follows AS follows_kind
FROM crm.import_reject j JOIN crm.import_reason r ON (r.batch_id, r.kind, r.row_no) = (j.batch_id, j.kind, j.row_no);
COMMENT ON VIEW crm_bi.import_reject IS 'Why rows were refused: one row for each reason; the values themselves stand in crm.import_reason. 导入拒绝原因';
COMMENT ON COLUMN crm_bi.import_reject.reason_id IS 'Key. 原因键';
COMMENT ON COLUMN crm_bi.import_reject.batch_id IS 'Batch. 批次';
COMMENT ON COLUMN crm_bi.import_reject.source_system IS 'The other system. 来源系统';
COMMENT ON COLUMN crm_bi.import_reject.kind IS 'Kind of row. 数据类别';
COMMENT ON COLUMN crm_bi.import_reject.row_no IS 'Number of the row in the batch. 行号';
COMMENT ON COLUMN crm_bi.import_reject.source_key IS 'Key of the row in the other system. 来源键';
COMMENT ON COLUMN crm_bi.import_reject.state IS 'open; follows: goes in once another row does; put back; settled: a later row with the key went in. 状态';
COMMENT ON COLUMN crm_bi.import_reject.column_name IS 'Column; NULL where a rule of the whole row is broken. 列名';
COMMENT ON COLUMN crm_bi.import_reject.code IS 'SQLSTATE. 错误代码';
COMMENT ON COLUMN crm_bi.import_reject.message IS 'What is wrong. 原因';
COMMENT ON COLUMN crm_bi.import_reject.hint IS 'What to do about it. 处理建议';
COMMENT ON COLUMN crm_bi.import_reject.follows_kind IS 'Kind of the refused row that it only follows. 所依赖的数据类别';

CREATE VIEW crm_bi.source_key AS
SELECT k.kind || '/' || k.source_system || '/' || k.source_key AS source_key_id, k.kind, k.source_system, k.source_key, k.customer_id, k.row_id, k.changed_at
FROM crm.source_key k;
COMMENT ON VIEW crm_bi.source_key IS 'Keys of other systems and the rows of the book that they mean: one row each. 来源键';
COMMENT ON COLUMN crm_bi.source_key.source_key_id IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.source_key.kind IS 'Kind of row. 数据类别';
COMMENT ON COLUMN crm_bi.source_key.source_system IS 'The other system. 来源系统';
COMMENT ON COLUMN crm_bi.source_key.source_key IS 'Key there. 来源键';
COMMENT ON COLUMN crm_bi.source_key.customer_id IS 'Customer it belongs to; NULL where it belongs to none. 客户键';
COMMENT ON COLUMN crm_bi.source_key.row_id IS 'Key of the row here. 本系统键';
COMMENT ON COLUMN crm_bi.source_key.changed_at IS 'When the key came to mean this row; NULL: always. 变更时间';
