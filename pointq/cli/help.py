"""How help texts are put together: examples first, then what there is to say."""

KEEP_LINES = "\b"
"""A paragraph that begins so is not wrapped again."""


def help_text(summary: str, *examples: tuple[str, str]) -> str:
    """Return a command's help: the summary, then aligned examples, each a command line and what it does."""
    width = max(len(command) for command, _ in examples)
    lines = "\n".join(f"  {command:<{width}}   {meaning}" for command, meaning in examples)
    return f"{summary}\n\n{KEEP_LINES}\nExamples:\n{lines}"
