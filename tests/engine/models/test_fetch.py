"""Downloads arrive whole, or say why not."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunkwise.engine.errors import CorruptModel, DownloadFailed, StoreError
from hunkwise.engine.models.sources.fetch import DownloadPolicy, Refused, download, read
from hunkwise.engine.models.sources.partial import Partial

DATA = bytes(range(256)) * 1200  # 307 200 bytes
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def waits():
    """The waits that a download asked for, in seconds; none is waited."""
    return []


@pytest.fixture
def policy(waits):
    return DownloadPolicy(tries=4, stall=5.0, sleep=waits.append)


def get(url, target, policy, **more):
    download(url, target, **{"sha256": SHA, "size": len(DATA), "policy": policy, **more})


def test_arrives(web, answers, tmp_path, policy):
    """A download is told of while it grows, and is the file in the end."""
    told: list[int] = []
    get(web.on("/f", answers.body(DATA)), tmp_path / "f", policy, told=told.append)
    assert (tmp_path / "f").read_bytes() == DATA
    assert told == sorted(told)
    assert told[-1] == len(DATA)


def test_resumes(web, answers, tmp_path, policy):
    """What an earlier run left is not fetched again."""
    (tmp_path / "f").write_bytes(DATA[:1000])
    get(web.on("/f", answers.body(DATA)), tmp_path / "f", policy)
    assert (tmp_path / "f").read_bytes() == DATA
    assert web.asked("/f")[0]["range"] == "bytes=1000-"


def test_whole_file_asks_nobody(web, tmp_path, policy):
    """A file that is whole already is only hashed."""
    (tmp_path / "f").write_bytes(DATA)
    get(web.url + "/f", tmp_path / "f", policy)
    assert web.requests == []


def test_no_range_support(web, answers, tmp_path, policy):
    """A server that ignores Range makes the file start over, not grow wrong."""
    (tmp_path / "f").write_bytes(DATA[:1000])
    get(web.on("/f", answers.body(DATA, ranges=False)), tmp_path / "f", policy)
    assert (tmp_path / "f").read_bytes() == DATA


def test_cut_connection(web, answers, tmp_path, policy, waits):
    """A cut connection is taken up where it broke, on the condition that the file is still the same."""
    cut = answers.body(DATA, etag='"v1"', cut=100_000)
    get(web.on("/f", cut, answers.body(DATA, etag='"v1"')), tmp_path / "f", policy)
    assert (tmp_path / "f").read_bytes() == DATA
    assert web.asked("/f")[1]["range"] == "bytes=100000-"
    assert web.asked("/f")[1]["if-range"] == '"v1"'
    assert len(waits) == 1


def test_changed_meanwhile(web, answers, tmp_path, policy):
    """A file that changed between two tries is fetched from its start."""
    cut = answers.body(DATA[::-1], etag='"old"', cut=100_000)
    get(web.on("/f", cut, answers.body(DATA, etag='"new"')), tmp_path / "f", policy)
    assert (tmp_path / "f").read_bytes() == DATA


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(DATA)), max_size=3), held=st.integers(0, len(DATA) + 5))
def test_any_cuts(web, answers, tmp_path, cuts, held):
    """Wherever connections break and whatever was there before, the file is the same."""
    (tmp_path / "f").write_bytes((DATA + b"extra")[:held])
    broken = [answers.body(DATA, cut=cut) for cut in sorted(cuts)]
    url = web.on("/f", *broken, answers.body(DATA))
    get(url, tmp_path / "f", DownloadPolicy(tries=5, stall=5.0, sleep=lambda seconds: None))
    assert (tmp_path / "f").read_bytes() == DATA


def test_gives_up(web, answers, tmp_path, policy, waits):
    """A server that breaks off again and again is given up, and the beginning stays for the next run."""
    url = web.on("/f", answers.body(DATA, cut=10_000))
    with pytest.raises(DownloadFailed, match="cut"):
        get(url, tmp_path / "f", policy)
    assert (tmp_path / "f").read_bytes() == DATA[:10_000]
    assert len(waits) == 3


def test_server_errors(web, answers, tmp_path, policy, waits):
    """Errors of the server are borne with, in waits that grow."""
    url = web.on("/f", answers.status(503), answers.status(500), answers.body(DATA))
    get(url, tmp_path / "f", policy)
    assert (tmp_path / "f").read_bytes() == DATA
    assert 0.5 < waits[0] < waits[1] < 3


def test_retry_after(web, answers, tmp_path, policy, waits):
    """A server that says when to come back is obeyed."""
    get(web.on("/f", answers.status(429, Retry_After="7"), answers.body(DATA)), tmp_path / "f", policy)
    assert waits == [7.0]


def test_retry_after_too_long(web, answers, tmp_path, policy, waits):
    """A server that wants an hour's wait is not waited for."""
    with pytest.raises(DownloadFailed, match="asks to wait 3600 s"):
        get(web.on("/f", answers.status(429, Retry_After="3600")), tmp_path / "f", policy)
    assert waits == []


