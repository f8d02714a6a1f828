"""`python -m firstbell`."""

from firstbell.cli import main

main()
