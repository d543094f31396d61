-- climb: altitude in metres at the end of each minute of one flight, and the climb since the minute before in metres a second.
WITH minutes AS (
    SELECT
        date_trunc('minute', time) AS minute,
        max(time) AS at,
        (array_agg(elevation ORDER BY time DESC))[1] AS altitude
    FROM live_track_points
    WHERE flight_uuid = :'flight'
        AND time >= (SELECT first_fix FROM flights WHERE kind = 'live' AND flight_uuid = :'flight')
        AND time <= (SELECT last_fix FROM flights WHERE kind = 'live' AND flight_uuid = :'flight')
        AND elevation IS NOT NULL
    GROUP BY 1
)
SELECT
    minute,
    altitude,
    (altitude - lag(altitude) OVER earlier) / extract(epoch FROM at - lag(at) OVER earlier)::float8 AS climb
FROM minutes
WINDOW earlier AS (ORDER BY minute)
ORDER BY minute
