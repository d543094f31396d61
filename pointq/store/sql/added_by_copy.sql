-- added_by_copy: the summary of what was copied, as NumPy made it.
WITH added AS (
    SELECT * FROM unnest(
        %(uuids)s::uuid[], %(points)s::bigint[], %(first)s::timestamptz[], %(last)s::timestamptz[],
        %(last_lat)s::float8[], %(last_lon)s::float8[], %(last_elevation)s::float8[],
        %(min_lat)s::float8[], %(min_lon)s::float8[], %(max_lat)s::float8[], %(max_lon)s::float8[]
    ) AS t (
        flight_uuid, points, first_fix, last_fix, last_lat, last_lon, last_elevation, min_lat, min_lon, max_lat, max_lon
    )
)
