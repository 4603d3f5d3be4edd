"""Letters and blanks that people can't tell from others.

The script of a letter is the first word of its name in Python's `unicodedata`; what may mix is as in UTS 39, and
`_LOOKALIKES` are letters that its confusables.txt takes for one letter or digit of ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BLANKS = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")  # all of Zs but the space

_LOOKALIKES = frozenset(
    "ΑαΒΕΖΗΙιͺͿΚΜΝνΟοΡρϱΣσΤΥυΧγϒϜϲϳϹϺаАЬВбсСԁеЕҽԌһНіІӏӀјЈКМоОрРԛгѕЅТѵѴѡԝхХуУүҮЗӠꙄꙇագզհոռստցքօՍՏՕՄՈყჿዐሀဝംഠଠ"
)
_SAME = frozenset("ΑΒΕΖΗΙͿΚΜΝΟοΡΤΥΧϲϳϹϺ")  # Greek letters that look like Latin ones in every font
# Letters and marks that read as a sign of ASCII, though some of them may stand in a name
_SIGNS = re.compile("[\u01c0\u01c3\u02d0\u037e\ua789]")

# Words that begin the names of letters that belong to no script
_OF_NO_SCRIPT = """
FEMININE MASCULINE MICRO CARON MODIFIER SUPERSCRIPT SUBSCRIPT DOUBLE-STRUCK EULER SCRIPT BLACK-LETTER PLANCK OHM
KELVIN ANGSTROM TURNED ALEF BET GIMEL DALET INFORMATION ROMAN VERTICAL MASU MATHEMATICAL FULLWIDTH
"""
_OF_EAST_ASIA = "CJK HIRAGANA KATAKANA KATAKANA-HIRAGANA HENTAIGANA HANGUL BOPOMOFO HALFWIDTH IDEOGRAPHIC"
# Scripts in everyday use (UAX 31, table 5): one of them beside Latin is usual, but for Greek and Cyrillic
_IN_USE = """
ARABIC ARMENIAN BENGALI DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI GURMUKHI HEBREW KANNADA KHMER LAO MALAYALAM
MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI TIBETAN
"""
_NO_SCRIPT, _EAST_ASIAN = frozenset(_OF_NO_SCRIPT.split()), frozenset(_OF_EAST_ASIA.split())
_EVERYDAY = _EAST_ASIAN | frozenset(_IN_USE.split())
_PASSAGE = re.compile("[^\"'`<>#/]+")  # code, a string, a comment, or text between tags: each by itself
_QUOTES = ('"', "'", "`")
_WORD = re.compile(r"\w+")
_RUN = re.compile(r"[^\W_]+")
# Wide, bold and slanted letters, Roman numerals, the long s and the sign of Kelvin
_SHAPES = re.compile("[\uff21-\uff5a\U0001d400-\U0001d7ff\u2160-\u217f\u017f\u212a]")
# A foreign word with an ending of Russian or Ukrainian (emailом), of which one letter at least looks like no other
_POSING = "".join(sorted(char for char in _LOOKALIKES if "Ѐ" <= char <= "ӿ"))
_ENDING = re.compile(rf"[A-Za-z0-9]+[{_POSING}]*(?![{_POSING}])[Ѐ-ӿ]+")
_FEW = 3  # letters are more than a formula has


def lookalikes(text: str) -> list[int]:
    """List the places of letters that make a name read as another one: of a script mixed into it, or of its shape.

    The rules are those of UTS 39, "moderately restrictive", but for symbols as formulas have them (Δt, σ_x), which
    are let through. A name of one script is fine, unless each of its letters looks like one of ASCII (ѕсоре), with
    nothing in it, around it or about it that speaks of another language.
    """
    if text.isascii():
        return []
    places = [
        found.start()
        for found in _SIGNS.finditer(text)
        if (text[found.start() - 1 : found.start()] + text[found.end() : found.end() + 1]).isascii()
    ]
    for passage in _PASSAGE.finditer(text):
        if not passage[0].isascii():
            inert = _quoted(text, passage) or _written(passage[0])
            for word in _WORD.finditer(text, passage.start(), passage.end()):
                if not word[0].isascii():
                    places += _in_name(text, word.start(), word.end(), inert=inert)
    return sorted(places)


def _in_name(text: str, start: int, end: int, *, inert: bool) -> list[int]:
    runs = [range(run.start(), run.end()) for run in _RUN.finditer(text, start, end)]
    latin = any(_script(text[at]) == "LATIN" for run in runs for at in run)
    return sorted(
        {
            place
            for run in runs
            for place in (
                *_in_run([(at, text[at]) for at in run], latin=latin, inert=inert),
                *_shaped(text, run, inert=inert),
            )
        }
    )


def _in_run(letters: list[tuple[int, str]], *, latin: bool, inert: bool) -> list[int]:
    """List the foreign letters of a run without underscores; `latin`: the name has Latin letters somewhere."""
    if inert and _ENDING.fullmatch("".join(char for _, char in letters)):
        return []
    scripts = {at: script for at, char in letters if (script := _script(char))}
    kinds = set(scripts.values())
    own = sum(script == "LATIN" for script in scripts.values())
    foreign = [(at, char) for at, char in letters if scripts.get(at, "LATIN") != "LATIN"]
    if foreign and not own:
        several = len(kinds) > 1 and not kinds <= _EAST_ASIAN
        alike = all(char in (_SAME if scripts[at] == "GREEK" else _LOOKALIKES) for at, char in foreign)
        whole = alike and len(foreign) >= _FEW and not inert
        posing = whole or (latin and (alike or not kinds <= _EVERYDAY | {"CYRILLIC"}))
        return [at for at, _ in foreign] if several or posing else []
    strange = not kinds <= _EVERYDAY | {"LATIN"} or len(kinds - _EAST_ASIAN) > 2
    return [
        at
        for at, char in foreign
        if (strange and scripts[at] not in _EAST_ASIAN)
        or char in _SAME
        or (char in _LOOKALIKES and (scripts[at] != "GREEK" or own >= _FEW))
    ]


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """Name the script of a letter by the first word of its name; "" for what belongs to none."""
    if not char.isalpha():
        return ""
    if char.isascii():
        return "LATIN"
    word = unicodedata.name(char, " ").split(" ")[0]
    return "" if word in _NO_SCRIPT else word


def _shaped(text: str, run: range, *, inert: bool) -> list[int]:
    """List the letters of a name of Latin in another shape (𝐚, ａ, ſ), which a compiler may read as plain ones.

    A name wholly of such letters is let through if it has but one, as formulas do, or stands in a string or
    among words of a language that is not written in ASCII (`inert`).
    """
    shaped = [at for at in run if _shape(text[at])]
    plain = any(text[at].isascii() and text[at].isalpha() for at in run)
    alone = len(shaped) > 1 and len(shaped) == len(run) and not inert
    return shaped if plain or alone else []


def _shape(char: str) -> bool:
    return bool(_SHAPES.match(char)) and unicodedata.normalize("NFKC", char).isascii()


def false_blanks(text: str) -> list[int]:
    """List the places of blanks that look like a space, less those that written language has there.

    That is: in words of a language that is not ASCII, within a number, and in a string at French punctuation or
    before a unit.
    """
    places: list[int] = []
    if text.isascii():
        return places
    for passage in _PASSAGE.finditer(text):
        found = [blank.start() for blank in _BLANKS.finditer(text, passage.start(), passage.end())]
        if found and not _written(passage[0]):
            quoted = _quoted(text, passage)
            places += [
                at
                for at in found
                if not _typographic(text[at - 1 : at], text[at + 1 : at + 2], quoted=quoted)
            ]
    return places


def _typographic(before: str, after: str, *, quoted: bool) -> bool:
    number = before.isdigit() and after.isdigit()
    return number or (quoted and (before.isdigit() or before == "«" or after in tuple("!?;:»%€°")))


def _quoted(text: str, passage: re.Match[str]) -> bool:
    """Whether a passage stands between two quotes."""
    return (
        text[passage.start() - 1 : passage.start()] in _QUOTES
        and text[passage.end() : passage.end() + 1] in _QUOTES
    )


def _written(passage: str) -> bool:
    """Whether a passage holds words of a language that is not written in ASCII; letters that pose don't count."""
    return any(
        char.isalpha() and not (char.isascii() or char in _LOOKALIKES or _shape(char)) for char in passage
    )
