"""XML from strangers: read once, in order, in bounded memory, whatever stands in it."""

import codecs
from collections.abc import Iterator
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from pointq.errors import FormatError

_CHUNK_BYTES = 65_536
_LONGEST_TOKEN_CHUNKS = 16
"""How much of the file one tag or comment may take, 1 MiB: expat looks at all of an unfinished one again with each chunk."""


def read_xml(data: bytes, encoding: str, handler: ContentHandler) -> int | None:
    """Tell the handler of everything in that XML; returns the line where it breaks, None where it is whole.

    Of a damaged or cut file the handler is told what stands before the break. `handler.setDocumentLocator` gets what knows
    the line. Raises `FormatError` where it declares a document type or entities, which no format read here needs and by
    which a small file fills the memory or reads other files; and for a tag or comment over 1 MiB.
    """
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(handler)
    handler.setDocumentLocator(parser)
    try:
        _feed(parser, data, encoding)
        parser.close()
    except SAXParseException as exc:
        return exc.getLineNumber() or 1
    except DefusedXmlException as exc:
        raise FormatError(
            "the XML declares a document type or entities: refused, since they can fill the memory or read other files",
            hint="remove the <!DOCTYPE …> from the file; no GPX needs one",
        ) from exc
    return None


def _feed(parser: DefusedExpatParser, data: bytes, encoding: str) -> None:
    """All of the data. Where the parser stands still for many chunks, it is in the midst of one long token."""
    place: tuple[int | None, int | None] = (None, None)
    still = 0
    for text in _texts(data, encoding):
        parser.feed(text)
        before, place = place, (parser.getLineNumber(), parser.getColumnNumber())
        still = still + 1 if place == before else 0
        if still == _LONGEST_TOKEN_CHUNKS:
            raise FormatError(f"a tag or comment at line {place[0]} is longer than 1 MiB: refused")


def _texts(data: bytes, encoding: str) -> Iterator[str]:
    """The file piece by piece; what is no text of that encoding becomes U+FFFD, which harms no number."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for start in range(0, len(data), _CHUNK_BYTES):
        yield decoder.decode(data[start : start + _CHUNK_BYTES])
    yield decoder.decode(b"", True)
