"""Texts of decimal numbers, as XML and tables hold them, to columns."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LONGEST = 64
"""Characters of a number; the longest that a program writes, a float64 in full, has 24."""

LONGEST_FIELD = 250
"""Characters of a field that are looked at: more than any number, time or device id has."""

_ALPHABET = b"0123456789+-.eE, "
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")


def short(text: str) -> str:
    """A field of a file without white space around it; a question mark in place of one that is longer than any value."""
    return text.strip() if len(text) <= LONGEST_FIELD else "?"


def read_decimals(texts: Sequence[str]) -> NDArray[np.float64]:
    """The numbers, shape (n,); NaN where a text is none.

    Read are decimal numbers with a point, with or without sign and exponent, white space around them ignored; not read are
    ``NaN``, ``inf``, ``1_000`` and digits of other scripts, which `float` takes. There is no negative zero among the numbers.
    """
    joined = ",".join(texts)
    if len(joined) < len(texts):
        return np.full(len(texts), np.nan)
    if joined.isascii() and not joined.encode("ascii").translate(None, _ALPHABET):
        # of these characters float makes nothing but decimal numbers
        try:
            return np.array(list(map(float, texts)), np.float64) + 0.0 if _short(texts) else _one_by_one(texts)
        except ValueError:
            pass
    return _one_by_one(texts)


def _one_by_one(texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([_number(text) for text in texts], np.float64) + 0.0


def _number(text: str) -> float:
    return float(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else np.nan


def _short(texts: Sequence[str]) -> bool:
    return max(map(len, texts)) <= _LONGEST
