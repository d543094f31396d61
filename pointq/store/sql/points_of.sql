-- points_of: the points of a flight in order, as the documented query `track` reads them: by the index, and from the chunks of its days.
SELECT {columns}
FROM {table}
WHERE {flight_uuid} = %s AND {time} >= %s AND {time} <= %s
ORDER BY {time}, {lat}, {lon}
