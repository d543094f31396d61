-- find_flights: what `flights` says of stored flights, the one with the latest fix first; each condition holds where its parameter
-- is NULL. `total` is how many there are without the limit.
SELECT
    kind, flight_uuid, flight_id, device_id, points, first_fix, last_fix, last_lat, last_lon, last_elevation,
    min_lat, min_lon, max_lat, max_lon, count(*) OVER () AS total
FROM flights
WHERE points > 0
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(since)s::timestamptz IS NULL OR last_fix >= %(since)s)
    AND (%(device)s::text IS NULL OR device_id = %(device)s)
ORDER BY last_fix DESC, kind, flight_uuid
LIMIT %(limit)s
