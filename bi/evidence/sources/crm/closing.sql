SELECT c.month, c.version, c.state, c.figures, c.closed_by, c.published_by FROM crm_bi.closing c WHERE c.state IN ('published', 'superseded')
