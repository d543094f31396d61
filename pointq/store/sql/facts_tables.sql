-- facts_tables: those of the given names that are there, with their columns, the columns of their indexes,
-- and of those the unique ones that a conflict can use.
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
    coalesce(x.indexes, '[]') AS indexes,
    coalesce(x.unique_keys, '[]') AS unique_keys,
    (
        SELECT coalesce(jsonb_agg(i.indexrelid::regclass::text ORDER BY i.indexrelid), '[]')
        FROM pg_index AS i
        WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indimmediate
    ) AS deferrable
FROM unnest(%(names)s::text[]) AS name
JOIN pg_class AS c ON c.oid = to_regclass(name)
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT jsonb_agg(o.columns) AS indexes, jsonb_agg(o.columns) FILTER (WHERE i.indisunique AND i.indimmediate) AS unique_keys
    FROM pg_index AS i
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(a.attname ORDER BY k.place) AS columns
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE k.place <= i.indnkeyatts
    ) AS o
    WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
) AS x
