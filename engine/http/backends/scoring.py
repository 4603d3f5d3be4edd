"""`ScoringBackend`: what vLLM and SGLang have beyond OpenAI's API: tokens by number, and how likely they are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hunkwise.engine.errors import InvalidQuestion
from hunkwise.engine.http.backends.backend import Prompt, is_raw, messages, part, raw_text
from hunkwise.engine.http.backends.tokenizing import TokenizingBackend, Tokens, numbers
from hunkwise.engine.http.backends.tokens import scores, special
from hunkwise.engine.port import Capability
from hunkwise.engine.types import Choose, Score, Scored, Usage


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Of each token of a continuation: its log-probability, and that of the likeliest token in its place."""

    own: list[float]
    favourite: list[float]
    usage: Usage


class ScoringBackend(TokenizingBackend):
    """Scores given texts. Prompts are tokenized by the server with its chat template, texts without it.

    What the server would read as a special token is not scored: here a text is data.
    """

    able: tuple[Capability, ...] = (*TokenizingBackend.able, Capability.SCORE)
    tokenize = "/tokenize"  # where messages are tokenized

    @abstractmethod
    def likelihoods(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[Likelihoods]:
        """Ask how likely each continuation of the prompt is."""

    def tokenized(self, prompt: Prompt) -> Tokens:
        """Tokenize a prompt, with the chat template where it is a chat."""
        if is_raw(prompt):
            return self.text_tokens(raw_text(prompt))[0]
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages(prompt),
            "add_generation_prompt": True,
        }
        return numbers(self.client.post(self.tokenize, body | self.continued(prompt)))

    def continued(self, prompt: Prompt) -> dict[str, Any]:
        """Go on with a message that was begun for the model."""
        begun = prompt[-1].role == "assistant"
        return {"add_generation_prompt": False, "continue_final_message": True} if begun else {}

    def text_tokens(self, text: str) -> tuple[Tokens, list[str]]:
        """Tokenize a text; gives the tokens, and how they are printed."""
        body = {"model": self.model, "prompt": text, "add_special_tokens": False, "return_token_strs": True}
        answer = self.client.post("/tokenize", body)
        ids, printed = numbers(answer), answer.get("token_strs")
        if not isinstance(printed, list) or len(printed) != len(ids):
            return ids, self.printed(ids)
        return ids, [str(each) for each in printed]

    def printed(self, ids: Tokens) -> list[str]:
        """Print tokens one by one, where the server did not say with the tokens how they are printed."""
        answers = (self.client.post("/detokenize", {"model": self.model, "tokens": [each]}) for each in ids)
        return [str(part(answer, "prompt")) for answer in answers]

    def score(self, prompt: Prompt, question: Score) -> Scored:
        """Score the text as the continuation of the prompt."""
        if special(question.text):
            raise InvalidQuestion(
                f"question {question.id!r}: the text holds what the server reads as a special token of the model; "
                "only an engine on this machine scores it"
            )
        ids, printed = self.text_tokens(question.text)
        (found,) = self.likelihoods(self.ids(prompt), [ids])
        return Scored(question.id, scores(question.text, printed, found.own, found.favourite), found.usage)

    def choose(self, prompt: Prompt, question: Choose) -> tuple[tuple[float, ...], Usage]:
        """Score each option as a whole, all in one request."""
        options = [self.text_tokens(option)[0] for option in question.options]
        found = self.likelihoods(self.ids(prompt), options)
        usage = sum((each.usage for each in found), Usage())
        return tuple(min(0.0, sum(each.own)) for each in found), usage
