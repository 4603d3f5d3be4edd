"""`connect`: find out what a server is, and what it really can: each capability is tried before it is claimed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hunkwise.engine.errors import InvalidQuestion, ModelNotFound, NativeFailure
from hunkwise.engine.http.backends.backend import Backend, Listener
from hunkwise.engine.http.backends.llama_server import LlamaServerBackend
from hunkwise.engine.http.backends.ollama import MOST_CONTEXT, OllamaBackend
from hunkwise.engine.http.backends.openai import OpenAIBackend, models
from hunkwise.engine.http.backends.sglang import SglangBackend
from hunkwise.engine.http.backends.vllm import VllmBackend
from hunkwise.engine.http.balance import Balanced, Member
from hunkwise.engine.http.client import OPEN, Access, Client
from hunkwise.engine.http.hunkwise import HunkwiseEngine
from hunkwise.engine.http.protocol import PATH
from hunkwise.engine.http.remote import RemoteEngine, shares
from hunkwise.engine.port import Capability, Engine
from hunkwise.engine.types import Choose, Embed, Generate, Score, Segment

if TYPE_CHECKING:
    import httpx

Say = Callable[[str], None]
KINDS = ("hunkwise", "vllm", "sglang", "llama-server", "ollama", "openai")
_OWNERS = {"vllm": "vllm", "sglang": "sglang", "llamacpp": "llama-server", "library": "ollama"}
_PROMPT = (Segment("Say one word.", "user"),)
_KNOWN = "for (let i = 0; i < 10; i++) { sum += i; }"
_EITHER = {
    "type": "object",
    "properties": {"word": {"const": "yes"}},
    "required": ["word"],
    "additionalProperties": False,
}


def connect(
    url: str,
    model: str = "",
    *,
    access: Access = OPEN,
    say: Say = lambda sentence: None,
    transport: httpx.BaseTransport | None = None,
) -> Engine:
    """Connect to a server and try what it can.

    `url` may name its kind, as `vllm+http://HOST:8000`; else it is found out. No model is the only one that the
    server has. What it can't do after all is said in one sentence. Raises EngineError.
    """
    named, client = _client(url, access, transport)
    try:
        found = named or _kind(client)
        if found == "hunkwise":
            return HunkwiseEngine(client, model)
        backend = _BACKENDS[found](client, model)
        return RemoteEngine(backend, replace(backend.card(), capabilities=tried(backend, say)))
    except BaseException:
        client.close()
        raise


def check_address(url: str, access: Access = OPEN) -> None:
    """Check that `connect` could ask there, without asking anything. Raises EngineError."""
    _client(url, access)[1].close()


def _client(url: str, access: Access, transport: httpx.BaseTransport | None = None) -> tuple[str, Client]:
    """Make a client, and give the kind that the address names, "" if none."""
    kind, mark, rest = url.partition("+")
    named = kind if mark and kind in KINDS else ""
    return named, Client(rest if named else url, access, transport)


def _kind(client: Client) -> str:
    """Find out what a server is: a hunkwise says so, others by whom they name as the owner of their models."""
    answer = client.offers(PATH)
    if answer and "hunkwise" in answer:
        return "hunkwise"
    for each in models(client):
        if found := _OWNERS.get(str(each.get("owned_by"))):
            return found
    probes = (("/api/version", "ollama"), ("/props", "llama-server"), ("/v1/models", "openai"))
    found = next((kind for path, kind in probes if client.offers(path) is not None), "")
    if not found:
        raise InvalidQuestion(
            f"{client.host} is no engine that is known ({', '.join(KINDS)}); "
            "where it hides what it is, name it: vllm+http://HOST"
        )
    return found


def _chosen(
    client: Client, model: str, listed: Sequence[Mapping[str, Any]], what: str = "id"
) -> Mapping[str, Any]:
    """Take the named model from a server's list, or the only one."""
    names = [str(each.get(what)) for each in listed]
    if model:
        wanted = (model, f"{model}:latest")
        found = next((each for each in listed if each.get(what) in wanted), None)
        if found is None:
            raise ModelNotFound(f"{client.host} has no model {model!r}; it has {', '.join(names) or 'none'}")
        return found
    if len(listed) != 1:
        raise ModelNotFound(
            f"{client.host} has {', '.join(names) or 'no models'}; name one of them with --model"
        )
    return listed[0]


def _count(value: object) -> int:
    return value if type(value) is int and value > 0 else 0


