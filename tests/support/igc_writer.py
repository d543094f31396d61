"""A writer of IGC files in every form that recorders use, which knows what a reader must find in them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import cycle

from pointq.formats.flaws import Flaw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POWER_UP = date(2000, 1, 1)
"""As a date record a placeholder; fixes on that day are rejected."""
LONGEST_GAP_S, LONGEST_STEP_BACK_S = 80_000, 599
"""With longer gaps the next day's time of day could look like a fix out of order, with longer steps back the reverse."""

DATE_FORMS = (
    "HFDTE{:%d%m%y}",
    "HFDTEDATE:{:%d%m%y},01",
    "HFDTEDATE: {:%d%m%y}",
    "HFDTEDATE{:%d%m%y}",
    "HODTE{:%d%m%y}",
    "HPDTEDATE:{:%d%m%y}",
)
NAME_FORMS = (
    "{:%Y-%m-%d}-XXX-001-01.igc",
    "LiveTrack Name.123456.{:%Y%m%d}-101530.7890.12.igc",
    "{:%y%m%d}ab1.igc",
    "folder 2001-02-03/{:%Y-%m-%d}.igc",
)
EOLS = {"\r\n": ("\r\n",), "\n": ("\n",), "\r": ("\r",), "mixed": ("\r\n", "\n", "\n", "\r\n")}

NOISE = (
    "LXXXB1201",
    "L" + "long" * 40,
    "K120105012",
    "E120105PEV",
    "F1201050304",
    "",
    "   ",
    "GABCDEF0123",
    "HSCIDsource",
    "HFPLTPILOTINCHARGE:Jürg",
    "HFGIDGLIDERID:" + "x" * 80,
    "\0\0\0\0",
    "I0a",
    "I01",
    "C0112061234560112060001",
)
"""Lines that are no fixes and change nothing."""

