"""What tests share: the offline switch, the folder of real data, finished runs."""

import gc
import importlib.metadata
import importlib.util
import itertools
import json
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

# The first example of a test may import a library, and how long anything takes here says nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# The hub's library reads this once, when it is imported.
os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

# Each run of Inspect looks through all files of all installed packages, which takes as long as the
# rest of a small run; here they stay the same.
importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)

REPOSITORY = Path(__file__).resolve().parent.parent

# `python -m pytest` puts the checkout first, where the metadata that an editable install leaves
# behind (*.egg-info) would hide those of the installed package, by which Inspect names its tasks.
if str(REPOSITORY) in sys.path:
    sys.path[:] = [folder for folder in sys.path if folder != str(REPOSITORY)]
    sys.path.insert(sys.path.index(sysconfig.get_path("purelib")) + 1, str(REPOSITORY))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


def beside_the_checkout(name: str, what: str) -> Path:
    """A folder that is no part of the project; the test that needs it skips without."""
    folder = REPOSITORY.parent / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"no folder {folder} with {what}")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real human preferences."""
    return beside_the_checkout("data", "the real preference data")


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Inputs that went wrong once, with the right readings."""
    return beside_the_checkout("cases", "inputs that went wrong")


@pytest.fixture
def tokenless(monkeypatch: pytest.MonkeyPatch) -> None:
    """mockllm counts tokens with a tokenizer from the network; words do here."""
    from inspect_ai.model import ModelAPI

    async def words(self: ModelAPI, text: str) -> int:
        return len(text.split())

    monkeypatch.setattr(ModelAPI, "count_text_tokens", words)