def test_refused(web, answers, tmp_path, policy, waits):
    """What is not there is not asked for twice."""
    with pytest.raises(Refused, match="404 Not Found"):
        get(web.on("/f", answers.status(404)), tmp_path / "f", policy)
    assert waits == []


def test_unreachable(tmp_path, policy, waits):
    """A host that does not answer at all is given up at once, since another source may."""
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        port = idle.getsockname()[1]
    with pytest.raises(DownloadFailed, match="can't be reached"):
        get(f"http://127.0.0.1:{port}/f", tmp_path / "f", policy)
    assert waits == []


def test_stall(web, tmp_path, waits):
    """A server that sends nothing more is not waited for forever."""

    def stall(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        handler.wfile.write(DATA[:10])
        handler.wfile.flush()
        handler.rfile.read(1)  # until the client hangs up

    with pytest.raises(DownloadFailed, match="timed out"):
        get(web.on("/f", stall), tmp_path / "f", DownloadPolicy(tries=2, stall=0.2, sleep=waits.append))


def test_wrong_bytes(web, answers, tmp_path, policy):
    """Bytes of another digest are deleted, and both digests are named."""
    with pytest.raises(CorruptModel) as caught:
        get(web.on("/f", answers.body(DATA[::-1])), tmp_path / "f", policy)
    assert SHA in str(caught.value)
    assert hashlib.sha256(DATA[::-1]).hexdigest() in str(caught.value)
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("held", [0, 500])
def test_wrong_length(web, answers, tmp_path, policy, held):
    """A file of another length is refused before it is fetched."""
    (tmp_path / "f").write_bytes(DATA[:held])
    with pytest.raises(DownloadFailed, match=r"offers 1000 bytes, expected 307200"):
        get(web.on("/f", answers.body(DATA[:1000])), tmp_path / "f", policy)


def test_too_many_bytes(web, answers, tmp_path, policy):
    """A body without end is cut at the size that was agreed."""
    with pytest.raises(DownloadFailed, match="more than the expected 307200 bytes"):
        get(web.on("/f", answers.chunked(DATA + b"!")), tmp_path / "f", policy)
    assert (tmp_path / "f").stat().st_size <= len(DATA)


def test_encoded(web, tmp_path, policy):
    """A body that a proxy compressed is refused: its offsets mean nothing."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()

    with pytest.raises(DownloadFailed, match="encoded"):
        get(web.on("/f", answer), tmp_path / "f", policy)


@pytest.mark.parametrize(("elsewhere", "kept"), [(True, False), (False, True)])
def test_authorization_stays_home(web, answers, tmp_path, policy, elsewhere, kept):
    """A token follows a redirect on its host, and never to another."""
    web.on("/cdn", answers.body(DATA))
    url = web.on("/f", answers.status(302, Location=(web.other if elsewhere else web.url) + "/cdn"))
    get(url, tmp_path / "f", policy, headers={"Authorization": "Bearer secret"})
    assert web.asked("/f")[0]["authorization"] == "Bearer secret"
    assert ("authorization" in web.asked("/cdn")[0]) is kept


def test_range_follows_redirects(web, answers, tmp_path, policy):
    """A resumed download asks the host it is sent to for the rest alone."""
    (tmp_path / "f").write_bytes(DATA[:1000])
    web.on("/cdn", answers.body(DATA))
    get(web.on("/f", answers.status(307, Location=web.other + "/cdn")), tmp_path / "f", policy)
    assert web.asked("/cdn")[0]["range"] == "bytes=1000-"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/f", "/etc/passwd", "http:///f", "http://[x/f", ""]
)
def test_only_http(tmp_path, policy, url):
    """Nothing but http and https is opened."""
    with pytest.raises(DownloadFailed, match="no http or https address"):
        get(url, tmp_path / "f", policy)


def test_redirect_to_file(web, answers, tmp_path, policy):
    """No redirect leads to a file of this machine."""
    with pytest.raises(DownloadFailed):
        get(web.on("/f", answers.status(302, Location="file:///etc/passwd")), tmp_path / "f", policy)


@pytest.mark.parametrize("place", ["http://[x/f", "http://" + "a" * 70 + ".example/f", "http://127.0.0.1:x/"])
def test_redirect_to_nonsense(web, answers, tmp_path, policy, place):
    """A redirect to what is no address ends the download."""
    with pytest.raises(DownloadFailed):
        get(web.on("/f", answers.status(302, Location=place)), tmp_path / "f", policy)


def test_bad_token(web, answers, tmp_path, policy):
    """A token that can't stand in a header is not quoted."""
    url = web.on("/f", answers.body(DATA))
    with pytest.raises(DownloadFailed, match="malformed") as caught:
        get(url, tmp_path / "f", policy, headers={"Authorization": "Bearer hush\nhush"})
    assert "hush" not in str(caught.value)


def test_redirect_loop(web, answers, tmp_path, policy):
    """A circle of redirects ends."""
    with pytest.raises(DownloadFailed):
        get(web.on("/f", answers.status(302, Location=web.url + "/f")), tmp_path / "f", policy)


def test_no_room(tmp_path, policy):
    """A disk that is too full is found out before anything is asked for."""
    with pytest.raises(StoreError, match="has 1 kB free and 307 kB are needed"):
        get("http://127.0.0.1:9/f", tmp_path / "f", policy, free=lambda folder: 1000)


def test_no_folder(tmp_path, policy):
    """A target that can't be written is named."""
    with pytest.raises(StoreError, match="nowhere"):
        get("http://127.0.0.1:9/f", tmp_path / "nowhere" / "f", policy)


def test_link_is_not_followed(tmp_path, policy):
    """A temporary name that is a link is not written through."""
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "f").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError):
        get("http://127.0.0.1:9/f", tmp_path / "f", policy)
    assert (tmp_path / "precious").read_bytes() == b"precious"


