"""The HTML report in a real browser: Chromium, steered through its DevTools pipe."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "cases" / "report" / "rich.html"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: the page is not looked at")


class Browser:
    """One page of a browser without a window."""

    def __init__(self, profile: Path) -> None:
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        flags = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                f'exec "$0" {flags} --remote-debugging-pipe --user-data-dir="$1" 3<&{commands} 4>&{answers}',
                str(CHROMIUM),
                str(profile),
            ],
            pass_fds=[commands, answers],
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._left, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and wait for its answer; events that come first are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def open(self, page: Path, width: int, scheme: str) -> None:
        """Show a page in so many CSS pixels, by day or by night."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def tell(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")

    def close(self) -> None:
        os.close(self._write)
        os.close(self._read)
        self._process.kill()
        self._process.wait()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._read], [], [], 60)
            data = os.read(self._read, 65536) if ready else b""
            assert data, "the browser ended, or hangs"
            self._left += data
        message, self._left = self._left.split(b"\0", 1)
        read: dict[str, Any] = json.loads(message)
        return read


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with an empty profile."""
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.mark.parametrize("width", [320, 400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(browser: Browser, width: int, scheme: str) -> None:
    """On a telephone and on a desk, by day and by night: no sideways scrolling, and text that stands out."""
    browser.open(PAGE, width, scheme)
    assert browser.tell("document.documentElement.scrollWidth") <= width
    luminance = """
        (name) => getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3)
            .map(value => value / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0)"""
    text, page = (browser.tell(f'({luminance})("{name}")') for name in ("color", "backgroundColor"))
    assert (page > text) == (scheme == "light")
    assert (max(text, page) + 0.05) / (min(text, page) + 0.05) >= 7  # WCAG 2.2, level AAA


@pytest.mark.parametrize("width", [320, 500, 1200])
def test_no_text_is_cut_off(browser: Browser, tmp_path: Path, width: int) -> None:
    """A line of code or a suggestion of 400 characters, with or without blanks, stays inside its frame."""
    page = tmp_path / "long.html"
    text = PAGE.read_text("utf-8")
    long = "lock.acquire(" + ", ".join(f"argument_{n}" for n in range(12)) + ")" + "x" * 260
    assert text.count("lock.acquire()") >= 2
    page.write_text(text.replace("lock.acquire()", long), "utf-8")
    browser.open(page, width, "light")

    assert browser.tell("document.documentElement.scrollWidth") <= width
    outside = """[...document.querySelectorAll('.file *')].filter(one => {
        const frame = one.closest('.file').getBoundingClientRect(), box = one.getBoundingClientRect();
        const wide = one.clientWidth && one.scrollWidth > one.clientWidth + 1;
        return box.width && (box.right > frame.right + 1 || wide);
    }).map(one => one.outerHTML.slice(0, 80))"""
    assert browser.tell(outside) == []


def test_the_page_asks_nobody_and_breaks_no_rule_of_its_own(browser: Browser) -> None:
    """No request but for the file itself, and nothing in the console: the policy lets its own script run."""
    browser.open(PAGE, 1400, "light")
    asked = [
        e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [PAGE.as_uri()]
    troubles = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    assert [event for event in browser.events if event["method"] in troubles] == []
    assert browser.tell("document.getElementById('filters').hidden") is False


def test_filters_hide_remarks_and_say_so(browser: Browser) -> None:
    """A severity that is switched off is not shown, and the page says how many are left."""
    browser.open(PAGE, 1400, "light")
    count = "[...document.querySelectorAll('.remark')].filter(one => one.checkVisibility()).length"
    every = browser.tell(count)
    browser.tell("document.querySelector('#filters input').click()")
    fewer = browser.tell(count)
    assert 0 < fewer < every
    assert browser.tell("document.getElementById('shown').textContent") == f"{fewer} of {every} remarks shown"
    browser.tell("document.querySelector('#filters input').click()")
    assert browser.tell(count) == every


def test_keys_go_from_remark_to_remark(browser: Browser) -> None:
    """The key j goes to the next remark and k back, and the one that is reached can be seen."""
    browser.open(PAGE, 1400, "light")
    at = "[...document.querySelectorAll('.remark')].indexOf(document.activeElement)"
    browser.press("j")
    assert browser.tell(at) == 0
    browser.press("j")
    assert browser.tell(at) == 1
    box = browser.tell("document.activeElement.getBoundingClientRect().toJSON()")
    assert 0 <= box["top"] < 900
    browser.press("k")
    assert browser.tell(at) == 0
