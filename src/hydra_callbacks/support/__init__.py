"""Tools that know nothing of runs or of Hydra."""
