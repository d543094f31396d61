-- figures_policies: what TimescaleDB does to one hypertable, or to its continuous aggregates, by itself, and how the last run went.
SELECT
    CASE j.proc_name
        WHEN 'policy_compression' THEN 'compress'
        WHEN 'policy_retention' THEN 'drop'
        WHEN 'policy_refresh_continuous_aggregate' THEN 'refresh'
        ELSE j.proc_name
    END,
    coalesce(v.view_name, j.hypertable_name),
    extract(epoch FROM coalesce(j.config ->> 'compress_after', j.config ->> 'drop_after')::interval)::float8,
    extract(epoch FROM j.schedule_interval)::float8,
    -- of a job that never ran it is -infinity
    CASE WHEN isfinite(s.last_run_started_at) THEN s.last_run_started_at END,
    s.last_run_status,
    s.total_failures
FROM timescaledb_information.jobs AS j
LEFT JOIN timescaledb_information.job_stats AS s ON s.job_id = j.job_id
LEFT JOIN timescaledb_information.continuous_aggregates AS v
    ON (j.hypertable_schema, j.hypertable_name) IN (
        (v.materialization_hypertable_schema, v.materialization_hypertable_name), (v.view_schema, v.view_name)
    )
WHERE (coalesce(v.hypertable_schema, j.hypertable_schema), coalesce(v.hypertable_name, j.hypertable_name)) = (%(schema)s, %(name)s)
ORDER BY j.job_id
