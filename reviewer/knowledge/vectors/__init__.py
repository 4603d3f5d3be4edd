"""Passages found by vectors: what embeds them is handed in, what keeps them is SQLite or Qdrant."""
