"""Go's text/template, first half: text → tokens (parse/lex.go of the Go library)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hunkwise.engine.errors import ModelfileError

_SPACES = frozenset(" \t\r\n")
_TRIMMED = " \t\r\n"
_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<raw>`[^`]*`)
      | (?P<char>'(?:[^'\\\n]|\\.[0-9a-fA-F]*)')
      | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
            |(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?))
      | (?P<field>\.\w+)
      | (?P<variable>\$\w*)
      | (?P<word>\w+)
      | (?P<mark>:=|[=|(),.])""",
    re.VERBOSE,
)
_COMMENT_END = re.compile(r"(\s+-)?\}\}")
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9_]*|0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+)")
_OCTAL = re.compile(r"[+-]?0[0-9_]+")  # what Go reads as octal is more likely a mistake
_ESCAPE = re.compile(
    r"\\(?:(?P<letter>[abfnrtv\\\"'])|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<octal>[0-7]{3})|)"
)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Origin:
    """The template's text and name, to say where a mistake is."""

    text: str
    source: str

    def error(self, message: str, at: int) -> ModelfileError:
        """Return the error for a mistake at offset `at`."""
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return ModelfileError(message, source=self.source, line=line, column=column)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template; `kind` is text { } word field variable string number bool nil dot | ( ) , = or :=."""

    kind: str
    text: str
    at: int
    spaced: bool = False  # white space stands before it
    value: str | int | float | bool | None = None


def tokens(origin: Origin) -> Iterator[Token]:
    """Yield the tokens of a template; texts are trimmed where `{{-` and `-}}` ask for it."""
    text, at, trim = origin.text, 0, False
    while True:
        opening = text.find("{{", at)
        end = opening if opening >= 0 else len(text)
        piece = text[at:end].lstrip(_TRIMMED) if trim else text[at:end]
        inside = end + 2
        if text.startswith("-", inside) and text[inside + 1 : inside + 2] in _SPACES:
            piece = piece.rstrip(_TRIMMED)
            inside += 2
        if piece:
            yield Token("text", piece, at)
        if opening < 0:
            return
        if text.startswith("/*", _after_spaces(text, inside)):
            at, trim = _after_comment(origin, inside, opening)
            continue
        yield Token("{", "{{", opening)
        for token in _inside(origin, inside, opening):
            yield token
            at, trim = token.at + len(token.text), token.text == "-}}"


def _after_spaces(text: str, at: int) -> int:
    while text[at : at + 1] in _SPACES:
        at += 1
    return at


def _after_comment(origin: Origin, at: int, opening: int) -> tuple[int, bool]:
    """Return where the text goes on behind a comment, and whether it is trimmed there."""
    end = origin.text.find("*/", at)
    if end < 0:
        raise origin.error("this comment is never closed", opening)
    closing = _COMMENT_END.match(origin.text, end + 2)
    if closing is None:
        raise origin.error("a comment must fill its action: {{/* … */}}", opening)
    return closing.end(), closing[1] is not None


def _inside(origin: Origin, at: int, opening: int) -> Iterator[Token]:
    """Yield the tokens of one action, at last its `}}` or `-}}`."""
    text = origin.text
    while True:
        start, at = at, _after_spaces(text, at)
        if text.startswith("-}}", at) and at > start:
            yield Token("}", "-}}", at, True)
            return
        if text.startswith("}}", at):
            yield Token("}", "}}", at, at > start)
            return
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refusal(origin, at, opening)
        yield _token(origin, match, at > start)
        at = match.end()


def _refusal(origin: Origin, at: int, opening: int) -> ModelfileError:
    char = origin.text[at : at + 1]
    if not char:
        return origin.error("this action is never closed; }} is missing", opening)
    if char in "\"'`":
        return origin.error("this quote is never closed", at)
    return origin.error(f"unexpected {char!r} in an action", at)


def _token(origin: Origin, match: re.Match[str], spaced: bool) -> Token:
    kind, text, at = str(match.lastgroup), match[0], match.start()
    if kind == "string":
        return Token("string", text, at, spaced, _unquote(origin, text[1:-1], at))
    if kind == "raw":
        return Token("string", text, at, spaced, text[1:-1].replace("\r", ""))
    if kind == "char":
        char = _unquote(origin, text[1:-1], at)
        if len(char) != 1:
            raise origin.error(f"{text} is not one character", at)
        return Token("number", text, at, spaced, ord(char))
    if kind == "number":
        return Token("number", text, at, spaced, _number(origin, text, at))
    if kind == "word" and text in ("true", "false"):
        return Token("bool", text, at, spaced, text == "true")
    if kind == "word" and text == "nil":
        return Token("nil", text, at, spaced)
    if kind == "mark":
        return Token("dot" if text == "." else text, text, at, spaced)
    return Token(kind, text, at, spaced)


def _unquote(origin: Origin, text: str, at: int) -> str:
    def one(match: re.Match[str]) -> str:
        if match["letter"]:
            return _LETTERS.get(match["letter"], match["letter"])
        code = match["x"] or match["u"] or match["U"]
        number = int(code, 16) if code else int(match["octal"], 8) if match["octal"] else None
        # \x80 and above are single bytes in Go, and no text
        if number is None or number > 0x10FFFF or 0xD800 <= number < 0xE000 or (match["x"] and number > 127):
            raise origin.error(f"the escape {text[match.start() : match.start() + 4]!r} is no character", at)
        return chr(number)

    return _ESCAPE.sub(one, text)


def _number(origin: Origin, text: str, at: int) -> int | float:
    try:
        if len(text) > 40 or _OCTAL.fullmatch(text):
            raise ValueError
        value = int(text, 0) if _WHOLE.fullmatch(text) else float(text)
        if abs(value) >= 1e300:
            raise ValueError
    except ValueError:
        raise origin.error(f"{text[:40]} is not a number that can be read", at) from None
    return value
