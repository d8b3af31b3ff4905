"""Reading and writing files whole: an error names the file, and destroys no earlier one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def read_whole(path: Path, most: int = -1) -> bytes:
    """A file, or its first bytes.

    Raises:
        OSError: It cannot be read; the error names it, as ``read_bytes`` does not always.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise _named(error, path) from error


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file beside the one of that name, then put it in its place.

    Texts are written in UTF-8 with their line ends as they are. A pipe or device is written to.

    Raises:
        OSError: It cannot be written; then what stood there is still there, and nothing else is.
    """
    data = content.encode() if isinstance(content, str) else content
    if not path.exists() or path.is_file():
        with written_beside(path) as half:
            half.write_bytes(data)
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _named(error, path) from error


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """A new file, in a folder of its own beside a file whose place it takes when it is written.

    Raises:
        OSError: It cannot be written; then what stood there is still there, and nothing else is.
    """
    target = path.resolve()  # a link stays one
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".", suffix=".half", dir=target.parent))
        half = folder / f"half{target.suffix}"
        yield half
        with half.open("rb+") as file:
            os.fsync(file.fileno())  # some file systems tell only now that they are full
        if target.exists():
            shutil.copymode(target, half)
        half.replace(target)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _named(error: OSError, path: Path) -> OSError:
    return OSError(error.errno, error.strerror or str(error), str(path))
