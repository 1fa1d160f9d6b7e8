"""Nothing that is secret by its name is written, and nothing else is taken away."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote, quote_plus

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
        "SMTP_PASS",
        "db_pw",
    ],
)
def test_a_name_says_that_its_text_is_secret(name: str) -> None:
    assert is_secret(name, "value")
    assert not is_secret(name, None)
    assert not is_secret(name, value=True)


@pytest.mark.parametrize(
    "name",
    [
        *("tokenizer", "monkey", "keyboard", "lr", "keypoint_net", "author", "hockey_stick", "compass", "n"),
        *("forward_pass", "second_pass"),
    ],
)
def test_other_names_do_not(name: str) -> None:
    assert not is_secret(name, "value")


@pytest.mark.parametrize(
    "name", ["max_tokens", "token_dim", "num_key_value_heads", "key_size", "loss_per_token", "n_pass"]
)
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


def test_secrets_that_come_later_are_learnt() -> None:
    redactor = Redactor({"db": {"password": "swordfish"}}, environ={})
    redactor.learn({"MY_TOKEN": "tok-123456"})
    assert redactor.text("swordfish tok-123456") == f"{REDACTED} {REDACTED}"


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
        "--password",
        "hunter22",
        "--token=hunter22",
        "db={user:me,token:hunter22,n:1}",
        "db={password:hunter22,n:1}",
    ]
    assert overrides(lines, redactor) == [
        f"db.password={REDACTED}",
        f"+api_key={REDACTED}",
        "lr=0.1",
        f"deep={{secret: {REDACTED}}}",
        "~gone",
        "max_tokens=5",
        "--multirun",
        "--password",
        REDACTED,
        f"--token={REDACTED}",
        f"db={{user:me,token:{REDACTED},n:1}}",
        f"db={{password:{REDACTED},n:1}}",
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


def test_a_secret_is_found_as_it_stands_in_an_address_and_in_json() -> None:
    secret = 'pa/ss "w0rd" é'  # noqa: S105  (it is what must be found)
    redactor = Redactor({"password": secret}, environ={})
    for text in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret), repr(secret)):
        assert "w0rd" not in redactor.text(f"at {text} now")


def test_the_password_of_an_address_is_found_where_it_stands_alone_unless_it_is_a_word() -> None:
    config = {"db": {"url": "postgresql://postgres:postgres@host/db"}, "other": "https://me:hunter%2F22@host"}
    redactor = Redactor(config, environ={"DATABASE_URL": "mysql://me:swordfish1@host/db"})
    assert redactor.text("hunter/22, hunter%2F22, swordfish1") == f"{REDACTED}, {REDACTED}, {REDACTED}"
    assert redactor.text("postgresql is up") == "postgresql is up"


def test_of_what_a_secret_refers_to_the_value_is_found_and_the_reference_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UNSUSPICIOUS", "abc-123456")
    config = {
        "api_key": "${oc.env:UNSUSPICIOUS,''}",
        "db": {"password": "${vault.pw1}"},
        "vault": {"pw1": "swordfish1"},
    }
    redactor = Redactor(config, environ={})
    assert redactor.text("abc-123456 swordfish1") == f"{REDACTED} {REDACTED}"
    assert redactor.text("a line: ${vault.pw1}") == "a line: ${vault.pw1}"


def test_keys_and_words_of_a_list_lose_their_secrets_too() -> None:
    redactor = Redactor({"api_keys": ["key-123456", "accuracy"], "args": ["--token", "t-123456"]}, environ={})
    assert redactor.data({"used": {"key-123456": 3, "accuracy": 0.5}, "words": ["run", "--secret", "x", "-v"]}) == {
        "used": {REDACTED: 3, "accuracy": 0.5},
        "words": ["run", "--secret", REDACTED, "-v"],
    }
    assert redactor.text("t-123456") == REDACTED


def test_of_a_text_that_was_cut_half_a_secret_is_taken_out() -> None:
    redactor = Redactor({"password": "swordfish-1234"}, environ={})
    assert redactor.text("login with swordfish-1...") == f"login with {REDACTED}..."
    assert redactor.text("a sword...") == "a sword..."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("log_key", "training"),
            ("image_key", "observation.images"),
            ("cache_key", "resnet50_bn"),
            ("token", "[CLS-1]"),
        ),
        *(("eos_token", "</s-end>"), ("mask_token", "extra_id_0"), ("sort_key", "TestAccuracy"), ("token", "the end")),
        *(("password", "password"), ("api_token", "api-token"), ("db_password", "Password")),
    ],
)
def test_a_plain_word_of_a_name_that_loops_have_is_hidden_only_there(name: str, value: str) -> None:
    redactor = Redactor({name: value}, environ={"SORT_KEY": "training"})
    redactor.learn_overrides([f"+data.{name}={value}"])
    text = f"{value} with lr 0.1"
    assert redactor.text(text) == text
    assert redactor.data({name: value, "other": value}) == {name: REDACTED, "other": value}
    assert overrides([f"+data.{name}={value}"], redactor) == [f"+data.{name}={REDACTED}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("key", "key-55aa77"),
            ("token", "hunter22"),
            ("hf_token", "hf_QwErTyUiOpAsDfGhJk"),
            ("sort_key", "k-123456"),
        ),
        *(("hf_token", "QwErTyUiOpAsDfGhJk"), ("token", "pass!word"), ("ssh_key", "-----BEGIN KEY-----\nMIIabc123def")),
        *(("password", "training"), ("api_key", "training"), ("api_token", "training")),
    ],
)
def test_all_else_under_a_secret_name_is_hidden_everywhere(name: str, value: str) -> None:
    redactor = Redactor({name: value}, environ={})
    assert redactor.text(f"{value} with lr 0.1") == f"{REDACTED} with lr 0.1"


def test_the_secrets_of_a_sweeps_overrides_are_learnt() -> None:
    redactor = Redactor({}, environ={})
    redactor.learn_overrides(["api_key=key-111111,key-222222", "db.password='pw-333333'", "db={secret:pw-444444}"])
    assert redactor.text("key-222222 pw-333333 pw-444444") == " ".join([REDACTED] * 3)
