"""Which names hold keys, and how what they hold is kept out of logs, results and errors.

The one rule for whatever a run is given: arguments of models, headers, addresses, the environment.
An address that names a user (``https://user:password@host``) holds a key under any name. A key
under a name that says nothing of it is not found.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote, unquote

_T = TypeVar("_T")
_Error = TypeVar("_Error", bound=BaseException)

HIDDEN = "[API key]"
"""What stands where a key stood."""

_LEAST = 6
"""Characters of a key that is hidden in texts: "EMPTY", "none" and "dummy" are no keys."""

_KEY = re.compile(
    r"(^|_)("
    r"key|(api|app|auth|access|secret|private|master|subscription)_?keys?(_?id)?"
    r"|token|(api|auth|access|bearer|refresh|session)_?tokens?|hftoken|bearer_token_\w+"
    r"|auth|authorization|bearer|cookies?|jwt|sig|signature"
    r"|\w*(secret|password|passwd|passphrase|credential)s?"
    r")(_provider)?$"
)
"""How a name ends that holds a key, in small letters with an underscore between its words."""

_NO_KEY = re.compile(
    r"(^|_)("
    r"(bos|eos|eot|eom|pad|unk|sep|cls|mask|begin|start|end|stop|think|prefix|suffix|special"
    r"|image|audio|video|first|last|next|new|max|min|num|n|per)_token"
    r"|(cache|sort|group|label|column)_key"
    r"|auth_provider"
    r")$"
)
"""Names that end so and hold none: a tokenizer's own tokens, numbers of tokens, keys of tables."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NO_VALUE = re.compile(r"|true|false|none|null", re.IGNORECASE)
_SPECIAL_TOKEN = re.compile(r"<.*>|\[.*\]|\s+", re.DOTALL)

_USER = re.compile(r"(?<=://)[^/?#\s\"']*@")
_ASKED = re.compile(r"[?&]([^=&#\s]+)=([^&#\s\"']+)")
_MAPPING = re.compile(r"\s*\{\s*[\w\"']")  # a template's {{ or {% is none
_NAME = re.compile(r"([\w-]+)[\"']?\s*[=:]\s*[\"']?")
_VALUE = re.compile(r"[^,\"'}\]&]+")


def names_key(name: str) -> bool:
    """Whether an argument, a header or a variable of this name holds a key.

    >>> names_key("AWS_SECRET_ACCESS_KEY"), names_key("x-api-key"), names_key("accessToken")
    (True, True, True)
    >>> names_key("tokenizer"), names_key("eos_token"), names_key("max_new_tokens")
    (False, False, False)
    """
    words = "_".join(word.lower() for word in _WORD.findall(name))
    return bool(_KEY.search(words)) and not _NO_KEY.search(words)


def key_names(arguments: Mapping[str, object]) -> list[str]:
    """The names under which arguments hold keys, at any depth.

    >>> key_names({"model": "m", "header": {"Authorization": "Bearer 3kX"}})
    ['Authorization']
    >>> key_names({"base_url": "https://me:3kX@host/v1", "token": True, "api_key": None})
    ['base_url']
    """
    return list(dict.fromkeys(name for name, _ in _found(arguments)))


def keys_in(*arguments: Mapping[str, object]) -> frozenset[str]:
    """The keys that arguments hold, at any depth.

    >>> sorted(keys_in({"header": {"Authorization": "Bearer 3kX"}}, {"hf_token": "hf_3kX"}))
    ['3kX', 'Bearer 3kX', 'hf_3kX']
    """
    found = (key for given in arguments for _, value in _found(given) for key in _texts(value))
    return frozenset(found)


def typed_keys(text: str) -> frozenset[str]:
    """The keys in a text that gives values to names, such as an argument of a command line.

    >>> sorted(typed_keys("model=m,api_key=3kX")), sorted(typed_keys('{"token": "4mY", "n": 2}'))
    (['3kX'], ['4mY'])
    """
    typed = [key for value in _typed(text) for key in _texts(value)]
    return frozenset([*typed, *_keys_of_address(text)])


def without_keys(value: _T) -> _T:
    """A copy without the entries that are keys; addresses without user, password and key.

    >>> without_keys({"dtype": "auto", "api_key": "3kX", "headers": {"x-api-key": "3kX", "A": "b"}})
    {'dtype': 'auto', 'headers': {'A': 'b'}}
    >>> without_keys("https://me:3kX@host:8000/v1?key=3kX&version=2")
    'https://host:8000/v1?version=2'
    """
    kept: object = value
    if isinstance(value, Mapping):
        kept = {n: without_keys(entry) for n, entry in value.items() if not _is_key(str(n), entry)}
    elif isinstance(value, list | tuple):
        kept = [without_keys(entry) for entry in value]
    elif isinstance(value, str) and _keys_of_address(value):
        address, mark, rest = _USER.sub("", value).partition("?")
        asked, hash_mark, fragment = rest.partition("#")
        left = "&".join(one for one in asked.split("&") if not names_key(one.partition("=")[0]))
        kept = address + (mark + left if left else "") + hash_mark + fragment
    return kept  # type: ignore[return-value]


