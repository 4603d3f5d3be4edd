"""Go's text/template, second half: tokens → nodes. Only what prompts use; the rest is refused by name.

Syntax: https://pkg.go.dev/text/template and parse/parse.go of the Go library.
"""

from __future__ import annotations

from dataclasses import dataclass

from hunkwise.engine.errors import ModelfileError
from hunkwise.engine.models.gotemplate.lexer import Origin, Token, tokens
from hunkwise.engine.models.modelfile.parameters import nearest

_MOST_TEXT = 1 << 20  # characters of a template
_MOST_DEPTH = 100  # nested actions and parentheses; each costs Python frames
FUNCTIONS = (
    *("and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge"),
    *("len", "index", "slice", "print", "printf", "println", "json"),
    *("currentDate", "yesterdayDate", "toTypeScriptType"),
)
_BRANCHES = ("if", "with", "range")
_KEYWORDS = (*_BRANCHES, "else", "end", "break", "continue", "define", "template", "block")


@dataclass(frozen=True, slots=True)
class Constant:
    """A string, number, truth value or nil that the template spells out."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    """`.A.B`, `$x.A.B`, `(…).A.B`: where to start (None: the dot), and the fields to follow from there."""

    start: str | Pipe | None
    fields: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function, where a command begins with one, or stands alone as an argument."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a pipeline: a value alone, or a function and its arguments."""

    arguments: tuple[Argument, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each fed with the value before it; `variables` are declared, or set if `assigns`."""

    variables: tuple[str, ...]
    assigns: bool
    commands: tuple[Call, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between actions, trimmed."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is written, unless it declares or sets a variable."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`."""

    word: str
    pipe: Pipe
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    word: str


Argument = Constant | Path | Function | Pipe
Node = Text | Action | Branch | Jump


def parse(origin: Origin) -> tuple[Node, ...]:
    """Parse a whole template. Raises ModelfileError with the place of the first mistake."""
    if len(origin.text) > _MOST_TEXT:
        raise origin.error(f"the template has more than {_MOST_TEXT} characters", 0)
    parser = _Parser(origin)
    nodes, stop = parser.nodes()
    if stop is not None:
        raise origin.error(f"unexpected {{{{{stop.text}}}}}", stop.at)
    return nodes


class _Parser:
    """A cursor over the tokens, with the variables that are declared where it stands."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._tokens = (*tokens(origin), Token("", "", len(origin.text)))
        self._next = 0
        self._declared = ["$"]
        self._depth = 0
        self._loops = 0

    def nodes(self) -> tuple[tuple[Node, ...], Token | None]:
        """Parse up to an `end` or `else`, which is returned with its action still open, or to the end."""
        found: list[Node] = []
        while (token := self._take()).kind:
            if token.kind == "text":
                found.append(Text(token.text))
                continue
            head = self._peek()
            if head.kind != "word" or head.text not in _KEYWORDS:
                found.append(Action(self._pipe()))
                self._close()
                continue
            self._take()
            if head.text in ("end", "else"):
                return tuple(found), head
            found.append(self._branch(head) if head.text in _BRANCHES else self._jump(head))
        return tuple(found), None

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _wrong(self, message: str, token: Token) -> ModelfileError:
        return self._origin.error(message, token.at)

    def _unexpected(self, token: Token) -> ModelfileError:
        return self._wrong(f"unexpected {token.text[:40] or 'end of the template'!r}", token)

    def _close(self) -> None:
        token = self._take()
        if token.kind != "}":
            raise self._unexpected(token)

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._wrong(f"more than {_MOST_DEPTH} actions and parentheses inside each other", token)

    def _jump(self, head: Token) -> Jump:
        if head.text not in ("break", "continue"):
            raise self._wrong(f"{{{{{head.text}}}}} is not supported in prompt templates", head)
        if not self._loops:
            raise self._wrong(f"{{{{{head.text}}}}} outside of {{{{range}}}}", head)
        self._close()
        return Jump(head.text)

    def _branch(self, head: Token) -> Branch:
        """Parse from behind the word to behind the `{{end}}`."""
        self._deeper(head)
        declared, loop = len(self._declared), head.text == "range"
        pipe = self._pipe(2 if loop else 1)
        self._close()
        self._loops += loop
        body, stop = self.nodes()
        self._loops -= loop
        otherwise: tuple[Node, ...] = ()
        again = self._peek()
        if stop is not None and stop.text == "else" and again.text == head.text and not loop:
            self._take()
            otherwise = (self._branch(again),)  # {{else if}}: one {{end}} for both
        else:
            if stop is not None and stop.text == "else":
                self._close()
                otherwise, stop = self.nodes()
            if stop is None:
                raise self._wrong(f"this {{{{{head.text}}}}} has no {{{{end}}}}", head)
            if stop.text != "end":
                raise self._wrong(f"a second {{{{else}}}} for one {{{{{head.text}}}}}", stop)
            self._close()
        del self._declared[declared:]
        self._depth -= 1
        return Branch(head.text, pipe, body, otherwise)

    def _pipe(self, most_variables: int = 1) -> Pipe:
        at = self._peek().at
        names, assigns = self._variables(most_variables)
        calls = [self._call()]
        while self._peek().kind == "|":
            self._take()
            token = self._peek()
            calls.append(self._call())
            if not isinstance(calls[-1].arguments[0], Function):
                raise self._wrong(
                    f"{token.text[:40]!r} is not a function; only functions may follow |", token
                )
        if not assigns:
            self._declared += names
        return Pipe(names, assigns, tuple(calls), at)

    def _variables(self, most: int) -> tuple[tuple[str, ...], bool]:
        """Parse `$x :=`, `$x =` or `$i, $x :=`, `most` variables; nothing if what comes is a plain pipeline."""
        ahead = [token.kind for token in self._tokens[self._next : self._next + 4]]
        count = 2 if most == 2 and ahead[:3] == ["variable", ",", "variable"] else 1
        sign = self._tokens[min(self._next + 2 * count - 1, len(self._tokens) - 1)]
        if not most or ahead[:1] != ["variable"] or sign.kind not in (":=", "="):
            return (), False
        names = [self._tokens[self._next + 2 * index] for index in range(count)]
        self._next += 2 * count
        for name in names:
            if sign.kind == "=" and name.text not in self._declared:
                raise self._wrong(f"undefined variable {name.text}", name)
        return tuple(name.text for name in names), sign.kind == "="

    def _call(self) -> Call:
        first = self._peek()
        arguments: list[Argument] = []
        while (token := self._peek()).kind not in ("}", ")", "|", ""):
            if arguments and not token.spaced:
                raise self._unexpected(token)
            arguments.append(self._operand())
        if not arguments:
            raise self._wrong("a value is missing", first)
        if len(arguments) > 1 and not isinstance(arguments[0], Function):
            raise self._wrong(f"{first.text[:40]!r} is not a function and takes no arguments", first)
        return Call(tuple(arguments), first.at)

    def _operand(self) -> Argument:
        token = self._take()
        if token.kind in ("string", "number", "bool", "nil"):
            return Constant(token.value)
        if token.kind == "word":
            return self._function(token)
        start: str | Pipe | None = None
        if token.kind == "(":
            self._deeper(token)
            start = self._pipe(0)
            if self._peek().kind != ")":
                raise self._wrong("this ( is never closed", token)
            self._take()
            self._depth -= 1
        elif token.kind == "variable":
            if token.text not in self._declared:
                raise self._wrong(f"undefined variable {token.text}", token)
            start = token.text
        elif token.kind not in ("field", "dot"):
            raise self._unexpected(token)
        fields = [token.text[1:]] if token.kind == "field" else []
        while token.kind != "dot" and self._peek().kind == "field" and not self._peek().spaced:
            fields.append(self._take().text[1:])
        return start if isinstance(start, Pipe) and not fields else Path(start, tuple(fields), token.at)

    def _function(self, token: Token) -> Function:
        if token.text not in FUNCTIONS:
            hint = nearest(token.text, FUNCTIONS)
            raise self._wrong(
                f"unknown function {token.text[:40]!r}" + (f"; did you mean {hint}?" if hint else ""), token
            )
        return Function(token.text, token.at)
