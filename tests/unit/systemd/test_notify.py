"""Words to a service manager, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointq.systemd.notify import NOBODY, Manager


@pytest.fixture(params=["path", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "n") if request.param == "path" else f"\0pointq-test-{os.getpid()}")
        listener.settimeout(5)
        yield listener


def environ(listener: socket.socket, **more: str) -> dict[str, str]:
    name = listener.getsockname()
    address = f"@{name[1:].decode()}" if isinstance(name, bytes) else name
    return {"NOTIFY_SOCKET": address, **more}


def test_each_word_is_one_datagram(heard: socket.socket) -> None:
    manager = Manager.take(environ(heard, WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid())))
    assert manager.listens
    assert manager.watch_seconds == 30
    manager.ready("up\nREADY=1\x1b")
    manager.alive("well")
    manager.stopping("ending", 12.5)
    assert heard.recv(4096) == b"READY=1\nSTATUS=up READY=1"
    assert heard.recv(4096) == b"WATCHDOG=1\nSTATUS=well"
    assert heard.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000\nSTATUS=ending"


def test_a_reload_says_when_it_began(heard: socket.socket) -> None:
    Manager(environ(heard)["NOTIFY_SOCKET"], clock=lambda: 1.5).reloading("again")
    assert heard.recv(4096) == b"RELOADING=1\nMONOTONIC_USEC=1500000\nSTATUS=again"


def test_the_watchdog_of_another_process_is_not_fed(heard: socket.socket) -> None:
    manager = Manager.take(environ(heard, WATCHDOG_USEC="30000000", WATCHDOG_PID="1"))
    assert manager.watch_seconds is None
    manager.alive("well")
    assert heard.recv(4096) == b"STATUS=well"


def test_no_child_speaks_for_this_process() -> None:
    variables = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    Manager.take(variables).ready("nobody is there")
    assert variables == {"PATH": "/bin"}


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1"])
def test_without_a_socket_nobody_listens(address: str) -> None:
    assert Manager.take({"NOTIFY_SOCKET": address}) == NOBODY
    assert not NOBODY.listens
