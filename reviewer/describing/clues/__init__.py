"""Things that are certain of a change, each worded so that it can be its title."""
