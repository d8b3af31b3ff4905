"""Answers that another harness logged, put where the scorer looks for those of a run."""

from inspect_ai.solver import Generate, Solver, TaskState, solver

from profile_tasks.solvers.pairwise_discrimination import put_own_verdicts, put_verdicts
from profile_tasks.solvers.score_conditioned_generation import put_responses


@solver
def replayed_answers(samples: list[str]) -> Solver:
    """Ask the model nothing: its answers stand in samples that lm-eval logged.

    Args:
        samples: The files of samples.
    """
    # It loads the statistics, for which nobody else's evaluation should wait.
    from profile_tasks.runs.lm_eval import read_sampled_run

    run = read_sampled_run(samples)
    replayed = {
        answered.source.id: (answered.responses, measurement)
        for answered, measurement in zip(run.answers, run.measurements, strict=True)
    }

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        responses, measured = replayed[str(state.sample_id)]
        if responses:
            put_responses(state, responses)
        if measured.verdicts is not None:
            put_verdicts(state, measured.verdicts)
        if measured.own_verdicts is not None:
            judged = [(pair, verdict) for pair, verdict in measured.own_verdicts if verdict.picks]
            put_own_verdicts(state, {(pair.higher, pair.lower): each for pair, each in judged})
        return state

    return solve
