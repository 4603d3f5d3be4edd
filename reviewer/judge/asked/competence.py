"""The competence table: which questions a model may be asked, by what was measured of it on labelled changes.

A question is asked where its skill is proven, not where it is hoped for: the lower end of the interval of its
AUROC has to be above `SKILL`, and of pairs of a wrong and a right version it has to tell more than half apart, as
far as there are pairs. `prompts/competence.json` ships; `hunkwise calibrate --of questions --write FILE` makes one
for any model, and the setting `competence_file` names it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from hunkwise.engine import read_regular
from hunkwise.reviewer.errors import ConfigError
from hunkwise.reviewer.judge.asked.questions import Question
from hunkwise.reviewer.text.checked_json import FormError, read

SKILL = 0.55  # AUROC that the lower end of the interval has to be above
FEWEST = 10  # places with the defect, and without it
FEWEST_PAIRS = 5
ALL = "all"  # families of languages together
FREE_SKILL = 0.5  # share of right remarks that a free review has to reach
LARGEST = 10_000_000  # bytes of a table


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a question: places asked with and without the defect, AUROC with its 95 % interval.

    Of `pairs` of a wrong and a right version the wrong one had the higher odds in `told`; `said` is how often the
    wrong statement was the likelier one, `right` how often that was at a defect.
    """

    defects: int
    others: int
    auroc: float | None
    low: float | None
    high: float | None
    pairs: int
    told: int
    said: int
    right: int

    @property
    def enough(self) -> bool:
        """Whether there were places enough to tell anything."""
        return min(self.defects, self.others) >= FEWEST

    @property
    def skilled(self) -> bool:
        """Whether the measured skill is more than chance gives."""
        apart = self.pairs < FEWEST_PAIRS or self.told > self.pairs / 2
        return self.enough and self.low is not None and self.low > SKILL and apart

    @property
    def share(self) -> float:
        """The share of its remarks that were right, with one of each kind added: few prove little."""
        return (self.right + 1) / (self.said + 2)


@dataclass(frozen=True, slots=True)
class Remarks:
    """What came of a free review on labelled changes: how many remarks, and how many at a bug."""

    said: int
    right: int

    @property
    def skilled(self) -> bool:
        """Whether enough of them were right."""
        return self.said >= FEWEST and self.share >= FREE_SKILL

    @property
    def share(self) -> float:
        """The share that was right."""
        return self.right / self.said if self.said else 0.0


@dataclass(frozen=True, slots=True)
class Competence:
    """What was measured of one model: its questions by name and family of languages, and its free review.

    `together` has the figures of all questions as one.
    """

    model: str = ""
    questions: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict)
    together: Figures | None = None
    free: Remarks | None = None

    def figures(self, question: Question, family: str) -> Figures | None:
        """Give what holds of a question in a family: its own figures where they are enough, else those of all."""
        of_question = self.questions.get(question.id, {})
        own = of_question.get(family)
        return own if own is not None and own.enough else of_question.get(ALL)

    def asked(self, among: Sequence[Question], family: str) -> list[Question]:
        """Pick the questions that the model may be asked of a family, the surest first."""
        known = [(question, self.figures(question, family)) for question in among]
        skilled = [(question, figures) for question, figures in known if figures and figures.skilled]
        return [question for question, figures in sorted(skilled, key=lambda pair: -(pair[1].low or 0))]

    @property
    def asks(self) -> bool:
        """Whether there is any question that the model may be asked."""
        return any(
            figures.skilled for of_question in self.questions.values() for figures in of_question.values()
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A competence table: by the digest of a model what was measured of it."""

    models: Mapping[str, Competence]


NOTHING = Competence()


@cache
def shipped() -> Table:
    """Give the table that ships."""
    return parsed((resources.files("hunkwise.prompts") / "competence.json").read_bytes(), "competence.json")


def parsed(data: bytes, where: str) -> Table:
    """Read a table that anybody may have written. Raises ConfigError."""
    try:
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST:,} bytes")
        return read(Table, json.loads(data), "table")
    except (ValueError, RecursionError, FormError) as error:
        raise ConfigError(f"{where}: no competence table: {error}") from None


@cache
def _own(path: Path) -> Table:
    try:
        return parsed(read_regular(path, LARGEST + 1), str(path))
    except OSError as error:
        raise ConfigError(f"competence_file: {path} can't be read: {error.strerror}") from None


def competence_of(digest: str, file: str = "none") -> Competence:
    """Give what is known of a model; the user's own table goes before the shipped one. Raises ConfigError."""
    own = _own(Path(file)).models.get(digest) if file != "none" else None
    return own or shipped().models.get(digest, NOTHING)
