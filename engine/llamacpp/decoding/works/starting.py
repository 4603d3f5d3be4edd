"""From a question to its work."""

from __future__ import annotations

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.llamacpp.decoding.works.embedding import Embedder
from hunkwise.engine.llamacpp.decoding.works.reading import Choosing, Scoring
from hunkwise.engine.llamacpp.decoding.works.work import Work
from hunkwise.engine.llamacpp.decoding.works.writing import Generating
from hunkwise.engine.llamacpp.grammar import Grammars
from hunkwise.engine.llamacpp.native import Tokens
from hunkwise.engine.llamacpp.vocab import Vocab
from hunkwise.engine.port import OnText
from hunkwise.engine.types import Choose, Embed, Generate, Pooling, Question, Score


def start(
    question: Question,
    prompt: Tokens,
    vocab: Vocab,
    grammars: Grammars,
    shared: Tokens,
    on_text: OnText | None = None,
    pooling: Pooling | None = None,
) -> Work:
    """Prepare what adds `prompt` to `shared`; raises InvalidQuestion for what the model can't answer."""
    from_nothing = isinstance(question, Score) and not len(shared)
    if not len(prompt) and not from_nothing and not isinstance(question, Embed):
        raise InvalidQuestion(f"question {question.id!r} adds no tokens to the shared prompt")
    match question:
        case Choose():
            return Choosing(question, prompt, vocab)
        case Score():
            return Scoring(question, prompt, vocab)
        case Generate():
            return Generating(question, prompt, vocab, grammars, shared, on_text)
        case Embed():
            return Embedder(question, prompt, pooling)
