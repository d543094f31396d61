"""Whether bytes are GPX, and in which encoding: what stands before the root element."""

import codecs
import re

_SAMPLE_BYTES = 4096
"""How much of a file is looked at for its root element; what stands before it is a line or two."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,40})[\"']")
# names of encodings of text in which markup is ASCII; Python knows others, such as idna, that need quadratic time
_TEXT = re.compile(
    r"(?i)us-ascii|ascii|iso-8859-\d+|latin-?\d|windows-\d+|windows-31j|cp\d+|koi8-[ru]|mac[a-z]*|tis-620"
    r"|shift_jis|sjis|euc-[a-z]+|iso-2022-[a-z]+|gb\d+|gbk|big5[a-z-]*"
)
# possessive: what was once read as a comment is not tried as several, in time that doubles with each of them
_ROOT = re.compile(
    r"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<(?:!DOCTYPE\s+)?(?:[\w.-]+:)?gpx[\s/>\[]",
    re.DOTALL,
)


def looks_like_gpx(data: bytes) -> bool:
    """Whether the root element is, or is declared as, ``gpx``, with or without a prefix, in any encoding."""
    head = data[:_SAMPLE_BYTES].decode(encoding_of(data), "replace")
    return _ROOT.match(head) is not None


def encoding_of(data: bytes) -> str:
    """Python's name of a file's encoding: by its byte order mark, else as declared, else UTF-8.

    A declaration that can be read as ASCII and says UTF-16 is false: programs on Windows write it into UTF-8. An encoding
    that Python does not know is read as UTF-8 with replacements too: names suffer, numbers do not.
    """
    start = data.lstrip(b" \t\r\n")[:4] if data[:1].isspace() else data[:4]
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    declared = _DECLARATION.match(data[:_SAMPLE_BYTES])
    return _known(declared[1].decode("ascii")) if declared else "utf-8"


def _known(name: str) -> str:
    if not _TEXT.fullmatch(name):
        return "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"
