from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hunkwise.engine import Counters
from hunkwise.engine.store.secret import open_secret


def test_made_once(tmp_path: Path) -> None:
    """The secret is made at the first use, for its owner only, and is the same ever after."""
    path, tally = tmp_path / "new" / "secret", Counters()
    first = open_secret(path, tally)
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_secret(path, tally) == first
    assert list(path.parent.iterdir()) == [path]
    assert tally.counts() == {}


@pytest.mark.parametrize("harm", ["readable", "short", "link", "long"])
def test_replaced(tmp_path: Path, harm: str) -> None:
    """A secret that others could read, or that is none, is replaced."""
    path, tally = tmp_path / "secret", Counters()
    old = open_secret(path, tally)
    if harm == "readable":
        path.chmod(0o644)
    elif harm == "link":
        path.rename(tmp_path / "real")
        path.symlink_to(tmp_path / "real")
    else:
        path.write_bytes(old[:5] if harm == "short" else old * 2)
    new = open_secret(path, tally)
    assert new != old
    assert open_secret(path, tally) == new
    assert tally.counts() == {"secret.replaced": 1}


def test_nowhere(tmp_path: Path) -> None:
    """Where nothing can be written the secret is good for this process."""
    (tmp_path / "file").write_text("")
    tally = Counters()
    assert len(open_secret(tmp_path / "file" / "secret", tally)) == 32
    assert tally.counts() == {"secret.unwritable": 1}


def test_race(tmp_path: Path) -> None:
    """Processes that begin together agree on one secret."""
    script = (
        "import sys; from pathlib import Path; from hunkwise.engine import Counters\n"
        "from hunkwise.engine.store.secret import open_secret\n"
        "sys.stdin.read(1); print(open_secret(Path(sys.argv[1]), Counters()).hex())"
    )
    read, write = os.pipe()
    command = [sys.executable, "-c", script, str(tmp_path / "secret")]
    running = [subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE) for _ in range(4)]
    os.close(read)
    os.close(write)
    assert len({process.communicate(timeout=60)[0] for process in running}) == 1
