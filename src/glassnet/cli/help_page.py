"""The help page of a command: plain text, its options in groups."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class Command(TyperCommand):
    """A command whose options are listed under the headings they were declared with."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments first, then every group of options in the order of its first member."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            argument = parameter.param_type_name == "argument"
            heading = "Arguments" if argument else getattr(parameter, "rich_help_panel", None) or "Options"
            name, help_text = record
            groups.setdefault(heading, []).append((name.split(" <")[0] if argument else name, help_text))
        for heading, records in sorted(groups.items(), key=lambda group: group[0] == "Options"):
            with formatter.section(heading):
                formatter.write_dl(records)
