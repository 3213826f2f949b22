-- jobs: the generator makes mobile numbers that exist

DROP PROCEDURE crm.generate(integer, bigint, date, integer, numeric, integer[]);
CALL crm._model_90_jobs();
