"""Config groups: one file for each callback, and presets."""
