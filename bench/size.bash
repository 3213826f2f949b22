title 'Bytes per customer, indexes included'
sql -c 'CALL crm.rebuild()'
sql -F '  ' -c "SELECT rpad(v.name, 40), lpad(round(sum(pg_total_relation_size(c.oid)) / $customers)::text, 8)
FROM (VALUES (1, 'standings', 'standing_%'), (2, 'cells', 'kpi_cell_%'), (3, 'entries', 'kpi_entry_%'), (4, 'cover', 'cover'),
             (5, 'the book: customers, policies, events', 'customer'), (5, 'the book: customers, policies, events', 'policy'), (5, 'the book: customers, policies, events', 'policy_insured'),
             (5, 'the book: customers, policies, events', 'policy_event')) AS v (k, name, pattern)
JOIN pg_class c ON c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND c.relname LIKE v.pattern
GROUP BY v.k, v.name ORDER BY v.k"
