"""How a review is told: as an object of ours, or as any report format that the client accepts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.responses import JSONResponse, Response

from hunkwise.reviewer.report import FORMATS, View, renderer
from hunkwise.reviewer.server.errors import Refused, response
from hunkwise.reviewer.server.reviews.jobs import Job
from hunkwise.reviewer.text.redaction import redact
from hunkwise.reviewer.types import Category, Finding

OURS = "application/json"
STREAMS = {"application/x-ndjson": "ndjson", "text/event-stream": "sse"}
TYPES = {  # format -> media type; `?format=NAME` names one that shares its type
    "text": "text/plain",
    "json": "application/vnd.hunkwise.review+json",
    "markdown": "text/markdown",
    "html": "text/html",
    "sarif": "application/sarif+json",
    "rdjson": "application/vnd.reviewdog.rdjson+json",
    "rdjsonl": "application/vnd.reviewdog.rdjsonl",
    "codequality": "application/vnd.gitlab.codequality+json",
    "junit": "application/xml",
    "checkstyle": "application/vnd.checkstyle+xml",
}
# the HTML report holds its own script and style
_OWN = "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
_POLICY = f"default-src 'none'; {_OWN}; sandbox allow-scripts"


def wanted(accept: str, named: str) -> str:
    """Choose a form: the name of a report format, "ours", "ndjson" or "sse". Raises Refused."""
    if named:
        if named not in FORMATS:
            raise Refused(
                400, f"there is no report format {named!r:.40}; {', '.join(FORMATS)}", param="format"
            )
        return named
    by_type = (
        {media: name for name, media in TYPES.items()} | STREAMS | {OURS: "ours", "*/*": "ours", "": "ours"}
    )
    for media in media_types(accept):
        if media in by_type:
            return by_type[media]
    raise Refused(
        406, f"none of the accepted types can be given; {', '.join([OURS, *STREAMS, *TYPES.values()])}"
    )


def media_types(accept: str) -> list[str]:
    """List the media types of an Accept header, the most wanted first."""
    return [media for media, _ in sorted(map(_weighed, accept.split(",")), key=lambda pair: -pair[1])]


def _weighed(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return media, float(weight)
    except ValueError:
        return media, 0.0


def answer(job: Job, form: str, path: str, status: int = 200, *, waited: bool = False) -> Response:
    """Tell a review that is over, or how far it is; who waited for one that failed gets the error alone."""
    headers = {"location": f"/api/review/{job.id}", "cache-control": "no-store"}
    if job.failure and (waited or form != "ours"):
        return response(job.failure, path)
    if form in ("ours", "ndjson", "sse") or job.outcome is None:
        return JSONResponse(described(job), status, headers)
    text = renderer(form)(job.outcome.review, View(change=job.outcome.change))
    media = TYPES.get(form, "text/plain")
    if form == "html":
        headers["content-security-policy"] = _POLICY
    return Response(text, 200, {**headers, "x-content-type-options": "nosniff"}, media_type=media)


def _findings(job: Job) -> tuple[Finding, ...]:
    return job.outcome.review.findings if job.outcome else tuple(job.findings)


def brief(job: Job) -> dict[str, Any]:
    """Tell how a review stands, how many were found in each dimension, and how long it took."""
    counts = Counter(finding.category for finding in _findings(job))
    return {
        "id": job.id,
        "status": job.state,
        "of": redact(job.what),
        "created": round(job.created, 3),
        "seconds": round(job.seconds, 3),
        "progress": {"done": job.done, "total": job.total},
        "dimensions": {category.value: counts[category] for category in Category},
    }


def described(job: Job) -> dict[str, Any]:
    """Tell a review with its findings."""
    value = {**brief(job), "findings": [told(finding) for finding in _findings(job)]}
    if job.failure:
        value["error"] = job.failure.message
    if job.outcome:
        review = job.outcome.review
        value["complete"] = review.complete
        value["model"] = review.manifest.model
        value["not_read"] = [
            {"path": redact(each.path), "reason": redact(each.reason)} for each in review.skipped
        ]
        if job.outcome.failure:
            value["warning"] = str(job.outcome.failure)
    return value


def told(finding: Finding) -> dict[str, Any]:
    """Tell one finding: where, of which dimension and level, what goes wrong, how to mend it, an example."""
    confidence = None if finding.unmeasured else round(finding.confidence, 3)
    return {
        "id": finding.fingerprint,
        "path": redact(finding.path),
        "line": finding.start_line,
        "end_line": finding.end_line,
        "dimension": finding.category.value,
        "level": finding.severity.value,
        "title": redact(finding.title),
        "description": redact(finding.message),
        "advice": redact(finding.advice),
        "fix": redact(finding.suggestion.replacement) if finding.suggestion else None,
        "example": redact(finding.example),
        "code": [redact(line) for line in finding.code],
        "confidence": confidence,
        "source": {"tool": finding.source.tool, "rule": finding.source.rule, "url": finding.source.url},
    }
