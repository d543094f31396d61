"""Where an oracle and pointq differ, and the rules of the format that make pointq right: each rule proves its case."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

from pointq.points.kinds import UPLOAD
from tests.support.oracles import Fix, Reading, units

LAST_PLACE_DEG = 1e-9
"""The oracles add degrees and minutes as floats."""
DAY_S = 86_400
OUT_OF_ORDER_S = 600


@dataclass(frozen=True)
class Comparison:
    """One file as pointq and as an oracle read it."""

    lines: list[str]
    ours: Reading
    theirs: Reading

    @cached_property
    def numbers(self) -> list[int]:
        """The lines that hold a fix for either reader."""
        return sorted(self.ours.fixes.keys() | self.theirs.fixes.keys())

    @cached_property
    def always_zero(self) -> set[str]:
        """The altitudes that are 0 for the oracle in every fix that pointq has too."""
        fixes = [fix for line, fix in self.theirs.fixes.items() if line in self.ours.fixes]
        return {what for what in ("pressure", "gnss") if all(getattr(fix, what) == 0 for fix in fixes)}

    @cached_property
    def steps_back(self) -> tuple[list[int], list[int]]:
        """The lines whose clock is behind that of the fix before, by up to ten minutes and by more."""
        small: list[int] = []
        large: list[int] = []
        for before, line in pairwise(self.numbers):
            step = self.clock(before) - self.clock(line)
            if step > 0:
                (small if step <= OUT_OF_ORDER_S else large).append(line)
        return small, large

    @cached_property
    def late_fixes(self) -> list[int]:
        """The lines of fixes whose clock is nearly a day ahead of that of the fix before, behind a midnight."""
        numbers = [number for number in self.numbers if self.steps_back[1] and number >= self.steps_back[1][0]]
        return [late for before, late in pairwise(numbers) if self.clock(late) - self.clock(before) > DAY_S - OUT_OF_ORDER_S]

    @cached_property
    def date_records(self) -> dict[int, str]:
        """The dates, DDMMYY, by line."""
        found = ((number, re.match(r"H.DTE\D*(\d{6})", line)) for number, line in enumerate(self.lines, 1))
        return {number: match[1] for number, match in found if match}

    def clock(self, number: int) -> int:
        """The time of day in the record on that line, in seconds."""
        line = self.lines[number - 1]
        return (int(line[1:3]) * 60 + int(line[3:5])) * 60 + int(line[5:7])

    @cached_property
    def declarations(self) -> str:
        """All I records."""
        return "".join(line for line in self.lines if line.startswith("I"))

    def differences(self) -> Iterator["Difference"]:
        for number in self.numbers:
            ours, theirs = self.ours.fixes.get(number), self.theirs.fixes.get(number)
            for what in _differing(ours, theirs):
                yield Difference(number, what, ours, theirs)


@dataclass(frozen=True, slots=True)
class Difference:
    """What the two say of one line."""

    line: int
    what: str
    """``fix`` where only one of them has one, else ``time``, ``position``, ``pressure``, ``gnss`` or ``valid``."""
    ours: Fix | None
    theirs: Fix | None


def _differing(ours: Fix | None, theirs: Fix | None) -> Iterator[str]:
    if ours is None or theirs is None:
        yield "fix"
        return
    if abs(ours.lat - theirs.lat) > LAST_PLACE_DEG or abs(ours.lon - theirs.lon) > LAST_PLACE_DEG:
        yield "position"
    for what in ("time", "pressure", "gnss", "valid"):
        if getattr(ours, what) != getattr(theirs, what):
            yield what


def _further_decimals(difference: Difference, file: Comparison) -> bool:
    """Without the digits that the I record declares, the positions are the same."""
    ours, theirs = difference.ours, difference.theirs
    if difference.what != "position" or ours is None or theirs is None or not re.search("LAD|LOD", file.declarations):
        return False
    pairs = ((ours.lat, theirs.lat), (ours.lon, theirs.lon))
    return all(mine * its >= 0 and abs(units(mine) / 60_000 - abs(its)) <= LAST_PLACE_DEG for mine, its in pairs)


def _fraction_of_a_second(difference: Difference, file: Comparison) -> bool:
    """Cut to whole seconds, the times are the same."""
    ours, theirs = _times(difference)
    return ours is not None and ours != theirs and ours // 1 == theirs and "TDS" in file.declarations


def _backward_time(difference: Difference, file: Comparison) -> bool:
    """The oracle is ahead by a day for each step back of at most ten minutes so far."""
    ours, theirs = _times(difference)
    steps = sum(line <= difference.line for line in file.steps_back[0])
    return ours is not None and theirs is not None and steps > 0 and theirs - ours == steps * DAY_S


def _rollover(difference: Difference, file: Comparison) -> bool:
    """The oracle has not seen that a new day began: a step back of more than ten minutes."""
    ours, theirs = _times(difference)
    steps = sum(line <= difference.line for line in file.steps_back[1])
    return ours is not None and theirs is not None and steps > 0 and ours - theirs == steps * DAY_S


def _late_fix(difference: Difference, file: Comparison) -> bool:
    """Behind a midnight a jump of nearly a day is a fix of the day before; the oracle goes on with the new day from there."""
    ours, theirs = _times(difference)
    late = sum(line <= difference.line for line in file.late_fixes)
    return ours is not None and theirs is not None and late > 0 and theirs - ours == late * DAY_S


def _several_dates(difference: Difference, file: Comparison) -> bool:
    """Of several date records the oracle uses one for the whole file; pointq the last one before the line."""
    ours, theirs = _times(difference)
    if ours is None or theirs is None or len(file.date_records) < 2:
        return False
    day = max((line, day) for line, day in file.date_records.items() if line < difference.line)[1]
    return f"{datetime.fromtimestamp(ours, UTC):%d%m%y}" == day and (ours - theirs) % DAY_S == 0


def _no_date(difference: Difference, file: Comparison) -> bool:
    """Where no record has a date, the oracle knows no time, or no fix."""
    time = difference.theirs.time if difference.theirs else None
    return difference.ours is not None and time is None and not file.date_records


def _undated(difference: Difference, file: Comparison) -> bool:
    """Before the first real date a fix has no time."""
    return difference.ours is None and "no date is known yet" in file.ours.reasons[difference.line]


def _equal_seconds(difference: Difference, file: Comparison) -> bool:
    """The oracle dropped what has the second of the fix before, though its position differs."""
    if difference.what != "fix" or difference.ours is None:
        return False
    before = max((line for line in file.theirs.fixes if line < difference.line), default=None)
    return before is not None and file.clock(before) == file.clock(difference.line)


def _repeat(difference: Difference, file: Comparison) -> bool:
    """What the oracle has there, it has before, with the same time of day and position."""
    if difference.theirs is None or file.ours.reasons.get(difference.line) != "duplicate":
        return False
    same = difference.theirs
    return any(
        file.clock(line) == file.clock(difference.line)
        and abs(fix.lat - same.lat) <= LAST_PLACE_DEG
        and abs(fix.lon - same.lon) <= LAST_PLACE_DEG
        for line, fix in file.ours.fixes.items()
        if line < difference.line
    )


def _null_island(difference: Difference, _file: Comparison) -> bool:
    fix = difference.theirs
    return difference.ours is None and fix is not None and fix.lat == fix.lon == 0


def _malformed(difference: Difference, file: Comparison) -> bool:
    """The line breaks the format in a way that pointq names, and no B record of the format matches it."""
    if difference.ours is not None or difference.line not in file.ours.reasons:
        return False
    line = file.lines[difference.line - 1]
    sixty = r"(?:[0-5]\d\d{3}|60000)"
    altitude = r"(?:\d|-)\d{4}"
    whole = re.match(rf"B\d{{6}}\d\d{sixty}[NS]\d{{3}}{sixty}[EW][AV]{altitude}{altitude}", line)
    return whole is None or re.search(r"B\d{13}[NS]\d{8}[EW][AV]", line[35:]) is not None


def _no_sensor(difference: Difference, file: Comparison) -> bool:
    """An altitude of 00000 in every fix is none."""
    ours = difference.ours
    return difference.what in file.always_zero and ours is not None and getattr(ours, difference.what) is None


def _impossible_altitude(difference: Difference, _file: Comparison) -> bool:
    """What is outside the column's range is NULL."""
    name = {"pressure": "barometric_altitude", "gnss": "elevation"}.get(difference.what)
    if name is None or difference.ours is None or getattr(difference.ours, difference.what) is not None:
        return False
    column = UPLOAD.by_name[name]
    assert column.minimum is not None
    assert column.maximum is not None
    return not column.minimum <= getattr(difference.theirs, difference.what) <= column.maximum


