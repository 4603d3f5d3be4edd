"""What is done for a question, step by step: one module for each kind of question."""
