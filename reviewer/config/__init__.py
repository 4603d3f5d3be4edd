"""The settings: what they may be, where they come from, and which one holds."""
