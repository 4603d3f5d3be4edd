"""Reports of other tools, a file for each format; each trusts nothing of what it reads."""
