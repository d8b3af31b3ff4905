"""Results of the planted annotator, as both harnesses write them; a model small enough to train."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from profile_tasks.cli import main

Results = Callable[..., Path]


@pytest.fixture(scope="session")
def inspect_log(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run a task in Inspect with a planted annotator; the log, made once for all tests."""
    made: dict[tuple[Any, ...], Path] = {}

    def log(profile: str, task: str = "summarization", **arguments: Any) -> Path:
        from inspect_ai import eval as inspect_eval

        key = (profile, task, *sorted(arguments.items()))
        if key not in made:
            model_args = {
                name: arguments.pop(name)
                for name in ("weights", "temperature")
                if name in arguments
            }
            (done,) = inspect_eval(
                getattr(import_module(f"profile_tasks.{task}"), task)(**arguments),
                model=f"planted/{profile}",
                model_args=model_args,
                log_dir=str(tmp_path_factory.mktemp("logs")),
                display="none",
            )
            assert done.status == "success"
            made[key] = Path(done.location)
        return made[key]

    return log


@pytest.fixture(scope="session")
def lm_eval_results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Run tasks in lm-eval with a planted annotator; the results file, made once for all tests."""
    made: dict[tuple[str, str], Path] = {}

    def results(profile: str, tasks: str = "profile_summarization") -> Path:
        if (profile, tasks) not in made:
            folder = tmp_path_factory.mktemp("out")
            command = f"lm-eval --model planted --model_args profile={profile} --tasks {tasks}"
            run = CliRunner().invoke(main, [*command.split(), "--output_path", str(folder)])
            assert run.exit_code == 0, run.output
            (made[profile, tasks],) = folder.rglob("results_*.json")
        return made[profile, tasks]

    return results


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model with random weights, a byte tokenizer and a chat template."""
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
            max_position_embeddings=512,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=3,
        )
    ).save_pretrained(folder)
    return folder
