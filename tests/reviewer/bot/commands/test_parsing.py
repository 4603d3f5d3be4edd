"""Reading commands: what counts, what never counts, and how long that takes."""

from __future__ import annotations

import time

import pytest

from hunkwise.reviewer.bot.commands.parsing import LONGEST_COMMENT, Command, Verb, parse

NAME = "hunkwise[bot]"


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/review", Command(Verb.REVIEW)),
        ("/review full", Command(Verb.REVIEW, full=True)),
        ("/Review\r\n", Command(Verb.REVIEW)),
        ("Thanks!\n\n  /describe\n/review", Command(Verb.DESCRIBE)),
        ("@hunkwise review full", Command(Verb.REVIEW, full=True)),
        ("@Hunkwise: explain", Command(Verb.EXPLAIN)),
        ("@hunkwise[bot] resolve", Command(Verb.RESOLVE)),
        ("/ask Why is\nthis `None`?\n\n/review", Command(Verb.ASK, "Why is this `None`?")),
        ("/ignore checked by the caller", Command(Verb.IGNORE, "checked by the caller")),
        ("> /describe\n\n/review", Command(Verb.REVIEW)),
        ("```\n/describe\n```\n/review", Command(Verb.REVIEW)),
        ("<!-- /describe -->\n/review", Command(Verb.REVIEW)),
        ("a `b` c\n/review", Command(Verb.REVIEW)),
    ],
)
def test_reads_a_command(body: str, command: Command) -> None:
    """The first one at a line's start."""
    assert parse(body, NAME) == command


@pytest.mark.parametrize(
    "body",
    [
        "",
        "please /review",
        "/reviewer",
        "/review/full",
        "/ review",
        "- /review",
        "# /review",
        "/assign me",
        "@hunkwise thanks",
        "@hunkwise",
        "@hunkwise-evil review",
        "@hunkwisereview",
        "mail@hunkwise review",
        "> /review",
        "> somebody said\n/review",  # Markdown goes on with the quote
        ">\n> /review\n/review",
        "```\n/review",
        "```\n/review\n``\n/describe",
        "~~~~\n/review\n~~~\n/describe",
        "- ```\n\n  /review\n  ```",
        "1. * ~~~\n\n /review",
        "* > quoted\n/review",
        "````\n```\n/review\n```\n````",
        "    /review",
        "\t/review",
        " \t/review",
        "<!--\n/review\n-->",
        "<!-- a --> <!--\n/review",
        "<pre>\n/review\n</pre>",
        "<blockquote>\n\n/review\n\n</blockquote>",
        "<details><summary>what it said</summary>\n\n/review\n\n</details>",
        "<details><code>\n/review",
        "see `a\n/review` here",
        "/rеview",  # a Cyrillic letter
        "／review",
        "/\u200breview",
        "\u200b/review",
        "\u00a0/review",
        "\u202e/review",
        "/review\u00a0full",
        "/as\u212a why",  # the sign for Kelvin
        "@hun\u212awise review",
        "\x0b/review",
        "x\u2028/review",
        "x\x85/review",
    ],
)
def test_passes_over(body: str) -> None:
    """What is no command, and what somebody else may have written."""
    assert parse(body, NAME) is None


@pytest.mark.parametrize(
    "body",
    ["/ask", "/ask " + "x" * 2000, "/review --model evil", "/review engine=http://x", "/review full now"],
)
def test_takes_no_settings(body: str) -> None:
    """What a verb does not take is said, and nothing is done."""
    command = parse(body, NAME)

    assert command is not None
    assert command.verb is Verb.HELP
    assert command.problem


def test_a_name_of_its_own() -> None:
    """The bot hears its own name alone."""
    assert parse("@reviewer review", "reviewer") == Command(Verb.REVIEW)
    assert parse("@hunkwise review", "reviewer") is None
    assert parse("@ review", "") is None


@pytest.mark.parametrize(
    "unit",
    [
        "/review ",
        "> ",
        "`",
        "```\n",
        "<!--",
        "<pre>",
        "</pre>\n",
        "@hunkwise ",
        "/ask\n",
        "\n",
        " ",
        "~~~",
        "-->",
    ],
)
def test_long_comments_take_linear_time(unit: str) -> None:
    """A comment of the largest size, and one ten times as long, of which no more is read."""

    def seconds(length: int) -> float:
        body = (unit * (length // len(unit) + 1))[:length]
        start = time.process_time()
        for _ in range(3):
            parse(body, NAME)
        return time.process_time() - start

    short = seconds(LONGEST_COMMENT // 8) + 0.01
    assert seconds(LONGEST_COMMENT) < 30 * short  # quadratic would be 64
    assert seconds(10 * LONGEST_COMMENT) < 30 * short
