-- insert_points: insert the points that are not there yet, where no flights are kept; the number of rows is the command's.
INSERT INTO {table} ({columns})
SELECT {given} FROM unnest({arrays})
ON CONFLICT DO NOTHING
