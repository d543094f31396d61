"""A port that several processes listen on, and nobody else."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pointq.errors import PointqError
from pointq.ingest.child import job_of, plan_of
from pointq.ingest.doors.plan import DoorPlan, JwtPlan
from pointq.ingest.plan import Plan
from pointq.ingest.port import reserved, url_of
from pointq.ingest.tls import TlsFiles
from pointq.supervision.job import LogStyle

HOST = "127.0.0.1"


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Listen as a server process does."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        own.bind((HOST, port))
        own.listen()
        yield


def test_several_may_listen_on_a_reserved_port_and_nobody_may_reserve_it_again() -> None:
    with reserved(HOST, 0) as place, listening(place.port), listening(place.port):
        assert place.url == f"http://{HOST}:{place.port}"
        with pytest.raises(PointqError, match=rf"^cannot listen on {HOST}:{place.port}: Address already in use$"):
            reserved(HOST, place.port).__enter__()
    with reserved(HOST, place.port) as again:
        assert again.port == place.port


def test_a_port_is_kept_before_anybody_listens() -> None:
    with reserved(HOST, 0) as place:
        with pytest.raises(PointqError, match=r"Address already in use$"):
            reserved(HOST, place.port).__enter__()
        with listening(place.port):
            pass


def test_a_name_with_several_addresses_has_one_port() -> None:
    with reserved("localhost", 0) as place, pytest.raises(PointqError, match=r"^cannot listen on localhost:"):
        reserved("localhost", place.port).__enter__()


def test_nobody_answers_on_a_port_that_is_only_reserved() -> None:
    with reserved(HOST, 0) as place, socket.socket() as client:
        assert client.connect_ex((HOST, place.port)) != 0


def test_a_name_without_an_address() -> None:
    with pytest.raises(PointqError, match=r"^cannot listen on host\.invalid:8000: "):
        reserved("host.invalid", 8000).__enter__()


def test_addresses_as_clients_write_them() -> None:
    assert [url_of("127.0.0.1", 80), url_of("::1", 80)] == ["http://127.0.0.1:80", "http://[::1]:80"]


def test_a_plan_comes_over_whole_and_shows_no_password() -> None:
    plan = Plan("redis://:hidden@host", "postgresql://hidden@host", shares_port=True, fallback=("spool",), shards=3)
    plan = replace(plan, spool_dir=Path("/data/spool"), flymaster_secret="hidden")
    doors = DoorPlan("token", jwt=JwtPlan("hidden", claims=("race_id",)), trusted_proxies=("10.0.0.0/8",), book_file="/data/t")
    plan = replace(plan, doors=doors, tls=TlsFiles("/certificate.pem"))
    job = job_of(plan, LogStyle("info", "auto", no_color=False))
    line = job.to_json()

    assert line.count(b"\n") == 1
    assert plan_of(json.loads(line)["plan"]) == plan
    bare = replace(plan, spool_dir=None)
    assert plan_of(json.loads(job_of(bare, job.log).to_json())["plan"]) == bare
    assert "hidden" not in repr(job)
    assert "hidden" not in repr(plan)
