-- base: working time

CREATE FUNCTION crm._working_time_add(at timestamptz, amount interval, zone text, weekdays integer[], starts time[], ends time[], days date[], day_weekdays integer[]) RETURNS timestamptz
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_working_time_add';
COMMENT ON FUNCTION crm._working_time_add(timestamptz, interval, text, integer[], time[], time[], date[], integer[]) IS
  'The earliest instant by which there has been that much working time since another. Spans of the local clock by weekday (1 Monday to 7 Sunday), which may overlap; days that have the spans of another weekday, or none (0). Errors: 22023 no calendar, or an amount below zero or of days or months, 22004 null in an array, 22008 outside 1900 to 2199.';

CREATE FUNCTION crm._working_time_between(start timestamptz, until timestamptz, zone text, weekdays integer[], starts time[], ends time[], days date[], day_weekdays integer[]) RETURNS interval
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_working_time_between';
COMMENT ON FUNCTION crm._working_time_between(timestamptz, timestamptz, text, integer[], time[], time[], date[], integer[]) IS
  'The working time from one instant to another, in hours, minutes and seconds; negative when the second is the earlier. The calendar as for crm._working_time_add(). Errors: 22023, 22004, 22008.';
