-- enter_token: a new token.
INSERT INTO pointq_tokens (hash, name, scopes, device, created_at, expires_at, revoked_at)
VALUES (%(hash)s, %(name)s, %(scopes)s, %(device)s, %(created_at)s, %(expires_at)s, %(revoked_at)s);
