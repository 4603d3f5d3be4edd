'''One instruction of a Modelfile: text → `Command` → text, with the place of every mistake.

Grammar (Ollama's parser/parser.go): one instruction per line, `NAME value`, names in any case and any order.

- `#` starts a comment only where an instruction could start.
- A value runs to the end of its line, with spaces around it trimmed. `"…"` and `"""…"""` may span lines; they
  end only where a *line* ends in the quote, so text after a closing quote keeps the value open. There are no
  escapes and no single quotes. What stands between the quotes is verbatim, line ends included.
- CR, LF and CR LF end a line. Other characters that can't be printed are dropped, NBSP among them.

One thing is ours: several spaces after PARAMETER or MESSAGE are as good as one (Ollama reads an empty name).
'''

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from hunkwise.engine.errors import ModelfileError
from hunkwise.engine.models.modelfile.parameters import nearest
from hunkwise.engine.types import Role

INSTRUCTIONS = (
    "FROM",
    "PARAMETER",
    "TEMPLATE",
    "SYSTEM",
    "ADAPTER",
    "MESSAGE",
    "LICENSE",
    "REQUIRES",
    "DRAFT",
    "RENDERER",
    "PARSER",
)
ROLES: tuple[Role, ...] = ("system", "user", "assistant")
_SPACES = " \t"
_LINE_ENDS = "\r\n"
_BLANK = _SPACES + _LINE_ENDS
_WORD_END = re.compile(r"[ \t\r\n]")
_LINE_END = re.compile(r"\r\n?|\n")
_KEY = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Command:
    """One instruction.

    `name` is in upper case; `key` is PARAMETER's name or MESSAGE's role, else empty; `value` is without its
    quotes. `line` and `column` (1-based, in characters) are where the name starts; they don't count in `==`.
    """

    name: str
    value: str
    key: str = ""
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


def read_commands(text: str, source: str) -> Iterator[Command]:
    """Yield the instructions in their order. Raises ModelfileError at the first mistake."""
    lines = _Text(text, source, (0, *(end.end() for end in _LINE_END.finditer(text))))
    at = _next_instruction(text, 0)
    while at < len(text):
        start = at
        name, at = _instruction(lines, at)
        key = ""
        if name == "PARAMETER":
            key, at = _parameter_name(lines, at)
        elif name == "MESSAGE":
            key, at = _role(lines, at)
        value, at = _value(lines, name, at)
        if name == "FROM" and not value:
            raise lines.error("FROM needs a model's name or a path", start)
        yield Command(name, value, key, *lines.place(start))
        at = _next_instruction(text, at)


def render_command(command: Command) -> str:
    """Write one instruction without its line end, quoted only where needed.

    Raises ModelfileError for a value that no quoting can express.
    """
    words = [command.name, command.key] if command.key else [command.name]
    for quote in _quotes(command.value):
        line = " ".join([*words, f"{quote}{command.value}{quote}"])
        try:
            if list(read_commands(line, "")) == [command]:
                return line
        except ModelfileError:
            continue
    raise ModelfileError(
        f"the value of {command.name} can't be written in a Modelfile: it holds characters that can't be "
        'printed, or a line that ends in """',
        line=command.line,
        column=command.column,
    )


def _quotes(value: str) -> tuple[str, ...]:
    if not value:
        return ('"',)
    return ("", '"""', '"') if '"' in value else ("", '"', '"""')


@dataclass(frozen=True, slots=True)
class _Text:
    """The text with the start of each line, to say where a mistake is."""

    text: str
    source: str
    starts: tuple[int, ...]

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.starts, at)
        return line, at - self.starts[line - 1] + 1

    def error(self, message: str, at: int) -> ModelfileError:
        line, column = self.place(at)
        return ModelfileError(message, source=self.source, line=line, column=column)

    def until(self, stop: re.Pattern[str], at: int) -> int:
        """Return where the next match of `stop` begins, or the end of the text."""
        match = stop.search(self.text, at)
        return match.start() if match else len(self.text)


def _printable(text: str) -> str:
    # str.isprintable is Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols, and the space
    return "".join(char for char in text if char.isprintable() or char == "\t")


def _next_instruction(text: str, at: int) -> int:
    """Pass blanks, comments and what can't be printed."""
    while at < len(text):
        if text[at] == "#":
            end = _LINE_END.search(text, at)
            at = end.start() if end else len(text)
        elif text[at] in _BLANK or not text[at].isprintable():
            at += 1
        else:
            break
    return at


def _word(lines: _Text, at: int) -> tuple[str, int]:
    end = lines.until(_WORD_END, at)
    return lines.text[at:end], end


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACES:
        at += 1
    return at


def _needs_space(lines: _Text, what: str, start: int, end: int) -> None:
    if end == len(lines.text) or lines.text[end] in _LINE_ENDS:
        raise lines.error(f"{what} needs a value on the same line", start)


def _shown(word: str) -> str:
    return repr(_printable(word[:64]))


def _instruction(lines: _Text, at: int) -> tuple[str, int]:
    word, end = _word(lines, at)
    name = word.upper()
    if not word.isascii() or name not in INSTRUCTIONS:
        hint = nearest(word, INSTRUCTIONS)
        meant = f"did you mean {hint}?" if hint else f"legal are {', '.join(INSTRUCTIONS)}"
        raise lines.error(f"unknown instruction {_shown(word)}; {meant}", at)
    _needs_space(lines, name, at, end)
    return name, end


def _parameter_name(lines: _Text, at: int) -> tuple[str, int]:
    start = _skip_spaces(lines.text, at)
    word, end = _word(lines, start)
    if not _KEY.fullmatch(word):
        found = f"not {_shown(word)}" if word else "and none is here"
        raise lines.error(f"PARAMETER needs a name of letters, digits and _, {found}", start)
    _needs_space(lines, f"PARAMETER {word[:64]}", start, end)
    return word, end


def _role(lines: _Text, at: int) -> tuple[str, int]:
    start = _skip_spaces(lines.text, at)
    word, end = _word(lines, start)
    if word not in ROLES:
        hint = nearest(word, ROLES)
        found = f"not {_shown(word)}" + (f"; did you mean {hint}?" if hint else "")
        raise lines.error(f"MESSAGE needs a role, system, user or assistant, {found}", start)
    _needs_space(lines, f"MESSAGE {word}", start, end)
    return word, end


def _value(lines: _Text, name: str, at: int) -> tuple[str, int]:
    """Read a value; return it with the line end behind it. Each line is looked at once."""
    text = lines.text
    end = lines.until(_LINE_END, at)
    line = _printable(text[at:end]).strip(_SPACES)
    quote = '"""' if line.startswith('"""') else '"' if line.startswith('"') else ""
    if len(line) >= 2 * len(quote) and line.endswith(quote):
        return line[len(quote) : len(line) - len(quote)], end
    parts = [_printable(text[at:end]).lstrip(_SPACES)[len(quote) :]]
    while end < len(text):
        start = end + 1  # one character, so that each of CR LF is kept
        parts.append(text[end])
        end = lines.until(_LINE_END, start)
        parts.append(_printable(text[start:end]))
        if parts[-1].rstrip(_SPACES).endswith(quote):
            return "".join(parts).rstrip(_SPACES)[: -len(quote)], end
    raise lines.error(
        f"the value of {name} opens with {quote} and is never closed; the closing {quote} must end its line",
        _skip_spaces(text, at),
    )
