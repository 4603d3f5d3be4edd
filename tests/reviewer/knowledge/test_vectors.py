"""Passages by vectors: both places that keep them, what is embedded again, and what harms them."""

from __future__ import annotations

import importlib.util
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from hunkwise.engine import Bundle, Embed, Embedding, Question, ScriptedEngine
from hunkwise.reviewer.app.telling.embedding import embedder_of
from hunkwise.reviewer.errors import KnowledgeError
from hunkwise.reviewer.knowledge import fused
from hunkwise.reviewer.knowledge.port import ANY, Filter, Hit, Passage
from hunkwise.reviewer.knowledge.vectors.embedded import EmbeddedVectors
from hunkwise.reviewer.knowledge.vectors.finding import bring_up_to_date, nearest
from hunkwise.reviewer.knowledge.vectors.port import Embedder, Vectors, key_of
from hunkwise.reviewer.knowledge.vectors.remote import QdrantVectors
from hunkwise.reviewer.knowledge.words import asked

HAS_QDRANT = importlib.util.find_spec("qdrant_client") is not None
PLACES = [
    "sqlite",
    *(
        pytest.param(place, marks=pytest.mark.skipif(not HAS_QDRANT, reason="no qdrant-client"))
        for place in ("qdrant", "qdrant over HTTP")
    ),
]


class Known:
    """An index in memory, whose search by words finds nothing."""

    def __init__(self, *texts: str) -> None:
        self.all = [Passage(f"{n}.md", 1, 1, text, "document") for n, text in enumerate(texts)]

    def passages(self, wanted: Filter = ANY) -> Iterator[Passage]:
        return (each for each in self.all if not wanted.paths or each.path in wanted.paths)


