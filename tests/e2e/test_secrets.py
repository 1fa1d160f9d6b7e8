"""A search for each secret of a real application, in everything that is written or shown of its runs, finds none."""

from __future__ import annotations

import gzip
import html
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

if TYPE_CHECKING:
    from conftest import App

SECRETS = {
    "remote": "ghp_Remote0123456789abcdefghij",
    "submodule": "sub-pw-7f3kQ",
    "nested": "N3sted/p@ss word",
    "listed": "key-listed-55aa77",
    "in a mapping below a secret name": "inner-9d8f7e6a",
    "interpolated": "tok-Interp0lated",
    "by another name": "vault-0a1b2c3d",
    "override": "0verride-pw-1732",
    "added": "sk-added-1234abcd",
    "quoted": "quoted,pw(9)",
    "swept": "swept-key-31415",
    "variable": "env-Token-27182",
    "variable with an address": "Url-pw-16180",
    "pass": "smtp-Pass-14142",
    "late variable": "late-secret-17320",
    "local": "local-pw-22360",
    "constant": "module-token-26457",
    "dataclass": "dc-pw-33166",
    "attribute of a library's object": "lib-key-36055",
    "in a text": "repr-token-41231",
    "option": "opt-word-43588",
    "option of one word": "opt-eq-47958",
    "header": "Bearer0x.aGVhZGVy",
    "basic": "dXNlcjpiYXNpYy1wdw==",
    "wrapped": "wrapped-53851",
    "json": 'json"quoted\\1',
    "key of a mapping": "used-key-56568",
    "result": "result-pw-57445",
    "patch": "patch-key-58309abc",
    "printed": "printed-pw-59160",
    "logged": "logged-pw-60827",
    "exception": "raised-pw-61644",
}
# What it does is what people do; only the secrets are searched for.
APP = """
import json, logging, os, subprocess, sys, types
from dataclasses import dataclass
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}
log = logging.getLogger("app")
TOLD = json.loads(Path("../told.json").read_text())
SERVICE_TOKEN = TOLD["constant"]
IN_CONFIG = [
    "nested", "listed", "in a mapping below a secret name", "interpolated", "by another name", "override", "added",
    "quoted", "variable", "variable with an address", "pass", "late variable", "option",
]
IN_VALUES = [
    "local", "constant", "dataclass", "attribute of a library's object", "in a text", "option of one word", "header",
    "basic", "wrapped",
]

@dataclass
class Connection:
    host: str
    password: str

class Wrapped:
    def __init__(self, value):
        self.value = value

def step(cfg):
    connection = Connection("db", TOLD["dataclass"])
    db_password = TOLD["local"]
    options = types.SimpleNamespace(api_key=Wrapped(TOLD["wrapped"]))
    answer = "Client(url='x', token='" + TOLD["in a text"] + "')"
    words = ["mysql", "--password", TOLD["option"], "--token=" + TOLD["option of one word"]]
    headers = {"Authorization": "Bearer " + TOLD["header"], "Proxy": "Basic " + TOLD["basic"]}
    library = subprocess.Popen.__new__(subprocess.Popen)
    library.api_key = TOLD["attribute of a library's object"]
    print("PASSWORD: " + TOLD["printed"] + " https://me:" + TOLD["printed"] + "@host/x")
    print(json.dumps({"note": json.dumps({"password": TOLD["json"]})}), headers)
    log.info("connecting with password=%s", TOLD["logged"])
    tell(cfg, IN_CONFIG)
    if cfg.x == 1:
        tell(cfg, IN_VALUES)
        told = [SERVICE_TOKEN, *(TOLD[name] for name in IN_VALUES)]
        raise RuntimeError("password=" + TOLD["exception"], told, words, str(connection), answer)

def tell(cfg, names):
    # Say them where nothing tells that they are secret.
    told = [TOLD[name] for name in names]
    log.info("with %s", told)
    print(OmegaConf.to_yaml(cfg), json.dumps(told), *told, sep="\\n")

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    os.environ["LATE_SECRET"] = TOLD["late variable"]
    result = {
        "password": TOLD["result"], "note": [cfg.db.password, os.environ["API_TOKEN"]], "accuracy": 0.5,
        "used": {cfg["keys"][0]: 3}, "said": "token=" + TOLD["in a text"], "loss_per_token": 2.25,
    }
    Path(HydraConfig.get().runtime.output_dir, "results.json").write_text(json.dumps(result))
    step(cfg)
    return result

if __name__ == "__main__":
    main()
"""
CONFIG = {
    "x": 0,
    "name": "été",
    "api_token": "${oc.env:MY_API_TOKEN}",
    "db": {"user": "me", "password": SECRETS["nested"], "url": "postgresql://me:${quote:}@host/db"},
    "keys": [SECRETS["listed"]],
    "credentials": {"one": [{"two": SECRETS["in a mapping below a secret name"]}]},
    "vault": SECRETS["by another name"],
    "vault_secret": "${vault}",
    "login": {"password": None},
    "service": {"password": None, "args": ["--token", SECRETS["option"]]},
    "sweep_key": None,
}
CONFIG["db"]["url"] = f"postgresql://me:{quote(SECRETS['nested'], safe='')}@host/db"  # type: ignore[index]  # a mapping
CALLBACKS: dict[str, dict[str, Any]] = {
    "Report": {},
    "ConsoleCapture": {},
    "RegisterRun": {"register_file": "register.csv"},
    "RegisterRunCallback": {"register_file": "register.jsonl"},
    "RegisterRun ": {"register_file": "register.db"},
    "CrashReport": {},
    "RunRecord": {},
    "GitInfo": {"patch": True},
    "EnvironmentInfo": {"variables": ["*"], "packages": False},
    "MultiRunGatherer": {"metric": "accuracy"},
    "SweepProgress": {},
    "ResourceMonitor": {},
    "RuntimePerformance": {},
    "LogJobReturn": {},
    "LatestRunLink": {},
}
VARIABLES = {
    "MY_API_TOKEN": SECRETS["interpolated"],
    "API_TOKEN": SECRETS["variable"],
    "DATABASE_URL": f"postgresql://user:{SECRETS['variable with an address']}@host/db",
    "SMTP_PASS": SECRETS["pass"],
}
WORDS = (
    f"login.password={SECRETS['override']}",
    f"+api_key={SECRETS['added']}",
    f"service.password='{SECRETS['quoted']}'",
)
HYDRAS_OWN = {"config.yaml", "hydra.yaml", "overrides.yaml", "multirun.yaml", "app.log"}
OURS = {"run.json", "environment.json", "console.log", "resource_monitoring.csv", "report.html"}


