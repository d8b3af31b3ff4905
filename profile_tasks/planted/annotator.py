"""The planted annotator: a simulated model whose preferences are known beforehand.

It judges and writes by a weighted utility of surface factors, so that a measurement can be held
against a known answer. IT IS A SIMULATION: no figure obtained with it says anything about a
language model or about people.

Its answer depends only on the text of the request, the seed and the temperature that come with it,
its profile and its own seed: never on the order of calls or on the harness that sends them.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType

from profile_tasks.planted.hidden import HIDDEN
from profile_tasks.scorers.factors.factor import SurfaceFunction, surface_function
from profile_tasks.scorers.factors.taxonomy import load_taxonomy
from profile_tasks.scorers.factors.words import sentences
from profile_tasks.solvers.feedback_requests import (
    CritiqueRequest,
    DraftComparisonRequest,
    FeedbackRequest,
    RevisionRequest,
    parse_feedback_request,
)
from profile_tasks.solvers.probe_texts import traces
from profile_tasks.solvers.prompts import wordings
from profile_tasks.solvers.requests import (
    DiscriminationRequest,
    GenerationRequest,
    NeutralRequest,
    parse_request,
)
from profile_tasks.solvers.verdict import read_pick

BIASES = (
    "position",
    "wording",
    "white_space",
    "synonym",
    "padding",
    "style",
    "self",
    "authority",
    "injection",
)
"""What a planted judge may like beside its factors, as the probes of a judge find it: the response
shown first; length in every other wording of the question, and less of it in the rest; a text that
bears the mark of a rule (``probe_texts.traces``), or that it would write itself."""


@dataclass(frozen=True)
class PlantedProfile:
    """What a planted annotator likes.

    Attributes:
        weights: Id of a surface factor, or of one of ``hidden.HIDDEN`` -> weight; positive: more
            of it is better.
        temperature: Scale of the logistic noise, in units of utility; 0 is noise-free.
        judging_weights: The weights it judges and gives feedback by, where these are others than
            those it writes by; None: the same.
        biases: Of its verdicts: one of ``BIASES`` -> how much it adds to a utility.
        judging_weights_where: A phrase -> the weights it judges by where the request holds that
            phrase, so that its taste differs between slices.
    """

    weights: Mapping[str, float]
    temperature: float
    judging_weights: Mapping[str, float] | None = None
    biases: Mapping[str, float] = field(default_factory=dict)
    judging_weights_where: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def judges_by(self) -> Mapping[str, float]:
        """The weights it judges by, where no phrase says otherwise."""
        return self.weights if self.judging_weights is None else self.judging_weights


PROFILES: Mapping[str, PlantedProfile] = MappingProxyType(
    {
        "verbose": PlantedProfile({"length": 1.0}, 0.25),
        "concise": PlantedProfile({"length": -1.0}, 0.25),
        "copyist": PlantedProfile({"novel_words": -1.0}, 0.04),
        "balanced": PlantedProfile(
            {
                "length": 0.3,
                "novel_words": -0.6,
                "lexical_diversity": 0.5,
                "readability": 0.5,
                "markdown": 0.1,
            },
            0.15,
        ),
    }
)

# Utility must weigh a word count against a share. Amounts count by their logarithm (twice as
# long is as much longer at 20 words as at 200), shares and indices on a scale of about 1.
_AMOUNTS = frozenset(
    {
        "length",
        "sentence_count",
        "mean_sentence_length",
        "markdown",
        "extractiveness",
        "source_compression",
    }
)

# Sentences for what the source cannot give: more text than it has, and words it does not hold.
_OTHER_SENTENCES = (
    "Broadly speaking, plenty remains unsaid here.",
    "Seasoned observers might notice subtler patterns emerging gradually.",
    "Nobody should overlook practical consequences, however small they appear.",
    "Curious newcomers often ask why.",
    "Viewed differently, such matters seldom resolve themselves neatly.",
    "Sensible judgement requires patience, context and a willingness to revise earlier "
    "impressions whenever fresh evidence arrives.",
    "Perhaps simpler wording helps.",
    "Experienced colleagues would probably emphasise balance, clarity and modest expectations.",
    "Ordinary examples illustrate this rather well, although exceptions certainly exist and "
    "deserve honest mention.",
    "Ultimately, thoughtful choices matter most.",
    "Several overlapping explanations compete, yet none feels entirely satisfying on its own.",
    "Small adjustments frequently outperform dramatic overhauls.",
    "Many comparable situations have unfolded elsewhere, usually following quieter beginnings "
    "and producing mixed feelings afterwards.",
    "Keep things manageable.",
    "Future attempts could profit from clearer goals, steadier habits and friendlier feedback.",
    "Underneath everything lies an unspoken assumption worth questioning.",
)


@dataclass(frozen=True)
class PlantedAnnotator:
    """Answers the requests of this project by a known profile.

    Attributes:
        profile: Its weights and temperature.
        seed: Seed of its noise.
    """

    profile: PlantedProfile
    seed: int = 0

    def answer(self, request: str, draw: int | None = None, heat: float = 1.0) -> str:
        """The text answered to a rendered request.

        Args:
            request: The request.
            draw: Another number gives other noise, as the seed that came with a request does; None
                is one more such number.
            heat: The sampling temperature that came with it; scales the noise.

        Raises:
            ValueError: The text is not a request of this project.
        """
        drawn = f"{self.seed}" if draw is None else f"{self.seed} draw {draw}"
        noise = heat * self.profile.temperature * _logistic(f"{drawn}\n{request}")
        if (feedback := parse_feedback_request(request)) is not None:
            return self._on_draft(feedback, noise)
        parsed = parse_request(request)
        if isinstance(parsed, DiscriminationRequest):
            return self._judge(parsed, noise)
        if isinstance(parsed, NeutralRequest):
            return self._write(parsed, 0.5, noise)
        share = (parsed.score - parsed.low) / max(parsed.high - parsed.low, 1)
        return self._write(parsed, share, noise)

    def difference(self, request: DiscriminationRequest) -> float:
        """Utility of the response shown first less that of the other, without noise."""
        first, second = request.response_a, request.response_b
        difference = self.utility(request, first) - self.utility(request, second)
        if not self.profile.biases:
            return difference
        of_first, of_second = (self._bias(request, text) for text in (first, second))
        return difference + self.profile.biases.get("position", 0.0) + of_first - of_second

    def _bias(self, request: DiscriminationRequest, response: str) -> float:
        """What its biases add to the utility of a response, wherever it is shown."""
        biases = self.profile.biases
        marks: dict[str, float] = dict(traces(response))
        if "self" in biases:
            marks["self"] = float(response in _candidates(request.prompt, request.source))
        if "wording" in biases and (place := list(wordings()).index(request.wording)):
            length = _utility(response, request.source, request.prompt, {"length": 1.0})
            marks["wording"] = length if place % 2 else -length
        return sum(weight * marks.get(name, 0.0) for name, weight in biases.items())

    def utility(self, request: NeutralRequest | DiscriminationRequest, response: str) -> float:
        """How much it likes a response to this request as a judge, without noise."""
        here = self.profile.judging_weights_where.items()
        weights = next((w for said, w in here if said in request.prompt), self.profile.judges_by)
        return _utility(response, request.source, request.prompt, weights)

    def log_likelihood(self, request: str, text: str) -> float:
        """Log-likelihood of an answer, by a rule: log(sigmoid(utility)) a byte of a written text.

        Of a verdict it is log(sigmoid(margin)), without noise; a language model's would depend on
        its words.

        Args:
            request: A rendered neutral or discrimination request.
            text: The answer; to a discrimination request a verdict for A or B.

        Raises:
            ValueError: It is another request, or the answer names neither response.
        """
        parsed = parse_request(request)
        if not text.strip():
            return 0.0  # what stands between a request and its answer
        if isinstance(parsed, NeutralRequest):
            size = len(text.encode("utf-8", "surrogatepass"))
            liked = _utility(text, parsed.source, parsed.prompt, self.profile.weights)
            return size * _log_sigmoid(liked)
        pick = read_pick(text)
        if isinstance(parsed, GenerationRequest) or pick not in ("first", "second"):
            raise ValueError(
                "the planted annotator has log-likelihoods of verdicts and of texts under the "
                "neutral request only"
            )
        difference = self.difference(parsed)
        return _log_sigmoid(difference if pick == "first" else -difference)

    def _judge(self, request: DiscriminationRequest, noise: float) -> str:
        difference = self.difference(request)
        return "Verdict: A" if difference + noise >= 0 else "Verdict: B"

    def _on_draft(self, request: FeedbackRequest, noise: float) -> str:
        """Feedback on a draft in fixed phrases, or its revision."""
        if isinstance(request, CritiqueRequest):
            return _advice(self.profile.judges_by)
        if isinstance(request, DraftComparisonRequest):
            first, second = (
                _utility(text, request.source, request.prompt, self.profile.judges_by)
                for text in (request.draft, request.other_draft)
            )
            better = "first" if first - second + noise >= 0 else "second"
            return f"The {better} draft is better.\n{_advice(self.profile.judges_by)}"
        return self._revise(request, noise)

    def _revise(self, request: RevisionRequest, noise: float) -> str:
        """The best text for what the feedback asks, by its own taste without; nearest the draft."""
        advised = _advised_weights(request.feedback or "")
        weights = self.profile.weights if advised is None else advised
        if not weights:
            return request.draft  # it is asked to change nothing
        candidates = _candidates(request.prompt, request.source)
        utilities = _candidate_utilities(
            request.prompt, request.source, tuple(sorted(weights.items()))
        )
        words = len(request.draft.split())
        target = max(utilities) + noise
        nearest = min(
            range(len(candidates)),
            key=lambda i: (abs(utilities[i] - target), abs(len(candidates[i].split()) - words)),
        )
        return candidates[nearest]

    def _write(
        self, request: GenerationRequest | NeutralRequest, share: float, noise: float
    ) -> str:
        """The text whose utility is nearest to this share of the way from the worst to the best."""
        candidates = _candidates(request.prompt, request.source)
        utilities = _candidate_utilities(
            request.prompt, request.source, tuple(sorted(self.profile.weights.items()))
        )
        lowest, highest = min(utilities), max(utilities)
        target = lowest + share * (highest - lowest) + noise
        nearest = min(range(len(candidates)), key=lambda i: abs(utilities[i] - target))
        return candidates[nearest]


def planted_profile(
    name: str,
    weights: Mapping[str, float] | None = None,
    temperature: float | None = None,
    judging_weights: Mapping[str, float] | None = None,
    biases: Mapping[str, float] | None = None,
    judging_weights_where: Mapping[str, Mapping[str, float]] | None = None,
) -> PlantedProfile:
    """The named profile, with weights or temperature replaced where given.

    Args:
        name: One of ``PROFILES``.
        weights: What it likes, instead of the profile's.
        temperature: Scale of its noise, instead of the profile's.
        judging_weights: What it likes as a judge, where that is something else.
        biases: Of its verdicts, by their names in ``BIASES``.
        judging_weights_where: What it likes as a judge where a request holds a phrase.

    Raises:
        ValueError: Unknown profile, factor or bias, a weight, bias or temperature that is no finite
            number, or a negative temperature.
    """
    if name not in PROFILES:
        raise ValueError(
            f"planted profile {name!r} is unknown. Must be one of: {', '.join(PROFILES)}"
        )
    chosen = PROFILES[name]
    for argument, given in (("weights", weights), ("judging_weights", judging_weights)):
        if given is not None:
            _check_weights(f"planted {argument}", given)
    for phrase, given in (judging_weights_where or {}).items():
        _check_weights(f"planted judging_weights_where {phrase!r}", given)
    for bias, weight in (biases or {}).items():
        if bias not in BIASES:
            raise ValueError(
                f"planted bias {bias!r} is unknown. Must be one of: {', '.join(BIASES)}"
            )
        if not _is_finite_number(weight):
            raise ValueError(f"planted {bias}_bias is {weight!r}; expected a number")
    if temperature is not None and (not _is_finite_number(temperature) or temperature < 0):
        raise ValueError(f"planted temperature is {temperature!r}; expected a number >= 0")
    return PlantedProfile(
        weights=MappingProxyType(dict(chosen.weights if weights is None else weights)),
        temperature=chosen.temperature if temperature is None else float(temperature),
        judging_weights=(
            None if judging_weights is None else MappingProxyType(dict(judging_weights))
        ),
        biases=MappingProxyType({name: float(of) for name, of in (biases or {}).items()}),
        judging_weights_where=MappingProxyType(dict(judging_weights_where or {})),
    )


def _check_weights(what: str, weights: object) -> None:
    if not isinstance(weights, Mapping):
        raise ValueError(f"{what} is {weights!r}; expected {{factor: weight, ...}}")
    for factor, weight in weights.items():
        if factor not in _surface_factors():
            raise ValueError(
                f"{what}: factor {factor!r} is unknown. "
                f"Must be one of: {', '.join(_surface_factors())}"
            )
        if not _is_finite_number(weight):
            raise ValueError(f"{what}: {factor!r} is {weight!r}; expected a number")
    if not weights:
        raise ValueError(f"{what}: empty; expected {{factor: weight, ...}}")


def _is_finite_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _advice(weights: Mapping[str, float]) -> str:
    """Feedback in the form that it also reads: one line for each factor that it weighs.

    >>> print(_advice({"length": -1.0, "markdown": 0.0}))
    - length: less.
    """
    directions = {factor: "more" if w > 0 else "less" for factor, w in weights.items() if w}
    return "\n".join(f"- {factor}: {direction}." for factor, direction in directions.items())


_ADVICE = re.compile(r"^- (\w+): (more|less|keep)\.", re.MULTILINE)
_ADVISED = {"more": 1.0, "less": -1.0, "keep": 0.0}


def _advised_weights(feedback: str) -> Mapping[str, float] | None:
    r"""A weight for each surface factor that feedback wants more or less of; None: it names none.

    >>> _advised_weights("The second draft is better.\n- length: less.\n- markdown: keep.")
    {'length': -1.0}
    >>> _advised_weights("Rather dull.") is None
    True
    """
    named = [(f, way) for f, way in _ADVICE.findall(feedback) if f in _surface_factors()]
    return {f: _ADVISED[way] for f, way in named if way != "keep"} if named else None


def _utility(response: str, source: str | None, prompt: str, weights: Mapping[str, float]) -> float:
    """Weighted sum of factor levels; a factor that is missing here contributes nothing."""
    total = 0.0
    for factor, weight in weights.items():
        value = _surface_factors()[factor](response, source, prompt)
        if not math.isnan(value):
            total += weight * _level(factor, value)
    return total


def _level(factor: str, value: float) -> float:
    if factor in _AMOUNTS:
        return math.log1p(value)
    return value / 100 if factor == "readability" else value


@cache
def _surface_factors() -> Mapping[str, SurfaceFunction]:
    computed = {
        factor.id: surface_function(factor)
        for factor in load_taxonomy().values()
        if factor.kind == "surface"
    }
    return {**computed, **HIDDEN}


@lru_cache(maxsize=256)
def _candidates(prompt: str, source: str | None) -> tuple[str, ...]:
    """Texts of many makes: short to long, copied to novel, plain to bulleted, no two equal.

    The material is the source's own sentences (the request's where there is no source) and a
    stock of other sentences; a short source is filled up from the stock.
    """
    own = sentences(source or prompt)
    texts: dict[str, None] = {}
    for size in (1, 2, 3, 4, 5, 6, 8, 10, 12):
        for others in sorted({0, size // 2, size}):
            kept = [*own[: size - others], *_OTHER_SENTENCES[:others]]
            kept += _OTHER_SENTENCES[others : others + size - len(kept)]
            texts[" ".join(kept)] = None
            texts["\n".join(f"- {sentence}" for sentence in kept)] = None
            texts[" ".join(sorted(kept, key=len)[: max(size // 2, 1)])] = None
    return tuple(texts)


@lru_cache(maxsize=256)
def _candidate_utilities(
    prompt: str, source: str | None, weights: tuple[tuple[str, float], ...]
) -> tuple[float, ...]:
    known = dict(weights)
    return tuple(_utility(text, source, prompt, known) for text in _candidates(prompt, source))


def _log_sigmoid(value: float) -> float:
    """log(1 / (1 + exp(-value))), which does not overflow."""
    return min(value, 0.0) - math.log1p(math.exp(-abs(value)))


def _logistic(text: str) -> float:
    """A standard logistic draw that is a function of the text alone."""
    # A text from a data set may hold half a surrogate pair.
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    uniform = (int.from_bytes(digest[:8]) + 0.5) / 2**64
    return math.log(uniform / (1 - uniform))
