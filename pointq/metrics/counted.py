"""The figures that this process counts. What a process never does it does not tell: each has those of its own work."""

from pointq.metrics import families
from pointq.metrics.figures import Count, Spread
from pointq.points.kinds import KINDS

VIAS = ("queue", "database", "spool")
SHAPE = "shape"
"""Reason of a point that was refused for it is no object."""
RECORD = "record"
"""Reason of a record of a file that was refused."""
FRAME = "frame"
"""Reason of points that are dead letters since their batch cannot be decoded."""

ACCEPTED = Count(families.ACCEPTED, *((kind, via) for kind in KINDS for via in VIAS))
REJECTED = Count(families.REJECTED, *((kind, reason) for kind in KINDS for reason in (SHAPE, RECORD, "lat", "lon")))
STORED = Count(families.STORED, *((kind,) for kind in KINDS))
DUPLICATE = Count(families.DUPLICATE, *((kind,) for kind in KINDS))
DEAD = Count(families.DEAD, *((kind, FRAME) for kind in KINDS))
REQUEST = Spread(families.REQUEST)
ENQUEUE = Spread(families.ENQUEUE)
STORE = Spread(families.STORE)
STORE_BATCH = Spread(families.STORE_BATCH)

SERVING = (ACCEPTED, REJECTED, STORED, DUPLICATE, REQUEST, ENQUEUE, STORE, STORE_BATCH)
WORKING = (STORED, DUPLICATE, DEAD, STORE, STORE_BATCH)
