-- timescaledb: the extension's settings, which of the named tables are there, and the hypertables among them.
SELECT
    (SELECT coalesce(jsonb_agg(c.relname), '[]') FROM pg_class c WHERE c.oid IN (
        SELECT to_regclass(name) FROM unnest(%(names)s::text[]) AS name
    )) AS there,
    (SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE name IN (
        'timescaledb.enable_direct_compress_copy', 'timescaledb.max_tuples_decompressed_per_dml_transaction'
    )) AS settings,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', h.hypertable_name,
        'compressed', h.compression_enabled,
        'chunk_seconds', (
            SELECT extract(epoch FROM d.time_interval) FROM timescaledb_information.dimensions d
            WHERE (d.hypertable_schema, d.hypertable_name) = (h.hypertable_schema, h.hypertable_name) AND d.dimension_number = 1
        )
    ) ORDER BY h.hypertable_name), '[]')
    FROM timescaledb_information.hypertables h
    WHERE to_regclass(format('%%I.%%I', h.hypertable_schema, h.hypertable_name)) IN (
        SELECT to_regclass(name) FROM unnest(%(names)s::text[]) AS name
    )) AS hypertables,
    (SELECT coalesce(jsonb_agg(s.job_id ORDER BY s.job_id), '[]')
     FROM timescaledb_information.job_stats s WHERE s.last_run_status = 'Failed') AS failed_jobs
