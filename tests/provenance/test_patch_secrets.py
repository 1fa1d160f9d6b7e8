"""A file whose part of the patch holds a secret is told from one that only speaks of such."""

from __future__ import annotations

import pytest

from hydra_callbacks.provenance.patch_files import is_secret_name
from hydra_callbacks.provenance.patch_secrets import holds_secret
from hydra_callbacks.support.redact import Redactor

REDACTOR = Redactor({"db": {"password": "swordfish-17"}}, {"OTHER_TOKEN": "abcdef-123456"})
HEX = "0123456789abcdef0123456789abcdef01234567"
KEY = "aB3dE5gH7jK9mN1pQ3sT5vW7"

MUST_NOT = [
    ("a.py", 'password = "hunter2"'),
    ("a.py", "connect(host, passwd='x')"),
    ("a.py", 'os.environ["API_KEY"] = "anything"'),
    ("a.py", 'HEADERS = {"token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}'),
    ("a.py", f'wandb_key = "{HEX}"'),
    ("a.py", 'conn = connect(password="hunter2xyz")'),
    ("a.py", 'client = OpenAI(api_key="abc123def456ghi")'),
    ("a.py", 'f(user=u,password="x")'),
    ("a.py", 'password: str = "hunter2"'),
    ("a.py", 'PASSWORD = f"hunter2"'),
    ("a.py", "PASSWORD = '''hunter2'''"),
    ("a.py", 'TOKEN = ("abc123def456ghi"'),
    ("a.py", 'PASSWORD = (\n+    "hunter2"\n+)'),
    ("a.py", 'API_TOKEN = "s3cr3t!v#9"'),
    ("a.py", 'dict(pw="Password!!")'),
    ("a.py", 'password1 = "hunter"'),
    ("a.py", f'API_KEY_PROD = "{KEY}"'),
    ("a.py", 'if password == "hunter2":'),
    ("a.py", 'PASSPHRASE = "correct horse battery staple"'),
    ("a.py", "Client(token=SecretStr('hunter!22'))"),
    ("a.py", 'password: str = Field(default="hunter2")'),
    ("a.py", 'password: str = typer.Option("hunter2", help="the password")'),
    ("a.py", 'api_keys = ["abc-123-def", "x"]'),
    ("a.py", '{"credentials": {"value": "hunter"}}'),
    ("a.py", '{"credentials": {"user": "me", "two": "hunter!2"}}'),
    ("a.py", 'connect("host=x user=me password=hunter2")'),
    ("a.py", 'connect("Server=x;Password=hunter2;Database=y")'),
    ("a.ipynb", '"os.environ[\\"OPENAI_API_KEY\\"] = \\"abc123def456ghi\\"\\n"'),
    # names at a distance
    ("a.py", 'os.getenv("DB_PASSWORD", "fallbackPw")'),
    ("a.py", 'os.environ.get(\n+    "DB_PASSWORD",\n+    "fallbackPw",\n+)'),
    ("a.py", 'os.environ.setdefault("DB_PASSWORD", "x")'),
    ("a.py", 'add_argument("--password", default="x")'),
    ("a.py", 'getattr(cfg, "password", "x")'),
    ("a.py", 'api_key = api_key or "abcdefg"'),
    ("a.js", "connect({password: `hunter`})"),
    ("a.py", '@click.option("--db-password", "-p", help="to log in", default="x")'),
    ("a.py", 'add_argument(\n+    "--password",\n+    type=str,\n+    default="x",\n+)'),
    ("a.py", 'auth=("alice", "basicPw!!")'),
    ("a.py", 'HTTPBasicAuth("alice", "basicPw")'),
    ("a.py", 'run(["mysql", "--password", "hunter"])'),
    ("a.py", 'run(["sshpass", "-p", "hunter", "ssh"])'),
    ("Dockerfile", "ENV API_TOKEN abc123456789"),
    ("web.config", '<add key="Password" value="hunter"/>'),
    ("pom.xml", "<password>hunter</password>"),
    ("pod.yaml", "- name: DB_PASSWORD\n+  value: hunter"),
    ("conf.yaml", "url: ${oc.env:DB_PASSWORD,hunter}"),
    ("run.sh", "psql ${DB_PASSWORD:-hunter}"),
    # command lines
    ("run.sh", "curl -s -u alice:pw-x https://host"),
    ("run.sh", "curl https://host -ualice:pw-x"),
    ("run.sh", "curl https://host --user alice:pw-x"),
    ("run.sh", "mysql -u me -pPw-x db"),
    ("run.sh", "sshpass -p pw-x ssh host"),
    ("run.sh", f"wandb login {HEX}"),
    ("run.sh", "mysql --password hunter db"),
    ("run.sh", "export PASSWORD=abc123def456"),
    ("run.sh", "docker login -u me -p hunter"),
    (".netrc-of-ci", "machine host login me password hunter"),
    # configurations
    ("conf/db.yaml", "  password: hunter2"),
    ("conf/db.yaml", "api_key: sk-123"),
    ("conf/db.yaml", 'api_token: "p$$w0rd#9"'),
    ("conf/db.yaml", "db_pw: hunter!22"),
    ("conf/db.yaml", "password: |\n+  hunter"),
    ("conf/db.yaml", "credentials:\n+  user: me\n+  value: hunter\n+port: 1"),
    ("conf/db.yaml", "passwords: [hunter2, 'hunter3']"),
    ("conf.json", '"client_secret": "x"'),
    (".envrc", "export DB_PASSWORD=x"),
    ("settings.toml", 'token = "t0ken1234567"'),
    ("settings.toml", 'token = "hunter22"'),
    ("settings.ini", "password = 12345"),
    ("db.yaml", "db: {password: hunter2xyz}"),
    ("db.toml", 'db = {password="x"}'),
    ("db.yaml", "dsn: host=x;password=hunter2"),
    ("db.yaml", "url: https://x/?api_key=hunter2"),
    ("db.yaml", "password: $ecret123"),
    ("db.yaml", "password: supersecret"),
    ("db.yaml", "pass: hunter2xyz"),
    ("config.json", '"auth": "dXNlcjpwYXNz"'),
    # prose
    ("notes.md", "api_key: abc123def456ghi"),
    ("notes.md", "password: hunter2"),
    ("notes.md", "log in at https://me:hunter2@host/x"),
    # addresses and headers
    ("a.py", 'url = "postgresql://me:hunter2@host/db"'),
    ("a.py", 'url = "redis://:hunter@host:6379/0"'),
    ("a.py", 'url = "postgresql://me:12345@host/db"'),
    ("a.py", f'url = "https://{KEY}@host/x.git"'),
    ("a.py", 'curl -H "Authorization: Bearer eyJhbGciOi"'),
    ("a.py", '"Authorization": "Basic bWU6aHVudGVyMg=="'),
    # well-known forms, behind any name
    ("a.py", 'os.getenv("K", "sk-live-abcdef")'),
    ("a.py", f'x = "sk-proj-{KEY}"'),
    ("a.py", f'x = "sk-{KEY}"'),
    ("a.py", 'x = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"'),
    ("a.py", 'x = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"'),
    ("a.py", 'x = "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"'),
    ("a.py", 'x = "pypi-AgEIcHlwaS5vcmcCJGFiY2RlZmdo"'),
    ("a.py", 'x = "https://discord.com/api/webhooks/1234567890/aBcDeFgHiJkLmNoP"'),
    ("a.py", 'x = "https://hooks.slack.com/services/T00AA/B00BB/cccc"'),
    ("a.py", 'x = "AKIA2E0A8F3B244C9986"'),
    ("key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    # known by the configuration and the environment
    ("a.py", "print('swordfish-17')"),
    ("notes.md", "use abcdef-123456"),
]

MUST = [
    # addresses of variables
    ("a.py", 'return f"postgres://{user}:{password}@{host}/runs"'),
    ("a.py", 'return f"postgres://{user}:{quote(password)}@{host}/runs?a,b@c"'),
    ("a.py", 'url = "postgres://%s:%s@%s" % what'),
    ("a.py", 'url = "postgres://%(user)s:%(password)s@host"'),
    ("a.py", 'url = "postgres://{}:{}@{}".format(*what)'),
    ("conf.yaml", "url: postgres://${db.user}:${db.password}@${db.host}/x"),
    ("requirements.txt", "git+https://${TOKEN}@github.com/me/it"),
    ("run.sh", "git clone https://oauth2:$GIT_TOKEN@host/it.git"),
    ("a.py", 'LOGIN = re.compile(r"https?://([^:]+):([^@]+)@")'),
    ("conf.yaml", "broker: redis://localhost:6379@0"),
    ("conf.yaml", "url: postgresql://postgres:postgres@db/x"),
    ("README.md", "https://user:password@example.com"),
    ("README.md", "https://user:hunter2@example.com and https://user:<password>@host"),
    ("a.js", 'const client = "http://localhost:3000/@vite/client"'),
    ("a.py", "https://example.org/x.git ssh://git@host/x https://somebody@host/x"),
    # what only looks like a key
    ("pyproject.toml", 'dependencies = ["sk-dsp-comm", "sk-video-tools>=1"]'),
    ("a.html", '<div class="sk-foo-bar-container pk-grid-column-wide">'),
    ("conf.yaml", "model: sk-en-translation-model"),
    ("README.md", "export OPENAI=sk-xxxxxxxxxxxxxxxxxxxxxxxx"),
    ("README.md", "AKIAIOSFODNN7EXAMPLE"),
    ("a.py", 'if "-----BEGIN PRIVATE KEY-----" in text:'),
    ("a.py", "# a basic ResNet50, with the bearer Authentication and a bearer token"),
    ("a.py", 'headers = {"Authorization": f"Bearer {token}"}'),
    ("run.sh", 'curl -H "Authorization: Bearer $API_TOKEN" -u "$USER:$PASSWORD" https://host'),
    ("run.sh", 'mysql -u me -p"$PASSWORD" && sshpass -p $pw ssh host && wandb login'),
    ("run.sh", "mysql --password $pw --token ${TOKEN} --port 3306"),
    ("run.sh", "# --password is needed"),
    # names that loops and language models have
    ("conf/model/small.yaml", "width: 9\n+key: resnet50_bn"),
    ("conf.yaml", "sort_key: name1234"),
    ("conf.yaml", "cache_key: v2-abcdef12345"),
    ("conf.yaml", "image_key: observation.images.cam1_224x224"),
    ("conf.yaml", 'token_type: "type12345"'),
    ("conf.yaml", "pad_token: '[PAD]'"),
    ("conf.yaml", "mask_token: <extra_id_0>"),
    ("conf.yaml", "mask_token: extra_id_0"),
    ("conf.yaml", "token_dim: 64"),
    ("conf.yaml", "tokens: [hello2, world1]"),
    ("conf.yaml", "forward_pass: eager"),
    ("a.py", f'key_sha256 = password_hash = "{HEX}"'),
    ("a.py", 'attn_pass = "flash2"'),
    ("a.py", 'elif token == "#bygroup":'),
    ("README.md", "![](https://codecov.io/gh/x/x/badge.svg?token=Pk8G9gg3y9)"),
    ("a.py", "connect(password=parts['password'], token=cfg[\"token\"])"),
    ("a.py", "def ask(prompt='Password: ', stream=None):"),
    ("a.py", 'password = ask("Password:", "Your name") or print("password: " + hidden2)'),
    ("a.py", '{"client.secret-access-key": "s3.secret-access-key", "session-token": "s3.session-token"}'),
    ("versions", "pwd: 3.0-"),
    ("policy.json", '"MayChangePassword": "arn:aws:iam::aws:policy/IAMUserChangePassword1"'),
    ("a.html", '<a accesskey="t" href="/x">'),
    ("policy.json", '"Resource": "arn:aws:secretsmanager:us-west-2:123456789012:secret:MyTestSecret-1a2b3c"'),
    ("schema.json", '"password": {"type": "string", "pattern": "^[a-z]{8}!$"}'),
    ("a.py", 'tokenizer.pad_token = "[PAD]"'),
    ("a.py", 'eos_token: str = "</s>"'),
    ("a.py", 'token = "training"'),
    ("a.py", "token = tokenizer.next()"),
    ("a.py", 'key="loss", reverse=True'),
    ("a.py", "max_tokens = 512"),
    ("a.py", 'd = {"key": "value", "keys": [1, 2]}'),
    ("a.py", 'columns = drop(["token", "label1234567"])'),
    ("a.py", f'public_key = "ssh-rsa {KEY}"'),
    # placeholders, references, calls, types, descriptions, the name itself
    ("a.py", 'password_field = "password_input_1"'),
    ("a.py", 'def f(password: str = "changeme12"):'),
    ("a.py", 'PASSWORD = "your-password"'),
    ("a.py", 'PASSWORD = "<password>"'),
    ("a.py", 'password = "xxxx"'),
    ("a.py", 'password = ""'),
    ("a.py", 'PASSWORD = "password"'),
    ("a.py", 'API_KEY = "OPENAI_API_KEY"'),
    ("a.py", 'secret_header = api_key = "X-Api-Key"'),
    ("a.py", 'errors = {"password": "must not be empty", "token": "is missing"}'),
    ("a.py", 'schema = {"password": {"type": "string"}, "secret": "str"}'),
    ("a.py", 'password = re.compile(r"[^ ]+")'),
    ("a.py", 'password = f"{first}{second}"'),
    ("a.py", "password = getpass.getpass()"),
    ("a.py", 'password = getpass("Password: ")'),
    ("a.py", 'api_key = os.environ["API_KEY"]'),
    ("a.py", 'api_key = os.getenv("API_KEY", "")'),
    ("a.py", 'api_key = os.getenv("API_KEY", "none")'),
    ("a.py", "login(password=password1, token=t1)"),
    ("a.py", 'print(f"password={password}")'),
    ("a.py", 'parser.add_argument("--token", help="the token")'),
    ("a.py", 'parser.add_argument("--password", "-p", default=None)\n+parser.add_argument("--lr", default="1e-3")'),
    ("a.py", "def login(password: str, token: str | None = None) -> None:"),
    ("a.py", 'cursor.execute("UPDATE x SET password = :password, pw = ?")'),
    ("a.py", 'token_file = password_file = "/run/secrets/db1"'),
    ("a.js", 'fetch(url, {credentials: "same-origin"})'),
    ("a.ts", "interface Login { password: string; token?: string }"),
    ("conf.yaml", "password: ${oc.env:DB_PASSWORD}"),
    ("conf.yaml", "password: ${oc.env:DB_PASSWORD,''}"),
    ("conf.yaml", "password: null"),
    ("conf.yaml", "password: ''"),
    ("conf.yaml", "password:\n+user: me2you3"),
    ("conf.yaml", "password: !vault"),
    ("conf.yaml", "password: '{{ lookup.password }}'"),
    ("conf.yaml", "password: CHANGE_ME"),
    ("conf.yaml", "token: ???"),
    ("conf.yaml", "secret: /run/secrets/db"),
    ("conf.yaml", "credentials:\n+  path: /etc/x1\n+  user: me2you3\n+other: hunter!2"),
    ("ci.yaml", "token: ${{ secrets.GITHUB_TOKEN }}\n+secrets: inherit"),
    ("main.tf", "password = var.db_password"),
    ("run.sh", "export PASSWORD=$pw DB_PASSWORD=$(cat x) TOKEN=$1"),
    ("Makefile", "login --password $(PASSWORD)"),
    ("README.md", "password: your password"),
    ("README.md", "run `--token TOKEN` with password=PASSWORD"),
    ("notes.txt", "the secret: nobody knows it"),
]


@pytest.mark.parametrize(("path", "line"), MUST_NOT)
def test_a_secret_is_found(path: str, line: str) -> None:
    assert holds_secret(path, f"+{line}\n", REDACTOR)


@pytest.mark.parametrize(("path", "line"), MUST)
def test_what_only_speaks_of_secrets_is_none(path: str, line: str) -> None:
    assert not holds_secret(path, f"+{line}\n", REDACTOR)


@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", "id_rsa", "id_ed25519.bak", "server.pem", ".netrc", ".netrc.bak", "_netrc", ".pypirc"),
        *("service-account.json", "kaggle.json", "terraform.tfstate", "terraform.tfstate.backup", "prod.tfvars"),
        *("token", "tokens.json", "token.pickle", "secrets.yaml", "aws_credentials", "passwords.txt", "server.key~"),
    ],
)
def test_names_of_files_that_are_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(".env.example", ".env.template", "secrets.py", "password_reset.ts", "credentials.md", "tokenizer.json"),
        *("tokens.txt", "special_tokens_map.json", "tokens.py", "keys.yaml", "environment.yaml", "rsa.py", "key.py"),
    ],
)
def test_names_of_other_files(name: str) -> None:
    assert not is_secret_name(name)


