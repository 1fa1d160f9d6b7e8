"""What holds for every callback, present and future."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

import hydra_callbacks
from hydra_callbacks.callbacks import ROOMS
from hydra_callbacks.errors import SettingError
from hydra_callbacks.lifecycle import RunCallback

CONF = Path(hydra_callbacks.__file__).parent / "conf" / "hydra" / "callbacks"
HEAVY = {
    "pandas",
    "numpy",
    "polars",
    "psutil",
    "git",
    "rich",
    "click",
    "pynvml",
    "subprocess",
    "csv",
    "asyncio",
    "ctypes",
}

each_callback = pytest.mark.parametrize("name", ROOMS)


def group(name: str) -> dict[str, Any]:
    (entries,) = yaml.safe_load((CONF / f"{ROOMS[name]}.yaml").read_text(encoding="utf-8")).items()
    assert entries[0] == ROOMS[name]
    return dict(entries[1])


def settings(name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(getattr(hydra_callbacks, name)).parameters)


@each_callback
def test_one_name_in_five_places(name: str) -> None:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    assert ROOMS[name] == snake
    assert group(name)["_target_"] == f"hydra_callbacks.{name}"
    assert getattr(hydra_callbacks, name).__module__ == f"hydra_callbacks.callbacks.{snake}"
    assert (ROOT / "tests" / "callbacks" / f"test_{snake}.py").is_file()
    assert (ROOT / "docs" / "reference" / "callbacks" / f"{snake}.md").is_file()


def test_no_room_is_forgotten() -> None:
    rooms = {path.stem for path in (CONF.parents[2] / "callbacks").glob("*.py")} - {"__init__"}
    groups = {path.stem for path in CONF.glob("*.yaml")}
    assert rooms == set(ROOMS.values()) == groups - {"default"}


def test_the_default_preset_states_its_order_and_what_differs_from_the_defaults() -> None:
    preset = yaml.safe_load((CONF / "default.yaml").read_text(encoding="utf-8"))
    assert list(preset) == [
        *("register_run", "git_info", "run_record", "latest_run_link"),
        *("runtime_performance", "resource_monitor", "multi_run_gatherer"),
    ]
    own = {room: group(name) for name, room in ROOMS.items()}
    stated = {room: dict(entry.items() - own[room].items()) for room, entry in preset.items()}
    assert {room: settings for room, settings in stated.items() if settings} == {
        "register_run": {"multirun_base_dir": "multirun"},
        "git_info": {"show_task": False, "patch": True},
    }
    assert all(entry["_target_"] == own[room]["_target_"] for room, entry in preset.items())
    assert sum(map(len, preset.values())) == len(preset) + 3, "each further key costs every job of a sweep"


@each_callback
def test_it_is_found_where_published_configs_look(name: str) -> None:
    found = importlib.import_module("hydra_callbacks.callbacks")
    assert getattr(found, name) is getattr(hydra_callbacks, name)
    assert name in hydra_callbacks.__all__


@each_callback
def test_it_pickles_and_is_still_the_same(name: str) -> None:
    callback = getattr(hydra_callbacks, name)()
    again = pickle.loads(pickle.dumps(callback))  # noqa: S301  (our own bytes)
    assert type(again) is type(callback)
    assert vars(again).keys() == vars(callback).keys()
    assert isinstance(again, RunCallback)


@each_callback
def test_it_switches_off_and_tells_a_wrong_setting(name: str) -> None:
    make = getattr(hydra_callbacks, name)
    assert make().enabled is True
    assert make(enabled=False).enabled is False
    assert make().on_error == "warn"
    with pytest.raises(SettingError, match="on_error must be 'warn' or 'abort', got 'never'"):
        make(on_error="never")
    with pytest.raises(SettingError, match="enabled must be true or false, got 'no'"):
        make(enabled="no")


@each_callback
def test_the_group_states_every_setting_with_its_default(name: str) -> None:
    stated = {key: value for key, value in group(name).items() if key != "_target_"}
    defaults = {key: parameter.default for key, parameter in settings(name).items()}
    assert stated.keys() == defaults.keys()
    for key, value in stated.items():
        assert value == defaults[key] or (not value and not defaults[key]), key


@each_callback
def test_the_docstring_explains_every_setting(name: str) -> None:
    text = inspect.getdoc(getattr(hydra_callbacks, name)) or ""
    arguments = text.partition("Args:")[2]
    explained = re.findall(r"^    (\w+): \S", arguments, re.MULTILINE)
    assert explained == list(settings(name))
    assert "Callback" in ast.unparse(ast.parse(inspect.getsource(getattr(hydra_callbacks, name))).body[0].bases[0])


@each_callback
def test_importing_and_making_it_loads_nothing_heavy(name: str) -> None:
    program = (
        "import sys, hydra.main, hydra.core.utils, hydra._internal.utils, hydra.experimental.callback\n"
        "before = set(sys.modules)\n"
        f"from hydra_callbacks import {name}\n"
        f"{name}(enabled=False)\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert f"hydra_callbacks.callbacks.{ROOMS[name]}" in loaded
    assert not {module.partition(".")[0] for module in loaded} & HEAVY
    assert not [module for module in loaded if module.startswith(("hydra_callbacks.monitor", "hydra_callbacks.cli"))]


def test_importing_the_door_loads_only_the_standard_library() -> None:
    program = "import sys, hydra_callbacks; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    site = {"_virtualenv", "_distutils_hack", "sitecustomize", "usercustomize", "__editable___hydra_callbacks_finder"}
    strange = {name for name in done.stdout.split() if name not in sys.stdlib_module_names} - site
    assert {name for name in strange if not name.startswith(("__", "_editable"))} == {"hydra_callbacks"}


def test_the_older_names_still_lead_here() -> None:
    assert issubclass(hydra_callbacks.RegisterRunCallback, hydra_callbacks.RegisterRun)
    assert importlib.import_module("hydra_callbacks.logger").PerfLogger is hydra_callbacks.PerfLogger
    monitor = importlib.import_module("hydra_callbacks.monitor")
    assert monitor.ResourceMonitorService is hydra_callbacks.ResourceMonitorService
    callbacks = importlib.import_module("hydra_callbacks.callbacks")
    assert callbacks.AnyRunCallback is hydra_callbacks.AnyRunCallback
    assert callbacks.dummy_run(config={}, more=1) is None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'GitInfos'"):
        _ = hydra_callbacks.GitInfos
    with pytest.raises(AttributeError, match="has no attribute 'GitInfos'"):
        _ = importlib.import_module("hydra_callbacks.callbacks").GitInfos


def test_every_public_name_is_there() -> None:
    assert all(getattr(hydra_callbacks, name) is not None for name in hydra_callbacks.__all__)
    assert set(hydra_callbacks.__all__) <= set(dir(hydra_callbacks))
