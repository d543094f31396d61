-- flights_called: the flights that an id means, which is a flight's own id or its UUID; one in each of several kinds, perhaps.
SELECT
    kind, flight_uuid, flight_id, device_id, points, first_fix, last_fix, last_lat, last_lon, last_elevation,
    min_lat, min_lon, max_lat, max_lon, count(*) OVER () AS total
FROM flights
WHERE (flight_id = %(id)s OR flight_uuid = %(uuid)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY kind, flight_uuid
