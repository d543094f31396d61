-- flights: one row a flight, kept by the writers in the transaction that stores the points.
CREATE TABLE IF NOT EXISTS flights (
    kind text NOT NULL,
    flight_uuid uuid NOT NULL,
    flight_id text,
    device_id text,
    points bigint NOT NULL DEFAULT 0,
    first_fix timestamptz,
    last_fix timestamptz,
    last_lat float8,
    last_lon float8,
    last_elevation float8,
    min_lat float8,
    min_lon float8,
    max_lat float8,
    max_lon float8,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, flight_uuid)
-- every batch updates its flights' rows: room on the page keeps those updates off the indexes (HOT)
) WITH (fillfactor = 70);
