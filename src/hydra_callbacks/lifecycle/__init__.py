"""The one door to Hydra: six untyped events go in, four with typed facts come out, each start with exactly one end.

`facts.py` says what callbacks are told, `flight.py` knows what is under way and notices how it ends, `callback.py`
turns Hydra's events into ours, `config.py` turns Hydra's configurations into plain data.
"""

from hydra_callbacks.lifecycle.callback import AnyRunCallback, RunCallback
from hydra_callbacks.lifecycle.facts import Job, Launch, Outcome

__all__ = ["AnyRunCallback", "Job", "Launch", "Outcome", "RunCallback"]
