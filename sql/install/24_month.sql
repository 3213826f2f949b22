-- base: a month of the year

CREATE DOMAIN crm.month_number AS integer CHECK (VALUE >= 1 AND VALUE <= 12);
COMMENT ON DOMAIN crm.month_number IS 'Month of the year, 1 to 12.';
