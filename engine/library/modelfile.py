"""The Modelfile language as Ollama has it: bytes → `Modelfile` → text; `instructions.py` has the grammar.

UTF-8, or UTF-16 with a byte order mark. One thing is ours: an ADAPTER path that ends in `.gguf` may be
followed by a number, the adapter's scale: `ADAPTER ./style.gguf 0.5`. Any other value is a path as it stands.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hunkwise.engine.errors import ModelfileError
from hunkwise.engine.library.gotemplate import compile_template
from hunkwise.engine.library.instructions import ROLES, Command, read_commands, render_command
from hunkwise.engine.library.parameters import DEPRECATED, read_value
from hunkwise.engine.types import ParameterValue, Role

__all__ = ["Command", "Modelfile", "parse", "render"]

# golang.org/x/mod/semver, which also takes `1` and `1.2`
_SEMVER = re.compile(
    r"v?((0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?)?)", re.ASCII
)
_SCALED = re.compile(
    r"(?P<path>.+\.gguf)[ \t]+(?P<scale>[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Modelfile:
    """The instructions in the order they came. Properties raise ModelfileError for a wrong value."""

    commands: tuple[Command, ...]
    source: str = field(default="Modelfile", compare=False)

    def _all(self, name: str) -> Iterator[Command]:
        return (command for command in self.commands if command.name == name)

    def _last(self, name: str) -> str | None:
        values = [command.value for command in self._all(name)]
        return values[-1] if values else None

    def _wrong(self, command: Command, message: str) -> ModelfileError:
        return ModelfileError(message, source=self.source, line=command.line, column=command.column)

    @property
    def base(self) -> str:
        """The model to build on, of several FROM lines the last: a name, or a path if such a file exists."""
        return self.bases[-1]

    @property
    def bases(self) -> tuple[str, ...]:
        """Every FROM; where several name files, Ollama takes them together (the shards of one model)."""
        return tuple(command.value for command in self._all("FROM"))

    def parameters(self) -> Mapping[str, ParameterValue]:
        """Return the PARAMETER lines, typed and checked; the last of a name counts, `stop` accumulates."""
        found: dict[str, ParameterValue] = {}
        stops: tuple[str, ...] = ()
        for command in self._all("PARAMETER"):
            if command.key in DEPRECATED:
                continue
            try:
                value = read_value(command.key, command.value)
            except ValueError as error:
                raise self._wrong(command, str(error)) from None
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
        return tuple((roles[command.key], command.value) for command in self._all("MESSAGE"))

    @property
    def licenses(self) -> tuple[str, ...]:
        """Every LICENSE text."""
        return tuple(command.value for command in self._all("LICENSE"))

    @property
    def requires(self) -> str | None:
        """The least version of Ollama that the file asks for, without a leading `v`."""
        version = None
        for command in self._all("REQUIRES"):
            match = _SEMVER.fullmatch(command.value)
            if match is None:
                raise self._wrong(
                    command, f"REQUIRES must be a version such as 0.14.0, not {command.value[:64]!r}"
                )
            version = match[1]
        return version

    @property
    def draft(self) -> str | None:
        """The draft model of speculative decoding; it must not be the model itself."""
        draft = None
        bases = {posixpath.normpath(base) for base in self.bases}
        for command in self._all("DRAFT"):
            draft = command.value
            if posixpath.normpath(draft) in bases:
                raise self._wrong(command, "DRAFT must not name the same file as FROM")
        return draft

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is legal but has no effect: deprecated parameters, instructions that a later one replaces."""
        found: list[str] = []
        later: dict[str, int] = {}
        for command in reversed(self.commands):
            where = f"{self.source}:{command.line}:{command.column}: "
            if command.name == "PARAMETER" and command.key in DEPRECATED:
                found.append(f"{where}parameter {command.key} is deprecated and has no effect")
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
        for command in self._all("TEMPLATE"):
            try:
                compile_template(command.value)
            except ModelfileError as error:
                raise self._wrong(command, str(error)) from None


def parse(text: str | bytes, source: str = "Modelfile") -> Modelfile:
    """Read a Modelfile. `source` names it in errors. Raises ModelfileError at the first mistake."""
    commands = tuple(read_commands(_decode(text), source))
    if not any(command.name == "FROM" for command in commands):
        raise ModelfileError("no FROM line; say which model to build on: FROM name-or-path", source=source)
    return Modelfile(commands, source)


def render(modelfile: Modelfile) -> str:
    """Write a Modelfile that parses to equal commands, one instruction a line, quoted only where needed."""
    return "".join(render_command(command) + "\n" for command in modelfile.commands)


def _decode(text: str | bytes) -> str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    if text.startswith(b"\xff\xfe"):
        return text[2:].decode("utf-16-le", "replace")
    if text.startswith(b"\xfe\xff"):
        return text[2:].decode("utf-16-be", "replace")
    return text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
