"""A server's door that a test can shut, or hold so that nothing comes through."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Proxy:
    """Stands between clients and a Unix socket."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    async def open(self) -> None:
        """Let clients in."""
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def shut(self) -> None:
        """Cut every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        self.path.unlink(missing_ok=True)
        lines = tuple(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def hold(self) -> None:
        """Let nothing through, as a host that has frozen: connections stay, new ones are taken, no answer comes."""
        self._flows.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        back: asyncio.StreamWriter | None = None
        try:
            there, back = await asyncio.open_unix_connection(self._target)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except asyncio.CancelledError:
            return  # asyncio would log it
        finally:
            self._lines.discard(task)
            for line in (writer, back):
                if line is not None:
                    line.close()
                    with suppress(OSError):
                        await line.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def proxy(target: Path) -> AsyncIterator[Proxy]:
    """An open door to that socket, on a socket of the same name in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="pq-proxy-"))
    door = Proxy(folder / target.name, target)
    await door.open()
    try:
        yield door
    finally:
        await door.shut()
        shutil.rmtree(folder)
