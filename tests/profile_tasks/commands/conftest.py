"""What tests of the commands share: running one as a user does."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from profile_tasks.cli import main


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which every sentence stands in one line; test_width.py has narrow ones."""
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run ``profile-tasks`` with these arguments and check how it ends."""

    def run(*arguments: object, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == exit_code, result.output
        return result

    return run
