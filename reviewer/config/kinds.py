"""One setting of the configuration: what it may be, how it is read from text, how JSON Schema says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from hunkwise.engine import Registry
from hunkwise.reviewer.config import languages
from hunkwise.reviewer.errors import ConfigError, nearest
from hunkwise.reviewer.text.globs import LONGEST, matches
from hunkwise.reviewer.types import Severity


class Kind(Protocol):
    """What the values of a setting may be. Both readers raise ValueError, whose text says what is allowed."""

    def check(self, value: object) -> object:
        """Turn a TOML value into the value that `Config` holds."""
        ...

    def parse(self, text: str) -> object:
        """Read the text of a flag or an environment variable."""
        ...

    def schema(self) -> dict[str, Any]:
        """Describe the TOML value in JSON Schema."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """One line of printable text of at most `longest` characters."""

    longest: int = 200

    def check(self, value: object) -> str:
        """Refuse what is empty, long or not printable."""
        if isinstance(value, str) and 0 < len(value) <= self.longest and value.isprintable():
            return value
        raise ValueError(f"one line of at most {self.longest} printable characters")

    def parse(self, text: str) -> str:
        """Take it as it is."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """Bound the length."""
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob as .gitignore has them."""

    def check(self, value: object) -> str:
        """Refuse what would be refused once a file is to be matched."""
        glob = Text(LONGEST).check(value)
        try:
            matches("", (glob,))
        except ConfigError as error:
            raise ValueError(f"a glob; {error}") from None
        return glob

    def parse(self, text: str) -> str:
        """Take it as it is."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """Bound the length."""
        return Text(LONGEST).schema()


@dataclass(frozen=True, slots=True)
class RuleSeverity:
    """A rule's id and the severity that it is given: `id=low`."""

    def check(self, value: object) -> str:
        """Refuse what names no severity."""
        text = Text(150).check(value)
        name, _, severity = text.partition("=")
        if not name or severity not in list(Severity):
            raise ValueError(f"a rule's id, =, and one of {', '.join(Severity)}")
        return text

    def parse(self, text: str) -> str:
        """Take it as it is."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """Bound the form."""
        return {"type": "string", "pattern": f"^.+=({'|'.join(Severity)})$", "maxLength": 150}


@dataclass(frozen=True, slots=True)
class Language:
    """A language, by name or tag; it is kept by its English name."""

    def check(self, value: object) -> str:
        """Look it up: free text would be an instruction to the model."""
        name = languages.named(value) if isinstance(value, str) else None
        if name is None:
            like = nearest(str(value)[: languages.LONGEST], languages.NAMES)
            raise ValueError(f"the name or the tag of a language, such as German, de or pt-BR{like}")
        return name

    def parse(self, text: str) -> str:
        """Look it up."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """Bound the length; an editor is not told all names."""
        return {"type": "string", "minLength": 2, "maxLength": languages.LONGEST}


@dataclass(frozen=True, slots=True)
class Prose:
    """Text of several lines, at most `longest` characters."""

    longest: int = 4000

    def check(self, value: object) -> str:
        """Refuse what is empty or long."""
        if isinstance(value, str) and 0 < len(value) <= self.longest:
            return value
        raise ValueError(f"text of at most {self.longest} characters")

    def parse(self, text: str) -> str:
        """Take it as it is."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """Bound the length."""
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Number:
    """A number in `low`..`high`, both included; whole unless `fraction`."""

    low: float
    high: float
    fraction: bool = False

    def check(self, value: object) -> int | float:
        """Refuse other types and what is out of range; `true` is no number."""
        right = (int, float) if self.fraction else (int,)
        if isinstance(value, right) and not isinstance(value, bool) and self.low <= value <= self.high:
            return float(value) if self.fraction else value
        raise ValueError(f"a {'' if self.fraction else 'whole '}number from {self.low:g} to {self.high:,g}")

    def parse(self, text: str) -> int | float:
        """Read decimal digits."""
        try:
            return self.check(float(text) if self.fraction else int(text))
        except ValueError:
            return self.check(None)

    def schema(self) -> dict[str, Any]:
        """Bound the value."""
        kind = "number" if self.fraction else "integer"
        return {"type": kind, "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    def check(self, value: object) -> bool:
        """Take true and false alone."""
        if isinstance(value, bool):
            return value
        raise ValueError("true or false")

    def parse(self, text: str) -> bool:
        """Read the words that people write in environment variables."""
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False}
        return self.check(words.get(text.lower()))

    def schema(self) -> dict[str, Any]:
        """Name the type."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words; `values` maps each word to the value that `Config` holds."""

    values: Mapping[str, object]

    @classmethod
    def words(cls, *words: str) -> OneOf:
        """Choose among plain words."""
        return cls({word: word for word in words})

    @classmethod
    def enum(cls, members: type[StrEnum], *, none: bool = False) -> OneOf:
        """Choose among the members of an enum, and "none" if asked."""
        return cls({**({"none": None} if none else {}), **{member.value: member for member in members}})

    def check(self, value: object) -> object:
        """Look the word up."""
        if isinstance(value, str) and value in self.values:
            return self.values[value]
        raise ValueError(f"one of {', '.join(self.values)}")

    def parse(self, text: str) -> object:
        """Look the word up."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """List the words."""
        return {"enum": list(self.values)}


@dataclass(frozen=True, slots=True)
class Registered:
    """A name of a registry: ours, or one that an installed package adds."""

    registry: Registry[Any]

    def check(self, value: object) -> str:
        """Look the name up; other packages are asked only for one that is not ours."""
        if isinstance(value, str) and value in self.registry:
            return value
        raise ValueError(f"one of {', '.join(self.registry)}")

    def parse(self, text: str) -> str:
        """Look the name up."""
        return self.check(text)

    def schema(self) -> dict[str, Any]:
        """Propose our names; what is installed elsewhere is not known to an editor."""
        return {"type": "string", "minLength": 1, "examples": list(self.registry.rows)}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list without repetition; in flags and the environment its items are separated by commas."""

    item: Kind
    most: int = 200

    def check(self, value: object) -> tuple[object, ...]:
        """Check each item."""
        if not isinstance(value, list | tuple) or len(value) > self.most:
            raise ValueError(f"a list of at most {self.most}")
        try:
            return tuple(dict.fromkeys(self.item.check(item) for item in value))
        except ValueError as error:
            raise ValueError(f"a list, each item {error}") from None

    def parse(self, text: str) -> tuple[object, ...]:
        """Split at commas."""
        return self.check([part.strip() for part in text.split(",") if part.strip()])

    def schema(self) -> dict[str, Any]:
        """Describe the items."""
        return {"type": "array", "items": self.item.schema(), "maxItems": self.most, "uniqueItems": True}
