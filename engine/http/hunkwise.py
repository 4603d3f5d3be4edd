"""`HunkwiseEngine`: another hunkwise server. It can all that its engine can, and knows its weights by digest."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from hunkwise.engine.errors import NativeFailure, Unreachable
from hunkwise.engine.http.client import Client
from hunkwise.engine.http.protocol import PATH, read_card, write_bundle
from hunkwise.engine.http.remote import Far
from hunkwise.engine.port import Answers, OnText
from hunkwise.engine.questions import check_bundle
from hunkwise.engine.types import Bundle, BundleSize
from hunkwise.engine.worker.wire import BadMessage, unpack_answers, unpack_error, unpack_piece, unpack_size


class HunkwiseEngine(Far):
    """An engine over `/api/bundle`. Thread-safe."""

    def __init__(self, client: Client, model: str = "") -> None:
        """Ask the server for its card; no model is the server's own. Raises EngineError."""
        self._client, self._model = client, model
        found = client.get(f"{PATH}?model={quote(model)}")
        super().__init__(read_card(found.get("card") if isinstance(found, dict) else None))

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count by the model's own tokenizer."""
        self.check_open()
        check_bundle(bundle)
        found = self._client.post(f"{PATH}/size", write_bundle(bundle, self._model))
        try:
            return unpack_size(bundle, found.get("size") if isinstance(found, dict) else None)
        except BadMessage as error:
            raise self._wrong(str(error)) from error

    def leave(self) -> None:
        """Close all connections."""
        self._client.close()

    def reply(self, bundle: Bundle, on_text: OnText | None, stopped: Callable[[], bool]) -> Answers:
        """Send the bundle, and read the lines that come back; none once nobody waits any more."""
        for line in self._client.lines(PATH, write_bundle(bundle, self._model), stopped):
            match self._client.parse(line):
                case {"text": piece}:
                    try:
                        told = unpack_piece(bundle, piece)
                    except BadMessage as error:
                        raise self._wrong(str(error)) from error
                    if on_text:
                        on_text(*told)
                case {"answers": answers}:
                    try:
                        return unpack_answers(bundle, answers)
                    except BadMessage as error:
                        raise self._wrong(str(error)) from error
                case {"error": error}:
                    try:
                        raise unpack_error(error)
                    except BadMessage as wrong:
                        raise self._wrong(str(wrong)) from wrong
                case {}:
                    pass
                case _:
                    raise self._wrong("a line of another kind")
        if stopped():
            return ()
        raise Unreachable(f"{self._client.host} broke off before the answers came")

    def _wrong(self, why: str) -> NativeFailure:
        return NativeFailure(f"{self._client.host} does not speak as this version of hunkwise does ({why})")
