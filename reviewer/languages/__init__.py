"""What a language makes of a line: comments, docstrings, functions, and what only reads otherwise."""
