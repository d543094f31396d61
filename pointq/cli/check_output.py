"""What `pointq check` prints, in each of its formats."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pointq.cli.numbers import age
from pointq.config.limits import Limit
from pointq.logs import printable
from pointq.ops.check import Finding, Verdict, exceeded, worst


@dataclass(frozen=True, slots=True)
class Outcome:
    """All findings, at one moment, and why there may be none."""

    time: str
    """RFC 3339."""
    at: float
    """The same in Unix seconds."""
    findings: Sequence[Finding]
    error: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Of the whole."""
        return Verdict.UNKNOWN if self.error else worst(self.findings)


def text(outcome: Outcome) -> str:
    """A line for the whole, and a line for each finding below it."""
    names = [f"{finding.check} {finding.subject}".removesuffix(f" {finding.check}") for finding in outcome.findings]
    width = max(map(len, names), default=0)
    lines = [
        f"  {finding.verdict.name:<8}  {name:<{width}}  {printable(finding.message)}"
        for name, finding in zip(names, outcome.findings, strict=True)
    ]
    return "\n".join([f"pointq {outcome.verdict.name}: {_summary(outcome)}", *lines])


def nagios(outcome: Outcome) -> str:
    """One line with performance data, as https://nagios-plugins.org/doc/guidelines.html says."""
    # a bar begins the performance data
    summary = _summary(outcome).replace("|", "/")
    data = " ".join(_performance(finding) for finding in outcome.findings if finding.value is not None)
    return f"POINTQ {outcome.verdict.name} - {summary}" + (f" | {data}" if data else "")


def document(outcome: Outcome) -> dict[str, object]:
    """See docs/schemas/check.schema.json."""
    return {
        "time": outcome.time,
        "state": outcome.verdict.name.lower(),
        "exit_code": int(outcome.verdict),
        "error": outcome.error,
        "checks": [
            {
                "check": finding.check,
                "subject": finding.subject,
                "state": finding.verdict.name.lower(),
                "message": finding.message,
                "value": finding.value,
                "unit": finding.unit or None,
                "warning": finding.limit.warning,
                "critical": finding.limit.critical,
            }
            for finding in outcome.findings
        ],
    }


def prometheus(outcome: Outcome) -> str:
    """Text exposition, for a file that node_exporter's textfile collector reads."""
    return "\n".join(_families(outcome))


FORMATS: Mapping[str, Callable[[Outcome], str]] = {"text": text, "nagios": nagios, "prometheus": prometheus}
"""Those that are text."""


def _summary(outcome: Outcome) -> str:
    if outcome.error:
        return printable(outcome.error)
    if bad := exceeded(outcome.findings):
        return printable("; ".join(finding.message for finding in bad))
    ages = [finding.value for finding in outcome.findings if finding.check == "age" and finding.value]
    oldest = [f"oldest point waits for {age(max(ages))}"] if ages else []
    number = len(outcome.findings)
    return ", ".join([f"{number} check{'' if number == 1 else 's'}", *oldest])


def _performance(finding: Finding) -> str:
    """``'label'=value[unit];warning;critical;least;most``."""
    label = f"{finding.check}_{finding.subject}".removesuffix(f"_{finding.check}").replace(" ", "_")
    bounds = (finding.limit.warning, finding.limit.critical)
    warning, critical = (_range(bound, is_least=finding.is_least) for bound in bounds)
    most = "100" if finding.unit == "%" else ""
    return f"{label}={_number(finding.value)}{finding.unit};{warning};{critical};0;{most}"


def _range(bound: float | None, *, is_least: bool) -> str:
    """``30`` alerts above 30, ``2:`` below 2."""
    return "" if bound is None else f"{_number(bound)}:" if is_least else _number(bound)


def _number(value: float | None) -> str:
    """Never in the form 1e+06, which a plugin must not print."""
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _families(outcome: Outcome) -> Iterator[str]:
    yield from _family("pointq_check_state", "Of the whole: 0 ok, 1 warning, 2 critical, 3 unknown.")
    yield f"pointq_check_state {int(outcome.verdict)}"
    yield from _family("pointq_check_time_seconds", "When it was checked, Unix seconds.")
    yield f"pointq_check_time_seconds {outcome.at:.3f}"
    if not outcome.findings:
        return
    yield from _family("pointq_check_result", "Of one check: 0 ok, 1 warning, 2 critical, 3 unknown.")
    for finding in outcome.findings:
        yield f"pointq_check_result{_labels(finding)} {int(finding.verdict)}"
    yield from _family("pointq_check_value", "What was measured: seconds, percent, or how many.")
    for finding in outcome.findings:
        if finding.value is not None:
            yield f"pointq_check_value{_labels(finding)} {_number(finding.value)}"
    yield from _family("pointq_check_limit", "The limit that is checked against.")
    for finding in outcome.findings:
        yield from _limits(finding, finding.limit)


def _limits(finding: Finding, limit: Limit) -> Iterator[str]:
    for level, bound in (("warning", limit.warning), ("critical", limit.critical)):
        if bound is not None:
            yield f"pointq_check_limit{_labels(finding, level=level)} {_number(bound)}"


def _family(name: str, help_text: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} gauge"


def _labels(finding: Finding, **more: str) -> str:
    labels = {"check": finding.check, "subject": finding.subject, **more}
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
