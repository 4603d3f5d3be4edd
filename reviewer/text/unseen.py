"""Characters that people can't see, and where a script or an emoji needs one.

Sources: General_Category and the names as in Python's `unicodedata`; Default_Ignorable_Code_Point
(DerivedCoreProperties.txt); what a script or an emoji needs, in the broad: UTS 51, StandardizedVariants.txt, and
RFC 5892, A.1 and A.2.
"""

from __future__ import annotations

import re
import unicodedata

# Controls (C0, C1) save newline and tab; format characters (zero-width, bidirectional, tags: Cf of Unicode);
# line separators; lone surrogates (bytes of a path that are no UTF-8); variation selectors; all that is ignored by
# default; letters and symbols without ink. See "Trojan Source" (CVE-2021-42574) and ECMA-48 for what they do.
UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)
LINE_ENDS = frozenset("\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")  # what one language or another ends a line at

_C0 = """
NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS
RS US
"""
_DELETE_AND_C1 = """
DEL PAD HOP BPH NBH IND NEL SSA ESA HTS HTJ VTS PLD PLU RI SS2 SS3 DCS PU1 PU2 STS CCH MW SPA EPA SOS SGC SCI
CSI ST OSC PM APC
"""
_CONTROLS = dict(enumerate(_C0.split())) | dict(enumerate(_DELETE_AND_C1.split(), 0x7F))

_JOINERS = "\u200c\u200d"
_HEH = "\u0647"  # written alone in the form that begins a word, with a joiner after it: of the year, of the Hijra
# Scripts that set no space between words, and write where a line may break: Thai, Lao, Myanmar, Khmer
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f]")
_SIGNS_BEFORE_DIGITS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# Scripts whose letters join, or whose syllables are written with joiners: Arabic to Mandaic, those of India,
# Tibetan, Myanmar, Khmer, Mongolian, Balinese, Arabic forms, and what lies beyond the first plane
_JOINING = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1a20-\u1b7f\ua840-\ua9ff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00010f6f\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_PICTURE = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_VARIES = re.compile("[\u1000-\u109f\ua840-\ua877\U00013000-\U0001342f]")  # letters with standard variants
_FLAG = "\U0001f3f4"
_FLAGS = tuple(
    _FLAG + "".join(chr(0xE0000 + ord(char)) for char in name) + "\U000e007f"
    for name in ("gbeng", "gbsct", "gbwls")
)
_VIRAMA = 9  # the combining class of signs that take a vowel away: RFC 5892 asks for no more before a joiner
_DOTS = re.compile("[\u2801-\u28ff]")
_NEAR = 200  # characters to each side in which a Braille blank has dots beside it


def name(char: str) -> str:
    """Name a character for people: `U+200B ZERO WIDTH SPACE`."""
    known = _CONTROLS.get(ord(char)) or unicodedata.name(char, "")
    return f"U+{ord(char):04X} {known}".rstrip()


def hidden(text: str) -> list[int]:
    """List the places of all that is not seen, less what a script or an emoji needs there."""
    return [found.start() for found in UNSEEN.finditer(text) if not needed(text, found.start())]


def needed(text: str, at: int) -> bool:
    """Tell whether an unseen character does there what Unicode has it for."""
    char, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if char in _JOINERS:
        return _joins(text, at)
    if char == "\u200b":
        return all(other and _UNSPACED.match(other) for other in (before, after))
    if "\ufe00" <= char <= "\ufe0f":
        return _varies(char, before, after)
    if "\U000e0100" <= char <= "\U000e01ef":
        return bool(_IDEOGRAPH.match(before))
    if "\u180b" <= char <= "\u180f":
        return bool(_MONGOLIAN.match(before))
    if "\U000e0020" <= char <= "\U000e007f":
        start = text.rfind(_FLAG, max(0, at - 6), at)
        return start >= 0 and text.startswith(_FLAGS, start)
    if char == "\u2800":
        return bool(_DOTS.search(text, max(0, at - _NEAR), at + _NEAR))
    return char in _SIGNS_BEFORE_DIGITS and _is(after, "LMN") and bool(_JOINING.match(after))


def _is(char: str, categories: str) -> bool:
    """Whether a character is seen and of one of the general categories (first letters)."""
    return bool(char) and unicodedata.category(char)[0] in categories and not UNSEEN.match(char)


def _joins(text: str, at: int) -> bool:
    """Joiners stand in scripts that join, also where a foreign word gets an ending, and between emoji."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if (before and unicodedata.combining(before) == _VIRAMA) or (text[at] == "\u200d" and before == _HEH):
        return not UNSEEN.match(after)
    if not _is(after, "LMNS"):
        return False
    if text[at] == "\u200d" and _PICTURE.match(after):
        if before == "\ufe0f" and at > 1:
            before = text[at - 2] if needed(text, at - 1) else ""
        return bool(_PICTURE.match(before))
    joining = [bool(_JOINING.match(char)) for char in (before, after)]
    foreign = text[at] == "\u200c" and any(joining)
    return (foreign or all(joining)) and _is(before, "LMN") and _is(after, "LMN")


def _varies(char: str, before: str, after: str) -> bool:
    """One selector picks the look of a symbol (the letter U+2139 is one), an ideograph, or a digit as a key."""
    if not before.isascii():
        return (
            _is(before, "SP") or before == "\u2139" or bool(_IDEOGRAPH.match(before) or _VARIES.match(before))
        )
    return char == "\ufe0f" and before in tuple("0123456789#*") and after == "\u20e3"
