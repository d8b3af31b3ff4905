"""Whether the probes of a judge find what is planted, and how often they find what is not there.

    python benchmarks/judge_probes.py [--studies 500] [--page docs/judge-audit.md]

Simulates judges of the planted kind: a verdict is the sign of a difference of utilities with
logistic noise, in which every source has a random liking of its own, so that its verdicts go
together. Once nothing is planted, once every bias but that for the position, once that one. What
the verdicts make is reckoned by the code of the tasks. Writes its table into the page, between the
two marks there. SIMULATION: no figure here is about a model or about people.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from profile_tasks.scorers.measurement.probed_source import ProbedSource, judge_findings
from profile_tasks.scorers.measurement.source_measurement import SourceMeasurement
from profile_tasks.scorers.statistics.probes import BY_NAME, LEVEL, ProbeFinding
from profile_tasks.solvers.probe_requests import (
    CARRIED,
    IDENTICAL,
    OWN,
    REPEAT,
    VARIED,
    ProbeAnswers,
    Told,
)
from profile_tasks.solvers.prompts import wordings

START, END = "<!-- judge probes: start -->", "<!-- judge probes: end -->"
HOME = Path(__file__).parents[1]

DESIGNS = ((24, 3), (100, 1))
"""Sources, and annotated pairs of each."""
PERMUTATIONS = 1999
NULL_STUDIES = 3
"""So many times as many audits have nothing planted: a level is told less easily than power."""
FACTORS = ("length", "second", "third")
TASTE = np.array([0.8, 0.4, 0.0])
"""Weights of the factors, in units of the noise's scale."""
LIKING = 0.4
"""Standard deviation of a source's own liking, likewise."""
BIASES: Mapping[str, float] = {
    "position": 0.45,
    "wording": 4.0,
    "white_space": 0.6,
    "synonym": 0.6,
    "padding": 0.6,
    "style": 0.6,
    "own_texts": 0.7,
    "authority": 0.8,
    "injection": 0.8,
}
"""What is planted, in the units of the noise's scale."""

PLANTED_IN: Mapping[str, str] = {
    "position": "position",
    "identical": "position",
    "wording_excess": "wording",
    "wording_taste": "wording",
    "self_preference": "own_texts",
} | {name: name for name in (*VARIED, *CARRIED)}
"""Which bias a probe should find."""

RATES = ("position_flips", "repeat", "wording")
"""What has an interval and no test."""

Array = NDArray[np.float64]


def verdicts(rng: np.random.Generator, first: Array, place: Array) -> list[list[Told]]:
    """Verdicts on pairs in both orders, by source.

    Args:
        rng: Of the noise.
        first: (sources, pairs) utility of the first as recorded less that of the second.
        place: (sources,) liking for the response shown first.
    """
    shown = np.stack([first, -first], axis=-1) + place[:, None, None]
    picks = np.where(shown + rng.logistic(size=shown.shape) > 0, "first", "second").tolist()
    return [[Told.model_construct(picks=tuple(both), margins=()) for both in of] for of in picks]


def study(
    rng: np.random.Generator, sources: int, pairs: int, biases: Mapping[str, float]
) -> dict[str, ProbeFinding]:
    """One audit of a simulated judge."""
    shape = (sources, pairs)

    def liking(bias: str) -> Array:
        """Of each source, about what is planted."""
        return biases.get(bias, 0.0) + LIKING * rng.standard_normal(sources)

    def told(utility: Array) -> list[list[Told]]:
        return verdicts(rng, utility, place)

    differences = rng.standard_normal((*shape, len(FACTORS)))
    utility, place = differences @ TASTE, liking("position")
    length = differences[..., 0]
    said = {}
    for at, name in enumerate(wordings()):
        turned = 0.0 if at == 0 else biases.get("wording", 0.0) * (1 if at % 2 else -1)
        said[name] = told(utility + turned * length)
    said[REPEAT] = told(utility)
    probed = {name: told(np.tile(liking(name)[:, None], pairs)) for name in VARIED}
    same = told(np.zeros(shape))
    probed[IDENTICAL] = [
        [Told.model_construct(picks=each.picks[:1], margins=()) for each in of] for of in same
    ]
    ratios = 0.3 + 0.5 * rng.standard_normal(shape)
    probed[OWN] = told(liking(OWN)[:, None] + TASTE[0] * ratios)
    carrier = rng.choice([-1, 1], size=shape)
    for name in CARRIED:
        probed[name] = told(utility + carrier * liking(name)[:, None])
    signs = np.sign(differences).astype(int).tolist()
    records = [
        ProbedSource.model_construct(
            measured=SourceMeasurement.model_construct(
                source_id=f"{at:04}",
                group=f"{at:04}",
                factors=FACTORS,
                human=(None,) * pairs,
                annotated=tuple(map(tuple, signs[at])),
            ),
            answers=ProbeAnswers.model_construct(
                verdicts={name: tuple(of[at]) for name, of in said.items()},
                probed={name: tuple(of[at]) for name, of in probed.items()},
                carrier=tuple(carrier[at].tolist()),
            ),
            strengths=(),
            log_ratios=tuple(ratios[at].tolist()),
        )
        for at in range(sources)
    ]
    return judge_findings(records, aligned=False, permutations=PERMUTATIONS)