class Counting:
    """Embeds a text as how much it has of three letters, and counts the texts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.count += len(texts)
        made = [[text.count(letter) + 0.01 for letter in "abc"] for text in texts]
        return [[value / math.hypot(*row) for value in row] for row in made]


@pytest.fixture(params=PLACES)
def vectors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vectors]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            kept: Vectors = EmbeddedVectors(tmp_path / "v.sqlite3", "letters")
        elif request.param == "qdrant":
            kept = QdrantVectors(str(tmp_path / "qdrant"), "letters")
        else:
            from qdrantserver import TOKEN, qdrant_server

            server = stack.enter_context(qdrant_server())
            kept = QdrantVectors(server.url, "letters", token=TOKEN)
        yield kept
        kept.close()


def test_the_nearest_is_found_and_nothing_is_embedded_twice(vectors: Vectors) -> None:
    count = Counting()
    embedder, index = Embedder("letters", count), Known("aaa", "bbb", "ccc", "aab")
    assert bring_up_to_date(index, vectors, embedder) == 4
    found = nearest(index, vectors, embedder, "a", 2)
    assert [passage.text for passage in found] == ["aaa", "aab"]
    assert [p.text for p in nearest(index, vectors, embedder, "a", 2, Filter(paths=("1.md", "3.md")))] == [
        "aab",
        "bbb",
    ]
    index.all.append(Passage("new.md", 1, 1, "acc", "document"))
    del index.all[0]
    before = count.count
    assert bring_up_to_date(index, vectors, embedder) == 1
    assert count.count == before + 1
    assert [passage.text for passage in nearest(index, vectors, embedder, "a", 1)] == [
        "aab"
    ]  # what is gone is not found


def test_what_is_broken_off_stays(vectors: Vectors) -> None:
    """The next run embeds the rest."""
    index = Known(*(f"{'a' * n}b" for n in range(20)))
    count = Counting()

    def fails(texts: Sequence[str]) -> list[list[float]]:
        if count.count:
            raise KeyboardInterrupt
        return count(texts)

    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(index, vectors, Embedder("letters", fails))
    assert bring_up_to_date(index, vectors, Embedder("letters", Counting())) == 20 - count.count > 0


def test_a_text_that_is_too_long_is_embedded_in_parts() -> None:
    """Nothing of it is cut off, and its vector is the mean of its parts, of length 1."""

    def vector(_: Bundle, question: Question) -> Embedding:
        return Embedding(
            question.id, (1.0, 0.0) if "late" not in getattr(question, "text", "") else (0.0, 1.0)
        )

    engine = ScriptedEngine(vector, context=12)
    text = "\n".join([*["one early line"] * 9, *["one late line"] * 3])
    ((across, up),) = embedder_of(engine).embed([text])

    asked = [
        question.text
        for bundle in engine.bundles
        for question in bundle.questions
        if isinstance(question, Embed)
    ]
    assert len(asked) > 1
    assert "\n".join(asked) == text
    assert across > 0 < up
    assert math.isclose(math.hypot(across, up), 1.0)


def test_vectors_of_two_models_lie_apart(tmp_path: Path) -> None:
    one, other = (EmbeddedVectors(tmp_path / "v.sqlite3", name) for name in ("one", "other"))
    key = key_of(Known("x").all[0])
    one.put([(key, [1.0, 0.0])])
    assert (one.known([key]), other.known([key])) == ({key}, set())
    assert other.nearest([1.0, 0.0], [[key]], 3) == []
    assert (tmp_path / "v.sqlite3").stat().st_mode & 0o077 == 0


def test_a_file_with_more_than_our_table_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite3"
    EmbeddedVectors(path, "one").close()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TRIGGER evil AFTER INSERT ON vectors BEGIN DELETE FROM vectors; END")
    database.close()
    again = EmbeddedVectors(path, "one")
    again.put([(b"k" * 16, [1.0])])
    assert again.known([b"k" * 16])
    path.write_bytes(b"no database at all, but long enough to be read as one" * 40)
    with pytest.raises(KnowledgeError, match="damaged"):
        EmbeddedVectors(path, "one")


@pytest.mark.skipif(not HAS_QDRANT, reason="no qdrant-client")
def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(KnowledgeError, match=r"Qdrant at http://127\.0\.0\.1:9 does not answer"):
        QdrantVectors("http://127.0.0.1:9", "letters")


def test_rankings_are_fused_by_places() -> None:
    """What two rankings name goes before what one has first."""
    a, b, c = Known("a", "b", "c").all

    class ByWords:
        def search(self, question: str, limit: int = 8, wanted: Filter = ANY) -> tuple[Hit, ...]:
            return (Hit(a, 9.0), Hit(b, 1.0))

    hits = fused.search(ByWords(), "?", 3, Filter(kinds=("document",)), [b, c])  # type: ignore[arg-type]
    assert [(hit.passage, hit.lexical, hit.vector) for hit in hits] == [(b, 2, 1), (a, 1, None), (c, None, 2)]


def test_words_in_one_line_go_before_words_far_apart() -> None:
    apart, together = Known(
        "a key\nin a list of its own\nand a cache", "of all that is kept, the key of the cache"
    ).all
    scores = {apart: 1.2, together: 1.0}

    class ByWords:
        def search(self, question: str, limit: int = 8, wanted: Filter = ANY) -> tuple[Hit, ...]:
            return tuple(Hit(each, score) for each, score in scores.items())

    def first(question: str) -> Passage:
        return fused.search(ByWords(), question)[0].passage  # type: ignore[arg-type]

    assert first("What is the key of the cache?") == together
    assert first("What is a list?") == apart


def test_what_is_written_in_other_words_is_found_behind_what_has_the_words_themselves() -> None:
    same, other = Known("the password is kept here", "the secret is kept here").all

    class ByWords:
        def search(self, question: str, limit: int = 8, wanted: Filter = ANY) -> tuple[Hit, ...]:
            return tuple(
                Hit(each, 1.0) for each in (other, same) if set(each.text.split()) & set(question.split())
            )

    found = fused.search(ByWords(), "which password")  # type: ignore[arg-type]
    assert [hit.passage for hit in found] == [same, other]
    assert fused.search(ByWords(), "which kettle") == ()  # type: ignore[arg-type]


def test_how_long_asks_for_a_measure_not_for_the_word() -> None:
    assert asked("How long are answers kept?") == ["answers", "kept"]
    assert asked("Which lines are too long?") == ["lines", "too", "long"]
