"""From a change to its description: facts first, and a model's words only about what the facts name."""
