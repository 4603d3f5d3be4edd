"""The tools that are run: the table of them, where they are found, and a folder in which they read copies."""
