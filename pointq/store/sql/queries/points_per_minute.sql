-- points_per_minute: how many points of each kind were taken in each minute of a span of time, by the clock of whoever took them.
SELECT kind, date_trunc('minute', time) AS minute, count(*) AS points
FROM (
    SELECT 'live' AS kind, time FROM live_track_points WHERE time >= :'since' AND time < :'until'
    UNION ALL
    SELECT 'upload', time FROM uploaded_track_points WHERE time >= :'since' AND time < :'until'
    UNION ALL
    SELECT 'scoring', time FROM scoring_track_points WHERE time >= :'since' AND time < :'until'
    UNION ALL
    SELECT 'flymaster', time FROM flymaster_track_points WHERE time >= :'since' AND time < :'until'
) AS fixes
GROUP BY 1, 2
ORDER BY 2, 1
