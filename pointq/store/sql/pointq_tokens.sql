-- pointq_tokens: who may do what at the doors of `pointq serve`. Of a token there is its SHA-256 only. Rows are never deleted and a
-- revocation is never taken back, so that the counts of both say whether anything changed: see tokens_version. The name has pointq in
-- it since a database that other programs share may well have a table "tokens".
CREATE TABLE pointq_tokens (
    hash bytea PRIMARY KEY,
    name text NOT NULL,
    scopes text[] NOT NULL,
    device text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
-- a name may be given again once its token is revoked
CREATE UNIQUE INDEX ON pointq_tokens (name) WHERE revoked_at IS NULL;
