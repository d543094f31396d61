-- update_flights: add what was stored to the rows of the flights, given as one row a flight by `added`. Its
-- last fix is the last by key (time, lat, lon), in whatever order batches come.
UPDATE {flights} AS f SET
    {changes}
FROM added AS a
WHERE {mine}
