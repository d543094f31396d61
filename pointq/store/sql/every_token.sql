-- every_token: all tokens that there ever were. What somebody put among the scopes by hand must not hide the other rows: a NULL is no
-- scope, and lists of lists are one list.
SELECT hash, name, array(SELECT scope FROM unnest(scopes) AS scope WHERE scope IS NOT NULL) AS scopes,
       device, created_at, expires_at, revoked_at
FROM pointq_tokens ORDER BY created_at, name;
