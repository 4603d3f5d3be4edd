"""Models at work: hardware, native calls, prompts to tokens, questions to answers."""
