"""What serve processes say of themselves on this machine, and what is believed."""

import json
import stat
from pathlib import Path

from pointq.ops import notices
from pointq.ops.notices import IntakeStatus, Notice

NOON = "2026-06-19T12:00:00.000Z"
QUEUE = IntakeStatus("queue", NOON, is_open=True, pid=7)
DATABASE = IntakeStatus("database", "2026-06-19T12:01:00.500Z", is_open=True, pid=7, reason="Redis is away")


def test_what_is_said_is_heard(tmp_path: Path) -> None:
    notice = Notice(tmp_path / "spool")
    assert notices.read(tmp_path / "spool") == (), "it has said nothing yet"
    for said in (QUEUE, DATABASE, QUEUE):
        notice.put(said)
        assert notices.read(tmp_path / "spool") == (said,)
    notice.close()
    assert notices.read(tmp_path / "spool") == ()


def test_a_reason_of_any_length_is_shortened(tmp_path: Path) -> None:
    notice = Notice(tmp_path)
    notice.put(IntakeStatus("database", NOON, is_open=True, pid=7, reason="ä" * 100_000))
    (found,) = notices.read(tmp_path)
    notice.close()
    assert found.reason == "ä" * 500


def test_a_dead_process_is_not_believed_and_its_file_goes_with_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "serving" / "4711.json"
    left.parent.mkdir()
    left.write_text(json.dumps({"via": "spool", "since": NOON, "is_open": True, "pid": 4711, "reason": None}))

    assert notices.read(tmp_path) == ()
    Notice(tmp_path).close()
    assert not left.exists()


def test_one_of_another_version_is_understood_as_far_as_it_goes(tmp_path: Path) -> None:
    more, less = Notice(tmp_path), Notice(tmp_path)
    more.put(QUEUE)
    less.put(QUEUE)
    one, other = sorted((tmp_path / "serving").iterdir())
    one.write_bytes(one.read_bytes().replace(b"{", b'{"news":[1],'))
    other.write_bytes(other.read_bytes().replace(b'"since"', b'"sooner"'))

    assert notices.read(tmp_path) == (QUEUE,)
    more.close()
    less.close()


def test_two_processes_of_one_number_keep_apart(tmp_path: Path) -> None:
    one, other = Notice(tmp_path), Notice(tmp_path)
    one.put(QUEUE)
    other.put(DATABASE)
    assert set(notices.read(tmp_path)) == {QUEUE, DATABASE}
    one.close()
    assert notices.read(tmp_path) == (DATABASE,)
    other.close()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    notice = Notice(tmp_path)
    notice.put(DATABASE)
    (path,) = (tmp_path / "serving").iterdir()
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path)]
    notice.close()
    assert modes == [0o700, 0o600]


def test_where_no_server_ever_ran_there_is_nothing(tmp_path: Path) -> None:
    assert notices.read(tmp_path / "none") == ()
