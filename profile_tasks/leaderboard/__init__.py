"""Leaderboards: many models' results side by side, with the places that their intervals allow.

``files`` finds and reads the results, ``boards`` ranks them (pure), ``forms`` writes them down.
"""
