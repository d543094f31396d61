"""`/metrics` of servers and workers, on real backends: the contract's names and labels, and right sums of several processes."""

import os
import signal
import socket
from contextlib import ExitStack
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.test_serve_processes import client_of_each, linux
from tests.metrics.queries import names_asked_for
from tests.support.api import LIVE
from tests.support.http import Client
from tests.support.points import track
from tests.support.sites import Site
from tests.support.until import until

Page = dict[tuple[str, frozenset[tuple[str, str]]], float]

CONTRACT = {
    "pointq_points_accepted_total": {"kind", "via"},
    "pointq_points_stored_total": {"kind"},
    "pointq_points_duplicate_total": {"kind"},
    "pointq_points_rejected_total": {"kind", "reason"},
    "pointq_points_dead_total": {"kind", "reason"},
    "pointq_queue_points": {"kind"},
    "pointq_queue_pending_points": {"kind"},
    "pointq_queue_oldest_age_seconds": {"kind"},
    "pointq_dead_batches": {"kind"},
    "pointq_spool_bytes": set(),
    "pointq_spool_points": set(),
    "pointq_request_duration_seconds_count": {"endpoint", "status"},
    "pointq_enqueue_duration_seconds_count": set(),
    "pointq_store_duration_seconds_count": {"kind", "method"},
    "pointq_store_batch_points_count": {"kind"},
    "pointq_worker_up": set(),
    "pointq_redis_up": set(),
    "pointq_database_up": set(),
    "pointq_build_info": {"version"},
}


def page(client: Client) -> Page:
    answer = client.get("/metrics")
    assert answer.status == 200
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "no series is told twice"
    return found


def value(found: Page, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port: int = own.getsockname()[1]
        return port


def post(client: Client, flight: str, count: int = 3) -> None:
    assert client.post(LIVE, {"flight_id": flight, "track_points": track(count)}).status == 202


def test_server_and_workers_tell_what_the_contract_names(site: Site) -> None:
    port = free_port()
    full = replace(site, extra={"POINTQ_WORK__HEARTBEAT_SECONDS": "0.2"})
    with full.serve() as server, full.work("--processes", "2", "--metrics-port", str(port)), server.client() as client:
        for _ in range(2):
            post(client, "f")
        bad = {"flight_id": "f", "track_points": [{**track(1)[0], "lat": 99}, 3]}
        assert client.post(LIVE, bad).status == 422
        assert client.get("/nowhere/else").status == 404

        def worked() -> Page | None:
            with Client(f"http://127.0.0.1:{port}") as other:
                found = page(other)
            done = [value(found, f"pointq_points_{name}_total", kind="live") for name in ("stored", "duplicate")]
            return found if done == [3, 3] and value(found, "pointq_worker_up") == 2 else None

        def reachable() -> bool:
            with socket.socket() as own:
                return own.connect_ex(("127.0.0.1", port)) == 0

        until(reachable, "the workers' port answers")
        workers = until(worked, "all is stored, and both workers live")
        served = page(client)
    assert value(served, "pointq_points_accepted_total", kind="live", via="queue") == 6
    assert value(served, "pointq_points_rejected_total", kind="live", reason="lat") == 1
    assert value(served, "pointq_points_rejected_total", kind="live", reason="shape") == 1
    assert value(served, "pointq_request_duration_seconds_count", endpoint=LIVE, status="202") == 2
    assert value(served, "pointq_request_duration_seconds_count", endpoint="unknown", status="404") == 1
    assert "else" not in str(served)
    assert workers
    both = [*served, *workers]
    labels: dict[str, set[frozenset[str]]] = {}
    for name, found in both:
        labels.setdefault(name, set()).add(frozenset(label for label, _ in found))
    assert {name: labels.get(name) for name in CONTRACT} == {name: {frozenset(of)} for name, of in CONTRACT.items()}
    asked = {name for name in names_asked_for() if name != "pointq_redis_memory_max_bytes"}  # this Redis has no limit
    assert asked <= {*labels, *(name.removesuffix("_count") for name in labels)}


def test_a_worker_counts_for_the_kinds_that_it_takes_alone(site: Site) -> None:
    """Two kinds have priority 2."""
    with site.serve() as server, site.work("--kind", "upload"), server.client() as client:
        until(lambda: value(page(client), "pointq_queue_workers", kind="upload") == 1, "the worker is known")
        others = ("live", "scoring", "flymaster")
        assert [value(page(client), "pointq_queue_workers", kind=kind) for kind in others] == [0, 0, 0]


@linux
def test_whichever_process_is_asked_tells_the_sum_and_a_dead_ones_points_too(site: Site) -> None:
    with site.serve("--processes", "2") as server, ExitStack() as stack:
        clients = client_of_each(server, stack)
        for pid, client in clients.items():
            post(client, f"f{pid}")
        accepted = ("pointq_points_accepted_total", frozenset({("kind", "live"), ("via", "queue")}))
        for client in clients.values():
            until(lambda asked=client: page(asked)[accepted] == 6, "it tells the sum")  # type: ignore[misc]
        victim, other = clients
        os.kill(victim, signal.SIGKILL)
        assert page(clients[other])[accepted] == 6
        until(lambda: "another is started" in server.log, "it is dead")
        with_new = client_of_each(server, stack)
        (fresh,) = with_new.keys() - {other}
        post(with_new[fresh], "g", 1)
        assert page(with_new[fresh])[accepted] == 7
        until(lambda: page(clients[other])[accepted] == 7, "the other hears of it")


def test_queue_figures_are_absent_while_redis_is_away(site: Site) -> None:
    with site.serve() as server, server.client() as client:
        assert value(page(client), "pointq_queue_points", kind="live") == 0
    away = replace(site, redis_url="redis://127.0.0.1:1/0")
    with away.serve() as server, server.client() as client:
        found = page(client)
        assert value(found, "pointq_redis_up") == 0
        assert value(found, "pointq_database_up") == 1
        assert not [name for name, _ in found if name.startswith(("pointq_queue", "pointq_dead", "pointq_redis_memory"))]


def test_the_door_of_the_status_is_that_of_the_metrics(site: Site) -> None:
    closed = replace(site, extra={"POINTQ_AUTH__STATUS": "token"})
    secret = closed.run("token", "create", "--name", "prometheus", "--scope", "view").stdout.strip()
    with closed.serve() as server, server.client() as client:
        assert client.get("/metrics").status == 401
        answer = client.request(
            "GET", "/metrics", None, Authorization=f"Bearer {secret}", Accept="application/openmetrics-text"
        )
        assert answer.status == 200
        assert answer.text.endswith("# EOF\n")
