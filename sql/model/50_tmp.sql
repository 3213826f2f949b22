CREATE FUNCTION crm._holding_purchases(c bigint[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$;
