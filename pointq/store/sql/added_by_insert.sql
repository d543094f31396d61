-- added_by_insert: insert the points that are not there yet, and the summary of those that were not.
WITH stored AS (
    INSERT INTO {table} ({columns})
    SELECT {given} FROM unnest({arrays})
    ON CONFLICT DO NOTHING
    -- a user's columns may have other types than pointq's
    RETURNING
        {flight_uuid}::uuid AS flight_uuid,
        {time}::timestamptz AS time,
        {lat}::float8 AS lat,
        {lon}::float8 AS lon,
        {altitude}::float8 AS altitude
),
added AS (
    SELECT
        flight_uuid,
        count(*) AS points,
        min(time) AS first_fix,
        max(time) AS last_fix,
        -- of several points at one time the same as in the COPY's summary: the last by key
        (array_agg(lat ORDER BY time DESC, lat DESC, lon DESC))[1] AS last_lat,
        (array_agg(lon ORDER BY time DESC, lat DESC, lon DESC))[1] AS last_lon,
        (array_agg(altitude ORDER BY time DESC, lat DESC, lon DESC))[1] AS last_elevation,
        min(lat) AS min_lat,
        min(lon) AS min_lon,
        max(lat) AS max_lat,
        max(lon) AS max_lon
    FROM stored
    GROUP BY flight_uuid
)
