-- table_facts: what the catalog says of one table: its kind, whether policies filter its rows, its columns, its unique indexes.
SELECT
    c.relkind::text,
    row_security_active(c.oid),
    (
        SELECT json_agg(json_build_array(
            a.attname, t.typname, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, -1), a.atttypmod, NOT a.attnotnull,
            a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a'
        ) ORDER BY a.attnum)
        FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ),
    (
        SELECT json_agg(json_build_array(
            i.indexrelid::regclass::text,
            ARRAY(
                -- the columns behind INCLUDE are no part of the key
                SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
                WHERE k.place <= i.indnkeyatts ORDER BY k.place
            ),
            i.indisvalid AND i.indpred IS NULL, i.indimmediate, i.indnullsnotdistinct
        ) ORDER BY i.indexrelid)
        FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisunique
    )
FROM pg_class AS c
WHERE c.oid = to_regclass(%s)
