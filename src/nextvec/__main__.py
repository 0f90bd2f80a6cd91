"""`python -m nextvec`, which is what `accelerate launch -m nextvec` starts."""

from nextvec.cli import run

run()
