"""What a terminal really gets: colours of ours, and nothing that a diff could send it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

HOSTILE = (
    b"diff --git a/x b/x\n"
    b'diff --git "a/\\033]0;owned\\007\\302\\233.bin" "b/\\033]0;owned\\007\\302\\233.bin"\n'
    b"new file mode 100644\nindex 0000000..1111111\n"
    b'Binary files /dev/null and "b/\\033]0;owned\\007\\302\\233.bin" differ\n'
)
REVIEW = "from hunkwise.reviewer.cli import review_main; review_main()"
SCRIPTED = (
    "import sys; from hunkwise.engine import ScriptedEngine; from hunkwise.reviewer.cli import hunkwise, run;"
    "sys.exit(run(hunkwise, ['review', *sys.argv[1:]], lambda *_: ScriptedEngine()))"
)
TOKEN = "ghp_" + "a1B2" * 9  # found by a check that needs no model
FOUR_FILES = "".join(
    f"--- a/{name}.py\n+++ b/{name}.py\n@@ -1 +1 @@\n-x = 1\n+{line}\n"
    for name, line in [
        ("secret", f'token = "{TOKEN}"'),
        ("hidden", "x = 2  # \u202e"),
        ("silenced", f'token = "{TOKEN}"  # hunkwise: ignore -- a made-up one'),
        ("last", f'token = "{TOKEN}"'),
    ]
)


def on_a_terminal(
    arguments: list[str], folder: Path, program: str = REVIEW, **environ: str
) -> tuple[int, bytes]:
    """Run a review whose stdout and stderr are a pseudo-terminal; return its exit code and all it wrote."""
    ours, theirs = pty.openpty()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**kept, "HOME": str(folder), "TERM": "xterm", **environ},
    ) as process:
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
    os.close(ours)
    return process.returncode, written


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that nobody writes any more
        return b""


def test_a_path_can_not_steer_the_terminal(tmp_path: Path) -> None:
    """The hostile name is spelled out; the only sequences are our own colours."""
    (tmp_path / "x.patch").write_bytes(HOSTILE)
    code, written = on_a_terminal(["x.patch"], tmp_path)
    assert code == 0
    assert b"<U+001B>]0;owned<U+0007><U+009B>.bin" in written
    assert b"\x1b[1m" in written
    assert b"\x1b" not in re.sub(rb"\x1b\[\d*[mK]", b"", written)


def test_no_color_is_obeyed(tmp_path: Path) -> None:
    """With NO_COLOR a terminal gets no colours, though progress may still clear its line."""
    (tmp_path / "x.patch").write_bytes(HOSTILE)
    _, written = on_a_terminal(["x.patch"], tmp_path, NO_COLOR="1")
    assert b"\x1b" not in written.replace(b"\r\x1b[K", b"")


def test_a_terminal_is_not_read_for_a_diff(tmp_path: Path) -> None:
    """Without a source, people at a terminal are told the choices instead of being waited for."""
    code, written = on_a_terminal([], tmp_path)
    assert code == 2
    assert b"name a diff (review FILE, review - for standard input) or one of --staged" in written


def _streamed(written: bytes) -> list[bytes]:
    """Pick the findings that stand above the progress line, before the last one is cleared."""
    before, _, _ = written.rpartition(b"\r\x1b[K")
    lines = before.replace(b"\r\x1b[K", b"\n").replace(b"\r\n", b"\n").split(b"\n")
    return [line for line in lines if b"critical:" in line or b"high:" in line]


def test_findings_are_shown_as_they_come(tmp_path: Path) -> None:
    """Each in a line above the progress, once, the checks' before any hunk is asked; then comes the report."""
    (tmp_path / "x.patch").write_text(FOUR_FILES)
    _, written = on_a_terminal(["x.patch"], tmp_path, SCRIPTED, NO_COLOR="1")
    streamed, (_, _, report) = _streamed(written), written.rpartition(b"\r\x1b[K")

    assert [line.split(b":")[0] for line in streamed] == [b"secret.py", b"hidden.py", b"last.py"]
    assert b"a1B2" not in written
    assert b"\xe2\x80\xae" not in written
    assert all(line in report for line in streamed)
    assert b"last.py:1:" in report


def test_no_finding_is_shown_that_will_not_be_said(tmp_path: Path) -> None:
    """What misses a bar, or was silenced in the code, is not shown on the way either."""
    (tmp_path / "x.patch").write_text(FOUR_FILES)
    _, written = on_a_terminal(["x.patch", "--min-severity", "critical"], tmp_path, SCRIPTED, NO_COLOR="1")

    assert [line.split(b":")[0] for line in _streamed(written)] == [b"secret.py", b"last.py"]


def test_other_reports_are_not_mixed_with_findings(tmp_path: Path) -> None:
    """Where the report is no text, or nobody watches, nothing is shown on the way."""
    (tmp_path / "x.patch").write_text(FOUR_FILES)
    _, written = on_a_terminal(["x.patch", "--format", "json"], tmp_path, SCRIPTED)
    assert _streamed(written) == []
    _, written = on_a_terminal(["x.patch"], tmp_path, SCRIPTED, CI="true")
    assert b"\x1b[K" not in written
    assert written.count(b"secret.py:1:") == 1
