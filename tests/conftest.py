"""What tests share: the offline switch, the folder of real data, runs of Inspect tasks."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# The hub's library reads this once, when it is imported.
os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real human preferences beside the checkout; tests that need them skip without."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder} with the real preference data")
    return folder


@pytest.fixture(autouse=True)
def own_garbage(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test that may warn leaves open is closed before a test that may not."""
    yield
    if request.node.get_closest_marker("filterwarnings"):
        gc.collect()
