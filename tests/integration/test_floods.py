"""What strangers send a lot of costs neither memory nor the others' time."""

import gzip
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.support.api import FLYMASTER
from tests.support.points import FLYMASTER_SECRET, flymaster_text
from tests.support.processes import Server
from tests.support.sites import Site

MIB = 2**20


def peak_bytes(server: Server) -> int:
    """The most memory that the server's process ever had."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def statuses(server: Server, body: bytes, count: int) -> Sequence[int]:
    """The answers to so many posts of that packed body at a time."""

    def post(_: int) -> int:
        with server.client() as client:
            return client.request("POST", FLYMASTER, body, Content_Encoding="gzip").status

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(post, range(count)))


def test_uploads_with_a_wrong_key_fill_no_memory_and_are_all_answered(site: Site) -> None:
    """32 KB each, which hold 15 MiB of rows."""
    bomb = gzip.compress(flymaster_text("4711", ("1,1,1,1,1,1,1",) * 1_100_000, key="0" * 64), 9)
    keyed = {"POINTQ_FLYMASTER__SECRET": FLYMASTER_SECRET, "POINTQ_LIMITS__FAILED_TOKENS_PER_MINUTE": "3"}
    with replace(site, extra=keyed).serve() as server:
        before = peak_bytes(server)
        answers = statuses(server, bomb, 20)

        assert set(answers) == {401, 429}
        assert answers.count(429) > 10
        assert peak_bytes(server) - before < 96 * MIB
