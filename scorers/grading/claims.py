"""One claim a request, so that two runs that share a cache do not both pay for its answer.

A cache holds an answer when it has come; until then, another run would send the same request. So
whoever sends it holds a lock on a file beside the cache, and the others wait for what it brings.
The operating system frees the locks of a process that ends, however it ends, so that none is stale;
a claim that is held for longer than ``LONGEST_WAIT`` is not waited for.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from filelock import FileLock, Timeout
from inspect_ai.model import cache_path

LONGEST_WAIT = 600.0
"""Seconds; longer than a request with its retries should take."""

_LOOK_AGAIN = 0.2


@asynccontextmanager
async def claimed(request: Sequence[str]) -> AsyncIterator[None]:
    """Within it, nobody else who shares the cache sends this request.

    Args:
        request: All that tells it from others.
    """
    name = hashlib.sha256("\0".join(request).encode("utf-8", "replace")).hexdigest()
    path = cache_path().parent / "claims" / name[:32]
    lock = await _lock(path)
    try:
        yield
    finally:
        if lock is not None:
            # Who waits for the file that is gone finds the answer in the cache, as who comes later.
            path.unlink(missing_ok=True)
            lock.release()


async def _lock(path: Path) -> FileLock | None:
    """The lock; None where it is held for too long, or the folder knows no locks."""
    lock = FileLock(path)
    with anyio.move_on_after(LONGEST_WAIT):
        while True:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock.acquire(blocking=False)
            except Timeout:
                await anyio.sleep(_LOOK_AGAIN)
            except (OSError, NotImplementedError):
                return None
            else:
                return lock
    return None
