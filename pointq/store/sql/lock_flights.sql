-- lock_flights: make and lock the rows of a batch's flights, in the order of their UUIDs, so that two writers never wait for each
-- other in a circle. Returns what each flight's last stored fix was before.
INSERT INTO {flights} AS f ({columns})
SELECT {given}
FROM unnest(%(uuids)s::uuid[], %(ids)s::text[], %(devices)s::text[]) AS t (flight_uuid, flight_id, device_id)
ORDER BY t.flight_uuid
ON CONFLICT ({key}) DO UPDATE SET
    {changes}
RETURNING {flight_uuid}, (extract(epoch FROM {last_fix}) * 1000000)::bigint AS last_fix_us
