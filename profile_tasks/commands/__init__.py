"""The commands of ``profile-tasks``: one module each, imported when its command runs."""
