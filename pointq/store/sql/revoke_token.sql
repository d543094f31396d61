-- revoke_token: revokes the token of a name; returns it as every_token does, or nothing where none of that name is left to revoke.
UPDATE pointq_tokens SET revoked_at = clock_timestamp() WHERE name = %(name)s AND revoked_at IS NULL
RETURNING hash, name, array(SELECT scope FROM unnest(scopes) AS scope WHERE scope IS NOT NULL) AS scopes,
          device, created_at, expires_at, revoked_at;
