-- tokens_version: a text that is another one after each change. Tokens and revocations only become more; the times tell apart what
-- somebody did by hand.
SELECT concat_ws('/', count(*), count(revoked_at), max(created_at), max(revoked_at)) FROM pointq_tokens;
