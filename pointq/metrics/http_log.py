"""What aiohttp logs of connections, without what strangers put there.

Of a request that is no HTTP, or whose body did not come in time, aiohttp logs a traceback with the bytes in it: a token of a
query, and as many lines as anybody cares to send. The client is told what is wrong; the log has no use for it.
"""

import logging
from functools import cache

from aiohttp.http_exceptions import HttpProcessingError


@cache
def http_log(name: str, *theirs: type[Exception]) -> logging.Logger:
    """The logger of that name for aiohttp's server, without errors of `theirs`: what clients do, as what is no HTTP."""

    def is_ours(record: logging.LogRecord) -> bool:
        exc = record.exc_info[1] if record.exc_info else None
        return not isinstance(exc, (HttpProcessingError, *theirs))

    log = logging.getLogger(name)
    log.addFilter(is_ours)
    return log
