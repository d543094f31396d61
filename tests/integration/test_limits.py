"""Limits: slow clients are cut, nobody takes more than is his, and bulk points are refused first."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD, problem
from tests.support.http import Answer, Client
from tests.support.points import SCORED, flymaster_row, flymaster_text, multipart, track
from tests.support.processes import Server
from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until

IMPORT = "/tracking/import"


def limited(site: Site, **limits: Any) -> Site:
    return replace(site, extra={f"POINTQ_LIMITS__{name.upper()}": str(value) for name, value in limits.items()})


def connected(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)


def the_rest(connection: socket.socket) -> bytes:
    """What still comes until the server ends the connection, in good order or not."""
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def drip(connection: socket.socket, data: bytes) -> None:
    """Send it byte by byte, as slowly as an attacker may."""
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def head(path: str, length: int, content_type: str = "application/json") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()


def met(client: Client) -> dict[str, int]:
    found: dict[str, int] = client.get("/health").json["limits_met"]
    return found


@pytest.fixture
def hasty(site: Site) -> Iterator[Server]:
    """A server that waits for nobody."""
    times = {"header_seconds": 0.4, "body_seconds": 0.4, "answer_seconds": 0.4, "idle_seconds": 1.5}
    with limited(site, **times).serve() as server:
        yield server


def test_a_head_that_comes_byte_by_byte_is_cut(hasty: Server) -> None:
    """However steadily it comes, and also behind a request that was answered."""
    for before in (b"", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"):
        with closing(connected(hasty)) as slow:
            if before:
                slow.sendall(before)
                assert slow.recv(65_536).startswith(b"HTTP/1.1 200")
            with pytest.raises(OSError, match=r"reset|pipe"):
                drip(slow, b"GET /livez HTTP/1.1\r\nX: " + b"x" * 10_000)
    with hasty.client() as client:
        assert met(client)["header_seconds"] == 2
    assert "limits.header_seconds was met 1 times more, 1 in all, the last by 127.0.0.1" in hasty.log


def test_a_body_that_stops_is_answered_408(hasty: Server) -> None:
    form = "multipart/form-data; boundary=b"
    for path, content_type in ((LIVE, "application/json"), (IMPORT, form), (FLYMASTER, "text/plain"), (FLYMASTER, form)):
        with closing(connected(hasty)) as slow:
            slow.sendall(head(path, 99, content_type) + b"--b\r\n")
            answer = the_rest(slow)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n"), path
        assert answer.endswith(b"NOK") if path == FLYMASTER else b"the body did not arrive within 0.4 s" in answer
    assert "Traceback" not in hasty.log


def test_forms_that_do_not_come_take_nobodys_turn(site: Site) -> None:
    with limited(site, body_seconds=60).serve() as server, ExitStack() as stack, server.client() as client:
        for _ in range(8):
            stack.enter_context(closing(connected(server))).sendall(head(IMPORT, 99, "multipart/form-data; boundary=b"))
        form, content_type = multipart(b"AXXX")
        began = time.monotonic()
        assert client.request("POST", IMPORT, form, Content_Type=content_type).status == 422
        assert time.monotonic() - began < 30


def test_bulk_bodies_that_do_not_come_take_no_room_of_live_points(site: Site) -> None:
    large = 16 * 2**20
    with site.serve() as server, ExitStack() as stack:
        for _ in range(4):
            slow = stack.enter_context(closing(connected(server)))
            slow.sendall(head(UPLOAD, large, "application/json") + b" " * (large - 1))
        body = json.dumps({"flight_id": "f", "device_id": "d", "track_points": track(1)}).encode()
        with closing(connected(server)) as live:
            live.sendall(head(LIVE, len(body), "application/json") + body[:-1])
            live.sendall(body[-1:])
            assert live.recv(65_536).startswith(b"HTTP/1.1 202")
        with server.client() as client:
            until(lambda: client.request("POST", UPLOAD, b" " * 2**20).status == 429, "there is no room for uploads")


def test_a_head_without_end_is_cut(site: Site) -> None:
    with limited(site, header_seconds=60).serve() as server, closing(connected(server)) as endless:
        with suppress(OSError):
            endless.sendall(b"GET /livez HTTP/1.1\r\n" + (b"A: ".ljust(8_000, b"a") + b"\r\n") * 100)
        assert the_rest(endless) == b""


def test_what_a_whole_head_may_have(hasty: Server) -> None:
    """128 fields of 8 KB at most, which is what bounds a head that comes at once."""

    def answered(fields: bytes) -> bytes:
        with closing(connected(hasty)) as client:
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + fields + b"Connection: close\r\n\r\n")
            return the_rest(client)[9:12]

    assert answered(b"A: ".ljust(8_000, b"a") + b"\r\n") == b"200"
    assert answered(b"A: ".ljust(9_000, b"a") + b"\r\n") == b"400"
    assert answered(b"A: a\r\n" * 126) == b"200"
    assert answered(b"A: a\r\n" * 127) == b"400"


def test_who_reads_no_answer_is_not_read_and_then_cut(hasty: Server) -> None:
    ask = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    with closing(connected(hasty)) as deaf, pytest.raises(OSError, match=r"reset|pipe"):
        deaf.sendall(ask * 1000)
    with hasty.client() as client:
        assert met(client)["answer_seconds"] == 1


def test_an_idle_connection_ends_in_good_order(hasty: Server) -> None:
    with closing(connected(hasty)) as idle, closing(connected(hasty)) as kept:
        kept.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65_536).startswith(b"HTTP/1.1 200")
        # within the patience of the sockets; without the limit of the test it would be 75 s
        assert (the_rest(idle), the_rest(kept)) == (b"", b"")


@pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_address"])
def test_connections_beyond_the_bound_are_closed_at_once(site: Site, limit: str) -> None:
    with limited(site, **{limit: 4}).serve() as server, ExitStack() as stack:
        held = [stack.enter_context(server.client()) for _ in range(4)]
        assert [client.get("/livez").status for client in held] == [200] * 4
        for _ in range(5):
            with closing(connected(server)) as refused:
                assert the_rest(refused) == b""
        assert met(held[0])[limit] == 5
        assert server.log.count(f"limits.{limit} was met") == 1
        held[-1].close()
        until(lambda: let_in(server), "whose place is free gets it")


def let_in(server: Server) -> bool:
    with closing(connected(server)) as connection:
        try:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        except OSError:
            return False
        return the_rest(connection).startswith(b"HTTP/1.1 200")


def live(client: Client, points: int = 1, /, **headers: str) -> Answer:
    return client.post(LIVE, {"flight_id": "f", "track_points": track(points)}, **headers)


def test_requests_of_one_address_are_bounded_whichever_server_they_come_to(site: Site) -> None:
    """Ten a second, and ten at once: two processes share the account through Redis."""
    few = limited(site, address_requests_per_second=10, burst_seconds=1)
    with few.serve("--processes", "2") as server, ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(8)]
        began = time.monotonic()
        answers = [live(client) for _ in range(50) for client in clients]
        while time.monotonic() - began < 3:
            answers += [live(client) for client in clients]
        seconds = time.monotonic() - began
        refused = [answer for answer in answers if answer.status == 429]
        accepted = len(answers) - len(refused)
        # a burst and 0.25 s of each process's own before they hear of each other, paid back in the long run
        assert 10 * seconds * 0.5 < accepted < 10 + 10 * seconds + 15
        assert "more requests came from this address than the 10 a second" in problem(refused[0], 429)["detail"]
        assert int(refused[0].headers["retry-after"]) >= 1


def test_points_of_one_address_are_bounded_good_or_bad(site: Site) -> None:
    with limited(site, address_points_per_second=1).serve() as server, server.client() as client:
        assert live(client, 50).status == 202
        assert "more points came from this address" in problem(live(client), 429)["detail"]
        upload = client.request("POST", FLYMASTER, flymaster_text("7", (flymaster_row(0),)))
        assert (upload.status, upload.text) == (429, "NOK")
        assert int(upload.headers["retry-after"]) > 30
        assert client.get("/livez").status == 200


def test_a_token_has_an_account_of_its_own(site: Site) -> None:
    secrets = {name: site.run("token", "create", "--name", name, "--scope", "live").stdout.strip() for name in ("anna", "ben")}
    few = limited(site, token_requests_per_second=0.1)
    few = replace(few, extra={**few.extra, "POINTQ_AUTH__TRACKING": "token", "POINTQ_LIMITS__FAILED_TOKENS_PER_MINUTE": "3"})
    with few.serve() as server, server.client() as client:
        shown = {name: {"Authorization": f"Bearer {secret}"} for name, secret in secrets.items()}
        assert [live(client, **shown["anna"]).status for _ in range(3)] == [202, 429, 429]
        assert live(client, **shown["ben"]).status == 202
        # and wrong ones are bounded, while good ones open the door
        assert [live(client, Authorization=f"Bearer pq_{i}").status for i in range(6)] == [401] * 3 + [429] * 3
        assert live(client, **shown["ben"]).status == 429
        assert "limits.token_requests_per_second was met" in server.log


def test_bulk_points_are_refused_before_live_ones(site: Site) -> None:
    with limited(site, max_queue_points="100:2000").serve() as server, server.client() as client:
        form, content_type = multipart(b"AXXX")

        def bulk() -> list[int]:
            return [
                client.post(UPLOAD, {"flight_id": "f", "track_points": track(1)}).status,
                client.post(SCORING, {"flight_id": "f", "tracks": [SCORED]}).status,
                client.request("POST", IMPORT, form, Content_Type=content_type).status,
                client.request("POST", FLYMASTER, flymaster_text("7", (flymaster_row(0),))).status,
            ]

        assert live(client, 150).status == 202
        until(lambda: bulk() == [429] * 4, "they are refused")
        assert live(client, 2000).status == 202
        until(lambda: live(client).status == 429, "live points are, too")
        answer = live(client)
        assert "more than 2,000 points wait already" in problem(answer, 429)["detail"]
        assert answer.headers["retry-after"] == "10"
        assert client.get("/readyz").status == 200
        site.drain()
        until(lambda: live(client).status == 202, "they are taken again")
        assert server.log.count("points are refused until workers have stored some") == 2
