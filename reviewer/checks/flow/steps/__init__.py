"""From the syntax of a function to its steps and their order, in any language."""
