"""Factors: interpretable properties of a response (text -> value -> manifestation).

``factor`` is one, ``taxonomy`` reads their definitions, ``selection`` picks those of a run;
``surface``, ``facts``, ``judged`` and ``learned`` measure them, a kind each.
"""