def test_in_a_binary_file_nothing_is_found_by_chance() -> None:
    lines = "".join(f"z{'pw=a1!' * 11}\n" for _ in range(3))
    head = "diff --git a/x.npy b/x.npy\nGIT binary patch\nliteral 9\n"
    assert not holds_secret("x.npy", f"{head}{lines}\ndelta 3\n{lines}\n\x80pw=a1!\xe9", REDACTOR)
    assert holds_secret("x.npy", f"{head}{lines}\n\x80password=hunter2\xe9", REDACTOR)


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "a=", "password", "x.", "://a:b", "://", "password=(", "password='", "--token ", "token='a\\", "@", "%"),
        *(
            '"--password",',
            '"--password", default',
            "password={",
            "password=[",
            "get('token', ",
            "name=token ",
            "${a:-",
        ),
        *("curl ", "mysql ", "curl -u ", "sk-", "eyJ", "bearer ", "basic a", "key: name: value: ", "password: <a> "),
        *(
            "password: ${",
            "password: %(a",
            "password: Aa",
            "auth = ('a', ",
            "token\n",
            "credentials:\n  a",
            "ENV a ",
            "1a",
        ),
    ],
)
@pytest.mark.parametrize("path", ["a.py", "a.yaml"])
@pytest.mark.timeout(30)
def test_the_work_is_in_proportion_to_the_text(piece: str, path: str) -> None:
    holds_secret(path, piece * (1_000_000 // len(piece)), REDACTOR)
