"""The file into which a command writes rows of preference data."""

from pathlib import Path


def check_new_rows(output: Path | None, *, overwrite: bool) -> None:
    """Check that rows may be written there, as JSON Lines.

    Raises:
        ValueError: A file is there already, or the name says that it holds something else.
    """
    from profile_tasks.data.files import ENDINGS

    if output is None:
        return
    if output.exists() and not overwrite:
        raise ValueError(f"{output} is there already; name another file, or --overwrite")
    if output.suffix != ".jsonl" and output.name.lower().endswith(ENDINGS):
        raise ValueError(
            f"{output}: rows are written as JSON Lines; name a file that ends in .jsonl"
        )
