-- bi: how many customers are shown as of another day

@model/80_bi crm_bi.freshness
@model/80_bi crm_bi._slot

COMMENT ON COLUMN crm_bi.holding.end_cause IS 'narrowing (from channel to unit or person) 下放, transfer 转移, release 释放, recycle 回收, departure 离职 or merge (with a customer who is held) 合并. 结束方式';
