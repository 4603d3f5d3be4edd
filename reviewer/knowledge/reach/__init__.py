"""What a change breaks elsewhere in the repository: told by the trees of its files, never guessed."""
