-- Hostile binary input: what COPY ... (FORMAT binary) makes of forged payloads.
-- A type joins by rows in "seeds" (and in "payloads" for cases of its own).
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;
SET datestyle = ISO;

-- Rewriting a file costs a flush on some file systems, in memory it does not.
SELECT CASE WHEN (pg_stat_file('/dev/shm', true)).isdir THEN '/dev/shm' ELSE current_setting('data_directory') END || '/crm_hostile.' || pg_backend_pid() AS file \gset
SELECT set_config('probe.file', :'file', false) IS NOT NULL AS file_named;

-- A bytea's binary form is its bytes, so a file of one bytea column is a file of any type with that payload.
-- The values received are not kept: a trigger notes the binary and the text form and whether the text reads back equal.
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT set_config(''probe.sent'', crm.%1$s_send($1.v)::text, true), set_config(''probe.written'', $1.v::text, true),
    set_config(''probe.equal'', (%2$s AND crm.%1$s_send($1.v::text::crm.%1$s) = crm.%1$s_send($1.v))::text, true)', TG_ARGV[0],
    CASE WHEN TG_ARGV[0] = ANY ('{cells,entries,facets,bgnbd,gamma_gamma,_tally,_trail}') THEN 'true' ELSE format('$1.v::text::crm.%s = $1.v', TG_ARGV[0]) END) USING NEW;
  RETURN NULL;
