"""What the names in a table's header mean: the list of names that are understood, and of units."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_METRES = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "mamsl": 1.0, "masl": 1.0, "mmsl": 1.0}
_METRES |= {"ft": 0.3048, "feet": 0.3048}
_KNOT = 1852 / 3600
_MPS = {"ms": 1.0, "mps": 1.0, "kmh": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704}
_MPS |= dict.fromkeys(("kt", "kts", "kn", "knot", "knots"), _KNOT)
_DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0}
_MICROSECONDS = {"s": 1e6, "sec": 1e6, "seconds": 1e6, "ms": 1e3, "millis": 1e3, "milliseconds": 1e3, "us": 1.0, "ns": 1e-3}
UTC_UNITS = ("utc", "gmt")
"""What makes times without an offset unambiguous."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """What a column of a table can hold."""

    name: str
    """As ``--map`` calls it."""
    synonyms: tuple[str, ...]
    """Names in a header, lower case, nothing but letters and digits; of several in one header the first here is taken."""
    units: Mapping[str, float] = field(default_factory=dict)
    """Units, spelt the same way, and what one of them is in the unit of the column; for times, in microseconds."""
    utc: bool = False
    """Whether a unit of it may be ``utc``."""


TIME = Quantity(
    "time",
    (
        *("datetime", "timestamp", "fixtime", "gpstime", "isotime", "time"),
        *("unixtime", "unixtimestamp", "unix", "epoch", "utc", "gmt"),
    ),
    _MICROSECONDS,
    utc=True,
)
DATE = Quantity("date", ("date", "fixdate", "gpsdate", "day"), utc=True)
LAT = Quantity("lat", ("lat", "latitude", "gpslat", "gpslatitude", "y"), _DEGREES)
LON = Quantity("lon", ("lon", "lng", "long", "longitude", "gpslon", "gpslng", "gpslong", "gpslongitude", "x"), _DEGREES)
NUMBERS = (
    LAT,
    LON,
    Quantity(
        "elevation",
        (
            *("gpsalt", "gpsaltitude", "altgps", "altitudegps", "gnssalt", "gnssaltitude", "elevation", "ele", "elev"),
            *("altitude", "alt", "altitudemsl", "altmsl", "height", "h", "z"),
        ),
        _METRES,
    ),
    Quantity(
        "barometric_altitude",
        (
            *("barometricaltitude", "baroaltitude", "baroalt", "altitudebaro", "altbaro", "baro"),
            *("pressurealtitude", "pressurealt", "altitudepressure"),
        ),
        _METRES,
    ),
    Quantity("speed", ("speed", "gpsspeed", "groundspeed", "speedoverground", "sog", "velocity", "gs"), _MPS),
    Quantity(
        "heading", ("heading", "course", "bearing", "courseoverground", "cog", "hdg", "trackangle", "direction"), _DEGREES
    ),
    Quantity("accuracy", ("accuracy", "horizontalaccuracy", "haccuracy", "hacc", "acc"), _METRES),
)
VALID = Quantity("valid", ("valid", "validity", "fixvalid"))
DEVICE = Quantity("device", ("deviceid", "device", "serial", "serialnumber", "trackerid", "tracker", "imei"))
FLIGHT = Quantity("flight", ("flightid", "flight", "trackid"))

QUANTITIES = (TIME, DATE, *NUMBERS, VALID, DEVICE, FLIGHT)
"""All that is looked for."""

_IN_BRACKETS = re.compile(r"(.*?)[(\[{]([^()\[\]{}]*)[)\]}]\s*", re.DOTALL)
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one name in a header stands for."""

    quantity: Quantity
    unit: str | None
    """None where the name says none."""
    rank: int
    """The place of the name among the quantity's synonyms."""

    @property
    def factor(self) -> float | None:
        """What the values are multiplied by; None where the name gives no unit that has one."""
        return None if self.unit is None else self.quantity.units.get(self.unit)

    @property
    def utc(self) -> bool:
        """Whether the name says that times are UTC."""
        return self.unit in UTC_UNITS


def understand(name: str) -> Meaning | None:
    """The meaning of a name such as ``Lat``, ``gps_altitude``, ``speed (km/h)``, ``alt_ft``, ``time_utc``; None if unknown."""
    brackets = _IN_BRACKETS.fullmatch(name)
    if brackets:
        base, unit = squeeze(brackets[1]), squeeze(brackets[2])
        return next((found for quantity in QUANTITIES if (found := _in_unit(quantity, base, unit))), None)
    key = squeeze(name)
    return next((found for quantity in QUANTITIES if (found := _meaning(quantity, key))), None)


def squeeze(name: str) -> str:
    """A name in lower case, without anything but letters and digits."""
    return _NO_LETTER.sub("", name.casefold())


def _meaning(quantity: Quantity, key: str) -> Meaning | None:
    if key in quantity.synonyms:
        return Meaning(quantity, key if key in UTC_UNITS else None, quantity.synonyms.index(key))
    for unit in _units(quantity):
        base = key.removesuffix(unit) if key.endswith(unit) else key.removeprefix(unit) if unit in UTC_UNITS else key
        if base in quantity.synonyms:
            return Meaning(quantity, unit, quantity.synonyms.index(base))
    return None


def _in_unit(quantity: Quantity, base: str, unit: str) -> Meaning | None:
    """The meaning of a name with something in brackets: a unit, a sign such as ° or nothing."""
    if base not in quantity.synonyms or unit not in ("", *_units(quantity)):
        return None
    return Meaning(quantity, unit or None, quantity.synonyms.index(base))


def _units(quantity: Quantity) -> tuple[str, ...]:
    """Longest first: ``kmh`` before ``h``."""
    units = (*quantity.units, *(UTC_UNITS if quantity.utc else ()))
    return tuple(sorted(units, key=len, reverse=True))