def _times(difference: Difference) -> tuple[float | None, float | None]:
    if difference.what != "time" or difference.ours is None or difference.theirs is None:
        return None, None
    return difference.ours.time, difference.theirs.time


Rule = Callable[[Difference, Comparison], bool]

RULES: dict[str, Rule] = {
    "LAD/LOD": _further_decimals,
    "TDS": _fraction_of_a_second,
    "backward time": _backward_time,
    "rollover": _rollover,
    "late fix": _late_fix,
    "several dates": _several_dates,
    "no date": _no_date,
    "undated": _undated,
    "equal seconds": _equal_seconds,
    "equal time and position": _repeat,
    "null island": _null_island,
    "malformed": _malformed,
    "00000 throughout": _no_sensor,
    "altitude out of range": _impossible_altitude,
}
"""What proves that a rule explains a difference, by the rule's name in the list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the committed list: from the first to the last of these lines of that file the rule decides for pointq.

    Both ends are lines where the oracle differs for that reason; a range stands where a rule holds for all that follows.
    """

    file: str
    oracle: str
    first: int
    last: int
    rule: str

    @classmethod
    def parse(cls, row: str) -> "Entry":
        file, oracle, lines, rule = row.split("\t")
        first, _, last = lines.partition("-")
        return cls(file, oracle, int(first), int(last or first), rule)

    def __str__(self) -> str:
        lines = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.file}\t{self.oracle}\t{lines}\t{self.rule}"

    def covers(self, difference: Difference) -> bool:
        return self.first <= difference.line <= self.last


def judge(file: Comparison, entries: Iterable[Entry]) -> tuple[list[Difference], list[Entry]]:
    """The differences that no entry explains, and the entries that do not begin and end at a difference they explain."""
    explained: dict[Entry, set[int]] = {entry: set() for entry in entries}
    left = []
    for difference in file.differences():
        mine = [entry for entry in explained if entry.covers(difference) and RULES[entry.rule](difference, file)]
        for entry in mine:
            explained[entry].add(difference.line)
        if not mine:
            left.append(difference)
    return left, [entry for entry, lines in explained.items() if not {entry.first, entry.last} <= lines]
