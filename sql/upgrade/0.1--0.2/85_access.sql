-- access: the order of classes stands in the rules

GRANT SELECT ON crm.rule TO crm_bi_owner;
@model/85_access crm.grant_duty comments
