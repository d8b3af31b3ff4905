"""How a model is asked: writing for target scores, and judging pairs."""
