"""What a process is to do that another one starts, and what it says back.

A job goes over as one line of JSON on the child's standard input, so that no password is in its arguments or environment. The
child's standard output is for its words, one line of JSON each; what it logs goes to the standard error that both share.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from pointq import errors
from pointq.errors import PointqError
from pointq.logs import LogFormat


@dataclass(frozen=True, slots=True)
class LogStyle:
    """How a child logs: as its parent does."""

    level: str
    format: LogFormat
    no_color: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A module that is run with ``python -m`` and calls `child.main`, and the plan for it, in values of JSON."""

    module: str
    what: str
    """What such a process is called in messages: "worker"."""
    plan: Mapping[str, Any] = field(repr=False)
    log: LogStyle
    ends: bool = False
    """It ends by itself, with exit code 0, when all is done."""
    fds: tuple[int, ...] = ()
    """Descriptors that it inherits, under the same numbers."""

    def to_json(self) -> bytes:
        """One line that the child reads."""
        return orjson.dumps({"log": asdict(self.log), "plan": self.plan}, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class Ready:
    """The child does what it was started for."""

    def to_json(self) -> bytes:
        """One line that `word` understands."""
        return orjson.dumps({"ready": True}, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class Failure:
    """The child ends, for this reason, which is not its own: another would end too."""

    error: PointqError

    def to_json(self) -> bytes:
        """One line that `word` understands."""
        error = {"type": type(self.error).__name__, "message": self.error.message, "hint": self.error.hint}
        return orjson.dumps({"error": error}, option=orjson.OPT_APPEND_NEWLINE)


def word(line: bytes) -> Ready | Failure:
    """What a child said."""
    said = orjson.loads(line)
    if "error" not in said:
        return Ready()
    kind = getattr(errors, said["error"]["type"])
    return Failure(kind(said["error"]["message"], hint=said["error"]["hint"]))
