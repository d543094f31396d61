"""A cursor over bytes that may be cut or changed."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointq.errors import FrameError


@dataclass(slots=True)
class Reader:
    """Reads from the front; running out of bytes is a `FrameError`."""

    data: bytes
    place: int = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.place + size
        if end > len(self.data):
            raise FrameError(f"the frame is cut: {size} bytes expected at {self.place}, {len(self.data) - self.place} are left")
        taken = self.data[self.place : end]
        self.place = end
        return taken

    def array(self, size: int) -> NDArray[np.uint8]:
        """The next `size` bytes as an array."""
        return np.frombuffer(self.take(size), np.uint8)

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def numbers(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next integers of that layout."""
        return layout.unpack(self.take(layout.size))

    def end(self) -> None:
        """Refuse whatever is left."""
        if self.place != len(self.data):
            raise FrameError(f"the frame goes on where it should end: {len(self.data) - self.place} bytes too many")
