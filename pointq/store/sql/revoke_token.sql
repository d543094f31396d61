-- revoke_token: revokes the token of a name; returns it, or nothing where none of that name is left to revoke.
UPDATE pointq_tokens SET revoked_at = clock_timestamp() WHERE name = %(name)s AND revoked_at IS NULL
RETURNING hash, name, scopes, device, created_at, expires_at, revoked_at;
