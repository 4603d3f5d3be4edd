"""The text of a comment on one finding, and the cutting of text to a forge's limit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hunkwise.reviewer.publish.marker import Marker, read_marker, run_of
from hunkwise.reviewer.report.remark import facts, page, said
from hunkwise.reviewer.text.markdown import code_span, escape, fence
from hunkwise.reviewer.text.visible import visible
from hunkwise.reviewer.types import Finding, Suggestion

_FENCE = re.compile(r"(`{3,}|~{3,})(.*)")
_CUT = "_Cut here: the forge takes no longer comment._"
_TITLE_LENGTH = 200  # characters
_GITLAB_LINES_ABOVE = 100  # gitlab: user/project/merge_requests/reviews/suggestions.md


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between forges in the text. `limit` is in characters; `mark` names the suggestion fence.

    In `mark`, {above} is the number of lines above the commented one that are replaced too.
    """

    limit: int
    mark: str
    most_above: int | None = None


# GitHub refuses a body over 65,536 characters with a 422; some room is left, as changesets' action does.
# GitLab takes a million, which nobody reads.
GITHUB = Dialect(60_000, "suggestion")
GITLAB = Dialect(60_000, "suggestion:-{above}+0", _GITLAB_LINES_ABOVE)
GITEA = Dialect(60_000, "", most_above=-1)  # it has no suggestions


def place(finding: Finding) -> str:
    """Name the lines of a finding: `path:3` or `path:3-5`."""
    last = f"-{finding.end_line}" if finding.end_line > finding.start_line else ""
    return code_span(f"{finding.path}:{finding.start_line}{last}")


def headline(finding: Finding) -> str:
    """Severity, title, category and what is known of its worth, in one line."""
    title = " ".join(escape(finding.title, _TITLE_LENGTH).split())
    return f"**{finding.severity.capitalize()}**: {title} ({escape(facts(finding))})"


def suggestion_block(suggestion: Suggestion, dialect: Dialect) -> str | None:
    """Write a suggestion, None if it can't be offered: characters nobody sees, or out of the forge's reach.

    The fence is longer than any run of backticks inside, so the text can't leave it.
    """
    text = suggestion.replacement.replace("\r\n", "\n")
    above = suggestion.end_line - suggestion.start_line
    unseen = visible(text) != text or "\r" in text
    far = dialect.most_above is not None and above > dialect.most_above
    if unseen or far or len(text) > dialect.limit // 2:
        return None
    block = fence(text, dialect.mark.format(above=above))
    return block if text else block.replace("\n\n", "\n", 1)  # an empty line would be put in for the code


def comment_body(
    finding: Finding, suggestion: Suggestion | None, head: str, dialect: Dialect, *, on_file: bool = False
) -> str:
    """Write the comment on a finding, its marker last; one on a whole file names the lines."""
    where = [f"At {place(finding)}, which the diff does not show."] if on_file else []
    blocks = [headline(finding), *where, escape(said(finding))]
    block = suggestion_block(suggestion, dialect) if suggestion is not None else None
    if block is None and finding.example:
        block = f"<details><summary>Example of right code</summary>\n\n{fence(finding.example)}\n\n</details>"
    blocks += [block or "", f"<{address}>" if (address := page(finding)) else ""]
    marker = str(Marker(finding.fingerprint, run_of(head)))
    return sealed("\n\n".join(block for block in blocks if block), marker, dialect.limit)


def outdated_body(body: str, head: str, dialect: Dialect) -> str:
    """Say above a comment of ours that its finding is gone as of `head`; its marker says so too."""
    marker = read_marker(body)
    assert marker is not None
    ended = Marker(marker.fingerprint, marker.run, run_of(head))
    text = "\n".join(body.rstrip().splitlines()[:-1]).rstrip()
    said = f"_Outdated: no longer found as of {run_of(head)}._\n\n{text}"
    return sealed(said, str(ended), dialect.limit)


def sealed(text: str, marker: str, limit: int) -> str:
    """Put the marker below text that is cut to fit `limit` characters together with it."""
    return f"{cut(text, limit - len(marker) - 2)}\n\n{marker}"


def cut(text: str, limit: int) -> str:
    """Cut Markdown to at most `limit` characters at a line's end, and close open fences and `<details>`."""
    if len(text) <= limit:
        return text
    lines = text[:limit].split("\n")
    while lines:
        lines.pop()  # the last one may be half a line
        short = "\n".join(lines) + _closing(lines)
        if len(short) <= limit:
            return short
    return ""


def _closing(lines: list[str]) -> str:
    """What closes the open blocks of these lines, and says that text was cut."""
    mark, details = "", 0
    for line in lines:
        found = _FENCE.match(line)
        if mark:
            mark = "" if found and found[1].startswith(mark) and not found[2].strip() else mark
        elif found:
            mark = found[1]
        else:
            details += line.count("<details>") - line.count("</details>")
    return "\n".join(["", *([mark] if mark else []), *["", "</details>"] * details, "", _CUT])
