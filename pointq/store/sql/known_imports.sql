-- known_imports: of the files asked for, those in the ledger whose points are all stored: each of their flights has at least as many.
SELECT
    i.content, i.options, i.file, i.format, i.kind, i.logger, i.device, i.flight_ids, i.flight_uuids, i.flight_points, i.records, i.points,
    i.rejected, i.duplicates, i.first_fix, i.last_fix, i.highest, i.length_km
FROM unnest(%(contents)s::bytea[], %(options)s::text[]) AS asked (content, options)
JOIN imports AS i USING (content, options)
WHERE NOT EXISTS (
    SELECT FROM unnest(i.flight_uuids, i.flight_points) AS own (flight_uuid, points)
    LEFT JOIN flights AS f ON f.kind = i.kind AND f.flight_uuid = own.flight_uuid
    WHERE coalesce(f.points, 0) < own.points
)