def prepare(app: App, *names: str) -> None:
    """Write it into a repository with credentials in its addresses, and with changes that hold a secret."""
    app.write("app.py", APP)
    app.write("../told.json", json.dumps(SECRETS))
    entries = {
        f"c{number}": {"_target_": f"hydra_callbacks.{name.strip()}", **CALLBACKS[name]}
        for number, name in enumerate(names or CALLBACKS)
    }
    app.write("conf/config.yaml", json.dumps({**CONFIG, "hydra": {"callbacks": entries}}))
    app.write("settings.py", "n = 1\n")
    app.commit()
    app.git("remote", "add", "origin", f"https://x-access-token:{SECRETS['remote']}@github.com/me/it.git")
    module = f'[submodule "lib"]\n\tpath = lib\n\turl = https://me:{SECRETS["submodule"]}@host/lib.git\n'
    app.write(".gitmodules", module)
    app.write("settings.py", "n = 2\n")
    app.write("more.py", f'API_KEY = "{SECRETS["patch"]}"\n')
    app.write("other.py", "n = 3\n")


def forms(secret: str) -> set[str]:
    """Return a secret as it may stand in a file."""
    plain = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return {each for text in plain for each in (text, json.dumps(text)[1:-1], repr(text)[1:-1])}


def found_in(text: str) -> list[str]:
    text += html.unescape(text)  # as a page shows it
    return [name for name, secret in SECRETS.items() if any(form in text for form in forms(secret))]


