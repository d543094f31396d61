"""A command in a real pseudo-terminal: its keyboard, its size, and what a person sees on its screen."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.until import PATIENCE_SECONDS, until

# the terminal becomes the one whose Ctrl-C and changes of size the command hears of
START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[=>78]|([^\x1b])", re.DOTALL)
_CHUNK = 65_536


class Screen:
    """What a terminal shows of what was written to it: the sequences that pointq and Rich write, and no others."""

    def __init__(self, columns: int, lines: int) -> None:
        self.modes: set[str] = {"?25"}
        """Those that are on, such as ``?1049`` (the alternate screen) and ``?25`` (a cursor)."""
        self.styled: set[str] = set()
        """Parameters of the colours and styles that were asked for, such as ``2`` (dim) and ``31`` (red)."""
        self._rest = ""
        self.resize(columns, lines)

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self._cells)

    def resize(self, columns: int, lines: int) -> None:
        self._columns, self._lines = columns, lines
        self._clear()

    def feed(self, text: str) -> None:
        text = self._rest + text
        at = 0
        while found := _SEQUENCE.match(text, at):
            at = found.end()
            if found[3] is not None:
                self._character(found[3])
            elif found[2] is not None:
                self._control(found[1], found[2])
        self._rest = text[at:]

    def _clear(self) -> None:
        self._cells = [[" "] * self._columns for _ in range(self._lines)]
        self._row = self._column = 0

    def _character(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        elif character >= " ":
            if self._column >= self._columns:
                self._column = 0
                self._down()
            self._cells[self._row][self._column] = character
            self._column += 1

    def _down(self) -> None:
        if self._row < self._lines - 1:
            self._row += 1
        else:
            self._cells = [*self._cells[1:], [" "] * self._columns]

    def _control(self, parameters: str, final: str) -> None:
        match final, parameters:
            case "h", mode:
                self.modes.add(mode)
                if mode == "?1049":
                    self._clear()
            case "l", mode:
                self.modes.discard(mode)
                if mode == "?1049":
                    self._clear()
            case "H", "":
                self._row = self._column = 0
            case "J", "2":
                self._cells = [[" "] * self._columns for _ in range(self._lines)]
            case "J", "":
                self._erase_line()
                self._cells[self._row + 1 :] = [[" "] * self._columns for _ in self._cells[self._row + 1 :]]
            case "K", "":
                self._erase_line()
            case "m", _:
                self.styled.update(parameters.split(";"))
            case _:
                raise AssertionError(f"the terminal of the tests does not know {parameters}{final}")

    def _erase_line(self) -> None:
        self._cells[self._row][self._column :] = [" "] * (self._columns - self._column)


class Terminal:
    """Runs `pointq` with those arguments; the `with` block ends it, whatever it does."""

    def __init__(
        self,
        *arguments: str,
        environ: Mapping[str, str],
        folder: Path,
        size: tuple[int, int] = (80, 24),
        program: Sequence[str] = (sys.executable, "-m", "pointq"),
    ) -> None:
        self.screen = Screen(*size)
        self._ours, theirs = pty.openpty()
        self._set_size(size)
        self.modes_before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            (sys.executable, "-c", START, *program, *arguments),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm-256color", **environ},
            cwd=folder,
            start_new_session=True,
        )
        self._theirs = theirs
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        os.close(self._theirs)
        self._reader.join(PATIENCE_SECONDS)
        os.close(self._ours)

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return self.screen.text

    def shows(self, *texts: str, within: float = PATIENCE_SECONDS) -> str:
        """Wait until all of these are on the screen."""
        until(lambda: all(text in self.text for text in texts) or not self._sees(), f"the screen shows {texts}", within=within)
        assert all(text in self.text for text in texts), self.text
        return self.text

    def _sees(self) -> bool:
        """Whether the command still runs, for otherwise waiting is in vain."""
        return self.process.poll() is None

    def press(self, keys: str) -> None:
        """Type; ``\\x03`` is Ctrl-C, ``\\x1a`` is Ctrl-Z."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Drag the window's corner; the kernel tells the command."""
        self.screen.resize(columns, lines)
        self._set_size((columns, lines))

    def ended(self) -> int:
        """Wait for the end: the exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def terminal_modes(self) -> list[Any]:
        """Echo, line mode and so on, to compare with `modes_before`."""
        return termios.tcgetattr(self._theirs)

    def _set_size(self, size: tuple[int, int]) -> None:
        columns, lines = size
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, _CHUNK)
            except OSError:  # nobody holds the other end any more
                return
            self.screen.feed(data.decode(errors="replace"))
