"""XML that anybody may have written, gone through element by element. No entity is read, and nothing outside."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from hunkwise.reviewer.linters.reading.fields import Unreadable

_MOST_DEPTH = 20


class Elements:
    """A document as it is gone through: who reads one says what becomes of each element and text.

    A document type is refused, but for one without a text of its own where `typed`: it names a file that is never
    opened, and declares nothing.
    """

    def __init__(self, top: str, *, typed: bool = False) -> None:
        self._top, self._typed = top, typed
        self.open: list[str] = []  # the elements around the place, from the top
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self.text

    def read(self, data: bytes) -> None:
        """Go through a document. Raises Unreadable."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            raise Unreadable(f"line {error.lineno}, column {error.offset + 1}", f"no XML: {what}") from None
        except (ValueError, LookupError) as error:  # an encoding that is none
            raise Unreadable("", f"no XML: {error}") from None

    def element(self, attributes: Mapping[str, str]) -> None:
        """Hear that an element begins, the last of `open`."""

    def text(self, text: str) -> None:
        """Hear text inside the last of `open`, maybe a part of it."""

    def refused(self, what: str) -> Unreadable:
        """Make an error that names the place."""
        return Unreadable(f"line {self._parser.CurrentLineNumber}", what)

    def _document_type(self, name: str, system: object, public: object, declares: int) -> None:
        if declares or not self._typed:
            raise self.refused("a document type is not read, for entities can do harm")

    def _start(self, element: str, attributes: Mapping[str, str]) -> None:
        self.open.append(element)
        if self.open[0] != self._top:
            raise self.refused(f"must be <{self._top}>, not <{element[:40]}>")
        if len(self.open) > _MOST_DEPTH:
            raise self.refused("is nested too deep")
        self.element(attributes)

    def _end(self, element: str) -> None:
        self.open.pop()
