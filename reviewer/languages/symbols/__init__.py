"""What a text defines, uses and imports, told by its tree: the same values for every language."""
