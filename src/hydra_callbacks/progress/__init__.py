"""How does a sweep fare, for people's eyes: as a panel in the terminal, or as a line where there is none."""
