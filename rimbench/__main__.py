"""`python -m rimbench`."""

from rimbench.cli.app import main

main()
