-- track: the points of one flight in order. The times of its row in `flights` spare all chunks but those that it was flown in.
SELECT time, lat, lon, elevation, barometric_altitude
FROM live_track_points
WHERE flight_uuid = :'flight'
    AND time >= (SELECT first_fix FROM flights WHERE kind = 'live' AND flight_uuid = :'flight')
    AND time <= (SELECT last_fix FROM flights WHERE kind = 'live' AND flight_uuid = :'flight')
ORDER BY time, lat, lon
