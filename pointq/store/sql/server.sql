-- server: what decides whether the database keeps what it commits, and whether writers get on with it.
SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS version_number,
    current_user::text AS username,
    pg_is_in_recovery() AS standby,
    current_setting('server_encoding') AS encoding,
    -- pg_stat_activity hides others' sessions from a user without rights
    (SELECT sum(numbackends) FROM pg_stat_database)::int AS connections,
    (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_limit,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_limit,
    pg_backend_pid() AS pid,
    -- in the unit that SHOW would hide: milliseconds, connections
    (SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE name IN (
        'default_transaction_read_only', 'fsync', 'full_page_writes', 'idle_in_transaction_session_timeout',
        'idle_session_timeout', 'max_connections', 'statement_timeout', 'superuser_reserved_connections', 'synchronous_commit',
        'transaction_timeout'
    )) AS settings
