"""Two independent readers of IGC, fix by fix: every difference stands in a list with the rule that makes pointq right.

`differences.tsv` names file, oracle, lines and rule. A difference without an entry fails, so does an entry that has become
stale, and the rule must prove that it is the reason. Where a rule is not needed by any real file, a made one needs it.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.disagreements import RULES, Comparison, Difference, Entry, judge
from tests.support.oracles import ORACLES, Fix, Reading, by_pointq, text_lines

LIST = Path(__file__).with_name("differences.tsv")

MADE = {
    "made-fractions.igc": """\
        AXXX001
        HFDTE010724
        I013638TDS
        B1200004607407N00739259EA0123401250000
        B1200014607408N00739259EA0123501251250
        B1200024607409N00739259EA0123601252999
        """,
    "made-several-dates.igc": """\
        AXXX001
        HFDTE010724
        B1200004607407N00739259EA0123401250
        B1200014607408N00739259EA0123501251
        HFDTEDATE:050724,02
        B1300004607407N00739259EA0123401250
        B1300014607408N00739259EA0123501251
        """,
    "made-undated.igc": """\
        AXXX001
        HFDTE010100
        B1200004607407N00739259EA0123401250
        HFDTE010724
        B1200014607408N00739259EA0123501251
        B1200024607409N00739259EA0123601252
        """,
    "made-late-fix.igc": """\
        AXXX001
        HFDTE010724
        B2359584607407N00739259EA0123401250
        B0000014607408N00739259EA0123501251
        B2359594607409N00739259EA0123601252
        B0000024607410N00739259EA0123701253
        B0000034607411N00739259EA0123801254
        """,
    "made-malformed.igc": """\
        AXXX001
        HFDTE010724
        B1200004607407N00739259EA0123401250
        B1200014660001N00739259EA0123501251
        B1200024607409N00760001EA0123501251
        B1200034607409X00739259EA0123501251
        B1200044607409N00739259EZ0123501251
        B1200054607409N00739259EA01235+1251
        B1200064607409N00739259EA0123501251B1200074607409N00739259EA0123501251
        B1200084607408N00739259EA0123501251
        """,
}
"""Files for the rules that no sample of the real ones needs."""


def entries() -> dict[tuple[str, str], list[Entry]]:
    by_file = defaultdict(list)
    for row in LIST.read_text(encoding="utf-8").splitlines()[1:]:
        entry = Entry.parse(row)
        by_file[entry.file, entry.oracle].append(entry)
    return by_file


ENTRIES = entries()


def compare(path: Path, oracle: str, now_us: int) -> Comparison:
    return Comparison(text_lines(path), by_pointq(path, now_us), ORACLES[oracle](path))


def complaint(file: Comparison, left: list[Difference], stale: list[Entry]) -> str:
    """What to look at, and the rules that would explain it."""
    lines = [f"{entry} is stale" for entry in stale]
    for difference in left[:20]:
        fitting = [name for name, explains in RULES.items() if explains(difference, file)]
        lines.append(f"{difference} without an entry; rules that would explain it: {fitting or 'none'}")
    return "\n".join(lines)


def assert_explained(path: Path, oracle: str, now_us: int) -> None:
    file = compare(path, oracle, now_us)
    left, stale = judge(file, ENTRIES[path.name, oracle])
    assert (left, stale) == ([], []), complaint(file, left, stale)


@pytest.mark.parametrize("oracle", ORACLES)
def test_real_files(igc_sample: Path, oracle: str, now_us: int) -> None:
    assert_explained(igc_sample, oracle, now_us)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("name", MADE)
def test_made_files(name: str, oracle: str, tmp_path: Path, now_us: int) -> None:
    assert_explained(made(name, tmp_path), oracle, now_us)


def test_the_list_names_no_file_that_is_not_there(igc_samples: list[Path]) -> None:
    there = {path.name for path in igc_samples} | MADE.keys()
    assert {file for file, _ in ENTRIES if ENTRIES[file, _]} <= there


def test_every_rule_is_needed() -> None:
    assert {entry.rule for found in ENTRIES.values() for entry in found} == RULES.keys()


@pytest.fixture
def fraction_ignored(tmp_path: Path, now_us: int) -> Comparison:
    return compare(made("made-fractions.igc", tmp_path), "libigc", now_us)


def test_a_difference_without_an_entry_is_found(fraction_ignored: Comparison) -> None:
    left, stale = judge(fraction_ignored, [])
    assert [difference.line for difference in left] == [5, 6]
    assert not stale
    assert "rules that would explain it: ['TDS']" in complaint(fraction_ignored, left, stale)


@pytest.mark.parametrize(("lines", "rule"), [("4-6", "TDS"), ("5-7", "TDS"), ("5-6", "LAD/LOD")])
def test_an_entry_without_its_difference_is_stale(fraction_ignored: Comparison, lines: str, rule: str) -> None:
    entry = Entry.parse(f"made-fractions.igc\tlibigc\t{lines}\t{rule}")
    _, stale = judge(fraction_ignored, [entry])
    assert stale == [entry]


GOOD = Fix(1_719_835_200.0, 46.0, 7.0, 1234.0, 1250.0, valid=True)


@pytest.mark.parametrize(
    "wrong",
    [
        Fix(GOOD.time, 46.1, 7.0, 1234.0, 1250.0, valid=True),
        Fix(1_719_835_260.0, 46.0, 7.0, 1234.0, 1250.0, valid=True),
        Fix(GOOD.time, 46.0, 7.0, 1235.0, 1250.0, valid=True),
        Fix(GOOD.time, 46.0, 7.0, None, 1250.0, valid=True),
        Fix(GOOD.time, 46.0, 7.0, 1234.0, 1250.0, valid=False),
        None,
    ],
)
def test_no_rule_explains_a_plain_error(wrong: Fix | None) -> None:
    """A file with every declaration and date that the rules ask for, and one fix that is simply wrong."""
    lines = ["HFDTE010724", "I033638LAD3941LOD4244TDS", "B1200004600000N00700000EA0123401250"]
    ours = Reading({} if wrong is None else {3: wrong}, {3: "no reason that a rule knows"})
    file = Comparison(lines, ours, Reading({3: GOOD}, {}))
    (difference,) = file.differences()
    assert [name for name, explains in RULES.items() if explains(difference, file)] == []


def test_the_readers_agree_on_most_lines(igc_samples: list[Path], now_us: int) -> None:
    """An oracle that reads nothing would agree with nothing, and the list would say so only by its length."""
    path = next(path for path in igc_samples if path.name.startswith("005"))
    for oracle in ORACLES:
        file = compare(path, oracle, now_us)
        assert len(file.theirs.fixes) == 5825
        assert not list(file.differences())


def made(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_text("".join(line.lstrip() for line in MADE[name].splitlines(keepends=True)), encoding="ascii")
    return path
