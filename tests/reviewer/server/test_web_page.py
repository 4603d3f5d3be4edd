"""The page of the server in a real browser: a review from paste to findings, models, keys, and its own rules."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser import CHROMIUM, Browser
from modelled import Loads, modelled

GO = "package main\n\nfunc main() {\n\tvar ch chan int\n\tclose(ch)\n}\n"
HOSTILE = "<img src=x onerror=alert(1)>"
DIFF = f"""\
diff --git a/run.py b/run.py
--- a/run.py
+++ b/run.py
@@ -1,2 +1,4 @@
 import os
+# {HOSTILE}
 def run(name):
+    os.system("ls " + name)
"""
TROUBLES = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: the page is not looked at")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with modelled(tmp_path_factory.mktemp("served"), Loads(), model="tiny") as (_, client):
        yield client


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


def shown(browser: Browser, served: httpx.Client, width: int = 1400, scheme: str = "light") -> None:
    browser.open(str(served.base_url), width, scheme)
    browser.until("document.querySelector('#load').textContent.includes('models loaded')")


def review(browser: Browser, text: str, path: str = "") -> None:
    fill = "(id, value) => { document.getElementById(id).value = value; }"
    browser.tell(f"({fill})('text', {json.dumps(text)}); ({fill})('path', {json.dumps(path)})")
    browser.tell("document.getElementById('ask').requestSubmit()")
    browser.until("/finding|Nothing was|No review/.test(document.querySelector('#headline').textContent)")


def test_browsers_and_clients_share_the_root(served: httpx.Client) -> None:
    """A browser gets the page, Ollama's clients their sentence; the page may load nothing from elsewhere."""
    assert served.get("/").text == "Ollama is running"
    page = served.get("/", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in page.text.replace("http-equiv", "")


@needs_browser
@pytest.mark.parametrize("width", [320, 700, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_review_fits_and_can_be_read(
    browser: Browser, served: httpx.Client, width: int, scheme: str
) -> None:
    """On a telephone and on a desk, by day and by night: the review is there, and nothing scrolls sideways."""
    shown(browser, served, width, scheme)
    review(browser, GO, "main.go")
    assert browser.tell("document.documentElement.scrollWidth") <= width
    assert "line 5" in browser.tell("document.querySelector('.finding').innerText")
    if folder := os.environ.get("HUNKWISE_PICTURES"):
        browser.picture(Path(folder, f"page-{width}-{scheme}.png"))


@needs_browser
def test_findings_stand_under_their_lines(browser: Browser, served: httpx.Client) -> None:
    """In a diff too; what the diff holds stays text."""
    shown(browser, served)
    review(browser, DIFF)
    before = "document.querySelector('.finding').closest('tr').previousSibling.innerText"
    assert "os.system" in browser.tell(before)
    assert HOSTILE in browser.tell("document.querySelector('#files').innerText")
    assert browser.tell("document.querySelectorAll('#files img').length") == 0
    assert browser.tell("document.activeElement.id") == "headline"


@needs_browser
def test_what_changed_can_be_told_without_colours(browser: Browser, served: httpx.Client) -> None:
    """Lines of a diff have their signs; a whole file is no addition."""
    shown(browser, served)
    review(browser, DIFF)
    signs = "[...document.querySelectorAll('td.sign')].map(one => one.innerText).join('|')"
    assert browser.tell(signs) == "||+||+"
    review(browser, GO, "main.go")
    assert set(browser.tell(signs)) == {"|"}
    assert browser.tell("document.querySelectorAll('tr.added').length") == 0


@needs_browser
def test_who_is_in_a_list_stays_there(browser: Browser, served: httpx.Client) -> None:
    """The page looks at the server again and again; also where a list changed, who was in it is there still."""
    shown(browser, served)
    review(browser, GO, "main.go")
    browser.until("document.querySelector('#past button') !== null")
    browser.tell("document.querySelector('#past button').focus()")
    one = browser.tell("document.activeElement.dataset.key")
    for _ in range(2):
        browser.tell("import('./page.js').then(page => page.refresh()).then(() => { window.looked = true; })")
        browser.until("window.looked")
        assert browser.tell("document.activeElement.dataset.key") == one
        browser.tell("window.looked = false")
        served.post("/api/review", json={"file_path": "other.go", "code": GO})


@needs_browser
def test_keys_and_names(browser: Browser, served: httpx.Client) -> None:
    """J and k go from finding to finding; all that can be used has a name for who does not see it."""
    shown(browser, served)
    review(browser, GO + "\nfunc more() {\n\tvar c chan int\n\tclose(c)\n}\n", "main.go")
    count = browser.tell("document.querySelectorAll('.finding').length")
    assert count >= 2
    lines = set()
    for _ in range(count):
        browser.press("j")
        lines.add(browser.tell("document.activeElement.getAttribute('aria-label')"))
    assert len(lines) == count
    browser.press("k")
    assert browser.tell("document.activeElement.className").startswith("finding")
    nameless = """[...document.querySelectorAll('button, input, select, textarea, progress')].filter(one =>
        !(one.innerText || one.getAttribute('aria-label') || (one.labels && one.labels.length))).length"""
    assert browser.tell(nameless) == 0


@needs_browser
def test_past_reviews_and_models(browser: Browser, served: httpx.Client) -> None:
    """A past review opens again; a model that is loaded can be unloaded."""
    served.post("/api/generate", json={"model": "tiny", "prompt": ""})
    shown(browser, served)
    browser.until("document.querySelector('#models button') !== null")
    browser.tell("document.querySelector('#models button').click()")
    browser.until("document.querySelector('#models').innerText.includes('not loaded')")
    review(browser, GO, "main.go")
    browser.until("document.querySelectorAll('#past button').length > 0")
    browser.tell("document.querySelector('#past button').click()")
    browser.until("document.querySelectorAll('.finding').length > 0")


@needs_browser
def test_what_goes_wrong_is_said(browser: Browser, served: httpx.Client) -> None:
    """A text without a path, and a diff that is none, get a sentence and no review."""
    shown(browser, served)
    browser.tell("document.getElementById('text').value = 'x = 1'")
    browser.tell("document.getElementById('ask').requestSubmit()")
    assert "path" in browser.tell("document.querySelector('#state').innerText")
    review(browser, "x", "../escape.py")
    assert "file_path" in browser.tell("document.querySelector('#state').innerText")


@needs_browser
def test_the_page_asks_nobody_else(browser: Browser, served: httpx.Client) -> None:
    """Every request goes to the server itself, and the console stays empty."""
    shown(browser, served)
    review(browser, GO, "main.go")
    asked = [
        e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"
    ]
    assert len(asked) > 3
    assert all(url.startswith((str(served.base_url), "data:")) for url in asked)
    troubles = [event["params"] for event in browser.events if event["method"] in TROUBLES]
    assert [each for each in troubles if each.get("entry", {}).get("source") != "recommendation"] == []
