-- figures_days: the points of each kind by day, in UTC, for the flights that ended within the last seven days; as `flights` has them.
SELECT kind, to_char(last_fix AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, sum(points)::bigint
FROM flights
WHERE last_fix >= now() - interval '7 days' AND last_fix <= now() + interval '1 day'
GROUP BY 1, 2
ORDER BY 1, 2
