"""Gates: stated bars that a run must meet.

``bars`` is what may be stated, ``evidence`` what a run has to show for it, ``verdicts`` decides
(pure), ``reports`` writes it down for machines that build.
"""
