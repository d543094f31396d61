-- facts_extensions: TimescaleDB and PostGIS, where this database has them, and the license of the first.
SELECT extname, extversion, nspname, current_setting('timescaledb.license', true)
FROM pg_extension
JOIN pg_namespace AS n ON n.oid = extnamespace
WHERE extname IN ('timescaledb', 'postgis')
