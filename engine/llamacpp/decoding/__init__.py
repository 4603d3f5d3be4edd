"""What is decoded when: sequences, shared prefixes, and the scheduler over them."""
