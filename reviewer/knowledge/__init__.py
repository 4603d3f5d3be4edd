"""What a repository, or a folder of documents, knows: its passages and symbols, indexed and found again."""
