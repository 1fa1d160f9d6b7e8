"""What surroundings tell to be secret is taken out of any text, and the rest stays readable."""

from __future__ import annotations

import pytest

from hydra_callbacks.support.secret_texts import REDACTED, secrets_in, without_secrets


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("ValueError: password=hunter2", "ValueError: password=<redacted>"),
        ("https://api.x.org/v1?api_key=hunter2&n=1", "https://api.x.org/v1?api_key=<redacted>&n=1"),
        ("https://api.x.org/v1?a=b&access_token=hunter2", "https://api.x.org/v1?a=b&access_token=<redacted>"),
        ("https://api.x.org/v1?key=hunter2", "https://api.x.org/v1?key=<redacted>"),
        ("https://api.x.org/v1?token=hunter2", "https://api.x.org/v1?token=<redacted>"),
        ("{'token': 'hunter2'}", "{'token': <redacted>}"),
        ('{"api_key":"hunter2","n":1}', '{"api_key":<redacted>,"n":1}'),
        ("reason: it said PGPASSWORD=hunter2", "reason: it said PGPASSWORD=<redacted>"),
        ("dbpassword = hunter2", "dbpassword = <redacted>"),
        ("Client(url='x', token='hunter2', n=1)", "Client(url='x', token=<redacted>, n=1)"),
        ("Client(token=b'hunter2')", "Client(token=<redacted>)"),
        ("Client(token=SecretStr('hunter2'), n=1)", "Client(token=<redacted>, n=1)"),
        ("Client(api_keys=['hunter2', 'b'], n=1)", "Client(api_keys=<redacted>, n=1)"),
        ("{'credentials': {'user': 'hunter2'}, 'n': 1}", "{'credentials': <redacted>, 'n': 1}"),
        ("password='it\\'s hunter2' n", "password=<redacted> n"),
        ("password='hunter2 and cut", "password=<redacted>"),
        ("password=hun(ter2), n", "password=<redacted>, n"),
        ("Server=db;Password=a;hunter2;Database=x", "Server=db;Password=<redacted>;Database=x"),
        ("password=a,hunter2,user=me", "password=<redacted>,user=me"),
        ("'--password=hunter2 hunter2', '-v'", "'--password=<redacted>', '-v'"),
        ("Command '['mysql', '--password', 'hunter2', '-v']'", "Command '['mysql', '--password', '<redacted>', '-v']'"),
        ("mysql --password hunter2 -v", "mysql --password <redacted> -v"),
        ('headers["token"] = "hunter2"', 'headers["token"] = <redacted>'),
        ("if password == 'hunter2':", "if password == <redacted>:"),
        ("'password' => 'hunter2'", "'password' => <redacted>"),
        (r'{"note": "{\\"password\\": \\"hunter2\\"}"}', r'{"note": "{\\"password\\": <redacted>}"}'),
        ("SMTP_PASS=hunter2", "SMTP_PASS=<redacted>"),
        ("Authorization: Bearer hunter.2", "Authorization: Bearer <redacted>"),
        ("{'Authorization': 'Basic bWU6aHVudGVyMg=='}", "{'Authorization': 'Basic <redacted>'}"),
        ("Authorization: token hunter2", "Authorization: token <redacted>"),
        ("at https://me:hun/t@er2@host/x", "at https://<redacted>@host/x"),
    ],
)  # fmt: skip
def test_secrets_are_taken_out(text: str, clean: str) -> None:
    assert without_secrets(text) == clean
    assert without_secrets(clean) == clean, "once more changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        *("KeyError: 'lr'", "missing key: 'lr'", "unexpected token: '}'", "sorted(runs, key=len)", "x: 1, y=2"),
        *('File "train.py", line 3, in main', "basic information", "max_tokens=512", "tokens: 3", "n_pass=3"),
        *("password: null", "api_keys=0", "http://localhost:8080/x?a=b", "ssh://git@host/x", "f'{key:>10}'"),
        *("a -- token", "--tokens 512", "1 -> key", "pass: 3, fail: 1", "backward_pass=eager"),
    ],
)
@pytest.mark.parametrize("is_output", [True, False])
def test_the_rest_stays(text: str, is_output: bool) -> None:
    assert without_secrets(text, is_output=is_output) == text


@pytest.mark.parametrize(
    "text",
    ["bos_token='<s>', eos_token='</s>'", "val_token: 0.93", "token=CLS", "sort_key: accuracy", "Enter token: "],
)
def test_what_a_program_prints_must_look_like_a_secret_after_a_common_name(text: str) -> None:
    assert without_secrets(text, is_output=True) == text
    assert REDACTED in without_secrets("hf_token=hf_Abc123xyz", is_output=True)
    assert REDACTED in without_secrets("password=swordfish", is_output=True)


def test_secrets_that_are_no_words_are_told() -> None:
    text = "password=swordfish1 api_key='abc-123-def' secret=words https://me:pw%2F12@host token=f(x1234567)"
    assert set(secrets_in(text)) == {"swordfish1", "abc-123-def", "pw%2F12", "pw/12"}


@pytest.mark.parametrize(
    "text",
    [
        *("a: b " + "A" * 1_000_000, "a=" * 300_000, "password" * 100_000, "x." * 500_000 + "=", "://a:b" * 30_000),
        *(
            "password=(" * 50_000,
            "password='" * 50_000,
            "--token " * 50_000,
            "token='a\\" * 50_000,
            "token=x(" * 50_000,
        ),
        *("password=" + "," * 300_000, "password=" + "()" * 100_000, "'password=x" * 50_000, "password=a," * 50_000),
        *("basic " + "a" * 500_000, "'--token', " * 50_000, "password=\\'" * 50_000, "password=a,b:" * 30_000),
    ],
    ids=lambda text: text[:9],
)
@pytest.mark.timeout(30)
def test_the_work_is_in_proportion_to_the_text(text: str) -> None:
    """Some of these took hours when every position of a long word was tried anew."""
    without_secrets(text)
    without_secrets(text, is_output=True)
    list(secrets_in(text))
