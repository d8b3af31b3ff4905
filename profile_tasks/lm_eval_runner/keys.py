"""Keeps keys out of what lm-eval writes and prints.

lm-eval writes a model's arguments into its results, and logs what a failing server says, which may
quote the key. So arguments that hold one are refused, and those of the environment are hidden.
"""

import io
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, suppress
from typing import Any

from lm_eval.utils import simple_parse_args_string

from profile_tasks.secrets import error_without, hidden, key_names


def refuse_keys(place: str, arguments: object) -> None:
    """Refuse keys among arguments.

    Args:
        place: Where they were given.
        arguments: Those of one option, as lm-eval has parsed them; a configuration file may hold
            them in one text, ``a=1,b=2``. What is neither holds none.

    Raises:
        ValueError: There is one; the message does not show it.
    """
    given = simple_parse_args_string(arguments) if isinstance(arguments, str) else arguments
    if isinstance(given, Mapping) and (names := key_names(given)):
        raise ValueError(
            f"{place} {names[0]}: lm-eval writes model arguments into logs and results, and other "
            "settings too; give the key in the environment variable of the model (e.g. "
            "OPENAI_API_KEY, HF_TOKEN, AWS_SECRET_ACCESS_KEY)"
        )


@contextmanager
def keys_hidden(keys: frozenset[str]) -> Iterator[None]:
    """Within it, log records tell none of the keys; nor does the error that ends it."""
    make = logging.getLogRecordFactory()

    def hiding(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401
        record = make(*args, **kwargs)
        with suppress(TypeError, ValueError, KeyError):  # logging itself tells of wrong arguments
            record.msg, record.args = hidden(record.getMessage(), keys), None
        if record.exc_info and isinstance(error := record.exc_info[1], Exception):
            told = error_without(error, keys)
            record.exc_info = (type(told), told, record.exc_info[2])
        return record

    logging.setLogRecordFactory(hiding)
    try:
        yield
    except Exception as error:
        told = error_without(error, keys)
        if told is error:
            raise
        raise told from None
    finally:
        logging.setLogRecordFactory(make)


@contextmanager
def stderr_without(keys: frozenset[str]) -> Iterator[None]:
    """What is written to stderr within it comes out at its end, without the keys."""
    written = io.StringIO()
    try:
        with redirect_stderr(written):
            yield
    finally:
        sys.stderr.write(hidden(written.getvalue(), keys))
