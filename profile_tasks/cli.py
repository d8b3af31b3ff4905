"""The command ``profile-tasks``: a group whose commands stand in ``commands/``."""

import errno
import os
from importlib import import_module
from typing import Any

import click

from profile_tasks import __version__
from profile_tasks.nearest_name import instead_of

COMMANDS = {
    "influence": "Factor profile of recorded preferences; no model is needed.",
    "judges": "People beside every judge whose verdicts a file records.",
    "contributions": "What each factor, and each level of them, contributes.",
    "discover": "Factors found in preference pairs, and tested.",
    "align": "Alignment of two factor profiles.",
    "report": "Runs as one self-contained HTML page, for people.",
    "compare": "Two models on the same sources, paired by source.",
    "pairs": "Answers of two models, from finished runs, as pairs.",
    "annotate": "Pairs for people to judge: Label Studio, or a page.",
    "collect": "What annotators answered, as a preference file.",
    "convert": "A preference file of other people in this project's form.",
    "shards": "Data split by source into files that are run apart.",
    "merge": "The logs of all shards as one ordinary log.",
    "export": "Preference pairs as training data, in the formats of TRL.",
    "train": "DPO, SFT or KTO on exported data (extra train).",
    "factors": "The factors there are, or those that a selection holds.",
    "cost": "Requests and tokens of a run, before it; no model is called.",
    "plan": "The model requests of a run as files for a batch endpoint.",
    "ingest": "Answers to a plan as a log, or what is still asked.",
    "validate-grader": "A grader's verdicts beside human factor labels.",
    "lm-eval": "lm-eval with this project's tasks only; starts sooner.",
    "validate": "Whether lm-eval tasks would run, without a model.",
    "score-lm-eval": "Graded factors on samples that lm-eval logged.",
    "task-configs": "The folder of its tasks, for lm_eval --include_path.",
    "leaderboard": "Models ranked by results, in places that differences allow.",
    "gate": "Whether a run meets stated bars: exit status 0, 1 or 2.",
    "power": "Sources that a study needs, from a pilot or from assumptions.",
    "selftest": "Whether planted truths are found again on this machine.",
}
"""Each command with its line in ``--help``: the function of its name in ``commands/<name>.py``."""

_WITHOUT_MODELS = {"influence", "judges", "contributions", "align", "report", "compare", "gate"}
"""Their matrices are a few columns wide: more threads of BLAS only wait for each other, and cost
the time of a core. It is read when numpy is loaded; who sets it is heard."""


class Commands(click.Group):
    """Commands that are imported when they are asked for, so that ``--help`` waits for none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of ``--help``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        if name in _WITHOUT_MODELS:
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        command: click.Command = getattr(import_module(f"profile_tasks.commands.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for; of an unknown name, the nearest one is told."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"No such command {name!r}{instead_of(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Run the command; a file that cannot be opened is one line in every one of them."""
        from profile_tasks.commands.unusable import Unusable

        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:  # click knows who stopped reading
                raise
            told = error if error.filename is None else f"{error.filename}: {error.strerror}"
            raise Unusable(str(told)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from `COMMANDS` alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="profile-tasks")
def main() -> None:
    """Which factors drive preferences, and how well two profiles align."""
