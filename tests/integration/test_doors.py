"""Doors: what a token opens, how it is shown, and what becomes of it when it is revoked or the backends are away."""

import base64
import json
import re
import socket
import stat
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import jwt
import psycopg
import pytest

from tests.support.api import FLYMASTER, LIVE, SCORING, UPLOAD, problem
from tests.support.http import Answer, Client
from tests.support.points import SCORED, flymaster_row, flymaster_text, multipart, track
from tests.support.processes import Server
from tests.support.sites import Site
from tests.support.until import until

IMPORT = "/tracking/import"
CLOSED = {f"POINTQ_AUTH__{group}": "token" for group in ("TRACKING", "SCORING", "IMPORT", "STATUS")}
ROUND_SECONDS = 5.0
"""What a revocation may take."""


@pytest.fixture
def closed(site: Site) -> Site:
    """A pointq that asks for a token everywhere."""
    return replace(site, extra=CLOSED)


def token(site: Site, scope: str, *more: str, name: str = "anna") -> str:
    return site.run("token", "create", "--name", name, "--scope", scope, *more).stdout.strip()


def live(client: Client, path: str = LIVE, /, device: str = "7", **headers: str) -> Answer:
    return client.post(path, {"flight_id": "f", "device_id": device, "track_points": track(1)}, **headers)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_is_shown_once_and_only_its_hash_is_kept(site: Site) -> None:
    done = site.run("token", "create", "--name", "anna", "--scope", "live,upload", "--device", "7", "--expires", "90d")
    secret = done.stdout.strip()
    assert re.fullmatch(r"pq_[A-Za-z0-9_-]{43}", secret)
    assert "keep it now" in done.stderr

    (row,) = site.rows("SELECT * FROM pointq_tokens")
    assert len(row["hash"]) == 32
    assert secret not in repr(row)
    (listed,) = site.report("token", "list")["tokens"]
    assert (listed["name"], listed["state"], listed["scopes"], listed["device"]) == ("anna", "active", ["live", "upload"], "7")
    assert row["hash"].hex() not in json.dumps(listed)
    assert site.run("token", "list").stdout.splitlines()[1].split()[:4] == ["anna", "active", "live,upload", "7"]


