"""What people look at: a finished run as one self-contained page."""
