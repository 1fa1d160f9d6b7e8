"""Where a run comes from: its code and its environment; knows nothing of Hydra."""
