-- figures_hypertable: of one hypertable the bytes, the rows (of compressed chunks those that were compressed, of others what the server
-- supposes), its chunks, and what compressing did to those that are compressed. No row where the table is none.
SELECT
    {functions}.hypertable_size(t.relation)::bigint,
    c.rows,
    extract(epoch FROM d.time_interval)::float8,
    c.chunks,
    c.compressed,
    s.before,
    s.after
FROM timescaledb_information.hypertables AS h
JOIN timescaledb_information.dimensions AS d
    ON (d.hypertable_schema, d.hypertable_name, d.dimension_number) = (h.hypertable_schema, h.hypertable_name, 1)
CROSS JOIN LATERAL (SELECT format('%%I.%%I', h.hypertable_schema, h.hypertable_name)::regclass AS relation) AS t
CROSS JOIN LATERAL (
    SELECT
        count(*) AS chunks,
        count(*) FILTER (WHERE k.is_compressed) AS compressed,
        -- approximate_row_count() says 0 of a chunk between its compression and the next ANALYZE
        sum(CASE WHEN k.is_compressed THEN z.numrows_pre_compression ELSE nullif(p.reltuples, -1) END)::bigint AS rows
    FROM timescaledb_information.chunks AS k
    JOIN pg_class AS p ON p.oid = format('%%I.%%I', k.chunk_schema, k.chunk_name)::regclass
    LEFT JOIN _timescaledb_catalog.chunk AS i ON (i.schema_name, i.table_name) = (k.chunk_schema, k.chunk_name)
    LEFT JOIN _timescaledb_catalog.compression_chunk_size AS z ON z.chunk_id = i.id
    WHERE (k.hypertable_schema, k.hypertable_name) = (h.hypertable_schema, h.hypertable_name)
) AS c
CROSS JOIN LATERAL (
    SELECT sum(before_compression_total_bytes)::bigint AS before, sum(after_compression_total_bytes)::bigint AS after
    FROM {functions}.hypertable_compression_stats(t.relation)
) AS s
WHERE (h.hypertable_schema, h.hypertable_name) = (%(schema)s, %(name)s)
