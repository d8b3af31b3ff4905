"""Finished evaluations: reading them, replaying them, comparing two, and saying so in words.

``run`` is the record, ``reading`` says which file is which, ``inspect_log``, ``lm_eval`` and
``influence_json`` read one kind each, ``replay`` scores logged answers again, ``compare`` and
``words`` set two runs side by side.
"""
