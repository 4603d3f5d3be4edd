"""`HunkwiseEngine`: another hunkwise server. It can all that its engine can, and knows its weights by digest."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from hunkwise.engine.errors import Cancelled, Closed, NativeFailure, Unreachable
from hunkwise.engine.http.client import Client
from hunkwise.engine.http.protocol import PATH, read_card, write_bundle
from hunkwise.engine.http.remote import Asked, start
from hunkwise.engine.port import Answers, EngineCard, OnText, wait
from hunkwise.engine.questions import check_bundle
from hunkwise.engine.types import Bundle, BundleSize
from hunkwise.engine.worker.wire import BadMessage, unpack_answers, unpack_error, unpack_piece, unpack_size


class HunkwiseEngine:
    """An engine over `/api/bundle`. Thread-safe."""

    def __init__(self, client: Client, model: str = "") -> None:
        """Ask the server for its card; no model is the server's own. Raises EngineError."""
        self._client, self._model, self._closed = client, model, False
        found = client.get(f"{PATH}?model={quote(model)}")
        self._card = read_card(found.get("card") if isinstance(found, dict) else None)

    def ask(self, bundle: Bundle) -> Answers:
        """Answer every question."""
        return wait(self.submit(bundle), bundle)

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Asked:
        """Begin to answer."""
        self._check_open()
        check_bundle(bundle)
        return start(self._answer, bundle, on_text)

    def measure(self, bundle: Bundle) -> BundleSize:
        """Count by the model's own tokenizer."""
        self._check_open()
        check_bundle(bundle)
        found = self._client.post(f"{PATH}/size", write_bundle(bundle, self._model))
        try:
            return unpack_size(bundle, found.get("size") if isinstance(found, dict) else None)
        except BadMessage as error:
            raise self._wrong(str(error)) from error

    def card(self) -> EngineCard:
        """Describe what answers."""
        return self._card

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._client.close()

    def _answer(self, bundle: Bundle, on_text: OnText | None, stopped: Callable[[], bool]) -> Answers:
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
            raise Cancelled("the bundle was taken back before it was answered")
        raise Unreachable(f"{self._client.host} broke off before the answers came")

    def _wrong(self, why: str) -> NativeFailure:
        return NativeFailure(f"{self._client.host} does not speak as this version of hunkwise does ({why})")

    def _check_open(self) -> None:
        if self._closed:
            raise Closed(f"{self._card.model} is closed; connect to it again")
