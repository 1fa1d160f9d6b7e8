"""Puts the config groups of `hydra_callbacks` on Hydra's search path, after the application's own."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class HydraCallbacksSearchPathPlugin(SearchPathPlugin):
    """Makes `hydra/callbacks=NAME` known; a file of the same name in the application's own folder wins."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the config folder of the package."""
        search_path.append(provider="hydra-callbacks", path="pkg://hydra_callbacks.conf")
