"""How help texts are put together: examples first, then what there is to say."""

from typing import Any

from typer.core import TyperGroup

KEEP_LINES = "\b"
"""A paragraph that begins so is not wrapped again."""


def help_text(summary: str, *examples: tuple[str, str]) -> str:
    """Return a command's help: the summary, then aligned examples, each a command line and what it does."""
    width = max(len(command) for command, _ in examples)
    lines = "\n".join(f"  {command:<{width}}   {meaning}" for command, meaning in examples)
    return f"{summary}\n\n{KEEP_LINES}\nExamples:\n{lines}"


class Commands(TyperGroup):
    """Lists its commands with their whole summaries, where Typer cuts them at the end of the line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - Typer's own copies of click's classes
        """Write a line or two for each command."""
        commands = [self.get_command(ctx, name) for name in self.list_commands(ctx)]
        rows = [(command.name, (command.help or "").partition("\n\n")[0]) for command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
