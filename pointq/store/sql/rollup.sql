-- rollup: each flight's minutes, kept up to date by TimescaleDB.
CREATE MATERIALIZED VIEW {view}
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
    flight_uuid,
    {functions}.time_bucket('1 minute'::interval, time) AS minute,
    count(*) AS points,
    {functions}.last(lat, time) AS lat,
    {functions}.last(lon, time) AS lon,
    {functions}.first({altitude}, time) AS first_altitude,
    {functions}.last({altitude}, time) AS last_altitude,
    min({altitude}) AS min_altitude,
    max({altitude}) AS max_altitude
FROM {table}
GROUP BY 1, 2
WITH NO DATA
