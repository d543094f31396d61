-- schema_versions: which steps the tables have gone through, the last of them what they are now.
CREATE TABLE IF NOT EXISTS pointq_schema (
    version integer PRIMARY KEY,
    reached_at timestamptz NOT NULL DEFAULT now()
)
