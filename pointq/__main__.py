"""``python -m pointq``: the command line without its installed script."""

from pointq.cli.main import main

if __name__ == "__main__":
    main()
