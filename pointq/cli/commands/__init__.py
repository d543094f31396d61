"""One module per command: parse, call, render. Heavy imports stand inside the functions, so that ``--help`` stays fast."""
