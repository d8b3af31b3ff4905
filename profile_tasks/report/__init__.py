"""What people look at: a finished run as one self-contained page.

``report_data`` and ``texts`` take a run's numbers and samples, ``findings`` joins them,
``headline``, ``cautions``, ``figures`` (with ``drawing``), ``examples`` and ``comparison`` say what
they show, ``page`` puts them in their places and ``web_page`` is the frame.
"""