def studies(
    n: int, sources: int, pairs: int, biases: Mapping[str, float]
) -> dict[str, list[ProbeFinding]]:
    """What every probe found in n audits."""
    found = defaultdict(list)
    for number in range(n):
        rng = np.random.default_rng([number, sources, pairs, round(100 * sum(biases.values()))])
        for name, finding in study(rng, sources, pairs, biases).items():
            found[name].append(finding)
    return found


def rejected(findings: Sequence[ProbeFinding]) -> float:
    """Share of audits with a p-value of at most 5 %."""
    return float(np.mean([finding.p_value <= LEVEL for finding in findings]))


def missed(findings: Sequence[ProbeFinding]) -> tuple[float, float]:
    """The mean of a rate over all audits, and the share of their intervals that do not hold it."""
    mean = float(np.mean([each.estimate.value for each in findings]))
    outside = [not each.estimate.low <= mean <= each.estimate.high for each in findings]
    return mean, float(np.mean(outside))


def rows(n: int, sources: int, pairs: int) -> Iterator[str]:
    """The Markdown about one design."""
    others = {name: bias for name, bias in BIASES.items() if name != "position"}
    nothing = studies(NULL_STUDIES * n, sources, pairs, {})
    planted = studies(n, sources, pairs, others)
    placed = studies(n, sources, pairs, {"position": BIASES["position"]})
    for name, bias in PLANTED_IN.items():
        with_it = (placed if bias == "position" else planted)[name]
        defined = [each for each in with_it if each.estimate.defined]
        effect = float(np.mean([abs(each.estimate.value) for each in defined]))
        shown = float(np.mean([each.detectable for each in defined if each.estimate.has_interval]))
        # The widest difference of many has another bound, and is no estimate of one effect.
        promised = (
            "–" if name == "wording_taste" else f"{100 * ndtr(2.8 * effect / shown - 1.96):.0f}"
        )
        cells = [
            f"{sources} x {pairs}",
            BY_NAME[name].label,
            f"{100 * rejected(nothing[name]):.1f}",
            f"{effect:.2f}",
            f"{shown:.2f}",
            promised,
            f"{100 * rejected(with_it):.0f}",
        ]
        yield f"| {' | '.join(cells)} |"
    for name in RATES:
        mean, outside = missed(nothing[name])
        label = f"{BY_NAME[name].label} (rate {mean:.2f})"
        yield f"| {sources} x {pairs} | {label} | {100 * outside:.1f} | – | – | – | – |"


def table(n: int) -> Iterator[str]:
    """The whole table."""
    yield (
        f"{NULL_STUDIES * n:,} simulated audits in which nothing is planted, {n} of each planted "
        "kind. Rejected: p at most 5 %, before any adjustment. Expected: "
        "the power that the smallest detectable effect promises of an effect of the size found. Of "
        "a rate, which has no test: the share of intervals without its mean over all audits."
    )
    yield ""
    yield (
        "| sources x pairs | probe | rejected, nothing planted (%) | effect planted, mean found | "
        "detectable, mean | expected power (%) | rejected, planted (%) |"
    )
    yield "|---|---|---:|---:|---:|---:|---:|"
    for sources, pairs in DESIGNS:
        yield from rows(n, sources, pairs)


def main() -> None:
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    lines = []
    for line in table(options.studies):
        print(line, flush=True)
        lines.append(line)
    if options.page is not None:
        page = options.page.read_text(encoding="utf-8")
        before, _, rest = page.partition(START)
        _, _, after = rest.partition(END)
        text = "\n".join(lines)
        options.page.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
