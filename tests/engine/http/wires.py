"""Small servers that speak the wire forms of vLLM, SGLang, llama-server, Ollama and OpenAI, over one toy model.

The toy model's tokens are words; a word it knows is likely, all else is not. Servers are functions from a request
to a response, which `httpx.MockTransport` puts behind a client; they note what they were asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import httpx

KNOWN = {"for", "(let", "i", "=", "0;", "<", "10;", "i++)", "{", "sum", "+=", "i;", "}", "return", "first"}
_WORD = re.compile(r"\s?[^\s]+|\s")
LIKELY, UNLIKELY, BEST = -0.25, -4.0, -0.125
CONTEXT = 2048


class Toy:
    """Tokens by number, and how likely each is."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def ids(self, text: str) -> list[int]:
        """Tokenize."""
        found = []
        for word in _WORD.findall(text):
            if word not in self.words:
                self.words.append(word)
            found.append(self.words.index(word))
        return found

    def printed(self, ids: list[int]) -> list[str]:
        """Print as byte-level vocabularies do."""
        return [self.words[each].replace(" ", "Ġ").replace("\n", "Ċ") for each in ids]

    def logprob(self, token: int) -> float:
        """Say how likely a token is, wherever it stands."""
        return LIKELY if self.words[token].strip() in KNOWN else UNLIKELY

    def chat(self, messages: list[dict[str, str]]) -> str:
        """Render the chat template."""
        return " ".join(f"{each['role']} : {each['content']}" for each in messages) + " assistant :"


class Server:
    """What all of them share. `asked` are the paths and bodies, in order."""

    models: ClassVar[list[dict[str, Any]]] = []

    def __init__(self) -> None:
        self.toy, self.asked = Toy(), list[tuple[str, Any]]()
        self.answers: dict[str, Callable[[Any], httpx.Response | Any]] = {
            "/v1/models": lambda _: {"object": "list", "data": self.models}
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.url.path, body))
        answer = self.answers.get(request.url.path)
        if answer is None:
            return httpx.Response(404, json={"error": {"message": "Not Found", "code": 404}})
        made = answer(body)
        return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)

    @property
    def transport(self) -> httpx.MockTransport:
        """What a client takes."""
        return httpx.MockTransport(self)

    def written(self, body: Any) -> Iterator[str]:
        """Write: the only text of a schema's, or words."""
        form = body.get("response_format")
        yield from ('{"word":', ' "yes"}') if form or body.get("format") else ("a", " b", " c")


def events(*values: object) -> httpx.Response:
    """Make a stream of server-sent events."""
    lines = "".join(f"data: {json.dumps(value)}\n\n" for value in values) + "data: [DONE]\n\n"
    return httpx.Response(200, text=lines, headers={"content-type": "text/event-stream"})


class OpenAIServer(Server):
    """Chat completions with the alternatives of each token."""

    models: ClassVar[list[dict[str, Any]]] = [{"id": "toy", "object": "model", "owned_by": "somebody"}]

    def __init__(self) -> None:
        super().__init__()
        self.answers["/v1/chat/completions"] = self.chat
        self.answers["/v1/embeddings"] = lambda _: {
            "data": [{"index": 0, "embedding": [3, 4.0]}],
            "usage": {},
        }

    def chat(self, body: Any) -> Any:
        """Stream, or give the alternatives of one token."""
        if not body.get("stream"):
            top = [
                {"token": "Yes", "logprob": -0.5, "bytes": [89]},
                {"token": " N", "logprob": -1.0, "bytes": []},
            ]
            content = [{"token": "Yes", "logprob": -0.5, "top_logprobs": top[: body["top_logprobs"]]}]
            return {"choices": [{"logprobs": {"content": content}, "finish_reason": "length"}], "usage": {}}
        pieces = [{"choices": [{"index": 0, "delta": {"content": each}}]} for each in self.written(body)]
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        return events(*pieces, end, {"choices": [], "usage": usage})


class VllmServer(OpenAIServer):
    """vLLM: tokenizes texts and messages, and gives prompt_logprobs."""

    models: ClassVar[list[dict[str, Any]]] = [
        {"id": "toy", "object": "model", "owned_by": "vllm", "root": "toy", "max_model_len": CONTEXT}
    ]

    def __init__(self) -> None:
        super().__init__()
        self.answers |= {
            "/version": lambda _: {"version": "0.28.0"},
            "/tokenize": self.tokenize,
            "/v1/completions": self.complete,
        }

    def tokenize(self, body: Any) -> Any:
        """Tokenize."""
        text = self.toy.chat(body["messages"]) if "messages" in body else body["prompt"]
        ids = self.toy.ids(text)
        made = {"count": len(ids), "max_model_len": CONTEXT, "tokens": ids, "token_strs": None}
        return made | ({"token_strs": self.toy.printed(ids)} if body.get("return_token_strs") else {})

    def complete(self, body: Any) -> Any:
        """Give each position of each prompt."""
        choices = [
            {"index": n, "text": "x", "prompt_logprobs": [None, *map(self.position, ids[1:])]}
            for n, ids in enumerate(body["prompt"])
        ]
        return {"choices": list(reversed(choices)), "usage": {}}

    def position(self, token: int) -> dict[str, Any]:
        """Give the token itself, and the likeliest one beside it."""
        own = {"logprob": self.toy.logprob(token), "rank": 2, "decoded_token": self.toy.words[token]}
        return {str(token): own, "99999": {"logprob": BEST, "rank": 1, "decoded_token": "best"}}


