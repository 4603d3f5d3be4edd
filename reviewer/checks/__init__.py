"""Rules: known kinds of defects, told from the syntax tree alone (docs/rules.md)."""