def texts_of(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".db":
        with sqlite3.connect(path) as database:
            data += "\n".join(database.iterdump()).encode()
    return data.decode(errors="replace")


def written(app: App) -> dict[str, str]:
    files = [path for path in app.directory.glob("[om]u*/**/*") if path.is_file() and path.name not in HYDRAS_OWN]
    return {str(path.relative_to(app.directory)): texts_of(path) for path in files if path.name != "results.json"}


def told(app: App, *words: str) -> str:
    command = [sys.executable, "-m", "hydra_callbacks", *words]
    environment = {name: text for name, text in app.environment().items() if name not in VARIABLES}
    done = subprocess.run(
        command, cwd=app.directory, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def check(app: App, *commands: tuple[str, ...]) -> None:
    everything = {**written(app), **{" ".join(words): told(app, *words) for words in commands}}
    leaks = [f"{where}: {', '.join(found)}" for where, text in everything.items() if (found := found_in(text))]
    assert not leaks, "\n".join(leaks)


@pytest.mark.parametrize("order", ["usual", "reversed"])
@pytest.mark.parametrize("x", [0, 1], ids=["completed", "failed"])
def test_of_a_run(app: App, x: int, order: str) -> None:
    prepare(app, *(CALLBACKS if order == "usual" else reversed(CALLBACKS)))
    done = app.run(f"x={x}", *WORDS, "hydra.run.dir=outputs/run", env=VARIABLES)
    assert done.code == x, done.text
    names = {Path(name).name for name in written(app)}
    assert OURS | {"register.csv", "register.jsonl", "register.db"} <= names
    assert ("crash.txt" in names) == bool(x)
    assert any(name.startswith("git-") for name in names)
    assert "other.py" in next(text for name, text in written(app).items() if "/git-" in name)
    run = "outputs/run"
    commands = [("show", run), ("show", run, "--json"), ("list", "outputs"), ("list", "outputs", "--format", "json")]
    commands += [("reproduce", run, "--print"), ("report", run, "-o", "-"), ("top", run), ("plot", run)]
    check(app, *commands)
    record = app.record(run)
    assert record["result"]["accuracy"] == 0.5
    assert record["result"]["loss_per_token"] == 2.25
    assert record["environment"]["variables"]["API_TOKEN"] == "<redacted>"  # noqa: S105  (what stands in its place)
    assert record["git"]["remote"] == "https://<redacted>@github.com/me/it.git"


def test_the_order_of_the_callbacks_and_which_there_are_do_not_matter(app: App) -> None:
    """A secret of local values is known before any callback writes, also without CrashReport."""
    prepare(app, "RunRecord", "RegisterRun", "ConsoleCapture")
    done = app.run("x=1", *WORDS, "hydra.run.dir=outputs/run", env=VARIABLES)
    assert done.code == 1, done.text
    check(app, ("list", "outputs", "--format", "json"))
    assert "RuntimeError" in app.one("outputs/register.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "launcher", [(), ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")], ids=["basic", "joblib"]
)
def test_of_a_sweep(app: App, launcher: tuple[str, ...]) -> None:
    prepare(app)
    words = (*WORDS, f"sweep_key={SECRETS['swept']},other-key-27182", "hydra.sweep.dir=multirun/sweep", *launcher)
    done = app.run("-m", "x=0,1", *words, env=VARIABLES)
    assert done.code == 1, done.text
    names = {Path(name).name for name in written(app)}
    assert OURS | {"crash.txt", "jobs.jsonl", "agg_results.csv"} <= names
    sweep = "multirun/sweep"
    commands = [
        *(("show", f"{sweep}/{num}") for num in range(2)),
        ("diff", f"{sweep}/0", f"{sweep}/1"),
        ("gather", sweep),
        ("watch", sweep, "--once"),
        ("list", "multirun", "--format", "csv"),
        ("reproduce", sweep, "--print"),
        ("report", sweep, "-o", "-"),
        ("top", sweep),
        ("plot", sweep, "--job", "0"),
    ]
    check(app, *commands)