class SglangServer(OpenAIServer):
    """SGLang: its own /generate gives input_token_logprobs from a position on."""

    models: ClassVar[list[dict[str, Any]]] = [
        {"id": "toy", "object": "model", "owned_by": "sglang", "root": "toy", "max_model_len": CONTEXT}
    ]

    def __init__(self) -> None:
        super().__init__()
        self.answers |= {
            "/tokenize": self.tokenize,
            "/v1/tokenize": self.tokenize,
            "/generate": self.generate,
        }
        self.answers["/detokenize"] = lambda body: {
            "prompt": "".join(self.toy.words[n] for n in body["tokens"])
        }

    def tokenize(self, body: Any) -> Any:
        """Tokenize; how tokens are printed is not told."""
        ids = self.toy.ids(self.toy.chat(body["messages"]) if "messages" in body else body["prompt"])
        return {"tokens": ids, "count": len(ids), "max_model_len": CONTEXT}

    def generate(self, body: Any) -> Any:
        """Score; the first position that is asked for has no number."""
        start = body["logprob_start_len"]
        made = []
        for ids in body["input_ids"]:
            own: list[Any] = [[None, ids[start], None]]
            own += [[self.toy.logprob(each), each, None] for each in ids[start + 1 :]]
            top = [None, *([[BEST, 99999, None]] for _ in ids[start + 1 :])]
            meta = {"prompt_tokens": len(ids), "cached_tokens": start}
            made.append(
                {"text": "x", "meta_info": meta | {"input_token_logprobs": own, "input_top_logprobs": top}}
            )
        return made


class LlamaServer(OpenAIServer):
    """llama-server: counts, and gives the likeliest next tokens."""

    models: ClassVar[list[dict[str, Any]]] = [{"id": "toy.gguf", "object": "model", "owned_by": "llamacpp"}]

    def __init__(self) -> None:
        super().__init__()
        self.answers |= {
            "/props": lambda _: {"default_generation_settings": {"n_ctx": CONTEXT}, "build_info": "b1-abc"},
            "/apply-template": lambda body: {"prompt": self.toy.chat(body["messages"])},
            "/tokenize": lambda body: {"tokens": self.toy.ids(body["content"])},
            "/completion": self.complete,
        }

    def complete(self, body: Any) -> Any:
        """Give what may come next."""
        listed = [{"id": n, "logprob": self.toy.logprob(n)} for n in range(len(self.toy.words))]
        return {"content": "x", "completion_probabilities": [{"top_logprobs": listed[: body["n_probs"]]}]}


class OllamaServer(Server):
    """Ollama: its own API, in lines of JSON."""

    models: ClassVar[list[dict[str, Any]]] = [{"id": "toy:latest", "object": "model", "owned_by": "library"}]

    def __init__(self) -> None:
        super().__init__()
        self.answers |= {
            "/api/version": lambda _: {"version": "0.40.12"},
            "/api/tags": lambda _: {"models": [{"name": "toy:latest", "digest": "d" * 64}]},
            "/api/show": lambda _: {"model_info": {"qwen2.context_length": CONTEXT}},
            "/api/chat": self.chat,
            "/api/embed": lambda _: {"embeddings": [[3, 4.0]], "prompt_eval_count": 2},
        }

    def chat(self, body: Any) -> Any:
        """Stream, or give the alternatives of one token."""
        if not body["stream"]:
            top = [{"token": "No", "logprob": -0.1}, {"token": "Yes", "logprob": -3.0}]
            return {
                "message": {"content": "No"},
                "done": True,
                "logprobs": [{"token": "No", "top_logprobs": top}],
            }
        lines = [
            {"message": {"role": "assistant", "content": each}, "done": False} for each in self.written(body)
        ]
        lines.append(
            {"done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 3, "message": {}}
        )
        return httpx.Response(200, text="".join(json.dumps(line) + "\n" for line in lines))


SERVERS = {
    "vllm": VllmServer,
    "sglang": SglangServer,
    "llama-server": LlamaServer,
    "ollama": OllamaServer,
    "openai": OpenAIServer,
}
