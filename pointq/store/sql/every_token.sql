-- every_token: all tokens that there ever were.
SELECT hash, name, scopes, device, created_at, expires_at, revoked_at FROM pointq_tokens ORDER BY created_at, name;
