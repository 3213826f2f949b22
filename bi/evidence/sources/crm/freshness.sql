SELECT item, day, n, fresh, advice FROM crm_bi.freshness
