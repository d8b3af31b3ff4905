"""Learned factors: fluency and coherence of a response, scored by a UniEval checkpoint.

UniEval (Zhong et al., EMNLP 2022, arXiv 2210.07197) is a T5 model trained to answer yes-or-no
questions about a text. A score is P("Yes") / (P("Yes") + P("No")) for the first token of the
answer, so its range is 0 to 1. The questions, the limit of 1,024 input tokens, the average over
sentences for fluency and the whole response for coherence are the authors'.

This implementation's choices:

- Sentences are those of `words.sentences`; the authors split with NLTK.
- The document that a response should cohere with is the prompt and the source, a blank line
  between them, or the one of the two that there is. For the authors it is the source alone.
- Their question speaks of a summary whatever the task. Trained on summarization, the scores are
  an extrapolation on instruction following and document QA.
- Input beyond the limit is cut at its end, where the document stands. So a longer response
  leaves less of a long document to compare with, and one that fills the limit leaves none.
- The separator ``</s>`` inside a text is broken up, so that no text can pose as the document.
- Weights are used as 32-bit floats, whatever the checkpoint stores.

A response without a letter or digit is missing (NaN), never 0. Within a call, texts that the
model reads alike score equally; in different calls rounding may part them, by less than 1e-5.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING

from profile_tasks.scorers.factors.taxonomy import LEARNED_FACTORS
from profile_tasks.scorers.factors.words import sentences
from profile_tasks.settings import UNIEVAL_CHECKPOINT

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_MAX_TOKENS = 1024
_BATCH_SIZE = 8
_INSTALL = "pip install 'profile-tasks[unieval]'"


@dataclass(frozen=True, eq=False)
class UniEval:
    """A loaded UniEval checkpoint.

    Attributes:
        checkpoint: name on the Hugging Face hub, or a local folder.
        device: where the model runs, as torch names it.
        model: the T5 model, in evaluation mode.
        tokenizer: its tokenizer.
        yes: id of the first token of "Yes".
        no: id of the first token of "No".

    """

    checkpoint: str
    device: str
    model: "PreTrainedModel" = field(repr=False)
    tokenizer: "PreTrainedTokenizerBase" = field(repr=False)
    yes: int
    no: int

    @classmethod
    def load(cls, checkpoint: str = UNIEVAL_CHECKPOINT, *, device: str | None = None) -> "UniEval":
        """Load a checkpoint, once per process for each checkpoint and device.

        Args:
            checkpoint: Name on the Hugging Face hub, or a local folder in its format.
            device: A torch device such as "cpu" or "cuda:1"; None takes a GPU where there is one.

        Raises:
            ImportError: torch or transformers is not installed.
            OSError: The checkpoint cannot be found, or is no sequence-to-sequence model.
            ValueError: It lacks weights, or its tokenizer does not tell "Yes" from "No".
        """
        try:
            import torch
            import transformers  # noqa: F401
        except ImportError as error:
            raise ImportError(
                f"Learned factors need torch and transformers: {_INSTALL}. ({error})"
            ) from error
        return _load(checkpoint, device or ("cuda" if torch.cuda.is_available() else "cpu"))

    def fluency(self, texts: Sequence[str]) -> list[float]:
        """Whether the sentences of each text read fluently, averaged over its sentences.

        Range 0 to 1, higher is more fluent; NaN for a text with no sentence.

        Raises:
            ValueError: The model gives no number.
        """
        inputs = [[self._fluency_input(part) for part in sentences(text)] for text in texts]
        scores = self._scores(question for asked in inputs for question in asked)
        return [fmean(map(scores.__getitem__, asked)) if asked else math.nan for asked in inputs]

    def coherence(self, texts: Sequence[str], documents: Sequence[str]) -> list[float]:
        """Whether each text, as a whole, is a coherent summary of its document.

        Range 0 to 1, higher is more coherent; NaN where text or document has no letter or digit.

        Raises:
            ValueError: Texts and documents are not equally many, or the model gives no number.
        """
        if len(texts) != len(documents):
            raise ValueError(
                f"Texts and documents must be equally many, not {len(texts)} and {len(documents)}."
            )
        inputs = [
            self._coherence_input(text, document) if _is_text(text) and _is_text(document) else None
            for text, document in zip(texts, documents, strict=True)
        ]
        scores = self._scores(question for question in inputs if question is not None)
        return [math.nan if question is None else scores[question] for question in inputs]

    def _fluency_input(self, sentence: str) -> str:
        text = self._without_separator(sentence)
        return f"question: Is this a fluent paragraph? </s> paragraph: {text}"

    def _coherence_input(self, text: str, document: str) -> str:
        return (
            "question: Is this a coherent summary to the document? </s> "
            f"summary: {self._without_separator(text)} </s> "
            f"document: {self._without_separator(document)}"
        )

    def _without_separator(self, text: str) -> str:
        """The text, changed only where the tokenizer would read a separator in it."""
        valid = text.encode("utf-8", "replace").decode("utf-8")  # a model can emit a surrogate
        tokens = self.tokenizer(valid, add_special_tokens=False)["input_ids"]
        if self.tokenizer.eos_token_id not in tokens:
            return valid
        # The tokenizer normalises before it reads, so full-width brackets make a separator too.
        return unicodedata.normalize("NFKC", valid).replace("<", "< ")

    def _scores(self, inputs: Iterable[str]) -> dict[str, float]:
        """P("Yes") / (P("Yes") + P("No")) of every distinct input."""
        questions = list(dict.fromkeys(inputs))
        if not questions:
            return {}
        encoded = self.tokenizer(questions, max_length=_MAX_TOKENS, truncation=True)
        rows = [tuple(tokens) for tokens in encoded["input_ids"]]
        # The same row in two places of a batch can differ in its last digits, so that what the
        # model reads alike is asked once. Neighbours of like length need little padding.
        distinct = sorted(set(rows), key=lambda row: (len(row), row))
        scores: dict[tuple[int, ...], float] = {}
        for start in range(0, len(distinct), _BATCH_SIZE):
            batch = distinct[start : start + _BATCH_SIZE]
            scores.update(zip(batch, self._batch_scores(batch), strict=True))
        if any(map(math.isnan, scores.values())):
            raise ValueError(
                f"UniEval checkpoint {self.checkpoint!r} gives scores that are not numbers: its "
                "weights are damaged. Download it again or choose another one."
            )
        return {question: scores[row] for question, row in zip(questions, rows, strict=True)}

    def _batch_scores(self, rows: Sequence[Sequence[int]]) -> list[float]:
        import torch

        padded = self.tokenizer.pad(
            {"input_ids": [list(row) for row in rows]}, return_tensors="pt"
        ).to(self.device)
        tokens = padded["input_ids"]
        start = torch.full_like(tokens[:, :1], self.model.config.decoder_start_token_id)
        with torch.inference_mode():
            logits = self.model(
                input_ids=tokens,
                attention_mask=padded["attention_mask"],
                decoder_input_ids=start,
            ).logits[:, 0]
            # Equal to the ratio of softmax probabilities, which can be 0 / 0.
            scores = (logits[:, self.yes] - logits[:, self.no]).double().sigmoid()
        values: list[float] = scores.tolist()
        return values


def learned_values(
    factor_id: str, responses: Sequence[str], source: str | None, prompt: str, unieval: UniEval
) -> list[float]:
    """Values of one learned factor for responses to the same source, NaN where missing.

    Coherence is asked about the prompt and the source together; pass ``""`` as the prompt to ask
    about the source alone, as the authors do for summaries. Coherence is missing where neither has
    a letter or digit.

    Two values that differ by less than 1e-5 are not known to differ. Ask for all responses of a
    source in one call, so that equal responses tie.

    Raises:
        ValueError: `factor_id` is not in `LEARNED_FACTORS`.
    """
    if factor_id == "fluency":
        return unieval.fluency(responses)
    if factor_id == "coherence":
        # The prompt comes first: of a long source only the end is cut.
        document = "\n\n".join(part for part in (prompt, source) if part and _is_text(part))
        return unieval.coherence(responses, [document] * len(responses))
    raise ValueError(
        f"{factor_id!r} is no learned factor. Must be one of: {', '.join(LEARNED_FACTORS)}."
    )


@cache
def _load(checkpoint: str, device: str) -> UniEval:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    remedy = (
        "Name a checkpoint of the Hugging Face hub that can be reached or is in the local cache, "
        f"such as {UNIEVAL_CHECKPOINT}, or the folder of a downloaded one."
    )
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        model, loading = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, output_loading_info=True)
    except (OSError, ValueError) as error:
        raise OSError(
            f"UniEval checkpoint {checkpoint!r} cannot be loaded: {error} {remedy}"
        ) from error
    if loading["missing_keys"]:
        # transformers fills them with random numbers, and so would the scores be.
        raise ValueError(
            f"UniEval checkpoint {checkpoint!r} lacks weights: "
            f"{', '.join(sorted(loading['missing_keys']))}. {remedy}"
        )
    yes, no = (tokenizer(answer)["input_ids"][0] for answer in ("Yes", "No"))
    if yes == no:
        raise ValueError(
            f"The tokenizer of UniEval checkpoint {checkpoint!r} begins 'Yes' and 'No' with the "
            f"same token, {tokenizer.convert_ids_to_tokens(yes)!r}, so no answer can be read. "
            f"{remedy}"
        )
    return UniEval(
        checkpoint=checkpoint,
        device=device,
        model=model.float().eval().to(device),
        tokenizer=tokenizer,
        yes=yes,
        no=no,
    )


def _is_text(text: str) -> bool:
    return any(map(str.isalnum, text))
