"""POST /v1/systemone: typed questions about one state, answered with probabilities and without a text."""

from __future__ import annotations

import json
import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hunkwise.engine import Bundle, Choice, Choose, Segment, total_usage
from hunkwise.reviewer.server.errors import Refused
from hunkwise.reviewer.server.inference.finding import find
from hunkwise.reviewer.server.inference.options import keep_alive
from hunkwise.reviewer.server.inference.reading import read_body, refusing
from hunkwise.reviewer.server.inference.running import ask_all
from hunkwise.reviewer.server.ollama.replies import Line
from hunkwise.reviewer.server.state import Server

_LARGEST = 64 << 10  # bytes of a request
_MOST = 256  # questions, and options of one
_TASK = (
    "You read a state and answer a question about it with the label of the right option, and nothing else."
)


@dataclass(frozen=True, slots=True)
class QuestionBody:
    """One question; what its criteria are depends on its type."""

    type: str = "choice"
    instructions: str | Mapping[str, Any] | tuple[Any, ...] = ""
    criteria: Any = None


@dataclass(frozen=True, slots=True)
class SystemOneBody:
    """POST /v1/systemone."""

    model: str
    state: str | Mapping[str, Any] | tuple[Any, ...]
    questions: Mapping[str, QuestionBody]
    keep_alive: float | str | None = None
    stream: bool = False
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the names of its options, their descriptions, and the labels that stand for them."""

    type: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[str, ...]


async def systemone(server: Server, request: Request) -> Response:
    """Answer all questions from one reading of the state. Nothing is cut: what is too long is refused."""
    if len(await request.body()) > _LARGEST:
        raise Refused(400, f"the request is larger than {_LARGEST >> 10} KiB", code="too_large")
    body = await read_body(SystemOneBody, request)
    if body.stream or body.images:
        raise Refused(400, "systemone answers whole, and reads no images")
    if not 1 <= len(body.questions) <= _MOST:
        raise Refused(400, f"questions must hold between 1 and {_MOST} questions", param="questions")
    found = await find(server, body.model)
    with refusing():
        stays = keep_alive(body.keep_alive)
    asked = {name: _read(name, each) for name, each in body.questions.items()}
    shared = (Segment(_TASK, "system"), Segment(f"State:\n{_text(body.state)}\n\n"))
    questions = tuple(
        Choose(name, (Segment(_worded(body.questions[name], each)),), each.labels)
        for name, each in asked.items()
    )
    answers = await ask_all(server, found, lambda _: Bundle(shared, questions), stays)
    usage = total_usage(answers)
    return JSONResponse(
        {
            "model": body.model,
            "answers": {
                each.id: answer_of(asked[each.id], each.probabilities)
                for each in answers
                if isinstance(each, Choice)
            },
            "usage": {"input_tokens": usage.prefilled + usage.reused, "output_tokens": len(answers)},
        }
    )


def _read(name: str, question: QuestionBody) -> Asked:
    """Read the criteria of a question. Raises Refused."""
    where, given = f"questions[{name[:40]!r}]", question.criteria
    match question.type:
        case "choice" if _is_texts(given, optional=True):
            names, texts = tuple(given), tuple(text or name for name, text in given.items())
            letters = tuple(string.ascii_uppercase[: len(names)])
            labels = (
                letters if len(names) <= len(letters) else tuple(str(n) for n in range(1, len(names) + 1))
            )
        case "noul" if given is None or (_is_texts(given) and set(given) <= {"false", "true"}):
            names, labels = ("false", "true"), ("No", "Yes")
            texts = tuple((given or {}).get(name, "") for name in names)
        case "score" if isinstance(given, list) and all(isinstance(each, str) for each in given):
            names = labels = tuple(str(n) for n in range(len(given)))
            texts = tuple(given)
        case "choice" | "noul" | "score":
            forms = {
                "choice": "an object of options, each with a text or null",
                "noul": 'absent, or an object with "false" and "true"',
                "score": "a list of texts, from the lowest score to the highest",
            }
            raise Refused(400, f"{where}.criteria must be {forms[question.type]}", param="questions")
        case _:
            raise Refused(400, f"{where}.type must be choice, noul or score", param="questions")
    if not 2 <= len(names) <= _MOST:
        raise Refused(400, f"{where}.criteria must hold between 2 and {_MOST} options", param="questions")
    return Asked(question.type, names, texts, labels)


def _is_texts(given: object, *, optional: bool = False) -> bool:
    """Tell an object of texts; with `optional` some may be null."""
    kinds = (str, type(None)) if optional else (str,)
    return isinstance(given, dict) and all(isinstance(each, kinds) for each in given.values())


def _worded(question: QuestionBody, asked: Asked) -> str:
    """Word a question with its options, each behind its label."""
    lines = [f"Question: {_text(question.instructions)}"]
    for name, text, label in zip(asked.names, asked.texts, asked.labels, strict=True):
        said = f"{name}: {text}" if asked.type == "choice" and text != name else text
        lines.append(f"{label}: {said}" if said else label)
    return "\n".join([*lines, "Answer with one label."])


def _text(content: str | Mapping[str, Any] | tuple[Any, ...]) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def answer_of(asked: Asked, probabilities: tuple[float, ...]) -> Line:
    """Say what the probabilities mean. A score is the mean of the levels, which count from 0."""
    if asked.type == "noul":
        return {"type": "noul", "noul": probabilities[1]}
    by_name = dict(zip(asked.names, probabilities, strict=True))
    told: Line = {"probabilities": by_name, "confidence": confidence(probabilities)}
    if asked.type == "choice":
        return {"type": "choice", "choice": max(by_name, key=lambda name: by_name[name]), **told}
    score = math.fsum(level * share for level, share in enumerate(probabilities))
    return {
        "type": "score",
        "score": score,
        "legend": dict(zip(asked.names, asked.texts, strict=True)),
        **told,
    }


def confidence(probabilities: tuple[float, ...]) -> float:
    """Measure how far from even the probabilities are: 1 less their entropy, which is 1 where all are equal."""
    entropy = -math.fsum(share * math.log(share) for share in probabilities if share > 0)
    return max(0.0, 1.0 - entropy / math.log(len(probabilities)))
