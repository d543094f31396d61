-- catalog: what the database's catalog says of the tables of those names, one row a table that this session finds by its name;
-- everything as JSON. The catalog is asked by to_jsonb where a column of it is newer than the oldest server that may answer.
SELECT jsonb_build_object(
    'name', wanted.name,
    'schema', c.relnamespace::regnamespace::text,
    'kind', c.relkind,
    'unlogged', c.relpersistence = 'u',
    'row_security', row_security_active(c.oid),
    'rights', (
        SELECT coalesce(jsonb_agg(r ORDER BY r), '[]')
        FROM unnest(ARRAY['INSERT', 'SELECT', 'UPDATE']) AS r WHERE has_table_privilege(c.oid, r)
    ),
    'columns', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'required', a.attnotnull,
            'filled', a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '',
            'generated', a.attgenerated <> '' OR a.attidentity = 'a'
        ) ORDER BY a.attnum), '[]')
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ),
    'indexes', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', i.indexrelid::regclass::text,
            'columns', (
                SELECT coalesce(jsonb_agg(a.attname ORDER BY k.place), '[]')
                FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts
            ),
            'unique', i.indisunique,
            'primary', i.indisprimary,
            'whole', i.indpred IS NULL AND i.indexprs IS NULL,
            'valid', i.indisvalid,
            'immediate', i.indimmediate,
            'nulls_equal', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
        ) ORDER BY i.indexrelid), '[]')
        FROM pg_index i WHERE i.indrelid = c.oid
    ),
    'triggers', (
        SELECT coalesce(jsonb_agg(t.tgname ORDER BY t.tgname), '[]')
        -- TimescaleDB's own begin with ts_
        FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname NOT LIKE 'ts\_%%'
    ),
    'rules', (SELECT coalesce(jsonb_agg(r.rulename ORDER BY r.rulename), '[]') FROM pg_rewrite r WHERE r.ev_class = c.oid),
    'constraints', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid))
                                  ORDER BY k.conname), '[]')
        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'x')
    )
)
FROM unnest(%(names)s::text[]) AS wanted (name)
JOIN pg_class c ON c.oid = to_regclass(wanted.name)
