-- keys_of: times in microseconds and places of the points of some flights, in a span of time.
SELECT (extract(epoch FROM {time}) * 1000000)::bigint, {lat}::float8, {lon}::float8
FROM {table}
WHERE {flight} = ANY(%s) AND {time} BETWEEN %s AND %s
