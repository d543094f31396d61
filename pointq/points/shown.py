"""Values as they are shown in a reason for their rejection."""

_SHOWN_CHARACTERS = 40
"""How much of a text is repeated in a reason: enough to recognise it, too little to fill a log."""

_SHOWN_BITS = 64
"""Larger integers are described, not written out: Python refuses to print the largest ones."""

_JSON_NAMES = {"dict": "an object", "list": "a list"}


def shown(value: object) -> str:
    """The value as a person would recognise it in the JSON that was sent: short, printable, on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return shown_text(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() <= _SHOWN_BITS else f"an integer of {value.bit_length()} bits"
    return _JSON_NAMES.get(type(value).__name__) or f"a {type(value).__name__}"


def shown_text(text: str) -> str:
    """The text in quotes, cut where it is long, whatever cannot be printed escaped."""
    cut = text[:_SHOWN_CHARACTERS]
    return repr(cut) if len(cut) == len(text) else f"{cut!r}…"
