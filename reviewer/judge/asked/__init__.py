"""What a model is asked in words: typed questions, and a free review; each only of whom it was measured for."""
