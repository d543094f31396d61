"""The Lua scripts, one atomic step each. Every script's file says what it takes and returns."""

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

_SHARED = {
    "enqueue": ("tick", "totals"),
    "complete": ("tick", "totals", "entry", "retain"),
    "heard": ("totals",),
    "replay": ("tick", "entry"),
}
"""What each script shares with others."""


@cache
def source(name: str) -> str:
    """The text of the script of that name, with what it shares with others put in behind its first line."""
    folder = files("pointq.queue") / "lua"
    shebang, body = (folder / f"{name}.lua").read_text("utf8").split("\n", 1)
    shared = [(folder / f"{part}.lua").read_text("utf8") for part in _SHARED.get(name, ())]
    return "".join([f"{shebang}\n", *shared, body])


@cache
def sha(name: str) -> str:
    """What the server calls that script."""
    return sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def script(redis: "Redis", name: str) -> "AsyncScript":
    """Return the script of that name, to be awaited with keys and arguments; it loads itself where the server lost it."""
    return redis.register_script(source(name))
