import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointq import logs

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("pointq.test")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_off_a_terminal_each_line_is_a_json_object(log: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)

    log.info("stored %d", 3, extra={"kind": "live", "seconds": 0.25, "at": datetime(2026, 5, 1, tzinfo=UTC)})

    entry = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry == {
        "level": "info",
        "logger": "pointq.test",
        "message": "stored 3",
        "kind": "live",
        "seconds": 0.25,
        "at": "2026-05-01T00:00:00Z",
    }
    assert list(json.loads(stream.getvalue())) == ["time", "level", "logger", "message", "kind", "seconds", "at"]


def test_on_a_terminal_lines_are_for_people(log: logging.Logger) -> None:
    stream = Terminal()
    logs.configure(stream=stream, no_color=True)

    log.info("stored", extra={"kind": "live", "points": 3, "why": "it is late", "rate": 1234.5678, "empty": ""})

    assert re.fullmatch(
        r'\d\d:\d\d:\d\d INFO    stored  kind=live points=3 why="it is late" rate=1234.57 empty=""\n', stream.getvalue()
    )


def test_each_form_can_be_asked_for(log: logging.Logger) -> None:
    human, machine = io.StringIO(), Terminal()
    logs.configure(form="human", stream=human)
    log.info("hello")
    logs.configure(form="json", stream=machine)
    log.info("hello")

    assert human.getvalue().endswith(" INFO    hello\n")
    assert json.loads(machine.getvalue())["message"] == "hello"


def test_configuring_again_replaces(log: logging.Logger) -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.configure(stream=first)
    logs.configure("warning", stream=second)

    log.info("too little")
    log.warning("enough")

    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_stderr_is_where_lines_go(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    log.info("hello")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["message"] == "hello"


def test_colour_marks_the_level_on_a_terminal(log: logging.Logger) -> None:
    stream = Terminal()
    logs.configure(stream=stream)

    log.error("broken")
    log.info("fine")

    broken, fine = stream.getvalue().splitlines()
    assert "\x1b[31mERROR  \x1b[0m broken" in broken
    assert "\x1b" not in fine


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_refused(environ: dict[str, str]) -> None:
    assert logs.colour_allowed(Terminal(), {})
    assert not logs.colour_allowed(Terminal(), environ)
    assert not logs.colour_allowed(Terminal(), {}, no_color=True)
    assert not logs.colour_allowed(io.StringIO(), {})


def _fail() -> None:
    raise ValueError("bad\nluck\x1b[2J")


def _fail_with(what: str) -> NoReturn:
    raise ValueError(what)


@pytest.mark.parametrize("form", ["human", "json"])
def test_a_traceback_comes_along(log: logging.Logger, form: logs.LogFormat) -> None:
    stream = io.StringIO()
    logs.configure(form=form, stream=stream)
    try:
        _fail()
    except ValueError:
        log.exception("broken", stack_info=True)

    written = stream.getvalue()
    assert "_fail" in written
    assert "Stack (most recent call last)" in written
    assert "\x1b" not in written
    assert all(line.startswith("    ") for line in written.splitlines()[1:])


def test_extra_fields_replace_no_standard_ones(log: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)

    log.info("hello", extra={"level": "fatal", "time": 0, "logger": "x"})

    entry = json.loads(stream.getvalue())
    assert (entry["level"], entry["logger"]) == ("info", "pointq.test")


def test_values_that_json_lacks_are_written_as_text(log: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)

    log.info("lone \ud800", extra={"large": 2**80, "type": sys})

    entry = json.loads(stream.getvalue())
    assert entry["large"] == 2**80
    assert entry["message"] == "lone \ud800"


@given(message=st.text(), value=st.text() | st.floats() | st.integers() | st.none() | st.binary())
@pytest.mark.parametrize("formatter", [logs.HumanFormatter(colour=False), logs.JsonFormatter()])
def test_no_control_character_reaches_a_line(formatter: logging.Formatter, message: str, value: object) -> None:
    record = logging.LogRecord("n", logging.INFO, "p", 1, "%s", (message,), None)
    record.field = value

    line = formatter.format(record)

    assert not CONTROL.search(line)
    if isinstance(formatter, logs.JsonFormatter):
        assert json.loads(line)["message"] == message


def test_printable_keeps_what_can_be_read() -> None:
    assert logs.printable("Ärger\tmit \x1b[31m\n…") == r"Ärger\tmit \x1b[31m\n…"


def test_bytes_of_a_name_that_are_no_text_are_shown_as_such() -> None:
    assert logs.printable(os.fsdecode(b"flight-\xff.igc")) == r"flight-\udcff.igc"


@pytest.mark.parametrize("formatter", [logs.HumanFormatter(colour=False), logs.JsonFormatter()])
def test_a_line_is_not_longer_than_anybody_reads(formatter: logging.Formatter) -> None:
    try:
        _fail_with("\n".join(["y" * 10_000] * 1000))
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "%s", ("x" * 100_000,), sys.exc_info())
    record.field = "z" * 100_000

    line, *below = formatter.format(record).splitlines()

    found = [line, *below] if below else [json.loads(line)[key] for key in ("message", "field")]
    assert "x" * 2000 + "… (100,000 characters in all)" in found[0]
    assert max(map(len, found)) < 5000
    assert len(below or json.loads(line)["traceback"].splitlines()) == 200


@pytest.mark.parametrize("formatter", [logs.HumanFormatter(colour=False), logs.JsonFormatter()])
@pytest.mark.parametrize("secret", ["pq_" + "Ab-_" * 10 + "xyz", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"])
def test_no_token_is_in_a_line_whatever_an_error_says(formatter: logging.Formatter, secret: str) -> None:
    try:
        _fail_with(f"cannot read /tracking/live?token={secret}&a=b: Bearer {secret}")
    except ValueError:
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "of %s", (secret,), sys.exc_info())
    record.field = f"{secret}"

    written = formatter.format(record)

    assert secret not in written
    assert secret.rpartition(".")[2] not in written
    assert "/tracking/live?token=***&a=b: Bearer ***" in written


def test_another_token_of_an_address_is_left_out_too() -> None:
    assert logs.fit("GET /tracking/live?token=hunter2&x=1") == "GET /tracking/live?token=***&x=1"
    assert logs.fit("a tokenizer=3 and pq_short") == "a tokenizer=3 and pq_short"