def hidden(value: _T, keys: Iterable[str]) -> _T:
    """A copy in which no text, however deep in lists and mappings, holds one of the keys.

    >>> hidden({"error": ["no such key: sk-3kXy9q"]}, ["sk-3kXy9q"])
    {'error': ['no such key: [API key]']}
    """
    written = {form for key in keys if len(key) >= _LEAST for form in _forms(key)}
    if not written:
        return value
    longest_first = sorted(written, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return _replaced(value, pattern)  # type: ignore[return-value]


def error_without(error: Exception, keys: Iterable[str]) -> Exception:
    """The same error without the keys, and so those behind it: its type tells what to do.

    Where the text of one cannot be changed, a ``RuntimeError`` that says the same stands for it.

    >>> str(error_without(ValueError("no such key: sk-3kXy9q"), ["sk-3kXy9q"]))
    'no such key: [API key]'
    """
    return _error_without(error, list(keys), set())


def _error_without(error: _Error, keys: list[str], seen: set[int]) -> _Error | RuntimeError:
    if id(error) in seen:  # an error may be its own cause
        return error
    seen.add(id(error))
    error.args = hidden(error.args, keys)
    vars(error).update(hidden(vars(error), keys))
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            _error_without(inner, keys, seen)
    if (cause := error.__cause__) is not None:
        error.__cause__ = _error_without(cause, keys, seen)
    elif (context := error.__context__) is not None:
        error.__context__ = _error_without(context, keys, seen)
    text = str(error)
    told = hidden(text, keys)
    return error if told == text else RuntimeError(f"{type(error).__name__}: {told}")


def _replaced(value: object, keys: re.Pattern[str]) -> object:
    if isinstance(value, str):
        return keys.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {name: _replaced(entry, keys) for name, entry in value.items()}
    if isinstance(value, list):
        return [_replaced(entry, keys) for entry in value]
    if isinstance(value, tuple):
        entries = [_replaced(entry, keys) for entry in value]
        return value._make(entries) if hasattr(value, "_make") else tuple(entries)
    return value


def _is_key(name: str, value: object) -> bool:
    """Whether the whole entry is a key, whatever its values hold."""
    if isinstance(value, str) and _MAPPING.match(value) and any(_typed(value)):
        return True  # braces that nobody could parse
    return names_key(name) and not _says_nothing(name, value)


def _says_nothing(name: str, value: object) -> bool:
    """Whether a value is no key though its name is that of one: a switch, a token of a tokenizer.

    A password of digits is read as a number on a command line.
    """
    token = re.search(r"token", name, re.IGNORECASE) is not None
    if isinstance(value, str):
        return bool(_NO_VALUE.fullmatch(value) or (token and _SPECIAL_TOKEN.fullmatch(value)))
    if isinstance(value, int | float):
        return token or isinstance(value, bool)
    return value is None or (isinstance(value, Mapping | list | tuple) and not value)


def _found(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Name and value of every key within."""
    if _is_key(name, value):
        yield name, value
    elif isinstance(value, Mapping):
        for inner, entry in value.items():
            yield from _found(entry, str(inner))
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _found(entry, name)
    elif isinstance(value, str):
        yield from ((name, key) for key in _keys_of_address(value))


def _typed(text: str) -> Iterator[str]:
    for name in _NAME.finditer(text):
        value = _VALUE.match(text, name.end())
        if value and names_key(name[1]) and not _says_nothing(name[1], value[0].strip()):
            yield value[0].strip()


def _keys_of_address(text: str) -> list[str]:
    """What must not be told of the addresses in a text."""
    if "://" not in text:
        return []
    keys = [value for name, value in _ASKED.findall(text) if names_key(name)]
    for user in _USER.findall(text):
        name, _, password = user[:-1].partition(":")
        keys += [password or name, b64encode(unquote(user[:-1]).encode()).decode()]
    return [form for key in keys if key for form in (key, unquote(key))]


def _texts(value: object) -> Iterator[str]:
    """A key as texts: ``Bearer 3kX`` is one, and so is ``3kX``."""
    if isinstance(value, str):
        yield value
        yield from value.split()[-1:]
        yield from _typed(value)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, int | float):
        yield str(value)


def _forms(key: str) -> set[str]:
    """A key as texts may write it: as it is, in JSON, in Python, in an address."""
    return {key, json.dumps(key)[1:-1], repr(key)[1:-1], quote(key, safe="")}
