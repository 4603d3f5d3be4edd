"""The server with an engine that answers at once: what is left of a request is HTTP and the server's own work.

    python benchmarks/silent.py --port PORT

Models are those of this machine, and none is loaded.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import Future
from pathlib import Path

from hunkwise.engine import (
    Answer,
    Bundle,
    Generated,
    ModelSpec,
    OnText,
    Piece,
    Pool,
    ScriptedEngine,
    Usage,
    library_from_environment,
)
from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.server import run
from hunkwise.reviewer.server.models import PoolModels
from hunkwise.reviewer.server.observe.faults import log_all
from hunkwise.reviewer.server.settings import Settings
from hunkwise.reviewer.server.state import Server


class Silent(ScriptedEngine):
    """Says "Hi" to whatever is asked, in the thread that asks: llama.cpp has one of its own all the time."""

    def submit(self, bundle: Bundle, on_text: OnText | None = None) -> Future[tuple[Answer, ...]]:
        """Answer."""
        future: Future[tuple[Answer, ...]] = Future()
        if on_text:
            for question in bundle.questions:
                on_text(question.id, Piece("Hi"))
        future.set_result(
            tuple(Generated(each.id, "Hi", "stop", Usage(sampled=1)) for each in bundle.questions)
        )
        return future


def load(spec: ModelSpec, context: int) -> Silent:
    """Make the engine."""
    return Silent(context=context, model=spec.name)


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    settings = Settings(port=parser.parse_args().port)
    environment = Environment(os.environ, Path.cwd(), print)
    models = PoolModels(library_from_environment(os.environ), Pool(load, lambda spec, context: 1))
    log_all()
    run.run(Server(settings, models, environment), run.listen(settings))


if __name__ == "__main__":
    main()
