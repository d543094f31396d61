"""A terminal that one picture after the other is drawn on, and that is as it was before when all is over."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.text import Text

from pointq.errors import ExitCode

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
"""The alternate screen, no cursor."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_BEGIN = "\x1b[?2026h\x1b[H"
_END = "\x1b[J\x1b[?2026l"
"""Terminals that know 2026 show all that is between at once."""
_END_OF_LINE = "\x1b[K"
_QUIT = b"qQ"

_FALLBACK = os.terminal_size((80, 24))


class Fullscreen(AbstractContextManager["Fullscreen"]):
    """Draws what `picture` returns for a size; q ends it, and Ctrl-C, and the terminal's going away.

    Ctrl-Z gives the terminal back until the process goes on. To be used inside an event loop.
    """

    def __init__(self, console: Console, picture: Callable[[os.terminal_size], Sequence[Text]]) -> None:
        self._console = console
        self._picture = picture
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[ExitCode] = self._loop.create_future()
        self._keys = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._before: list[int | list[bytes | int]] | None = None

    def __enter__(self) -> Self:
        self._take()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._loop.add_signal_handler(number, self._end, ExitCode.INTERRUPTED)
        self._loop.add_signal_handler(signal.SIGWINCH, self.draw)
        self._loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        if self._keys is not None:
            self._loop.add_reader(self._keys, self._read_keys, self._keys)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        if self._keys is not None:
            self._loop.remove_reader(self._keys)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGTSTP):
            self._loop.remove_signal_handler(number)
        # a terminal that went away needs nothing
        with suppress(OSError, termios.error):
            self._give_back()

    async def ended(self) -> ExitCode:
        """Wait until somebody ends it: the exit code."""
        return await asyncio.shield(self._ended)

    def draw(self) -> None:
        """Draw the picture anew, in the size that the terminal now has."""
        try:
            size = os.get_terminal_size(self._console.file.fileno())
        except OSError:
            size = _FALLBACK
        size = size if all(size) else _FALLBACK
        lines = list(self._picture(size))[: size.lines]
        with self._console.capture() as captured:
            self._console.print(Group(*lines), no_wrap=True, overflow="crop", crop=False, end="", width=size.columns)
        text = captured.get().rstrip("\n").replace("\n", f"{_END_OF_LINE}\r\n")
        self._write(f"{_BEGIN}{text}{_END_OF_LINE}{_END}")

    def _take(self) -> None:
        if self._keys is not None:
            self._before = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys, termios.TCSANOW)
        self._write(_ENTER)

    def _give_back(self) -> None:
        self._write(_LEAVE)
        if self._keys is not None and self._before is not None:
            termios.tcsetattr(self._keys, termios.TCSANOW, self._before)

    def _suspend(self) -> None:
        self._give_back()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGTSTP)
        # here it goes on
        self._loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        self._take()
        self.draw()

    def _read_keys(self, keys: int) -> None:
        try:
            typed = os.read(keys, 1024)
        except OSError:
            typed = b""
        if not typed:
            self._end(ExitCode.INTERRUPTED)
        elif set(typed) & set(_QUIT):
            self._end(ExitCode.OK)

    def _end(self, code: ExitCode) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
