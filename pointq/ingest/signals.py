"""What the signals mean to a server."""

import asyncio
import signal
import ssl

from pointq.ingest.tls import TlsFiles
from pointq.supervision.superior import Superior


def heed_stop(until: asyncio.Event) -> None:
    """SIGTERM and SIGINT set `until`; a Ctrl-C after that cancels this task."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def interrupt() -> None:
        if until.is_set() and task is not None:
            task.cancel()
        until.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    # never at once: a service manager may send it to a server and to its parent, which passes it on
    loop.add_signal_handler(signal.SIGTERM, until.set)


def heed_reload(files: TlsFiles | None, context: ssl.SSLContext | None, superior: Superior, url: str) -> None:
    """SIGHUP reads the certificate again; without one it ends a server, unless a service manager may send it."""
    if files is None and not superior.listens:
        return

    def reload() -> None:
        superior.reloading(f"{url}: reading the certificate again")
        if files is not None and context is not None:
            files.reload(context)
        superior.ready(f"{url}: goes on")

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


def forget_signals() -> None:
    """They mean to the process what they always do."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)
