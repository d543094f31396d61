-- update_flights: add what was stored to the rows of the flights, given as one row a flight by `added`. Its
-- last fix is the last by key (time, lat, lon), in whatever order batches come.
UPDATE flights AS f SET
    points = f.points + a.points,
    first_fix = least(f.first_fix, a.first_fix),
    last_fix = greatest(f.last_fix, a.last_fix),
    last_lat = CASE WHEN (f.last_fix, f.last_lat, f.last_lon) >= (a.last_fix, a.last_lat, a.last_lon) THEN f.last_lat ELSE a.last_lat END,
    last_lon = CASE WHEN (f.last_fix, f.last_lat, f.last_lon) >= (a.last_fix, a.last_lat, a.last_lon) THEN f.last_lon ELSE a.last_lon END,
    last_elevation = CASE WHEN (f.last_fix, f.last_lat, f.last_lon) >= (a.last_fix, a.last_lat, a.last_lon) THEN f.last_elevation ELSE a.last_elevation END,
    min_lat = least(f.min_lat, a.min_lat),
    min_lon = least(f.min_lon, a.min_lon),
    max_lat = greatest(f.max_lat, a.max_lat),
    max_lon = greatest(f.max_lon, a.max_lon),
    updated_at = now()
FROM added AS a
WHERE f.kind = %(kind)s AND f.flight_uuid = a.flight_uuid
