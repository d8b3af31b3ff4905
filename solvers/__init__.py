"""How a model is asked: writing for target scores, judging pairs, revising, ranking its samples.

``prompts`` has the words, ``requests`` the structure, ``verdict`` reads an answer and
``both_orders`` makes one verdict of two.
"""
