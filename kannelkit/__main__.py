"""`python -m kannelkit`."""

from kannelkit.cli import main

main()
