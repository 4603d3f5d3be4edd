"""Texts that are wanted of a model, in no API's words: options, prompts, what fits, and the run itself."""
