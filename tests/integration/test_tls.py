"""HTTPS by certificate files, renewed while the server runs."""

import datetime as dt
import os
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.sites import Site
from tests.support.until import PATIENCE_SECONDS, until


class Files:
    """A certificate for 127.0.0.1 and its key, made anew at will."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"

    def renew(self, *, password: bytes | None = None) -> int:
        """Write both; the serial number of the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pointq")])
        now = dt.datetime.now(dt.UTC)
        serial = x509.random_serial_number()
        builder = x509.CertificateBuilder(name, name, key.public_key(), serial, now - dt.timedelta(1), now + dt.timedelta(1))
        alternatives = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        self.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, form))
        return serial

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--tls-certificate", str(self.certificate), "--tls-key", str(self.key))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def serial_at(port: int) -> int:
    """The serial number of the certificate that a new connection is shown."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_a_handshake_that_has_begun_is_finished_and_answered_at_a_stop(site: Site, files: Files) -> None:
    files.renew()
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    with site.serve(*files.arguments, trusted=files.certificate) as server:
        host, port = server.url.removeprefix("https://").split(":")
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as plain:
            server.process.send_signal(signal.SIGTERM)
            until(lambda: "stopping: " in server.log, "it stops")
            with trusting.wrap_socket(plain, server_hostname=host) as shown:
                shown.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                assert shown.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("count", [1, 2])
def test_a_certificate_is_served_and_renewed_by_sighup(site: Site, files: Files, count: int) -> None:
    first = files.renew()
    arguments = (*files.arguments, "--processes", str(count))
    with site.serve(*arguments, trusted=files.certificate) as server, ExitStack() as stack:
        port = int(server.url.rpartition(":")[2])
        assert server.url.startswith("https://127.0.0.1:")
        client = stack.enter_context(server.client())
        assert client.get("/livez").status == 200
        assert {serial_at(port) for _ in range(8)} == {first}

        files.key.write_text("no key")
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: server.log.count("the certificate stays as it was") == count, "a damaged key changes nothing")
        assert {serial_at(port) for _ in range(8)} == {first}

        second = files.renew()
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: server.log.count("was read again") == count, "the files are read again")
        assert {serial_at(port) for _ in range(8)} == {second}
        assert client.get("/livez").status == 200, "an open connection goes on"


def _missing(files: Files) -> None:
    files.renew()
    files.key.unlink()


def _of_another(files: Files) -> None:
    files.renew()
    kept = files.certificate.read_bytes()
    files.renew()
    files.certificate.write_bytes(kept)


def _encrypted(files: Files) -> None:
    files.renew(password=b"hidden")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_missing, "cannot be read: No such file"), (_of_another, "cannot be used: "), (_encrypted, "is encrypted")],
)
def test_files_that_cannot_be_used_are_one_error(
    site: Site, files: Files, spoil: Callable[[Files], None], message: str
) -> None:
    spoil(files)
    for count in ("1", "2"):
        done = site.run("serve", "--port", "0", "--no-worker", *files.arguments, "--processes", count, expect=2)
        assert message in done.stderr


def test_a_key_alone_is_a_mistake(site: Site, files: Files) -> None:
    done = site.run("serve", "--port", "0", "--tls-key", str(files.key), expect=2)
    assert "serve.tls_key is set and serve.tls_certificate is not" in done.stderr
