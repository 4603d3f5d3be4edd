"""Posting: a review, as comments and a summary on a pull or merge request. Holds the token, loads no model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hunkwise.reviewer.app.environment import Environment
from hunkwise.reviewer.app.jobs.ci_job import append_summary
from hunkwise.reviewer.config.named_files import read_regular
from hunkwise.reviewer.errors import UsageError
from hunkwise.reviewer.report import View, renderer
from hunkwise.reviewer.source.ci import COMMIT
from hunkwise.reviewer.types import Review

if TYPE_CHECKING:
    from hunkwise.reviewer.forges.port import CheckSink


def read_findings(name: str) -> Review:
    """Read the report, which may have been written by anybody. Raises UsageError, ReportError."""
    from hunkwise.reviewer.report.interchange.json import LARGEST, ReportError, load

    try:
        return load(read_regular(name, LARGEST + 1))
    except ReportError as error:
        raise ReportError(f"{name}: {error}") from None
    except OSError as error:
        raise UsageError(f"{name}: can't be read: {error.strerror}") from None


def made_of(review: Review, head: str | None) -> Review:
    """Name the commit of a review that does not name it itself, as one of a bare diff. Raises UsageError."""
    if head is None:
        return review
    if COMMIT.fullmatch(head) is None:
        raise UsageError("--head takes a whole commit id, 40 or 64 hex digits")
    if review.head not in (None, head):
        raise UsageError(f"--head is {head[:12]}, but the findings are of {str(review.head)[:12]}")
    return replace(review, head=head)


def post_review(
    review: Review,
    name: str,
    url: str | None,
    environment: Environment,
    *,
    check_run: bool = False,
    dry_run: bool = False,
) -> str:
    """Post a review to a forge and give what belongs on the standard output. Without `url` the job says where to.

    With `dry_run` that is the requests that would be sent, and nothing is sent. Raises UsageError, ForgeError, and
    MissingExtra if the forge's SDK is not installed.
    """
    from hunkwise.reviewer.forges.port import CheckSink
    from hunkwise.reviewer.forges.registry import open_request
    from hunkwise.reviewer.publish.deliver import deliver, rehearse
    from hunkwise.reviewer.publish.port import NotAllowed
    from hunkwise.reviewer.report.interchange.json import dump

    remote = open_request(name, url, environment.variables)
    request, forge = remote.request, remote.forge
    if check_run and not isinstance(request, CheckSink):
        raise UsageError(
            f"--check-run: {forge.title} has no check runs; give its job a report such as codequality"
        )
    if dry_run:
        calls = rehearse(review, request, request, forge.dialect)
        shown = [{"method": call.verb, "path": call.path, "body": call.body} for call in calls]
        return dump({"api": remote.address.api, "requests": shown})
    try:
        counts = deliver(review, request, request, forge.dialect)
        if check_run and isinstance(request, CheckSink):
            _check_run(review, request)
    except NotAllowed as error:
        if not (forge.annotates and forge.in_job(environment.variables)):
            raise
        environment.say(f"{error}; the findings are in the job's annotations and summary instead")
        append_summary(environment.variables, renderer("markdown")(review, View()))
        return renderer("annotations")(review, View())
    environment.say(str(counts))
    return ""


def _check_run(review: Review, request: CheckSink) -> None:
    from hunkwise.reviewer.publish.deliver import deliver_check

    summary = renderer("markdown")(review, View())
    deliver_check(lambda: request.check(review, summary))
