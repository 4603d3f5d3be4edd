"""Answers to questions from passages of documents and code, each sentence with the words that it stands on."""