def _benchmark(name: str) -> Any:
    """A module of ``benchmarks/``, which is no package."""
    folder = REPOSITORY / "benchmarks"
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    try:
        sys.modules[name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


@pytest.fixture(scope="session")
def benchmark() -> Callable[[str], Any]:
    """Load a module of ``benchmarks/``."""
    return _benchmark


@pytest.fixture(scope="session")
def faults() -> Any:
    """``benchmarks/faults.py``: a server that answers as planted models do, with faults."""
    return _benchmark("faults")


@pytest.fixture(scope="session")
def smollm2() -> Any:
    """``benchmarks/smollm2.py``: a real model; the test that needs it skips without."""
    module = _benchmark("smollm2")
    if absent := module.missing():
        pytest.skip(absent)
    return module


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare every test what a run of Inspect draws unseen, and the collector what is imported."""
    if "inspect_ai" in sys.modules:
        from inspect_ai.util import display_counter

        with pytest.MonkeyPatch.context() as patch:
            # A process keeps the display that it first shows something on.
            patch.setenv("INSPECT_DISPLAY", "log")
            display_counter("tests", "collected")
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """What a test that may warn leaves open is closed before a test that may not."""
    yield
    if may_warn(item) and not (nextitem and may_warn(nextitem)):
        gc.collect()


def may_warn(item: pytest.Item) -> bool:
    return item.get_closest_marker("filterwarnings") is not None


MadeOnce = Callable[[tuple[object, ...], Callable[[Path], Path]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Make a file in a folder of its own, once for all tests of all workers.

    The first argument says what the file holds, the second makes it in a new folder. The tests
    share the file: what changes it changes a copy.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def made(what: tuple[object, ...], make: Callable[[Path], Path]) -> Path:
        folder = shared / "made" / sha256(repr(what).encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / "place"
        with FileLock(folder / "lock"):
            if not place.exists():
                place.write_text(str(make(folder)), encoding="utf-8")
        return Path(place.read_text(encoding="utf-8"))

    return made


@pytest.fixture(scope="session")
def inspect_log(made_once: MadeOnce) -> Callable[..., Path]:
    """The log of an Inspect task with a planted annotator, by default on the demonstration data.

    ``weights`` and ``temperature`` are the annotator's, other arguments the task's. Pairs of an
    error rate and a seed in place of the grader's name are a panel of planted ones.
    """

    def log(
        profile: str = "verbose",
        task: str = "summarization",
        *,
        grader: str | tuple[tuple[float, int], ...] | None = None,
        **arguments: Any,
    ) -> Path:
        def run(folder: Path) -> Path:
            from inspect_ai import eval as inspect_eval
            from inspect_ai.model import get_model

            model_args = {k: arguments[k] for k in ("weights", "temperature") if k in arguments}
            graders: Any = grader
            if isinstance(grader, tuple):
                graders = [
                    get_model("planted/grader", memoize=False, error_rate=rate, seed=seed)
                    for rate, seed in grader
                ]
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("INSPECT_CACHE_DIR", str(folder / "cache"))
                (done,) = inspect_eval(
                    f"profile_tasks/{task}",
                    task_args={k: v for k, v in arguments.items() if k not in model_args},
                    model=get_model(f"planted/{profile}", memoize=False, **model_args),
                    model_roles={"grader": graders} if graders else None,
                    log_dir=str(folder),
                    display="none",
                    log_realtime=False,
                )
            assert done.status == "success", done.error
            return Path(done.location)

        return made_once(("inspect", profile, task, grader, *sorted(arguments.items())), run)

    return log


@pytest.fixture(scope="session")
def read_inspect_log(inspect_log: Callable[..., Path]) -> "Callable[..., EvalLog]":
    """The same log read anew, with its samples: a test may change what it gets."""
    from inspect_ai.log import read_eval_log

    return lambda *which, **arguments: read_eval_log(str(inspect_log(*which, **arguments)))


@pytest.fixture(scope="session")
def older_log(made_once: MadeOnce, read_inspect_log: "Callable[..., EvalLog]") -> Path:
    """The log of a run with task version 2, as that version left it where it matters today."""

    def older(folder: Path) -> Path:
        from inspect_ai.log import write_eval_log

        log = read_inspect_log("verbose", own_pairs=False)
        log.eval.task_version = 2
        assert log.results is not None
        (score,) = log.results.scores
        profile = (score.metadata or {})["profile"]
        del profile["self_agreement"], profile["difference_to_own"]
        del profile["difference_to_human"]["discrimination"]["taste"]
        judge = "alignment_discrimination_pearson"
        for name, value in (("_ci_low", 0.01), ("_ci_high", 0.02), ("_p_value", 0.003)):
            score.metrics[judge + name].value = value  # a bootstrap's, and of permuted factors
        ceiling = score.metrics[judge].model_copy(update={"name": f"{judge}_ceiling"})
        score.metrics[ceiling.name] = ceiling
        write_eval_log(log, str(folder / "older.eval"))
        return folder / "older.eval"

    return made_once(("older",), older)


@pytest.fixture(scope="session")
def lm_eval_results(made_once: MadeOnce) -> Callable[..., Path]:
    """The results file of lm-eval tasks with a planted annotator."""

    def results(profile: str = "verbose", tasks: str = "profile_summarization") -> Path:
        def run(folder: Path) -> Path:
            from click.testing import CliRunner

            from profile_tasks.cli import main

            command = f"lm-eval --model planted --model_args profile={profile} --tasks {tasks}"
            done = CliRunner().invoke(main, [*command.split(), "--output_path", str(folder)])
            assert done.exit_code == 0, done.output
            (written,) = folder.rglob("results_*.json")
            return written

        return made_once(("lm-eval", profile, tasks), run)

    return results


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model with random weights, a byte tokenizer and a chat template."""
    for library in ("torch", "transformers", "accelerate"):
        pytest.importorskip(library, reason=f"{library} is missing: pip install '.[hf]'")
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    special = ["<pad>", "<user>", "<assistant>", "<end>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: n for n, c in enumerate([*special, *alphabet])}, []))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=special[0], eos_token=special[3]
    )
    fast.chat_template = (
        "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}"
        "{% if message['role'] == 'assistant' %}<end>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(special) + len(alphabet),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=8192,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=3,
        )
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def planted_people() -> Callable[..., str]:
    """Write what planted people prefer of two different texts that a run wrote, in JSON lines.

    Every ``of``-th pair is labelled; the texts stand on either side.
    """

    def write(run: Any, weights: Mapping[str, float], target: Path, of: int = 1) -> str:
        from profile_tasks.planted.annotator import PlantedAnnotator, planted_profile
        from profile_tasks.solvers.requests import DiscriminationRequest
        from profile_tasks.solvers.target_scores import same_text

        people = PlantedAnnotator(planted_profile("balanced", weights, 0.7), seed=5)
        rows = []
        for answered in run.answers:
            about = answered.source
            for texts in itertools.combinations(sorted(set(answered.texts.values())), 2):
                if same_text(*texts):
                    continue
                request = DiscriminationRequest(about.task, about.prompt, about.source, *texts)
                rows.append(
                    {
                        "id": len(rows),
                        "task": about.task,
                        "group": about.id,
                        "prompt": about.prompt,
                        "source": about.source,
                        "response_a": texts[0],
                        "response_b": texts[1],
                        "preference": people.answer(request.render())[-1].lower(),
                    }
                )
        kept = "".join(json.dumps(row) + "\n" for row in rows[::of])
        target.write_text(kept, encoding="utf-8")
        return str(target)

    return write


@pytest.fixture(scope="session")
def labelled_log(
    made_once: MadeOnce, inspect_log: Callable[..., Path], planted_people: Callable[..., str]
) -> Callable[..., Path]:
    """A log as ``inspect score`` leaves it with labels of planted people, who like short texts.

    The labels stand beside it, as ``labels.jsonl``.
    """

    def scored(profile: str, **arguments: Any) -> Path:
        def make(folder: Path) -> Path:
            from inspect_ai import score
            from inspect_ai.log import read_eval_log, write_eval_log

            from profile_tasks.runs.inspect_log import read_run
            from profile_tasks.scorers.inspect.profile_scorer import factor_profile

            log = str(inspect_log(profile, **arguments))
            run = read_run(log, texts=True)
            labels = planted_people(run, {"length": -2.0}, folder / "labels.jsonl")
            again = score(
                read_eval_log(log),
                factor_profile(own_labels=labels),
                action="overwrite",
                display="none",
            )
            write_eval_log(again, str(folder / "labelled.eval"))
            return folder / "labelled.eval"

        return made_once(("labelled", profile, *sorted(arguments.items())), make)

    return scored
