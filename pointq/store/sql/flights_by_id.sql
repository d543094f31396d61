-- flights_by_id: the flights that a sender calls so are found without reading all flights.
CREATE INDEX ON flights (flight_id)
