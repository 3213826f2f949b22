-- bi: requests for a transfer and disputes, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.transfer_request AS
SELECT i.item_id, i.customer_id, i.org_id, (w.data ->> 'from_staff_id')::bigint AS from_staff_id, (w.data ->> 'to_staff_id')::bigint AS to_staff_id, w.data ->> 'reason' AS reason,
       i.state, i.state_name, i.state_name_zh, i.opened_by, i.opened_at, i.responsible, i.due_at, i.is_overdue, i.closed_at,
       CASE WHEN NOT i.is_open THEN p.by_whom END AS decided_by, p.reason AS decision
FROM crm_bi.workflow_item i
JOIN crm.workflow_item w ON w.id = i.item_id
JOIN crm_bi.workflow_step p ON p.item_id = i.item_id AND p.left_at IS NULL
WHERE i.workflow = 'transfer';
COMMENT ON VIEW crm_bi.transfer_request IS 'Requests that a customer goes to another member of staff: one row each. 客户经理变更申请';
COMMENT ON COLUMN crm_bi.transfer_request.item_id IS 'Key, as in crm_bi.workflow_item. 事项键';
COMMENT ON COLUMN crm_bi.transfer_request.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.transfer_request.org_id IS 'Unit that confirms. 确认机构';
COMMENT ON COLUMN crm_bi.transfer_request.from_staff_id IS 'Who holds the customer. 现客户经理';
COMMENT ON COLUMN crm_bi.transfer_request.to_staff_id IS 'Who is to. 拟任客户经理';
COMMENT ON COLUMN crm_bi.transfer_request.reason IS 'Why. 申请原因';
COMMENT ON COLUMN crm_bi.transfer_request.state IS 'requested 待确认, confirmed 已确认, refused 已驳回 or withdrawn 已撤回. 状态';
COMMENT ON COLUMN crm_bi.transfer_request.state_name IS 'Name of the state in English. 状态英文名';
COMMENT ON COLUMN crm_bi.transfer_request.state_name_zh IS 'Name of the state in Chinese. 状态中文名';
COMMENT ON COLUMN crm_bi.transfer_request.opened_by IS 'Who asked. 申请人';
COMMENT ON COLUMN crm_bi.transfer_request.opened_at IS 'When. 申请时间';
COMMENT ON COLUMN crm_bi.transfer_request.responsible IS 'Who is to confirm; NULL: closed. 责任人';
COMMENT ON COLUMN crm_bi.transfer_request.due_at IS 'End of the time limit; NULL: closed. 到期时间';
COMMENT ON COLUMN crm_bi.transfer_request.is_overdue IS 'Whether it is over. 是否超时';
COMMENT ON COLUMN crm_bi.transfer_request.closed_at IS 'When it ended; NULL: open. 办结时间';
COMMENT ON COLUMN crm_bi.transfer_request.decided_by IS 'Who ended it; NULL: open. 决定人';
COMMENT ON COLUMN crm_bi.transfer_request.decision IS 'Reason of the decision; NULL: none given. 决定理由';

CREATE VIEW crm_bi.dispute AS
SELECT i.item_id, i.customer_id, i.org_id, (w.data ->> 'holder_id')::bigint AS holder_id, (w.data ->> 'claimant_id')::bigint AS claimant_id, w.data ->> 'grounds' AS grounds, w.data ->> 'answer' AS answer,
       i.state, i.state_name, i.state_name_zh, i.opened_by, i.opened_at, i.responsible, i.due_at, i.is_overdue, i.closed_at,
       CASE WHEN NOT i.is_open THEN p.by_whom END AS decided_by, CASE WHEN NOT i.is_open THEN p.reason END AS decision
FROM crm_bi.workflow_item i
JOIN crm.workflow_item w ON w.id = i.item_id
JOIN crm_bi.workflow_step p ON p.item_id = i.item_id AND p.left_at IS NULL
WHERE i.workflow = 'dispute';
COMMENT ON VIEW crm_bi.dispute IS 'Disputes over customers: one row each. 客户归属争议';
COMMENT ON COLUMN crm_bi.dispute.item_id IS 'Key, as in crm_bi.workflow_item. 事项键';
COMMENT ON COLUMN crm_bi.dispute.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.dispute.org_id IS 'Unit that decides. 裁定机构';
COMMENT ON COLUMN crm_bi.dispute.holder_id IS 'Who held the customer. 原持有人';
COMMENT ON COLUMN crm_bi.dispute.claimant_id IS 'Who claims them. 申请人员';
COMMENT ON COLUMN crm_bi.dispute.grounds IS 'On what grounds. 申请理由';
COMMENT ON COLUMN crm_bi.dispute.answer IS 'What the holder answered; NULL: nothing. 持有人答复';
COMMENT ON COLUMN crm_bi.dispute.state IS 'opened 待答复, arbitration 仲裁中, kept 维持原归属, given 改归申请人 or withdrawn 已撤回. 状态';
COMMENT ON COLUMN crm_bi.dispute.state_name IS 'Name of the state in English. 状态英文名';
COMMENT ON COLUMN crm_bi.dispute.state_name_zh IS 'Name of the state in Chinese. 状态中文名';
COMMENT ON COLUMN crm_bi.dispute.opened_by IS 'Who opened it. 发起人';
COMMENT ON COLUMN crm_bi.dispute.opened_at IS 'When. 发起时间';
COMMENT ON COLUMN crm_bi.dispute.responsible IS 'Who is to answer or decide; NULL: closed. 责任人';
COMMENT ON COLUMN crm_bi.dispute.due_at IS 'End of the time limit; NULL: closed. 到期时间';
COMMENT ON COLUMN crm_bi.dispute.is_overdue IS 'Whether it is over. 是否超时';
COMMENT ON COLUMN crm_bi.dispute.closed_at IS 'When it ended; NULL: open. 办结时间';
COMMENT ON COLUMN crm_bi.dispute.decided_by IS 'Who decided; NULL: open. 裁定人';
COMMENT ON COLUMN crm_bi.dispute.decision IS 'Why so; NULL: open, or none given. 裁定理由';
