"""How a model is loaded: what the machine has, what the model needs, what fits."""
