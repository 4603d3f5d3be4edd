"""What other tools say of a change: their reports, and those that can be run safely (docs/analyzers.md)."""