END
$$;
CREATE FUNCTION pg_temp.receive(type text, payload bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  file constant text := current_setting('probe.file');
BEGIN
  EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', payload, file);
  EXECUTE format('COPY pg_temp.received_%s FROM %L (FORMAT binary)', type, file);
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
$$;
-- What is accepted must come back equal through text and binary.
CREATE FUNCTION pg_temp.probe(type text, payload bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  outcome text := pg_temp.receive(type, payload);
  sent text := current_setting('probe.sent', true);
  written text := current_setting('probe.written', true);
BEGIN
  IF outcome <> 'ok' THEN
    RETURN outcome;
  ELSIF current_setting('probe.equal') <> 'true' THEN
    RETURN 'text differs';
  ELSIF pg_temp.receive(type, sent::bytea) <> 'ok' THEN
    RETURN 'sent form refused';
  END IF;
  RETURN CASE WHEN (sent, written) = (current_setting('probe.sent'), current_setting('probe.written')) THEN 'ok' ELSE 'binary differs' END;
END
$$;

CREATE TEMPORARY TABLE seeds (type text, payload bytea);
INSERT INTO seeds
SELECT 'scale', crm.scale_send(v) FROM unnest(ARRAY['lead, ungraded 100000, iron > 300000, gold > 500000, platinum > 1000000',
  'a', 'a, b -1.5, c > -1.5', '"a ""b""", 客户 0.01']::crm.scale[]) AS v
UNION ALL SELECT 'resident_id', crm.resident_id_send(v) FROM unnest(ARRAY['11010519491231002X', '440524188001010014', '91112419900101001X']::crm.resident_id[]) AS v
UNION ALL SELECT 'mobile', crm.mobile_send(v) FROM unnest(ARRAY['13812345678', '17400123456', '19999999999']::crm.mobile[]) AS v
UNION ALL SELECT 'recycle_rule', crm.recycle_rule_send(v) FROM unnest(ARRAY['never', 'at most 36500 days',
  'first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days']::crm.recycle_rule[]) AS v
UNION ALL SELECT 'contact_limit', crm.contact_limit_send(v) FROM unnest('{never,unlimited,"1000000 in 36500 days","1 in 1 hour; 2 in 2 days; 3 in 30 days"}'::crm.contact_limit[]) AS v
UNION ALL SELECT 'timeline', crm.timeline_send(v) FROM unnest(ARRAY['person', 'company; 2000-02-29 -9223372036854775808 9223372036854775807 kiwhlp 32767 32767 9223372036854775807 plec',
  'person; 2020-01-01 7 1 k 0 0 0 -; 2020-03-01 7 1 kiwhlpn 1 5 30000001 pl 2 1234567; 2020-03-02 7 1 kiwhlpv 1 6 90000001 pl 3 1234567890123; 2021-03-01 7 2 kw 1 0 0 ec; 2299-12-31 8 2 kwd 3 0 0 -']::crm.timeline[]) AS v
UNION ALL SELECT 'facets', crm.facets_send(v) FROM unnest(ARRAY['', '2000-02-29 served reachable other maturity,lapse,claim,appointment -9223372036854775808,9223372036854775807',
  '2020-01-01 other other appointment - -; 2020-03-01 orphan corporate_insured partner claim 7,12,9; 2299-12-31 group_legacy sector_line referral - 12', '2020-01-01 orphan reachable other - 7 2147483647 product; 2020-01-02 orphan reachable other - 7 1; 2020-01-03 orphan reachable other - 7 product']::crm.facets[]) AS v
UNION ALL SELECT 'cells', crm.cells_send(v) FROM unnest(ARRAY['', '0/0/p/1=12 0/0/p/2=-3 0/0/c/1=7 11/5/c/-9223372036854775808=9223372036854775807',
  '3/32767/c/9223372036854775807=-9223372036854775808']::crm.cells[]) AS v
UNION ALL SELECT 'entries', crm.entries_send(v) FROM unnest(ARRAY['', '0/1/1900-01-01/0/p/-9223372036854775808=-2147483648 0/1/2020-01-31/3/p/1=2 0/1/2020-01-31/3/p/2=2 0/1/2020-01-31/3/c/1=-1',
  '9/1/2000-02-29/0/c/9223372036854775807=2147483647 38396/4800/2299-12-31/32767/p/1=1']::crm.entries[]) AS v
UNION ALL SELECT 'condition', crm.condition_send(v) FROM unnest(ARRAY['true', 'name starts with ''张'' or not (amount between -1.5 and 2 and age(birth_date) >= 60)',
  'known_from in (today - 1 year + 3 days, ''2024-02-29'') and channels not contains any (''a'', ''it''''s'') and (reachable) is not true']::crm.condition[]) AS v
UNION ALL SELECT 'bgnbd', crm.bgnbd_send(v) FROM unnest('{"r 0.243, alpha 4.414, a 0.793, b 2.426","r 1e-30, alpha 1e30, a 1, b 2, log_likelihood -9582.43, customers 9223372036854775807, not converged: too many steps"}'::crm.bgnbd[]) AS v
UNION ALL SELECT 'gamma_gamma', crm.gamma_gamma_send(v) FROM unnest('{"p 6.25, q 3.74, gamma 15.44","p 1, q 2, gamma 3, log_likelihood 1e-300, customers 1, converged"}'::crm.gamma_gamma[]) AS v
UNION ALL SELECT '_tally', crm._tally_send(v) FROM unnest('{"1 0:","2 5: 0 1 * 1, 0 1.5 * 9223372036854775000","3 0.2: -1e300 5e-324 7 * 2, 1 2 3 * 4, 1 2 4 * 1"}'::crm._tally[]) AS v
UNION ALL SELECT '_trail', crm._trail_send(v) FROM unnest('{"repeat_rate:","retention 3 2 9223372036854775807: -9223372036854775808 5, 7 -2147483648, 7 2147483647","churn 1 2: 1 1, 1 2, 9223372036854775807 3","persistency_weighted 13 9000: 1 -5 4607182418800017408, 1 7 0","funnel 5: -1 -5 1, -1 -5 100, 2 9 3"}'::crm._trail[]) AS v;
DO $$
DECLARE
  type text;
BEGIN
  FOR type IN SELECT DISTINCT s.type FROM seeds AS s LOOP
    EXECUTE format('CREATE TEMPORARY TABLE received_%1$s (v crm.%1$s)', type);
    EXECUTE format('CREATE TRIGGER note BEFORE INSERT ON received_%1$s FOR EACH ROW EXECUTE FUNCTION pg_temp.note(%1$L)', type);
  END LOOP;
END
$$;

-- forged by hand
CREATE TEMPORARY TABLE payloads (type text, kind text, payload bytea);
INSERT INTO payloads
SELECT type, kind, forged
FROM (SELECT DISTINCT ON (type) type, payload FROM seeds ORDER BY type, length(payload) DESC) AS s,
  LATERAL (VALUES ('0 sent', payload), ('1 empty', ''), ('2 first byte only', substr(payload, 1, 1)), ('3 last byte missing', substr(payload, 1, length(payload) - 1)),
    ('4 one byte more', payload || '\x00'), ('5 twice', payload || payload), ('6 zeros', decode(repeat('00', length(payload)), 'hex')), ('7 ones', decode(repeat('ff', length(payload)), 'hex')),
    ('8 1 MB zeros', decode(repeat('00', 1048576), 'hex')), ('8 1 MB ones', decode(repeat('ff', 1048576), 'hex')), ('8 sent and 1 MB', payload || decode(repeat('41', 1048576), 'hex')),
    ('9 numeric NaN', numeric_send('NaN')), ('9 numeric infinity', numeric_send('Infinity')), ('9 float8 NaN', float8send('NaN')), ('9 float8 infinity', float8send('Infinity')),
    ('9 timestamptz infinity', timestamptz_send('infinity')), ('9 timestamptz -infinity', timestamptz_send('-infinity'))) AS f (kind, forged);
INSERT INTO payloads VALUES
  ('scale', 'a no text', '\x01'), ('scale', 'a other version', '\x02' || 'a'::bytea), ('scale', 'a zero byte', '\x01610062'), ('scale', 'a not UTF-8', '\x0161ff'), ('scale', 'a cut UTF-8', '\x01e5aea2e688'),
  ('scale', 'a not canonical', '\x01' || '"a" ,b  01.0'::bytea), ('scale', 'a NaN limit', '\x01' || 'a, b NaN'::bytea), ('scale', 'a descending', '\x01' || 'a, b 2, c 1'::bytea),
  ('resident_id', 'a negative', int8send(-11010519491231002)), ('resident_id', 'a 18 digits', int8send(110105194912310020)), ('resident_id', 'a 16 digits', int8send(1010519491231002)),
  ('resident_id', 'a 30 February', int8send(11010519490230002)), ('resident_id', 'a province 16', int8send(16010519491231002)), ('resident_id', 'a int4', int4send(1101051949)), ('resident_id', 'a least', int8send(-9223372036854775808)),
  ('mobile', 'a negative', int8send(-13812345678)), ('mobile', 'a 10 digits', int8send(1381234567)), ('mobile', 'a 12 digits', int8send(138123456789)), ('mobile', 'a prefix 154', int8send(15412345678)),
  ('mobile', 'a int4', int4send(1381234567)), ('mobile', 'a least', int8send(-9223372036854775808)), ('mobile', 'a greatest', int8send(9223372036854775807)),
  ('timeline', 'a other version', '\x0200'), ('timeline', 'a rows announced but missing', '\x01ffffffffffffffff7f'), ('timeline', 'a half a million rows of nothing', '\x01c0843d' || decode(repeat('0100', 1000000), 'hex')),
  ('timeline', 'a two rows on a day', '\x010200040100040100'), ('timeline', 'a endless number', '\x01' || decode(repeat('ff', 30), 'hex')), ('timeline', 'a insured but never was', '\x0101000402'),
  ('timeline', 'a after the last day', '\x0101ffff7f0401'), ('timeline', 'a class too large', '\x010100080080808001'), ('timeline', 'a premium without policies', '\x010100840f0005'), ('timeline', 'a cut premium', '\x01010080'), ('timeline', 'a unknown state', '\x0101000480'),
  ('facets', 'a other version', '\x020000'), ('facets', 'a 65 channels', '\x0141' || decode(repeat('02', 66), 'hex')), ('facets', 'a channels descending', '\x0102020200'), ('facets', 'a unused channel', '\x01010200'),
  ('facets', 'a unknown channel', '\x010001001f0101010001'), ('facets', 'a no class', '\x0100010000'), ('facets', 'a class too large', '\x0100010007060101'),
  ('facets', 'a touchpoint too many', '\x010001000f01010110'), ('facets', 'a same row twice', '\x01000200070101010100'), ('facets', 'a two rows on a day', '\x010002000701010100070202020202'),
  ('facets', 'a rows announced but missing', '\x0100ffffffffffffffff7f'), ('facets', 'a half a million rows of nothing', '\x0100c0843d' || decode(repeat('0100', 1000000), 'hex')),
  ('facets', 'a after the last day', '\x010001ffff7f07010101'), ('facets', 'a unknown change', '\x010001004000'), ('facets', 'a orphans too many', '\x01000100270101018080808020'), ('facets', 'a cut number', '\x0180'),
  ('cells', 'a other version', '\x02'), ('cells', 'a zero value', '\x010003000200'), ('cells', 'a descending', '\x010006020202000202'), ('cells', 'a twice the same', '\x010006000202000202'),
  ('cells', 'a class too large', '\x0100058080040202'), ('cells', 'a 65 bits', '\x01000c0002ffffffffffffffffff02'), ('cells', 'a cut number', '\x010003000280'), ('cells', 'a section past the end', '\x01007f000202'),
  ('cells', 'a empty section', '\x010000'), ('cells', 'a period 200', '\x01c803000202'), ('cells', 'a periods descending', '\x0105030002020403000202'),
  ('entries', 'a other version', '\x02'), ('entries', 'a zero value', '\x01000002000200'), ('entries', 'a no periods', '\x01000000000202'), ('entries', 'a 4801 periods', '\x010000824b000202'),
  ('entries', 'a twice the same', '\x01000002000202000002000202'), ('entries', 'a class too large', '\x010000028080200202'), ('entries', 'a grain 5', '\x01050002000202'), ('entries', 'a period 4800', '\x0180ac0202000202'),
  ('entries', 'a key beyond 64 bits', '\x010900020002020affffffffffffffff7f020002'), ('entries', 'a day before 1900', '\x0100d9ba0402000202'), ('entries', 'a day that overflows', '\x0100feffffffffffffffff0102000202'),
  ('entries', 'a n of 32 bits and more', '\x0100000200028080808010'), ('entries', 'a cut number', '\x01000002000280'), ('entries', 'a balance with a period', '\x01080002000202'), ('entries', 'a longer than need be', '\x018000000200820082808000'),
  ('condition', 'a not canonical', ' AMOUNT>05.0'), ('condition', 'a zero byte', '\x747275650000'), ('condition', 'a not UTF-8', '\x6e616d65203d2027ff27'), ('condition', 'a cut UTF-8', '\x6e616d65203d2027e5bc27'),
  ('condition', 'a no column', 'nme = ''x'''), ('condition', 'a wrong kind', 'amount = ''x'''), ('condition', 'a too deep', convert_to(repeat('(', 1000000), 'UTF8')), ('condition', 'a open text', 'name = ''x'),
  ('bgnbd', 'a other version', '\x02' || substr(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 2)), ('bgnbd', 'a NaN', '\x01' || float8send('NaN') || substr(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 10)),
  ('bgnbd', 'a infinity', '\x01' || float8send('Infinity') || substr(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 10)), ('bgnbd', 'a zero', '\x01' || float8send(0) || substr(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 10)),
  ('bgnbd', 'a negative', '\x01' || float8send(-1) || substr(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 10)), ('bgnbd', 'a unknown status', set_byte(crm.bgnbd_send('r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 2, converged'), 49, 5)),
  ('bgnbd', 'a converged without customers', set_byte(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 49, 1)), ('bgnbd', 'a given with customers', set_byte(crm.bgnbd_send('r 1, alpha 2, a 3, b 4'), 48, 1)),
  ('gamma_gamma', 'a bgnbd', crm.bgnbd_send('r 1, alpha 2, a 3, b 4')), ('gamma_gamma', 'a NaN', '\x01' || float8send('NaN') || substr(crm.gamma_gamma_send('p 1, q 2, gamma 3'), 10)), ('gamma_gamma', 'a negative customers', set_byte(crm.gamma_gamma_send('p 1, q 2, gamma 3, log_likelihood 1, customers 2, converged'), 33, 255)),
  ('_tally', 'a other version', '\x0201' || float8send(0)), ('_tally', 'a no numbers', '\x0100' || float8send(0)), ('_tally', 'a four numbers', '\x0104' || float8send(0)), ('_tally', 'a parameter NaN', '\x0101' || float8send('NaN')),
  ('_tally', 'a number NaN', '\x0101' || float8send(0) || float8send('NaN') || int8send(1)), ('_tally', 'a minus zero', '\x0101' || float8send(0) || float8send('-0') || int8send(1)), ('_tally', 'a count 0', '\x0101' || float8send(0) || float8send(1) || int8send(0)),
  ('_tally', 'a negative count', '\x0101' || float8send(0) || float8send(1) || int8send(-1)), ('_tally', 'a descending', '\x0101' || float8send(0) || float8send(2) || int8send(1) || float8send(1) || int8send(1)),
  ('_tally', 'a twice the same', '\x0101' || float8send(0) || float8send(1) || int8send(1) || float8send(1) || int8send(1)), ('_tally', 'a too many', '\x0101' || float8send(0) || float8send(1) || int8send(9223372036854775807) || float8send(2) || int8send(1)),
  ('_tally', 'a half a point', '\x0101' || float8send(0) || float8send(1)),
  ('_trail', 'a other version', '\x0200'), ('_trail', 'a unknown kind', '\x0106'), ('_trail', 'a no parameters', '\x0102' || int8send(1)), ('_trail', 'a half a point', '\x0100' || int8send(1)), ('_trail', 'a descending', '\x0100' || int8send(1) || int8send(2) || int8send(1) || int8send(1)),
  ('_trail', 'a twice the same', '\x0100' || int8send(1) || int8send(2) || int8send(1) || int8send(2)), ('_trail', 'a day too large', '\x0100' || int8send(1) || int8send(2147483648)), ('_trail', 'a customers descending', '\x0100' || int8send(1) || int8send(2) || int8send(-1) || int8send(3)),
  ('_trail', 'a cover of no kind', '\x0102' || int8send(1) || int8send(2) || int8send(1) || int8send(0)), ('_trail', 'a weight NaN', '\x0104' || int8send(13) || int8send(1) || int8send(1) || int8send(1) || float8send('NaN')), ('_trail', 'a weight infinite', '\x0104' || int8send(13) || int8send(1) || int8send(1) || int8send(1) || float8send('Infinity')),
  ('_trail', 'a weight negative', '\x0104' || int8send(13) || int8send(1) || int8send(1) || int8send(1) || float8send(-1)), ('_trail', 'a step 0', '\x0105' || int8send(1) || int8send(1) || int8send(1) || int8send(0)), ('_trail', 'a step 101', '\x0105' || int8send(1) || int8send(1) || int8send(1) || int8send(101)),
  ('recycle_rule', 'a other version', '\x02' || decode(repeat('00', 20), 'hex')), ('recycle_rule', 'a negative days', '\x01ffffffff' || decode(repeat('00', 16), 'hex')),
  ('recycle_rule', 'a 36501 days', '\x0100008e95' || decode(repeat('00', 16), 'hex')), ('recycle_rule', 'a 36500 days', '\x0100008e94' || decode(repeat('00', 16), 'hex')), ('recycle_rule', 'a four clauses', '\x01' || decode(repeat('00', 16), 'hex')),
  ('contact_limit', 'a other version', '\x020000'), ('contact_limit', 'a never with a clause', '\x0101010000000100000001'), ('contact_limit', 'a unknown mark', '\x010200'),
  ('contact_limit', 'a seven clauses', '\x010007' || decode(repeat('0000000100000001', 7), 'hex')), ('contact_limit', 'a no contacts', '\x0100010000000000000001'), ('contact_limit', 'a no window', '\x0100010000000100000000'),
  ('contact_limit', 'a window too long', '\x01000100000001000d5de1'), ('contact_limit', 'a longest window', '\x01000100000001000d5de0'), ('contact_limit', 'a negative', '\x010001ffffffffffffffff'),
  ('contact_limit', 'a descending', '\x01000200000001000000020000000100000001'), ('contact_limit', 'a twice the same', '\x01000200000001000000010000000100000001'), ('contact_limit', 'a clause missing', '\x0100020000000100000001');
SELECT type, kind, pg_temp.probe(type, payload) AS outcome FROM payloads ORDER BY type COLLATE "C", kind COLLATE "C";

-- 20,000 payloads a type, always the same: random bytes; sent forms with one byte changed, cut, or followed by more; for each, what came of it and how often
CREATE TEMPORARY TABLE bytes AS SELECT i, sha512(convert_to('crm ' || i, 'UTF8')) AS b FROM generate_series(1, 20000) AS i;
CREATE TEMPORARY TABLE fuzz AS
SELECT type, i, CASE i % 5
    WHEN 0 THEN substr(b, 1, get_byte(b, 63) % 48)
    WHEN 1 THEN substr(payload, 1, get_byte(b, 1) % length(payload))
    WHEN 2 THEN payload || substr(b, 1, 1 + get_byte(b, 63) % 8)
    WHEN 3 THEN set_byte(payload, (get_byte(b, 1) * 256 + get_byte(b, 2)) % length(payload), get_byte(b, 3))
    ELSE set_byte(set_byte(payload, (get_byte(b, 1) * 256 + get_byte(b, 2)) % length(payload), get_byte(b, 3)),
                  (get_byte(b, 4) * 256 + get_byte(b, 5)) % length(payload), 32 + get_byte(b, 6) % 96) END AS payload
FROM bytes JOIN (SELECT type, payload, row_number() OVER (PARTITION BY type ORDER BY payload) - 1 AS k, count(*) OVER (PARTITION BY type) AS n FROM seeds) AS s
  ON k = (i / 5) % n;
SELECT type, count(*) AS payloads, count(DISTINCT payload) AS different FROM fuzz GROUP BY type ORDER BY type COLLATE "C";
SELECT type, outcome, count(*) FROM (SELECT type, pg_temp.probe(type, payload) AS outcome FROM fuzz) AS f GROUP BY type, outcome ORDER BY type COLLATE "C", outcome COLLATE "C";
\setenv PROBE_FILE :file
\! rm -f "$PROBE_FILE"
