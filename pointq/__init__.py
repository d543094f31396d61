"""pointq: an operations toolkit and a daemon for high-volume GPS points."""
