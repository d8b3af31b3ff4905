"""Which names hold keys, held against every argument of the models of both harnesses."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import inspect_ai.model
import lm_eval
import pytest
from inspect_ai.model import GenerateConfig
from openai import AsyncAzureOpenAI, AsyncOpenAI
from pydantic import BaseModel, ValidationError

from profile_tasks.secrets import (
    HIDDEN,
    error_without,
    hidden,
    key_names,
    keys_in,
    names_key,
    typed_keys,
    without_keys,
)

PROVIDERS = Path(inspect_ai.model.__file__).parent / "_providers"
LM_EVAL = Path(lm_eval.__file__).parent


def _words(text: str) -> list[str]:
    return text.split()


HOLD_KEYS = _words("""
    api_key apikey apiKey openai_api_key azure_api_key admin_api_key api_keys key x-functions-key
    Ocp-Apim-Subscription-Key X-Goog-Api-Key x-api-key api-key account_key master_key virtual_key
    hf_token HF_TOKEN token auth_token access_token accessToken refresh_token id_token session_token
    security_token bearer bearer_token api_token azure_ad_token azure_ad_token_provider oauth_token
    use_auth_token X-Auth-Token X-Vault-Token x-amz-security-token auth_tokens github_token
    aws_access_key_id aws_secret_access_key aws_session_token AWS_BEARER_TOKEN_BEDROCK
    AWSAccessKeyId secret_key access_key private_key private_key_id accesskeyid secret secrets
    client_secret webhook_secret TEXTSYNTH_API_SECRET_KEY cf-access-client-secret
    credential credentials vertex_credentials watsonx_credentials google_credentials
    password Password ssl_keyfile_password WATSONX_PASSWORD passwd passphrase
    authorization Authorization Proxy-Authorization cf-aig-authorization Helicone-Auth basic_auth
    Cookie Set-Cookie cookies jwt signature X-Amz-Signature sig
""")

# Of lm-eval's and Inspect's models, and of what they pass on: to transformers, vLLM, SGLang, boto3
# and the clients of OpenAI, Anthropic, Google and Azure.
HOLD_NONE = _words("""
    add_bos_token bos_token eos_token pad_token unk_token sep_token cls_token mask_token stop_token
    stop_tokens think_start_token think_end_token image_token audio_token prefix_token new_token
    eos_token_id pad_token_id custom_prefix_token_id prefix_token_id image_token_id stop_token_ids
    eos_string end_thinking_token_ids skip_special_tokens spaces_between_special_tokens
    tokenizer tokenizer_backend tokenizer_mode tokenizer_path tokenizer_revision tokenizer_kwargs
    tokenizer_call_args tokenizer_model tokenizer_type skip_tokenizer_init use_fast_tokenizer
    tokenized_requests tokens num_tokens n_tokens max_tokens min_tokens max_new_tokens
    min_new_tokens max_num_batched_tokens max_total_tokens max_completion_tokens
    max_tokens_to_sample reasoning_tokens budget_tokens long_prefill_token_threshold cost_per_token
    keyword keywords monkey hotkey num_key_value_heads key_facts key_states keys_to_ignore
    prompt_cache_key prompt_cache_retention sort_key label_key safety_identifier quota_project_id
    author authority authors auth_provider secretary pass passes basic bear sign significance design
    ssl_keyfile ssl_certfile ca_cert_path verify_certificate trust_remote_code
    aws_region aws_region_name aws_profile region_name azure_endpoint azure_deployment
    model pretrained base_url header headers default_headers extra_headers extra_body default_query
