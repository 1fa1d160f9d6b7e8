"""Nothing that is secret by its name is written, and nothing else is taken away."""

from __future__ import annotations

import os
from typing import Any

import pytest

from hydra_callbacks.support.redact import REDACTED, Redactor, is_secret, overrides


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "dbPassword",
        "API_KEY",
        "apiKey",
        "api-key",
        "key",
        "AWS_SECRET_ACCESS_KEY",
        "HF_TOKEN",
        "hfToken",
        "secret",
        "client_secret",
        "credentials",
        "passphrase",
        "apikey",
        "WANDB_API_KEY",
        "privateKey",
        "access_keys",
        "tokens",
    ],
)
def test_a_name_says_that_its_text_is_secret(name: str) -> None:
    assert is_secret(name, "value")
    assert not is_secret(name, None)
    assert not is_secret(name, value=True)


@pytest.mark.parametrize(
    "name", ["tokenizer", "monkey", "keyboard", "lr", "keypoint_net", "author", "hockey_stick", "compass", "n"]
)
def test_other_names_do_not(name: str) -> None:
    assert not is_secret(name, "value")


@pytest.mark.parametrize("name", ["max_tokens", "token_dim", "num_key_value_heads", "key_size"])
def test_a_number_that_a_secret_word_only_qualifies_is_kept(name: str) -> None:
    assert not is_secret(name, 512)
    assert is_secret("api_key", 512)
    assert is_secret("password", 1234.0)


def test_nested_data_loses_its_secrets_wherever_they_turn_up() -> None:
    config = {
        "db": {"password": "hunter22", "url": "postgres://me:pw@host/db", "port": 5432},
        "credentials": {"user": "someone", "list": ["firstone", {"x": "secondone"}]},
        "api_keys": ["k-123456"],
        "command": "login hunter22 --key k-123456 by someone",
        "model": {"tokenizer": "bert", "max_tokens": 512, "layers": [1, 2]},
        "repo": "git@host:me/it.git https://host/x?a=1&token=abc ssh://git@host/x",
    }
    clean = Redactor(config, environ={}).data(config)
    assert clean["db"] == {"password": REDACTED, "url": f"postgres://{REDACTED}@host/db", "port": 5432}
    assert clean["credentials"] == {"user": REDACTED, "list": [REDACTED, {"x": REDACTED}]}
    assert clean["api_keys"] == [REDACTED]
    assert clean["command"] == f"login {REDACTED} --key {REDACTED} by {REDACTED}"
    assert clean["model"] == config["model"]
    assert clean["repo"].startswith("git@host:me/it.git https://host/x?a=1&")
    assert "ssh://git@host/x" in clean["repo"]


def test_variables_are_secret_by_name_and_places_are_not(tmp_path: Any) -> None:
    environ = {"HF_TOKEN": "hf_abcdef", "PWD": str(tmp_path), "SSH_KEY": str(tmp_path), "LANG": "C.UTF-8"}
    redactor = Redactor({}, environ)
    assert redactor.text(f"hf_abcdef in {tmp_path}, C.UTF-8") == f"{REDACTED} in {tmp_path}, C.UTF-8"
    assert os.environ["PATH"] == Redactor({}).text(os.environ["PATH"])


def test_errors_stay_readable() -> None:
    redactor = Redactor({}, environ={})
    for text in (
        "KeyError: 'lr'",
        "missing key: 'lr'",
        "unexpected token: '}'",
        "sorted(runs, key=len)",
        'File "train.py", line 3, in main',
        "x: 1, y=2",
    ):
        assert redactor.text(text) == text
    assert redactor.text("connect(password='hunter2', host='h')") == f"connect(password={REDACTED}, host='h')"
    assert redactor.text('{"api_key": "abc", "n": 1}') == f'{{"api_key": {REDACTED}, "n": 1}}'


def test_texts_lose_what_follows_a_secret_name() -> None:
    redactor = Redactor({}, environ={})
    for text in (
        "ValueError: password=hunter2secret",
        "https://api.x.org/v1?api_key=hunter2secret",
        "https://api.x.org/v1?a=b&access_token=hunter2secret",
        "https://api.x.org/v1?key=hunter2secret",
        "https://api.x.org/v1?token=hunter2secret",
        "{'token': 'hunter2secret'}",
        "reason: it said PGPASSWORD=hunter2secret",
        "dbpassword = hunter2secret",
    ):
        assert "hunter2" not in redactor.text(text), text
        assert REDACTED in redactor.text(text)


def test_secrets_that_come_later_are_learnt() -> None:
    redactor = Redactor({"db": {"password": "swordfish"}}, environ={})
    redactor.learn({"MY_TOKEN": "tok-123456"})
    assert redactor.text("swordfish tok-123456") == f"{REDACTED} {REDACTED}"


def test_the_work_is_in_proportion_to_the_text() -> None:
    """Each of these texts took hours when every position of a long word was tried anew."""
    redactor = Redactor({}, environ={})
    for text in (
        "a: b " + "A" * 1_000_000,
        "a=" * 300_000,
        "password" * 100_000,
        "x." * 500_000 + "=",
        "://a:b" * 30_000,
    ):
        assert redactor.text(text) == text


def test_overrides_keep_their_names() -> None:
    redactor = Redactor({"deep": {"secret": "swordfish"}}, environ={})
    lines = [
        "db.password=x,y",
        "+api_key=abc",
        "lr=0.1",
        "deep={secret: swordfish}",
        "~gone",
        "max_tokens=5",
        "--multirun",
    ]
    assert overrides(lines, redactor) == [
        f"db.password={REDACTED}",
        f"+api_key={REDACTED}",
        "lr=0.1",
        f"deep={{secret: {REDACTED}}}",
        "~gone",
        "max_tokens=5",
        "--multirun",
    ]


@pytest.mark.parametrize("password", ["plain", "with/slash", "with@at", "a:b", "=/+"])
def test_credentials_in_an_address_are_taken_out_whole(password: str) -> None:
    redactor = Redactor({}, environ={})
    assert redactor.text(f"at postgresql://me:{password}@host/db now") == f"at postgresql://{REDACTED}@host/db now"


def test_addresses_without_credentials_stay() -> None:
    redactor = Redactor({}, environ={})
    for text in ("http://localhost:8080/x?a=b", "ssh://git@host/x", "https://host/path"):
        assert redactor.text(text) == text


def test_a_number_that_is_a_secret_is_taken_out_of_texts_too() -> None:
    redactor = Redactor({"db": {"password": 12345678}}, environ={})
    assert redactor.text("login with 12345678 failed") == f"login with {REDACTED} failed"
    assert redactor.text("Authorization: Bearer abc.def") == f"Authorization: Bearer {REDACTED}"
