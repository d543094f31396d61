-- last_fixes: where every pilot was last, who sent anything in the last twelve hours. Reads `flights` alone: a row a flight, which the
-- workers keep in the transaction of the points.
SELECT DISTINCT ON (pilot)
    coalesce(device_id, flight_id, flight_uuid::text) AS pilot,
    flight_uuid,
    last_fix,
    last_lat,
    last_lon,
    last_elevation
FROM flights
WHERE kind = 'live' AND last_fix >= now() - interval '12 hours'
ORDER BY pilot, last_fix DESC
