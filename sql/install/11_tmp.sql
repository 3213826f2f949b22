CREATE DOMAIN crm.scale AS text; CREATE DOMAIN crm.resident_id AS text; CREATE DOMAIN crm.recycle_rule AS text;
