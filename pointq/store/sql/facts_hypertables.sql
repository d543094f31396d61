-- facts_hypertables: those of the tables (schemas and names) that are hypertables, with chunk interval, columnstore and policies.
SELECT
    h.hypertable_name AS name,
    d.time_interval AS chunk,
    h.compression_enabled AS columnstore,
    (
        SELECT max((j.config ->> 'compress_after')::interval) FROM timescaledb_information.jobs AS j
        WHERE (j.hypertable_schema, j.hypertable_name, j.proc_name) = (h.hypertable_schema, h.hypertable_name, 'policy_compression')
    ) AS compress_after,
    (
        SELECT max((j.config ->> 'drop_after')::interval) FROM timescaledb_information.jobs AS j
        WHERE (j.hypertable_schema, j.hypertable_name, j.proc_name) = (h.hypertable_schema, h.hypertable_name, 'policy_retention')
    ) AS drop_after,
    (
        SELECT jsonb_object_agg(v.view_name, extract(epoch FROM (j.config ->> 'start_offset')::interval))
        FROM timescaledb_information.continuous_aggregates AS v
        -- the job names the view, in older versions the hypertable behind it
        LEFT JOIN timescaledb_information.jobs AS j ON j.proc_name = 'policy_refresh_continuous_aggregate'
            AND (j.hypertable_schema, j.hypertable_name) IN (
                (v.view_schema, v.view_name), (v.materialization_hypertable_schema, v.materialization_hypertable_name)
            )
        WHERE (v.hypertable_schema, v.hypertable_name) = (h.hypertable_schema, h.hypertable_name)
    ) AS rollups
FROM timescaledb_information.hypertables AS h
JOIN unnest(%(schemas)s::text[], %(names)s::text[]) AS t (schema, name)
    ON (h.hypertable_schema, h.hypertable_name) = (t.schema, t.name)
JOIN timescaledb_information.dimensions AS d
    ON (d.hypertable_schema, d.hypertable_name, d.dimension_number) = (h.hypertable_schema, h.hypertable_name, 1)
