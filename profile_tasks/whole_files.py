"""Reading and writing files whole: an error names the file, and destroys no earlier one."""

import os
import shutil
import tempfile
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
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path, data)
    except OSError as error:
        raise _named(error, path) from error


def _replace(path: Path, data: bytes) -> None:
    target = path.resolve()  # a link stays one
    folder = Path(tempfile.mkdtemp(prefix=".", suffix=".half", dir=target.parent))
    try:
        half = folder / "half"
        with half.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # some file systems tell only now that they are full
        if target.exists():
            shutil.copymode(target, half)
        half.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _named(error: OSError, path: Path) -> OSError:
    return OSError(error.errno, error.strerror or str(error), str(path))