_FULL = """
import resource, sys
from pathlib import Path
from hunkwise.engine.errors import StoreError
from hunkwise.engine.models.sources.partial import Partial
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
path = Path(sys.argv[1])
try:
    with Partial(path, sha256="0" * 64, size=300_000) as partial:
        partial.write(b"x" * 60_000)
        partial.write(b"y" * 60_000)
except StoreError as error:
    print(error, path.stat().st_size)
"""


def test_disk_full(tmp_path):
    """A disk that fills up half-way is named, and what was hashed stays to be continued."""
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "f")], capture_output=True, text=True, check=True
    )
    assert "can't take more bytes: File too large 60000" in done.stdout


def test_partial_restart(tmp_path):
    """A partial file can be taken back to an earlier end."""
    with Partial(tmp_path / "f", sha256=SHA, size=len(DATA)) as partial:
        partial.write(DATA[:5000] + b"wrong")
        partial.restart(5000)
        partial.write(DATA[5000:])
        partial.finish()
    assert (tmp_path / "f").read_bytes() == DATA


def test_read_is_bounded(web, answers, policy):
    """A document that is longer than it may be is not taken in."""
    with pytest.raises(DownloadFailed, match="more than 10 bytes"):
        read(web.on("/d", answers.body(b"x" * 11)), limit=10, policy=policy)


def test_read_tries_again(web, answers, policy):
    """A document that was cut is asked for again."""
    url = web.on("/d", answers.body(b"0123456789", cut=4), answers.body(b"0123456789"))
    assert read(url, policy=policy).body == b"0123456789"
