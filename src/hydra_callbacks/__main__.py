"""`python -m hydra_callbacks` is the program `hydra-callbacks`."""

from hydra_callbacks.cli import main

main(prog_name="hydra-callbacks")