GOOD = "B1201054607407N00739259EA0123401250"
BAD = (
    ("B", Flaw.SHORT),
    ("B12", Flaw.SHORT),
    ("B1201054607407N007\0\0\0\0", Flaw.SHORT),
    ("B9999994607407N00739259EA0123401250", Flaw.TIME),
    ("B1201054660001N00739259EA0123401250", Flaw.LATITUDE),
    ("B1201054607407N00760001EA0123401250", Flaw.LONGITUDE),
    ("B1201054607407N18000001WA0123401250", Flaw.LONGITUDE),
    ("B1201054607407N00739259EX0123401250", Flaw.VALIDITY),
    ("B1201054607407N00739259EA0123-01250", Flaw.ALTITUDE),
    ("B1201050000000N00000000EA0123401250", Flaw.NULL_ISLAND),
    ("B1201050000000S00000000WV0000000000", Flaw.NULL_ISLAND),
    (GOOD + GOOD, Flaw.MERGED),
    ("\0\0\0" + GOOD, Flaw.NUL),
    ("\0\x00x", Flaw.NUL),
)
"""Lines that should be fixes, and why they are none."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix, in what an IGC file counts in."""

    gap_s: int
    """Since the fix before; negative where it comes out of order."""
    lat: int
    lon: int
    valid: bool
    pressure: int
    gnss: int
    digits: str
    """What the columns behind the 35th hold, as many as are declared."""
    cut: bool
    """The record ends before them."""
    sixty: bool
    """Whole degrees are written as 60.000 minutes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """An I record: codes with their widths, each behind some undeclared columns."""

    entries: tuple[tuple[str, int, int], ...]

    @property
    def columns(self) -> dict[str, slice]:
        """Where each stands among the digits."""
        found, end = {}, 0
        for code, width, before in self.entries:
            found[code] = slice(end + before, end + before + width)
            end += before + width
        return found

    @property
    def length(self) -> int:
        return sum(width + before for _, width, before in self.entries)

    def __str__(self) -> str:
        entries = "".join(f"{at.start + 36:02}{at.stop + 35:02}{code}" for code, at in self.columns.items())
        return f"I{len(self.entries):02}{entries}"


@dataclass(frozen=True, slots=True)
class NewDate:
    day: date | None
    """None: the placeholder before a receiver has seen a satellite."""
    form: str


@dataclass(frozen=True, slots=True)
class Noise:
    text: str


@dataclass(frozen=True, slots=True)
class Bad:
    text: str
    flaw: Flaw


Step = Fix | Layout | NewDate | Noise | Bad


@dataclass(frozen=True, slots=True)
class Style:
    """What holds for a whole file."""

    eol: str
    final_eol: bool
    byte_order_mark: bool
    encoding: str
    logger: str | None
    tail: str
    """Undeclared bytes behind each whole record."""
    pressure_sensor: bool
    gnss_sensor: bool


Row = tuple[int, float, float, int, float | None, float | None]
"""Microseconds, latitude, longitude, validity, pressure and GNSS altitude."""


@dataclass(slots=True)
class Written:
    """A file being written, and what must be read from it."""

    style: Style
    moment: datetime
    """Of the fix before."""
    base: date | None
    """The date in force."""
    lines: list[str] = field(default_factory=list)
    layout: Layout = Layout(())
    rows: dict[tuple[int, float, float], Row] = field(default_factory=dict)
    rejects: list[tuple[int, Flaw]] = field(default_factory=list)
    records: int = 0
    breaks: list[int] = field(default_factory=list)
    begins: bool = True
    """Whether no fix has come since the date record."""
    part_begins: bool = True
    """Whether no fix that is to be read has."""

    def write(self, step: Step) -> None:
        match step:
            case Fix():
                self._fix(step)
            case Layout():
                self.layout = step
                self.lines.append(str(step))
            case NewDate():
                self.base = step.day
                self.begins = self.part_begins = True
                self.lines.append(step.form.format(step.day or POWER_UP))
            case Noise():
                self.lines.append(step.text)
            case Bad():
                self.lines.append(step.text)
                self._reject(step.flaw)

    def data(self) -> bytes:
        eols = cycle(EOLS[self.style.eol])
        text = "".join(line + next(eols) for line in self.lines)
        if not self.style.final_eol:
            text = text.rstrip("\r\n")
        return b"\xef\xbb\xbf" * self.style.byte_order_mark + text.encode(self.style.encoding)

    def expected(self) -> list[Row]:
        """The fixes that must be read, in order; an altitude that is 0 in all of them is none."""
        found = list(self.rows.values())
        sensors = [any(row[place] for row in found) for place in (4, 5)]
        return [(*row[:4], row[4] if sensors[0] else None, row[5] if sensors[1] else None) for row in found]

    def _fix(self, fix: Fix) -> None:
        self._move(fix)
        digits = "" if fix.cut else fix.digits[: self.layout.length]
        pressure = fix.pressure if self.style.pressure_sensor else 0
        gnss = fix.gnss if self.style.gnss_sensor else 0
        position = _degrees(fix.lat, 2, "NS", sixty=fix.sixty) + _degrees(fix.lon, 3, "EW", sixty=fix.sixty)
        altitudes = _altitude(pressure) + _altitude(gnss)
        tail = "" if fix.cut else self.style.tail
        self.lines.append(f"B{self.moment:%H%M%S}{position}{'AV'[not fix.valid]}{altitudes}{digits}{tail}")
        if self.base is None or self.moment.date() == POWER_UP:
            self._reject(Flaw.UNDATED if self.base is None else Flaw.POWER_UP)
            return
        self.records += 1
        decimals = {code: digits[at] for code, at in self.layout.columns.items()}
        self._keep(fix, decimals, pressure, gnss)

    def _move(self, fix: Fix) -> None:
        begins, self.begins = self.begins, False
        if begins and self.base is not None:
            self.moment = datetime.combine(self.base, self.moment.time(), UTC)
            return
        moved = self.moment + timedelta(seconds=fix.gap_s)
        if self.base is None or moved.date() >= self.base:
            self.moment = moved

    def _keep(self, fix: Fix, decimals: dict[str, str], pressure: int, gnss: int) -> None:
        fraction = decimals.get("TDS", "")
        micros = (self.moment - EPOCH) // timedelta(microseconds=1) + int(fraction or 0) * 10**6 // 10 ** len(fraction)
        lat, lon = _exact(fix.lat, decimals.get("LAD", "")), _exact(fix.lon, decimals.get("LOD", ""))
        key = (micros, lat, lon)
        if key in self.rows:
            return
        if self.part_begins and self.rows:
            self.breaks.append(len(self.rows))
        self.part_begins = False
        self.rows[key] = (*key, int(fix.valid), float(pressure), float(gnss))

    def _reject(self, flaw: Flaw) -> None:
        self.records += 1
        self.rejects.append((len(self.lines), flaw))


def start(style: Style, moment: datetime) -> Written:
    """Begin a file whose first fix is at that moment, or some seconds later; no date is known yet."""
    written = Written(style, moment, None)
    if style.logger is not None:
        written.lines.append(f"A{style.logger}")
    return written


def _altitude(metres: int) -> str:
    return f"-{-metres:04}" if metres < 0 else f"{metres:05}"


def _degrees(units: int, width: int, letters: str, *, sixty: bool) -> str:
    degrees, minutes = divmod(abs(units), 60_000)
    if sixty and minutes == 0 and degrees > 0:
        degrees, minutes = degrees - 1, 60_000
    return f"{degrees:0{width}}{minutes:05}{letters[units < 0]}"


def _exact(units: int, decimals: str) -> float:
    scale = 10 ** len(decimals)
    value = Fraction(abs(units) * scale + int(decimals or 0), 60_000 * scale)
    return float(value if units >= 0 else -value)
