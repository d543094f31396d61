"""The parts of a frame: integers, scales, columns, flights. `pointq.points.frame` puts them together."""
