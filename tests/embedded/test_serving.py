"""`pointq serve --processes` on embedded servers: one worker beside all of them."""

from pointq.embedded.layout import Layout
from tests.embedded.commands import gone, needs_proc
from tests.support.api import LIVE
from tests.support.points import track
from tests.support.processes import Server
from tests.support.sites import clean_environ
from tests.support.until import until


@needs_proc
def test_several_server_processes_have_one_worker(layout: Layout) -> None:
    home = layout.data_dir.parent
    environ = clean_environ(home) | {"POINTQ_DATA_DIR": str(layout.data_dir)}
    with Server(("--worker", "--processes", "2"), environ=environ, folder=home, name="serve") as server:
        with server.client() as client:
            assert client.post(LIVE, {"flight_id": "f", "track_points": track(10)}).status == 202
            until(lambda: client.get("/queue/status").json["totals"]["stored_points"] == 10, "a worker has stored them")
            workers = client.get("/queue/status").json["workers"]
        assert len(workers) == 1
        assert server.log.count(f"worker {workers[0]['id']} reads ") == server.log.count(" reads ") == 1
    assert gone(layout)
