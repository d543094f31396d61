-- imports: the ledger of files that were imported. A row says which points a file had; whether they are stored is for `flights` to
-- say, which counts them in the transaction that stores them: see known_imports. flight_ids are the first of them, flight_uuids all.
CREATE TABLE IF NOT EXISTS imports (
    content bytea NOT NULL,
    options text NOT NULL,
    file text NOT NULL,
    format text NOT NULL,
    kind text NOT NULL,
    logger text,
    device text,
    flight_ids text[] NOT NULL,
    flight_uuids uuid[] NOT NULL,
    flight_points bigint[] NOT NULL,
    records bigint NOT NULL,
    points bigint NOT NULL,
    rejected bigint NOT NULL,
    duplicates bigint NOT NULL,
    first_fix timestamptz NOT NULL,
    last_fix timestamptz NOT NULL,
    highest float8,
    length_km float8,
    pointq_version text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (content, options)
);
