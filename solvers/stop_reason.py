"""Why an output ended, where the provider does not say.

Inspect's ``hf`` provider never does. What used up its token limit was cut off; nothing else was.
"""
# inspect-evals-lint: ignore-file[IECQ001] -- not public in Inspect; tests/test_dependencies.py

from inspect_ai.model import GenerateConfig, Model, ModelOutput
from inspect_ai.model._generate_config import active_generate_config

_NEARLY = 0.9
"""Of a batch every output counts as long as the longest: its own tokens must reach the limit too,
as nearly as text that is tokenized again tells."""


def settings_of_run() -> GenerateConfig:
    """How the running evaluation lets its model generate."""
    return active_generate_config()


def with_stop_reason(output: ModelOutput, model: Model, config: GenerateConfig) -> ModelOutput:
    """An output with its stop reason, told from the tokens where it is unknown.

    Args:
        output: What the model answered.
        model: The model.
        config: What it was asked with.
    """
    if output.empty or output.stop_reason != "unknown" or output.usage is None:
        return output
    limits = (
        *(config.max_tokens, model.config.max_tokens),
        *(settings_of_run().max_tokens, model.api.max_tokens()),
    )
    limit = next((each for each in limits if each is not None), None)
    if limit is None:
        return output
    used = output.usage.output_tokens
    tokenizer = getattr(model.api, "tokenizer", None)
    own = used if tokenizer is None else len(tokenizer.encode(output.completion))
    cut = used >= limit and own >= _NEARLY * limit
    first = output.choices[0].model_copy(update={"stop_reason": "max_tokens" if cut else "stop"})
    return output.model_copy(update={"choices": [first, *output.choices[1:]]})
