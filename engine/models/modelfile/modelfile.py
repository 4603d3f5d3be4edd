"""The Modelfile language as Ollama has it: bytes → `Modelfile` → text; `instructions.py` has the grammar.

UTF-8, or UTF-16 with a byte order mark; anything else is refused with its place. One thing is ours: an ADAPTER
path that ends in `.gguf` may be followed by a number, the adapter's scale: `ADAPTER ./style.gguf 0.5`. Any other
value is a path as it stands.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hunkwise.engine.errors import InvalidName, ModelfileError
from hunkwise.engine.models.gotemplate.template import compile_template
from hunkwise.engine.models.modelfile.instructions import ROLES, Command, read_commands, render_command
from hunkwise.engine.models.modelfile.parameters import DEPRECATED, read_value, takes_effect
from hunkwise.engine.models.names import ModelName, parse_name
from hunkwise.engine.types import ParameterValue, Role

__all__ = ["Command", "Modelfile", "parse", "render"]

# golang.org/x/mod/semver, which also takes `1` and `1.2`
_SEMVER = re.compile(
    r"v?((0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?)?)", re.ASCII
)
_SCALED = re.compile(
    r"(?P<path>.+\.gguf)[ \t]+(?P<scale>[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))", re.IGNORECASE | re.ASCII
)

_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xef\xbb\xbf", "UTF-8"),
    (b"\xff\xfe", "UTF-16-le"),
    (b"\xfe\xff", "UTF-16-be"),
)
# of a first character that is ASCII, which bytes are not zero
_UTF_32 = {(True, False, False, False), (False, False, False, True)}
_UTF_16 = {(True, False), (False, True)}
_COMMENT = re.compile(r"[ \t]#")
_OTHER_QUOTES = ("'", "`", "‘", "“", "«")


@dataclass(frozen=True, slots=True)
class Modelfile:
    """The instructions in the order they came. Properties raise ModelfileError for a wrong value."""

    commands: tuple[Command, ...]
    source: str = field(default="Modelfile", compare=False)

    def all(self, name: str) -> Iterator[Command]:
        """Walk the instructions of one name."""
        return (command for command in self.commands if command.name == name)

    def _last(self, name: str) -> str | None:
        values = [command.value for command in self.all(name)]
        return values[-1] if values else None

    def wrong(self, command: Command, message: str) -> ModelfileError:
        """Make the error that says what is wrong with an instruction, and where it stands."""
        message += _hint(command.value)
        return ModelfileError(message, source=self.source, line=command.line, column=command.column)

    @property
    def base(self) -> str:
        """The model to build on, of several FROM lines the last: a name, or a path if such a file exists."""
        return self.bases[-1]

    @property
    def bases(self) -> tuple[str, ...]:
        """Every FROM; where several name files, Ollama takes them together (the shards of one model)."""
        return tuple(command.value for command in self.all("FROM"))

    def base_name(self) -> ModelName:
        """Read the base as a model's name. Raises ModelfileError."""
        *_, command = self.all("FROM")
        try:
            return parse_name(command.value)
        except InvalidName as error:
            raise self.wrong(command, str(error)) from None

    def parameters(self) -> Mapping[str, ParameterValue]:
        """Return the PARAMETER lines, typed and checked; the last of a name counts, `stop` accumulates."""
        found: dict[str, ParameterValue] = {}
        stops: tuple[str, ...] = ()
        for command in self.all("PARAMETER"):
            if command.key in DEPRECATED:
                continue
            try:
                value = read_value(command.key, command.value)
            except ValueError as error:
                raise self.wrong(command, str(error)) from None
            if isinstance(value, tuple):
                stops += value
                value = stops
            found[command.key] = value
        return MappingProxyType(found)

    @property
    def system(self) -> str | None:
        """The system prompt."""
        return self._last("SYSTEM")

    @property
    def template(self) -> str | None:
        """The Go template of the prompt."""
        return self._last("TEMPLATE")

    @property
    def adapters(self) -> tuple[tuple[str, float], ...]:
        """Path and scale of the LoRA adapter: one at most, since in Ollama the last ADAPTER counts."""
        text = self._last("ADAPTER")
        if text is None:
            return ()
        scaled = _SCALED.fullmatch(text)
        return ((scaled["path"], float(scaled["scale"])),) if scaled else ((text, 1.0),)

    @property
    def messages(self) -> tuple[tuple[Role, str], ...]:
        """The conversation to start from, as (role, text)."""
        roles: dict[str, Role] = {role: role for role in ROLES}
        return tuple((roles[command.key], command.value) for command in self.all("MESSAGE"))

    @property
    def licenses(self) -> tuple[str, ...]:
        """Every LICENSE text."""
        return tuple(command.value for command in self.all("LICENSE"))

    @property
    def requires(self) -> str | None:
        """The least version of Ollama that the file asks for, without a leading `v`."""
        version = None
        for command in self.all("REQUIRES"):
            match = _SEMVER.fullmatch(command.value)
            if match is None:
                raise self.wrong(
                    command, f"REQUIRES must be a version such as 0.14.0, not {command.value[:64]!r}"
                )
            version = match[1]
        return version

    @property
    def draft(self) -> str | None:
        """The draft model of speculative decoding; it must not be the model itself."""
        draft = None
        bases = {posixpath.normpath(base) for base in self.bases}
        for command in self.all("DRAFT"):
            draft = command.value
            if posixpath.normpath(draft) in bases:
                raise self.wrong(command, "DRAFT must not name the same file as FROM")
        return draft

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is legal but has no effect.

        Deprecated parameters, those of sampling, and instructions that a later one replaces.
        """
        found: list[str] = []
        later: dict[str, int] = {}
        for command in reversed(self.commands):
            where = f"{self.source}:{command.line}:{command.column}: "
            if command.name == "PARAMETER" and command.key in DEPRECATED:
                found.append(f"{where}parameter {command.key} is deprecated and has no effect")
            elif command.name == "PARAMETER" and _idle(command):
                effect = "no effect in reviews, which always take the likeliest token"
                found.append(f"{where}parameter {command.key} has {effect}")
            elif command.name in ("SYSTEM", "TEMPLATE", "ADAPTER", "REQUIRES", "DRAFT"):
                if command.name in later:
                    found.append(
                        f"{where}{command.name} has no effect: line {later[command.name]} replaces it"
                    )
                later.setdefault(command.name, command.line)
        return tuple(reversed(found))

    def check(self) -> None:
        """Raise ModelfileError for the first value that is wrong though the text parses."""
        self.parameters()
        _ = self.requires, self.draft
        for command in self.all("TEMPLATE"):
            try:
                compile_template(command.value)
            except ModelfileError as error:
                raise self.wrong(command, str(error)) from None


def parse(text: str | bytes, source: str = "Modelfile") -> Modelfile:
    """Read a Modelfile. `source` names it in errors. Raises ModelfileError at the first mistake."""
    commands = tuple(read_commands(_decode(text, source), source))
    if not any(command.name == "FROM" for command in commands):
        raise ModelfileError("no FROM line; say which model to build on: FROM name-or-path", source=source)
    return Modelfile(commands, source)


def render(modelfile: Modelfile) -> str:
    """Write a Modelfile that parses to equal commands, one instruction a line, quoted only where needed."""
    return "".join(render_command(command) + "\n" for command in modelfile.commands)


def _idle(command: Command) -> bool:
    """True for a parameter that is legal and changes nothing in a review."""
    try:
        return not takes_effect(command.key, read_value(command.key, command.value))
    except ValueError:
        return False


def _decode(data: str | bytes, source: str) -> str:
    """Turn a file's bytes into text. Raises ModelfileError at the first that are none."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    if data.startswith(b"GGUF"):
        raise ModelfileError("this is no Modelfile; the name of a GGUF file must end in .gguf", source=source)
    mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", "UTF-8"))
    unmarked = "" if mark else _unmarked(data)
    if unmarked:
        raise ModelfileError(f"this is {unmarked} without a byte order mark; save it as UTF-8", source=source)
    if encoding == "UTF-32":
        raise ModelfileError("this is UTF-32; save it as UTF-8", source=source)
    data = data[len(mark) :]
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = re.split(r"\r\n?|\n", data[: error.start].decode(encoding))
        raise ModelfileError(
            f"this is not {encoding[:6].rstrip('-')} (byte 0x{data[error.start]:02x}); save the file as UTF-8",
            source=source,
            line=len(before),
            column=len(before[-1]) + 1,
        ) from None


def _unmarked(data: bytes) -> str:
    """Name the encoding whose zero bytes show that it is not UTF-8; empty where they show none.

    A Modelfile begins with ASCII, so the zero bytes of its first character tell.
    """
    first = tuple(byte != 0 for byte in data[:4])
    if first in _UTF_32:
        return "UTF-32"
    zeros, others = data[1::2].count(0), data[::2].count(0)
    if first[:2] == (False, True):
        zeros, others = others, zeros
    return "UTF-16" if first[:2] in _UTF_16 and zeros > max(others, 1) else ""


def _hint(value: str) -> str:
    """Say what a wrong value may have been meant as, in words that go behind the error."""
    if _COMMENT.search(value):
        return "; a comment needs a line of its own"
    if value[:1] in _OTHER_QUOTES:
        return '; the quotes of a Modelfile are " and """'
    return ""