def test_a_name_is_for_one_token_until_that_is_revoked(site: Site) -> None:
    token(site, "live")
    assert (
        "there is a token named anna already"
        in site.run("token", "create", "--name", "anna", "--scope", "live", expect=1).stderr
    )
    assert site.report("token", "revoke", "anna")["state"] == "revoked"
    assert "there is no token named anna to revoke" in site.run("token", "revoke", "anna", expect=1).stderr
    token(site, "live")
    assert [each["state"] for each in site.report("token", "list")["tokens"]] == ["revoked", "active"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--name", "a b", "--scope", "live"), "a token cannot be named 'a b'"),
        (("--name", "a", "--scope", "root"), "there is no scope 'root'"),
        (("--name", "a", "--scope", ","), "a token needs a scope"),
        (("--name", "a", "--scope", "live", "--expires", "soon"), "--expires is a span, a date or a time"),
        (("--name", "a", "--scope", "live", "--expires", "2020-01-01"), "--expires is in the past"),
        (("--name", "a", "--scope", "live", "--device", ""), "a device id is a text of 1 to 255 bytes"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_before_anything_is_asked(
    site: Site, arguments: tuple[str, ...], message: str
) -> None:
    nowhere = replace(site, database_url="postgresql:///none?host=/nonexistent")
    assert message in nowhere.run("token", "create", *arguments, expect=2).stderr


def test_every_way_to_show_a_token_opens_the_door(closed: Site) -> None:
    secret = token(closed, "live")
    basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
    with closed.serve() as server, server.client() as client:
        assert live(client, **bearer(secret)).status == 202
        assert live(client, Authorization=f"bearer  {secret}").status == 202
        assert live(client, Authorization=f"Basic {basic}").status == 202
        assert live(client, X_API_Key=secret).status == 202
        assert live(client, f"{LIVE}?{urlencode({'token': secret})}").status == 202
        for shown in ({}, bearer(""), {"Authorization": "Basic %"}, {"Authorization": f"Digest {secret}"}):
            answer = live(client, **shown)
            assert "a token is needed here" in problem(answer, 401)["detail"]
            assert answer.headers["www-authenticate"] == 'Bearer realm="pointq", Basic realm="pointq", charset="UTF-8"'
        for wrong in (secret[:-1], f"{secret}A", secret.swapcase(), "pq_", "pq_\u00e9", "x" * 4000, "a.b.c"):
            answer = live(client, **bearer(wrong.encode().decode("latin1")))
            assert problem(answer, 401)["title"] == "Unauthorized"
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
            assert wrong not in answer.json["detail"].split()


def test_each_door_has_its_scope(closed: Site) -> None:
    """Every request with every token: in with the one of its scope, and with no other."""
    form, content_type = multipart(b"AXXX")
    upload = flymaster_text("7", (flymaster_row(0),))
    secrets = {
        scope: token(closed, scope, name=scope) for scope in ("live", "upload", "scoring", "flymaster", "import", "view")
    }
    with closed.serve() as server, server.client() as client:
        for scope, secret in secrets.items():
            let_in = {
                "live": live(client, **bearer(secret)).status,
                "upload": live(client, UPLOAD, **bearer(secret)).status,
                "scoring": client.post(SCORING, {"flight_id": "f", "tracks": [SCORED]}, **bearer(secret)).status,
                "flymaster": client.request("POST", FLYMASTER, upload, **bearer(secret)).status,
                "import": client.request("POST", IMPORT, form, Content_Type=content_type, **bearer(secret)).status,
                "view": client.request("GET", "/queue/status", None, **bearer(secret)).status,
            }
            assert client.request("GET", "/health", None, **bearer(secret)).status == (200 if scope == "view" else 403)
            assert {each for each, status in let_in.items() if status == 403} == set(secrets) - {scope}
            assert let_in[scope] == {"flymaster": 200, "view": 200, "import": 422}.get(scope, 202)
        answer = live(client, UPLOAD, **bearer(secrets["live"]))
        assert problem(answer, 403)["detail"] == "the token lacks the scope upload"
        assert answer.headers["www-authenticate"] == 'Bearer realm="pointq", error="insufficient_scope", scope="upload"'
        assert [client.get(path).status for path in ("/livez", "/readyz", "/health", "/queue/status")] == [200, 200, 401, 401]


def test_an_instrument_is_told_nok(closed: Site) -> None:
    upload = flymaster_text("7", (flymaster_row(0),))
    secret = token(closed, "flymaster", "--device", "7")
    with closed.serve() as server, server.client() as client:
        answer = client.request("POST", FLYMASTER, upload)
        assert (answer.status, answer.text, answer.media_type) == (401, "NOK", "text/plain")
        assert client.request("POST", FLYMASTER, upload, **bearer(secret)).text == "OK"
        other = client.request("POST", FLYMASTER, flymaster_text("8", (flymaster_row(0),)), **bearer(secret))
        assert (other.status, other.text) == (403, "NOK")


def test_an_instruments_own_key_needs_no_token_beside_it(closed: Site) -> None:
    signed = replace(closed, extra={**CLOSED, "POINTQ_FLYMASTER__SECRET": "pointq-test-secret"})
    with signed.serve() as server, server.client() as client:
        assert client.request("POST", FLYMASTER, flymaster_text("7", (flymaster_row(0),))).text == "OK"
        forged = client.request("POST", FLYMASTER, flymaster_text("7", (flymaster_row(0),), key="0" * 64))
        assert (forged.status, forged.text) == (401, "NOK")


def test_a_token_of_one_device_is_for_its_points(closed: Site) -> None:
    secret = token(closed, "live,upload,import", "--device", "7")
    with closed.serve() as server, server.client() as client:
        assert live(client, **bearer(secret)).status == 202
        assert "another device" in problem(live(client, device="8", **bearer(secret)), 403)["detail"]
        nameless = client.post(LIVE, {"track_points": track(1)}, **bearer(secret))
        assert nameless.json["flight_id"] == "7:2025-06-01"
        # not as usual: a field that pointq does not know
        odd = {"flight_id": "f", "device_id": "8", "track_points": track(1), "battery": 9}
        assert problem(client.post(UPLOAD, odd, **bearer(secret)), 403)
        form, content_type = multipart(b"AXXX")
        form = b'--frontier\r\nContent-Disposition: form-data; name="device_id"\r\n\r\n8\r\n' + form
        assert problem(client.request("POST", IMPORT, form, Content_Type=content_type, **bearer(secret)), 403)


def test_a_token_that_has_expired_opens_nothing(closed: Site) -> None:
    secret = token(closed, "live", "--expires", "1h")
    with psycopg.connect(closed.database_url) as connection:
        connection.execute("UPDATE pointq_tokens SET expires_at = now() + interval '3 s', created_at = now()")
    with closed.serve() as server, server.client() as client:
        until(lambda: live(client, **bearer(secret)).status == 401, "it expires")
        assert problem(live(client, **bearer(secret)), 401)["detail"] == "the token has expired"
    assert closed.report("token", "list")["tokens"][0]["state"] == "expired"


def test_a_revocation_reaches_every_process_in_time_and_a_new_token_too(closed: Site) -> None:
    secret = token(closed, "live")
    with closed.serve("--processes", "2") as server, ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(16)]
        assert {live(client, **bearer(secret)).status for client in clients} == {202}
        closed.run("token", "revoke", "anna")
        revoked = time.monotonic()
        until(
            lambda: {live(client, **bearer(secret)).status for client in clients} == {401},
            "all refuse it",
            within=ROUND_SECONDS,
        )
        assert time.monotonic() - revoked < ROUND_SECONDS
        fresh = token(closed, "live")
        until(
            lambda: {live(client, **bearer(fresh)).status for client in clients} == {202}, "all take it", within=ROUND_SECONDS
        )


def statuses(clients: list[Client], secret: str) -> set[int]:
    return {live(client, **bearer(secret)).status for client in clients}


class Switch:
    """The two backends behind links that can be cut; the addresses stay as they are."""

    def __init__(self, site: Site, folder: Path) -> None:
        redis_socket = site.redis_url.removeprefix("unix://")
        host = re.search(r"host=([^&]+)", site.database_url)
        assert host
        self._links = {folder / "redis": redis_socket, folder / "database": host[1]}
        self._url = site.database_url
        self.site = replace(
            site,
            redis_url=f"unix://{folder / 'redis'}",
            database_url=site.database_url.replace(host[1], str(folder / "database")),
        )
        self.on()

    def on(self) -> None:
        for link, target in self._links.items():
            link.symlink_to(target)

    def off(self) -> None:
        """Cut what is connected, too."""
        for link in self._links:
            link.unlink()
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def switch(closed: Site, tmp_path: Path) -> Switch:
    folder = tmp_path / "links"
    folder.mkdir()
    return Switch(closed, folder)


def test_known_tokens_open_doors_while_redis_and_the_database_are_down(switch: Switch) -> None:
    secret = token(switch.site, "live")
    book = switch.site.home / "data" / "tokens.json"
    with switch.site.serve() as server, server.client() as client:
        assert live(client, **bearer(secret)).status == 202
        assert stat.S_IMODE(book.stat().st_mode) == 0o600
        assert secret not in book.read_text()
        switch.off()
        until(lambda: "which tokens there are cannot be asked" in server.log, "the server sees that the database is away")
        assert live(client, **bearer(secret)).status == 202
        assert live(client, **bearer(f"{secret}A")).status == 401
    with switch.site.serve() as server, server.client() as client:
        answer = live(client, **bearer(secret))
        assert (answer.status, answer.json["via"]) == (202, "spool")
        assert live(client, **bearer(f"{secret}A")).status == 401
        switch.on()
        until(lambda: "the tokens are those of the database again" in server.log, "the database is back")
        switch.site.run("token", "revoke", "anna")
        until(lambda: live(client, **bearer(secret)).status == 401, "it is revoked", within=ROUND_SECONDS)
    assert secret not in book.read_text()
    assert '"tokens":[]' in book.read_text()


@pytest.mark.parametrize("spoiled", ["gone", "garbage", "of another database", "writable by all"])
def test_a_server_that_knows_no_token_says_that_it_cannot_tell(switch: Switch, spoiled: str) -> None:
    secret = token(switch.site, "live")
    book = switch.site.home / "data" / "tokens.json"
    with switch.site.serve():
        until(book.exists, "the book is on disk")
    switch.off()
    match spoiled:
        case "gone":
            book.unlink()
        case "garbage":
            book.write_bytes(b"\x00")
        case "of another database":
            book.write_text(book.read_text().replace("/test_", "/other_"))
        case _:
            book.chmod(0o666)
    with switch.site.serve() as server, server.client() as client:
        answer = live(client, **bearer(secret))
        assert "tokens cannot be checked now" in problem(answer, 503)["detail"]
        assert answer.headers["retry-after"] == "5"
        upload = client.request("POST", FLYMASTER, b"7", **bearer(secret))
        assert (upload.status, upload.text) == (503, "NOK")
        assert ("cannot be used" in server.log) == (spoiled in {"garbage", "writable by all"})


def test_a_database_that_hangs_shuts_no_door_that_was_open(closed: Site) -> None:
    secret = token(closed, "live")
    with closed.serve() as server, server.client() as client:
        assert live(client, **bearer(secret)).status == 202
        with psycopg.connect(closed.database_url) as connection:
            connection.execute("LOCK TABLE pointq_tokens IN ACCESS EXCLUSIVE MODE")
            until(lambda: "which tokens there are cannot be asked: no answer within 2 s" in server.log, "the server notices")
            assert live(client, **bearer(secret)).status == 202
        until(lambda: "the tokens are those of the database again" in server.log, "it asks anew")
        closed.run("token", "revoke", "anna")
        until(lambda: live(client, **bearer(secret)).status == 401, "it is revoked", within=ROUND_SECONDS)


def test_without_the_table_the_log_says_what_makes_it(closed: Site) -> None:
    with psycopg.connect(closed.database_url) as connection:
        connection.execute("DROP TABLE pointq_tokens")
    assert "`pointq db init` makes it" in closed.run("token", "list", expect=3).stderr
    with closed.serve() as server, server.client() as client:
        assert "the table pointq_tokens is missing" in server.log
        assert live(client, **bearer("pq_x")).status == 503
        closed.run("db", "init")
        secret = token(closed, "live")
        until(lambda: live(client, **bearer(secret)).status == 202, "the token is known", within=ROUND_SECONDS)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_no_secret_reaches_the_log(closed: Site, level: str) -> None:
    """However the request is wrong, and also where aiohttp itself refuses it."""
    secret = token(closed, "live")
    loud = replace(closed, extra={**CLOSED, "POINTQ_LOG__LEVEL": level, "POINTQ_AUTH__JWT_SECRET": "k" * 40})
    with loud.serve() as server, server.client() as client:
        query = urlencode({"token": secret})
        for path in (f"{LIVE}?{query}", f"/nowhere?{query}", f"{SCORING}?{query}", f"{FLYMASTER}?{query}"):
            assert secret not in live(client, path).text
        client.request("DELETE", f"{LIVE}?{query}")
        client.request("POST", f"{LIVE}?{query}", b"{", **bearer(secret))
        for raw in (
            f"POST {LIVE}?{query} HTTP/9.9.9\r\n\r\n",
            f"POST {LIVE}?{query} HTTP/1.1\r\nbad header {secret}\r\n\r\n",
            f"POST {LIVE}?{query} HTTP/1.1\r\nContent-Length: {secret}\r\n\r\n",
            f"P\x01ST {LIVE}?{query} HTTP/1.1\r\n\r\n",
            f"POST {LIVE}?{query}{'x' * 10_000} HTTP/1.1\r\n\r\n",
            f"POST {LIVE}?{query} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ{secret}\r\n",
        ):
            raw_request(server, raw.encode())
        assert live(client, **bearer(secret)).status == 202
        arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert secret not in server.log
        assert "k" * 40 not in server.log
        assert b"k" * 40 not in arguments
    assert secret not in server.log


def raw_request(server: Server, data: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def test_who_knocks_again_and_again_does_not_fill_the_log(closed: Site) -> None:
    believing = replace(closed, extra={**CLOSED, "POINTQ_SERVE__TRUSTED_PROXIES": "127.0.0.0/8"})
    with believing.serve() as server, server.client() as client:
        for _ in range(200):
            live(client, X_Forwarded_For="6.6.6.6, 203.0.113.9")
        assert server.log.count("were refused for their token") <= 2
        assert "the last from 203.0.113.9 to /tracking/live: a token is needed here" in server.log


def test_x_forwarded_for_of_a_stranger_is_not_believed(closed: Site) -> None:
    with closed.serve() as server, server.client() as client:
        live(client, X_Forwarded_For="203.0.113.9")
        assert "the last from 127.0.0.1 to /tracking/live" in server.log


def test_listening_beyond_loopback_needs_doors_or_the_word_insecure(site: Site) -> None:
    done = site.run("serve", "--port", "0", "--no-worker", "--host", "0.0.0.0", expect=2)  # noqa: S104
    assert "listening on 0.0.0.0 would let everybody in, without a token: tracking, scoring, import, status" in done.stderr
    assert "--insecure" in done.stderr
    with site.serve("--host", "0.0.0.0", "--insecure") as server:  # noqa: S104
        assert "everybody who reaches 0.0.0.0 is let in, without a token: tracking, scoring, import, status" in server.log
    with replace(site, extra=CLOSED).serve("--host", "0.0.0.0") as server, server.client() as client:  # noqa: S104
        assert "tokens come to 0.0.0.0 in the clear" in server.log
        assert live(client).status == 401
    half = replace(site, extra=CLOSED | {"POINTQ_AUTH__STATUS": "none"})
    assert "without a token: status" in half.run("serve", "--port", "0", "--host", "::", expect=2).stderr


def test_import_to_a_server_elsewhere_shows_its_token(closed: Site, samples: Path) -> None:
    secret = token(closed, "import")
    track_file = str(next(iter(sorted((samples / "igc").rglob("*.igc")))))
    with closed.serve() as server:
        refused = closed.run("import", track_file, "--url", server.url, expect=3)
        assert "give what lets you in with --token or POINTQ_TOKEN" in refused.stderr
        named = replace(closed, extra={**CLOSED, "POINTQ_TOKEN": f"{secret}\r\n"})
        assert named.report("import", track_file, "--url", server.url)["totals"]["fixes"] > 0


def test_a_rehearsal_shows_its_token(closed: Site) -> None:
    short = ("simulate", "--pilots", "3", "--kind", "live", "--duration", "1min", "--speed", "60")
    named = replace(closed, extra={**CLOSED, "POINTQ_TOKEN": f"{token(closed, 'live')}\r\n"})
    with closed.serve() as server:
        points = named.report(*short, "--url", server.url)["points"]
        assert (points["accepted"], points["refused"]) == (points["sent"], 0)
        assert points["accepted"] > 0
        shut_out = closed.report(*short, "--url", server.url, expect=5)
        assert shut_out["requests"]["by_status"] == {"401": shut_out["requests"]["total"]}


def test_tokens_of_the_replaced_system_open_the_door(closed: Site) -> None:
    key = "the-shared-secret-of-the-replaced-system"
    extra = {**CLOSED, "POINTQ_AUTH__JWT_SECRET": key, "POINTQ_AUTH__JWT_CLAIMS": "pilot_id,race_id=42"}
    claims = {"pilot_id": 7, "race_id": 42, "exp": int(time.time()) + 3600}
    with replace(closed, extra=extra).serve("--processes", "2") as server, server.client() as client:
        good = jwt.encode(claims, key, algorithm="HS256")
        for _ in range(3):
            assert live(client, f"{LIVE}?{urlencode({'token': good})}").status == 202
        assert problem(live(client, UPLOAD, **bearer(good)), 403)
        wrong = {
            "pilot_id": jwt.encode({**claims, "race_id": 43}, key, algorithm="HS256"),
            "missing": jwt.encode({"race_id": 42, "exp": claims["exp"]}, key, algorithm="HS256"),
            "expired": jwt.encode({**claims, "exp": int(time.time()) - 60}, key, algorithm="HS256"),
            "forged": jwt.encode(claims, key[::-1], algorithm="HS256"),
        }
        for why, shown in wrong.items():
            assert live(client, **bearer(shown)).status == 401, why
        assert key not in server.log


def test_a_key_that_cannot_be_used_ends_the_server_at_once(closed: Site, tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text('{"keys": [{"kty": "oct", "alg": "HS512", "k": "c2VjcmV0"}]}')
    broken = replace(closed, extra={**CLOSED, "POINTQ_AUTH__JWT_KEYS": str(keys)})
    for count in ("1", "2"):
        done = broken.run("serve", "--port", "0", "--no-worker", "--processes", count, expect=2)
        assert "has a key that cannot be used" in done.stderr
        assert "c2VjcmV0" not in done.stderr
