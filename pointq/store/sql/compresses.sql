-- compresses: one row where that table is a hypertable whose chunks are, or may be, compressed.
SELECT FROM timescaledb_information.hypertables
WHERE compression_enabled AND format('%%I.%%I', hypertable_schema, hypertable_name)::regclass = to_regclass(%s)