""")


def arguments_in(folder: Path) -> frozenset[str]:
    """What the models in a folder are built with: parameters, and names taken from the others."""

    def names(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            given = node.args
            yield from (one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if re.search(r"model_arg$|(args|config)\.(pop|get|setdefault)$", called):
                yield str(node.args[0].value)

    return frozenset(
        name
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in names(node)
    )


def parameters(*classes: type) -> frozenset[str]:
    return frozenset(name for one in classes for name in inspect.signature(one).parameters)


def test_these_names_hold_keys() -> None:
    assert [name for name in HOLD_KEYS if not names_key(name)] == []
    assert key_names({"model": "m", "more": [dict.fromkeys(HOLD_KEYS, "3kX")]}) == HOLD_KEYS


def test_these_names_hold_none() -> None:
    assert [name for name in HOLD_NONE if names_key(name)] == []
    assert key_names(dict.fromkeys(HOLD_NONE, "3kX")) == []


ARGUMENTS = {
    "Inspect's providers": (
        arguments_in(PROVIDERS),
        {"hidden_states", "tokenizer_path", "prompt_cache_key", "aws_region"},
        {"api_key", "credentials"},
    ),
    "lm-eval's models": (
        arguments_in(LM_EVAL / "models"),
        {"think_end_token", "add_bos_token", "custom_prefix_token_id", "max_gen_toks"},
        {"auth_token", "watsonx_credentials"},
    ),
    "Inspect's settings of requests": (
        frozenset(GenerateConfig.model_fields),
        {"extra_headers", "max_tokens", "reasoning_tokens"},
        set(),
    ),
    "OpenAI's clients": (
        parameters(AsyncOpenAI, AsyncAzureOpenAI),
        {"default_headers", "default_query"},
        {"api_key", "admin_api_key", "azure_ad_token", "azure_ad_token_provider"}
        | {"webhook_secret", "_enforce_credentials"},
    ),
}
"""Whose -> their arguments, some that must be among these, and all of them that hold keys."""


@pytest.mark.parametrize("whose", ARGUMENTS)
def test_of_all_arguments_of_the_harnesses_models_these_hold_keys(whose: str) -> None:
    found, known, holding = ARGUMENTS[whose]
    assert known | holding <= found
    assert set(filter(names_key, found)) == holding


@pytest.mark.parametrize("value", [None, True, False, "", "true", "None", {}, []])
def test_a_switch_is_no_key(value: object) -> None:
    assert key_names({"hf_token": value, "api_key": value}) == []


@pytest.mark.parametrize("value", ["</think>", "<|im_end|>", "[MASK]", " ", 3])
def test_a_token_of_a_tokenizer_is_no_key_under_any_name(value: object) -> None:
    assert key_names({"answer_token": value}) == []
    assert without_keys({"answer_token": value}) == {"answer_token": value}


def test_a_password_of_digits_is_a_key_though_a_command_line_reads_a_number() -> None:
    assert keys_in({"password": 20481024}) == {"20481024"}


CREDENTIALS = {"type": "service_account", "client_email": "a@b", "private_key": "-----BEGIN"}

HELD: Mapping[str, tuple[object, set[str]]] = {
    "a header": ({"headers": {"Authorization": "Bearer 3kXy9q"}}, {"Bearer 3kXy9q", "3kXy9q"}),
    "a list of headers": ({"more": [("a", {"x-api-key": "3kXy9q"})]}, {"3kXy9q"}),
    "credentials": ({"credentials": CREDENTIALS}, set(CREDENTIALS.values())),
    "braces that nobody parsed": (
        {"header": "{x-api-key: 3kXy9q}"},
        {"{x-api-key: 3kXy9q}", "3kXy9q}", "3kXy9q"},
    ),
    "a key in an address": ({"base_url": "https://h/v1?key=3kXy9q&v=1"}, {"3kXy9q"}),
    "a user in an address": ({"url": "https://3kXy9q@h/v1"}, {"3kXy9q", "M2tYeTlx"}),
    "a password in an address": (
        {"base_url": "https://me:3k%40Xy9q@h:80/v1"},
        {"3k%40Xy9q", "3k@Xy9q", "bWU6M2tAWHk5cQ=="},  # the last one is what the server is sent
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_keys_are_found_and_left_out(what: str) -> None:
    arguments, keys = HELD[what]
    assert isinstance(arguments, dict)
    given = {"model": "m", **arguments}
    assert keys_in(given) == keys
    assert keys_in(without_keys(given)) == frozenset()
    assert without_keys(given)["model"] == "m"
    assert not any(key in repr(without_keys(given)) for key in keys)


@pytest.mark.parametrize(
    "value",
    [
        "https://host:8000/v1?api-version=2&deployment=a",
        "{% set token = bos_token %}{{ messages['key'] }}",
        "{{ api_key }}",
        "s3://bucket/checkpoint@main",
        "[INST] token: [/INST]",
        {"enable_thinking": True, "think_end_token": "</think>"},
    ],
)
def test_what_holds_no_key_stays_as_it_is(value: object) -> None:
    assert key_names({"argument": value}) == []
    assert without_keys(value) == value


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("model=m,api_key=3kXy9q,seed=1", {"3kXy9q"}),
        ("--model_args=hf_token=3kXy9q", {"3kXy9q"}),
        ('{"headers": {"Authorization": "Bearer 3kXy9q"}', {"Bearer 3kXy9q", "3kXy9q"}),
        ("base_url=https://me:3kXy9q@h/v1", {"3kXy9q", "bWU6M2tYeTlx"}),
        ("add_bos_token=True,think_end_token=</think>,token=true", set()),
    ],
)
def test_keys_that_were_typed_are_known_before_they_are_parsed(text: str, keys: set[str]) -> None:
    assert typed_keys(text) == keys


@pytest.mark.parametrize(
    "text",
    [
        "no such key: sk-3k/Xy9q.",
        '{"error": "sk-3k/Xy9q"}',
        "https://host/v1?key=sk-3k%2FXy9q",
        repr({"sent": "Bearer sk-3k/Xy9q"}),
    ],
)
def test_a_key_is_hidden_however_it_is_written(text: str) -> None:
    shown = hidden({"lines": [text, (text,)]}, ["sk-3k/Xy9q"])
    assert "Xy9q" not in repr(shown)
    assert HIDDEN in shown["lines"][0]


def test_a_placeholder_is_not_looked_for_in_texts() -> None:
    assert hidden("none of the EMPTY rows", ["none", "EMPTY", ""]) == "none of the EMPTY rows"


def test_all_errors_of_a_group_lose_the_key_and_keep_their_types() -> None:
    group = ExceptionGroup("two failed", [ValueError("3kXy9q"), OSError("3kXy9q")])
    found = error_without(group, ["3kXy9q"])
    assert found is group
    assert [str(one) for one in group.exceptions] == [HIDDEN, HIDDEN]


def test_an_error_whose_text_cannot_change_is_replaced() -> None:
    class Answer(BaseModel):
        text: int

    with pytest.raises(ValidationError) as caught:
        Answer.model_validate({"text": "no such key: 3kXy9q"})
    told = error_without(caught.value, ["3kXy9q"])
    assert isinstance(told, RuntimeError)
    assert str(told).startswith("ValidationError: 1 validation error for Answer")
    assert "3kXy9q" not in str(told)

    error = ValueError("it failed")
    error.__cause__ = caught.value
    assert error_without(error, ["3kXy9q"]) is error
    assert str(error.__cause__) == str(told)


def test_what_an_error_holds_by_name_keeps_its_names() -> None:
    class Sent(NamedTuple):
        url: str
        key: str

    class RefusedError(Exception):
        def __init__(self, sent: Sent) -> None:
            super().__init__(sent)

        def __str__(self) -> str:
            return f"refused at {self.args[0].url}"

    error = RefusedError(Sent("http://host", "3kXy9q"))
    assert str(error_without(error, ["3kXy9q"])) == "refused at http://host"
    assert error.args[0].key == HIDDEN
