-- enter_import: put a file into the ledger, or anew where it was read again.
INSERT INTO imports AS i (
    content, options, file, format, kind, logger, device, flight_ids, flight_uuids, flight_points, records, points, rejected, duplicates,
    first_fix, last_fix, highest, length_km, pointq_version
)
VALUES (
    %(content)s, %(options)s, %(file)s, %(format)s, %(kind)s, %(logger)s, %(device)s, %(flight_ids)s::text[], %(flight_uuids)s::uuid[],
    %(flight_points)s::bigint[], %(records)s, %(points)s, %(rejected)s, %(duplicates)s, %(first_fix)s, %(last_fix)s, %(highest)s,
    %(length_km)s, %(pointq_version)s
)
ON CONFLICT (content, options) DO UPDATE SET
    file = excluded.file,
    format = excluded.format,
    kind = excluded.kind,
    logger = excluded.logger,
    device = excluded.device,
    flight_ids = excluded.flight_ids,
    flight_uuids = excluded.flight_uuids,
    flight_points = excluded.flight_points,
    records = excluded.records,
    points = excluded.points,
    rejected = excluded.rejected,
    duplicates = excluded.duplicates,
    first_fix = excluded.first_fix,
    last_fix = excluded.last_fix,
    highest = excluded.highest,
    length_km = excluded.length_km,
    pointq_version = excluded.pointq_version,
    imported_at = now()
