"""Which shard a point goes to: all points of a flight to the same, so that they are stored in one lane."""

from collections.abc import Iterator

import numpy as np

from pointq.points.batch import PointBatch
from pointq.points.flights import Flight


def shard_of(flight: Flight, shards: int) -> int:
    """The shard of that flight."""
    return flight.uuid.int % shards


def by_shard(batch: PointBatch, shards: int) -> Iterator[tuple[int, PointBatch]]:
    """The batch's points by shard, shards without any left out."""
    if shards == 1:
        yield 0, batch
        return
    shard = np.array([shard_of(flight, shards) for flight in batch.flights], np.int64)[batch.flight]
    for number in np.unique(shard).tolist():
        yield number, batch.only(shard == number)
