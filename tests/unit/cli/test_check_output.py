"""The formats of `pointq check`, each by a reader of its own."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointq.cli.check_output import Outcome, nagios, prometheus, text
from pointq.config.limits import Limit
from pointq.ops.check import Finding, Verdict

AGE = Finding(
    "age", "live", Verdict.WARNING, "the oldest live point waits for 42.5 s, at most 30 s allowed", 42.5, "s", Limit(30, 120)
)
DEPTH = Finding("depth", "live", Verdict.OK, "1234567 live points wait", 1_234_567)
WORKERS = Finding("workers", "priority 1", Verdict.OK, "2 workers take priority 1", 2, "", Limit(None, 1), is_least=True)
MEMORY = Finding("memory", "redis", Verdict.UNKNOWN, "memory of redis is not known", None, "%", Limit(75, 90))
SPOOL = Finding("spool", "spool", Verdict.OK, "the spool is empty", 0.0, "%", Limit(0, 80))

AT = 1_782_043_200.25


def outcome(*findings: Finding, error: str | None = None) -> Outcome:
    return Outcome("2026-06-21T12:00:00.250Z", AT, findings, error)


def test_nagios_is_one_line_with_performance_data() -> None:
    assert nagios(outcome(AGE, DEPTH, WORKERS, SPOOL)) == (
        "POINTQ WARNING - the oldest live point waits for 42.5 s, at most 30 s allowed"
        " | age_live=42.5s;30;120;0; depth_live=1234567;;;0; workers_priority_1=2;;1:;0; spool=0%;0;80;0;100"
    )


def test_nagios_leaves_out_what_has_no_value_and_no_bar_or_line_end_comes_from_a_message() -> None:
    hostile = Finding("redis", "redis", Verdict.CRITICAL, "a | b\nc\x1b[31m", 0)
    said = nagios(outcome(hostile, MEMORY))

    assert said.count("|") == 1
    assert said.isprintable()
    assert "memory" not in said.partition("|")[2]
    assert said.startswith("POINTQ CRITICAL - a / b")


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.1234567, 1e6, 1e15])
def test_nagios_numbers_have_no_exponent(value: float) -> None:
    said = nagios(outcome(Finding("age", "live", Verdict.OK, "", value, "s")))

    assert re.search(r"age_live=\d+(\.\d+)?s;;;0;$", said)


def test_prometheus_reads_what_is_written_for_it() -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(prometheus(outcome(AGE, WORKERS, MEMORY)) + "\n")
    }
    samples = {
        (sample.name, *sample.labels.values()): sample.value for family in families.values() for sample in family.samples
    }

    assert samples == {
        ("pointq_check_state",): 3,
        ("pointq_check_time_seconds",): AT,
        ("pointq_check_result", "age", "live"): 1,
        ("pointq_check_result", "workers", "priority 1"): 0,
        ("pointq_check_result", "memory", "redis"): 3,
        ("pointq_check_value", "age", "live"): 42.5,
        ("pointq_check_value", "workers", "priority 1"): 2,
        ("pointq_check_limit", "age", "live", "warning"): 30,
        ("pointq_check_limit", "age", "live", "critical"): 120,
        ("pointq_check_limit", "workers", "priority 1", "critical"): 1,
        ("pointq_check_limit", "memory", "redis", "warning"): 75,
        ("pointq_check_limit", "memory", "redis", "critical"): 90,
    }
    assert all(family.documentation and family.type == "gauge" for family in families.values())


def test_text_begins_with_what_is_wrong_and_lists_all() -> None:
    assert text(outcome(AGE, SPOOL)).splitlines() == [
        "pointq WARNING: the oldest live point waits for 42.5 s, at most 30 s allowed",
        "  WARNING   age live  the oldest live point waits for 42.5 s, at most 30 s allowed",
        "  OK        spool     the spool is empty",
    ]


def test_where_nothing_could_be_checked_every_format_says_unknown() -> None:
    failed = outcome(error="the settings file is wrong")

    assert text(failed) == "pointq UNKNOWN: the settings file is wrong"
    assert nagios(failed) == "POINTQ UNKNOWN - the settings file is wrong"
    assert "pointq_check_state 3" in prometheus(failed).splitlines()
