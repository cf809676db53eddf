"""`python -m kubepipe.cli` is the `kubepipe` command."""

from kubepipe.cli.main import main

if __name__ == "__main__":
    main()
