"""Words that say the same of software, so that a question finds what is written in other words.

Plain English and the words of every project's manual; none of one project's. Measured: docs/ask.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

STEM = 5  # letters of a word that tell it from others: "answer" of "answered"
# A row is one meaning; a word may stand in several
_ROWS = """
    password passphrase secret credential sensitive confidential
    redact mask hide conceal censor
    tls ssl https certificate
    token credential key
    mail email smtp
    delete remove drop purge erase
    folder directory
    path location place where
    begin start launch boot
    end stop terminate shutdown quit exit
    close shutdown disconnect
    enable activate
    disable deactivate off
    suppress silence mute ignore
    maximum max most limit highest largest
    minimum min least lowest smallest
    limit restrict cap bound
    setting option configuration parameter
    interval period frequency often
    timeout duration ttl expire
    size big large huge
    default unless standard
    error failure exception fault fail
    crash die abort panic
    wrong invalid incorrect bad malformed
    custom own
    change modify edit alter adjust
    choose select pick
    show display print render
    exclude omit skip
    store save persist write
    keep retain
    load read import
    fetch download pull retrieve
    send transmit deliver
    receive accept incoming
    reject refuse deny forbid prohibit block
    allow permit grant
    prevent avoid
    need require necessary mandatory prerequisite
    upgrade update migrate
    old previous former legacy deprecated
    new recent latest
    fast quick speed performance
    slow latency delay overhead
    memory ram heap
    cpu processor core
    process worker
    thread concurrent parallel simultaneous
    duplicate twice repeated same
    retry again repeat
    run execute call invoke
    verify validate check
    message text
    name label
    number value integer
    count amount total
    list array
    response answer reply
    schedule cron periodic
    user account
    login authenticate authentication
    rights permissions privileges
    encrypt cipher encryption
    address url uri host
    listen bind socket
    proxy nginx
    browser client
    server daemon service
    machine host computer
    cache memoize
    first initial
    last final
    order sequence precedence priority
    missing absent
    empty blank
    free release
    clear reset flush
    connect open
    install setup
    example sample
    licence license
    colour color
    console terminal
    cli command shell
    translate locale language
    deep depth nested
    forward pass propagate relay
    split chunk
    merge join combine
    compress gzip
    convert transform
    parse decode
    search find lookup
    copy clone
    link symlink
    restore recover
    revert undo rollback
    fix solve resolve repair
    problem issue trouble
    secure safe protect
    share common
"""


@cache
def _rows() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _ROWS.strip().split("\n"):
        words = tuple(row.split())
        for word in words:
            found[word[:STEM]] = (*found.get(word[:STEM], ()), *words)
    return found


def same(stem: str) -> tuple[str, ...]:
    """Give the stems of the words that say the same as one with this stem, itself among them."""
    return tuple(word[:STEM] for word in _rows().get(stem, ()))


def other_words(words: Sequence[str]) -> list[str]:
    """Give what else may be written for the words of a question, each once, without themselves."""
    known = {word[:STEM] for word in words}
    others = dict.fromkeys(other for word in words for other in _rows().get(word[:STEM], ()))
    return [other for other in others if other[:STEM] not in known]
