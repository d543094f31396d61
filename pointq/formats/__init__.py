"""Files of tracks as columns of fixes: pure functions from bytes to `TrackFile` and `PointBatch`."""
