"""What aiohttp logs of connections, without what strangers put there.

Of a request that is no HTTP, or whose body did not come in time, aiohttp logs a traceback with the bytes in it: a token of a
query, and as many lines as anybody cares to send. The client is told what is wrong; the log has no use for it.
"""

import logging

from aiohttp.http_exceptions import HttpProcessingError

from pointq.ingest.problems import Problem


def http_log() -> logging.Logger:
    """The logger for aiohttp's server."""
    log = logging.getLogger("pointq.ingest.http")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record is about this server, not about what a client sent."""
    exc = record.exc_info[1] if record.exc_info else None
    return not isinstance(exc, HttpProcessingError | Problem)
