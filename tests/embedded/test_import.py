"""``pointq import`` on embedded servers: it finds somebody to store what it brings, or does it itself."""

import os
import signal
import subprocess
import sys

from pointq.embedded import probe
from pointq.embedded.layout import Layout
from tests.support.until import PATIENCE_SECONDS, until

TRACK = b"AXXX001\r\nHFDTE010624\r\nB1000004530000N00630000EA0100001100\r\nB1000014530001N00630001EA0100101101\r\n"


def environment(layout: Layout) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("POINTQ_", "REDIS_", "DATABASE_", "PROD"))
    }
    return kept | {"HOME": str(layout.data_dir.parent), "POINTQ_DATA_DIR": str(layout.data_dir)}


def import_track(layout: Layout, *options: str, track: bytes = TRACK) -> str:
    command = (sys.executable, "-m", "pointq", "import", "-", *options)
    done = subprocess.run(command, input=track, env=environment(layout), capture_output=True, timeout=60, check=True)
    return done.stdout.decode().splitlines()[-1]


def test_with_nothing_running_it_stores_the_track_and_leaves_nothing(layout: Layout) -> None:
    assert import_track(layout) == "1 file, 2 fixes, 2 new, 0 duplicates, 0 rejected"
    assert probe(layout.data_dir) is None
    assert import_track(layout) == "1 file, already imported: --force reads again"
    assert import_track(layout, "--force") == "1 file, 2 fixes, nothing new, 2 duplicates, 0 rejected"


def test_a_table_with_names_of_its_own(layout: Layout) -> None:
    table = b"Zeit;Breite;Laenge\n2024-06-01 10:00:00;45,5;6,5\n2024-06-01 10:00:01;45,5;6,5\n"
    names = ("--map", "time_utc=Zeit", "--map", "lat=Breite", "--map", "lon=Laenge")

    assert import_track(layout, *names, track=table) == "1 file, 2 fixes, 2 new, 0 duplicates, 0 rejected"


def test_a_worker_for_another_kind_of_the_same_priority_is_not_waited_for(layout: Layout) -> None:
    command = (sys.executable, "-m", "pointq", "work", "--kind", "scoring")
    worker = subprocess.Popen(command, env=environment(layout), stderr=subprocess.PIPE, text=True)
    try:
        log = worker.stderr
        assert log
        until(lambda: "reads scoring" in log.readline(), "the worker works")
        assert import_track(layout) == "1 file, 2 fixes, 2 new, 0 duplicates, 0 rejected"
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 0
