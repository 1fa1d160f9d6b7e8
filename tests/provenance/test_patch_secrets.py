"""A file whose part of the patch holds a secret is told from one that only speaks of such."""

from __future__ import annotations

import pytest

from hydra_callbacks.provenance.patch_secrets import holds_secret
from hydra_callbacks.support.redact import Redactor

REDACTOR = Redactor({"db": {"password": "swordfish-17"}}, {"OTHER_TOKEN": "abcdef-123456"})


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", 'password = "hunter2"'),
        ("a.py", "connect(host, passwd='x')"),
        ("a.py", 'os.environ["API_KEY"] = "anything"'),
        ("a.py", 'HEADERS = {"token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}'),
        ("a.py", 'wandb_key = "0123456789abcdef0123456789abcdef01234567"'),
        ("a.py", 'url = "postgresql://me:hunter2@host/db"'),
        ("a.py", 'curl -H "Authorization: Bearer eyJhbGciOi"'),
        ("a.py", "print('swordfish-17')"),
        ("notes.md", "use abcdef-123456"),
        ("conf/db.yaml", "  password: hunter2"),
        ("conf/db.yaml", "api_key: sk-123"),
        ("conf.json", '"client_secret": "x"'),
        (".envrc", "export DB_PASSWORD=x"),
        ("settings.toml", 'token = "t0ken1234567"'),
        ("a.py", 'conn = connect(password="hunter2xyz")'),
        ("a.py", 'client = OpenAI(api_key="abc123def456ghi")'),
        ("a.py", 'f(user=u,password="x")'),
        ("a.py", 'password: str = "hunter2"'),
        ("a.py", 'PASSWORD = f"hunter2"'),
        ("a.py", "PASSWORD = '''hunter2'''"),
        ("a.py", 'TOKEN = ("abc123def456ghi"'),
        ("a.py", 'os.getenv("K", "sk-live-abcdef")'),
        ("a.ipynb", '"os.environ[\\"OPENAI_API_KEY\\"] = \\"abc123def456ghi\\"\\n"'),
        ("db.yaml", "db: {password: hunter2xyz}"),
        ("db.toml", 'db = {password="x"}'),
        ("db.yaml", "dsn: host=x;password=hunter2"),
        ("db.yaml", "url: https://x/?api_key=hunter2"),
        ("db.yaml", "password: $ecret123"),
        ("db.yaml", "pass: hunter2xyz"),
        ("run.sh", "export PASSWORD=abc123def456"),
        ("notes.md", "api_key: abc123def456ghi"),
        ("key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("config.json", '"auth": "dXNlcjpwYXNz"'),
    ],
)
def test_a_secret_is_found(path: str, line: str) -> None:
    assert holds_secret(path, f"+{line}\n", REDACTOR)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.py", 'tokenizer.pad_token = "[PAD]"'),
        ("a.py", 'eos_token: str = "</s>"'),
        ("a.py", "token = tokenizer.next()"),
        ("a.py", "password = getpass.getpass()"),
        ("a.py", 'key="loss", reverse=True'),
        ("a.py", 'api_key = os.environ["API_KEY"]'),
        ("a.py", "max_tokens = 512"),
        ("a.py", 'parser.add_argument("--token", help="the token")'),
        ("a.py", 'd = {"key": "value", "keys": [1, 2]}'),
        ("a.py", "def login(password: str, token: str | None = None) -> None:"),
        ("conf.yaml", "password: ${oc.env:DB_PASSWORD}"),
        ("conf.yaml", "password: null"),
        ("conf.yaml", "pad_token: '[PAD]'"),
        ("conf.yaml", "token_dim: 64"),
        ("conf.yaml", "token: ???"),
        ("README.md", "password: your password"),
        ("a.py", "https://example.org/x.git"),
    ],
)
def test_what_only_speaks_of_secrets_is_none(path: str, line: str) -> None:
    assert not holds_secret(path, f"+{line}\n", REDACTOR)
