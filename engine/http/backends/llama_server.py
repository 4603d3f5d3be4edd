"""`LlamaServerBackend`: llama.cpp's own server. It counts and writes, and can't tell how likely a given text is.

It accepts `echo` and gives no log-probabilities of the prompt, so nothing is built on that.
"""

from __future__ import annotations

from typing import Any

from hunkwise.engine.errors import NativeFailure
from hunkwise.engine.http.backends.backend import Prompt, is_raw, messages, number, part, raw_text, sampling
from hunkwise.engine.http.backends.tokenizing import TokenizingBackend, Tokens, numbers
from hunkwise.engine.types import Choose, Sampling, Usage

LISTED = 256  # alternatives of one token that are asked for


class LlamaServerBackend(TokenizingBackend):
    """Speaks to llama-server. An option is walked through token by token, over the server's prefix cache.

    A token beyond the `LISTED` likeliest counts as likely as the last of them.
    """

    name = "llama-server"

    def tokenized(self, prompt: Prompt) -> Tokens:
        """Tokenize a prompt, by the model's chat template where it is a chat."""
        if is_raw(prompt):
            return self._tokens(raw_text(prompt), special=False)
        text = part(self.client.post("/apply-template", {"messages": messages(prompt)}), "prompt")
        return self._tokens(str(text), special=True)

    def drawn(self, given: Sampling) -> dict[str, Any]:
        """Name the penalty in llama.cpp's words."""
        body = sampling(given)
        penalty = body.pop("repetition_penalty", None)
        return body if penalty is None else {**body, "repeat_penalty": penalty}

    def continued(self, prompt: Prompt) -> dict[str, Any]:
        """Do nothing: this server goes on with a last message of the assistant's by itself."""
        return {}

    def choose(self, prompt: Prompt, question: Choose) -> tuple[tuple[float, ...], Usage]:
        """Sum up the log-probabilities of each option's tokens."""
        ids = self.ids(prompt)
        known: dict[tuple[int, ...], dict[int, float]] = {}
        sums = []
        for option in question.options:
            total, before = 0.0, tuple[int, ...]()
            for token in self._tokens(option, special=False):
                if before not in known:
                    known[before] = self._next(ids + list(before))
                listed = known[before]
                total += listed.get(token, min(listed.values()))
                before = (*before, token)
            sums.append(total)
        return tuple(sums), Usage(prefilled=len(ids), sampled=len(known))

    def _next(self, ids: Tokens) -> dict[int, float]:
        """Ask for the likeliest next tokens."""
        body = {"prompt": ids, "n_predict": 1, "n_probs": LISTED, "temperature": 0, "cache_prompt": True}
        answer = self.client.post("/completion", body)
        listed = part(answer, "completion_probabilities", 0, "top_logprobs")
        found = {number(part(each, "id"), "a token"): part(each, "logprob") for each in listed}
        if not found or any(type(value) not in (int, float) for value in found.values()):
            raise NativeFailure("the server sent no log-probabilities of the next token")
        return {token: min(0.0, float(value)) for token, value in found.items()}

    def _tokens(self, text: str, *, special: bool) -> Tokens:
        body = {"content": text, "add_special": special, "parse_special": special}
        return numbers(self.client.post("/tokenize", body))
