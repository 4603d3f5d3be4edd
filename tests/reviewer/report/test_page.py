"""The HTML report in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser

PAGE = Path(__file__).parents[2] / "cases" / "report" / "rich.html"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH: the page is not looked at")


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
