-- facts_tables: those of the given names that are there, with their columns and the unique indexes that a conflict can use.
SELECT
    name,
    n.nspname AS schema,
    c.relkind::text AS relkind,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> ''
        ) ORDER BY a.attnum), '[]')
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS columns,
    (
        SELECT coalesce(jsonb_agg((
            SELECT jsonb_agg(a.attname ORDER BY k.place)
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
            WHERE k.place <= i.indnkeyatts
        )), '[]')
        FROM pg_index AS i
        WHERE
            i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL
    ) AS unique_keys,
    (
        SELECT coalesce(jsonb_agg(i.indexrelid::regclass::text ORDER BY i.indexrelid), '[]')
        FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indimmediate
    ) AS deferrable
FROM unnest(%(names)s::text[]) AS name
JOIN pg_class AS c ON c.oid = to_regclass(name)
JOIN pg_namespace AS n ON n.oid = c.relnamespace
