"""How likely a model finds the new text and the old one, and what probability follows from that."""