def _openai(client: Client, model: str, kind: type[OpenAIBackend] = OpenAIBackend) -> Backend:
    chosen = _chosen(client, model, models(client))
    context = _count(chosen.get("max_model_len")) or _count(chosen.get("context_length"))
    version = client.offers("/version") or {}
    build = f"{kind.name} {version['version']}" if isinstance(version.get("version"), str) else kind.name
    return kind(
        client, str(chosen["id"]), context=context, build=build, revision=str(chosen.get("root") or "")
    )


def _vllm(client: Client, model: str) -> Backend:
    return _openai(client, model, VllmBackend)


def _sglang(client: Client, model: str) -> Backend:
    return _openai(client, model, SglangBackend)


def _llama_server(client: Client, model: str) -> Backend:
    props = client.offers("/props") or {}
    chosen = _chosen(client, model, models(client))
    settings = props.get("default_generation_settings")
    context = _count(settings.get("n_ctx")) if isinstance(settings, dict) else 0
    build = f"llama-server {props.get('build_info') or ''}".strip()
    return LlamaServerBackend(client, str(chosen["id"]), context=context, build=build)


def _ollama(client: Client, model: str) -> Backend:
    tags = client.offers("/api/tags") or {}
    listed = [each for each in tags.get("models") or [] if isinstance(each, dict)]
    chosen = _chosen(client, model, listed, "name")
    shown = client.post("/api/show", {"model": chosen["name"]})
    facts = shown.get("model_info") if isinstance(shown, dict) else None
    lengths = [_count(value) for key, value in (facts or {}).items() if str(key).endswith(".context_length")]
    context = min(MOST_CONTEXT, max(lengths, default=0))
    version = (client.offers("/api/version") or {}).get("version")
    return OllamaBackend(
        client,
        str(chosen["name"]),
        context=context,
        build=f"ollama {version}",
        revision=str(chosen.get("digest") or ""),
    )


_BACKENDS: dict[str, Callable[[Client, str], Backend]] = {
    "vllm": _vllm,
    "sglang": _sglang,
    "llama-server": _llama_server,
    "ollama": _ollama,
    "openai": _openai,
}


def tried(backend: Backend, say: Say) -> tuple[Capability, ...]:
    """Try what a backend claims, and give what holds; say what does not."""
    checks: dict[Capability, Callable[[Backend], object]] = {
        Capability.SCORE: _scores,
        Capability.CHOOSE: _chooses,
        Capability.SCHEMA: _keeps_to_a_schema,
        Capability.EMBED: _embeds,
    }
    kept = []
    for each in backend.card().capabilities:
        if each in checks:
            try:
                checks[each](backend)
            except (InvalidQuestion, ModelNotFound, NativeFailure) as error:
                if each is not Capability.EMBED:  # a server that writes need not embed
                    say(f"{backend.card().model} can't {each.value} there, which is left out: {error}")
                continue
        kept.append(each)
    return tuple(kept)


def _scores(backend: Backend) -> None:
    """Score a known text: each of its tokens must have a number, and code is likelier than noise."""
    code = backend.score(_PROMPT, Score("probe", (), _KNOWN)).logprob
    noise = backend.score(_PROMPT, Score("probe", (), _KNOWN[::-1])).logprob
    if not noise < code < 0:
        raise NativeFailure("it finds a line of code no likelier than the same letters backwards")


def _embeds(backend: Backend) -> None:
    """Turn a known text into a vector."""
    backend.embed(Embed("probe", _KNOWN))


def _chooses(backend: Backend) -> None:
    """Choose between two known words."""
    prompt = (Segment("Answer with one word, Yes or No: is 2 + 2 = 4?", "user"),)
    logprobs, _ = backend.choose(prompt, Choose("probe", (), ("Yes", "No")))
    if len(logprobs) != 2 or abs(sum(shares(logprobs)) - 1) > 1e-6:
        raise NativeFailure("it gave no probabilities")


def _keeps_to_a_schema(backend: Backend) -> None:
    """Ask for the only text that a schema admits."""
    question = Generate("probe", (), 32, schema=_EITHER)
    written = backend.generate((Segment("Write a poem.", "user"),), question, Listener())
    if "".join(written.text.split()) != '{"word":"yes"}':
        raise NativeFailure("it wrote something else than the schema admits")


def connect_all(
    urls: tuple[str, ...], model: str = "", *, access: Access = OPEN, say: Say = lambda sentence: None
) -> Engine:
    """Connect to one server, or to several of the same model as one engine. Raises EngineError if none answers."""
    if len(urls) == 1:
        return connect(urls[0], model, access=access, say=say)
    members = [Member(url, partial(connect, url, model, access=access, say=say)) for url in urls]
    return Balanced(members, say)
