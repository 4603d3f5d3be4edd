"""From the body of a request to what is asked."""

from __future__ import annotations

from hunkwise.engine import Segment
from hunkwise.reviewer.server.inference import options
from hunkwise.reviewer.server.inference.finding import Found
from hunkwise.reviewer.server.inference.fitting import Ask
from hunkwise.reviewer.server.openai.bodies import TextBody, bias_of, options_of, schema_of
from hunkwise.reviewer.server.state import Server

MOST_ALTERNATIVES = 20  # beside each token


def ask_for(
    server: Server,
    found: Found,
    body: TextBody,
    messages: tuple[Segment, ...],
    logprobs: int | None = None,
) -> Ask:
    """Say what is asked of the model."""
    settled = options.rank_and_filter(options_of(body), found.spec.parameters, options.OPENAI)
    return Ask(
        messages,
        options.sampling(settled),
        most=options.whole(settled, "num_predict"),
        window=server.models.window(found.spec),
        shorten=True,
        stop=options.stops(settled),
        schema=schema_of(body.response_format),
        count=body.n,
        logprobs=logprobs,
        bias=bias_of(body.logit_bias),
    )
