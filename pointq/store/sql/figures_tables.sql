-- figures_tables: bytes with indexes, and the rows that the server supposes, of those named tables that are there, in that order.
SELECT
    t.name,
    n.nspname,
    c.relname,
    coalesce((SELECT sum(pg_total_relation_size(p.relid)) FROM pg_partition_tree(c.oid) AS p), pg_total_relation_size(c.oid))::bigint,
    coalesce(
        (
            SELECT sum(nullif(l.reltuples, -1)) FROM pg_partition_tree(c.oid) AS p
            JOIN pg_class AS l ON l.oid = p.relid AND p.isleaf
        ),
        nullif(c.reltuples, -1)
    )::bigint
FROM unnest(%(names)s::text[]) WITH ORDINALITY AS t (name, place)
JOIN pg_class AS c ON c.oid = to_regclass(t.name)
JOIN pg_namespace AS n ON n.oid = c.relnamespace
ORDER BY t.place
