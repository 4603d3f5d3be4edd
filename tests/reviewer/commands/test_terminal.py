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


def on_a_terminal(arguments: list[str], folder: Path, **environ: str) -> tuple[int, bytes]:
    """Run a review whose stdout and stderr are a pseudo-terminal; return its exit code and all it wrote."""
    ours, theirs = pty.openpty()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-c", REVIEW, *arguments],
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
