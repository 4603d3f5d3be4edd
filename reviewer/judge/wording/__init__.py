"""The words of a remark: the facts first, then what is kept of the model's sentences."""
