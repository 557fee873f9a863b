"""The texts that the optimizer model is given: jinja2 files in `texts/`, each replaceable by the user's own.

Values are untrusted text: they are inserted once and never read as templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gpo.errors import ConfigError

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

TEXTS = Path(__file__).with_name("texts")


@dataclass(frozen=True)
class Templates:
    """GPO's templates, with those of the folder `own` in front; `layout` 1 are those of GPO 0.1.0.

    Raises `ConfigError` where `own` is no folder.
    """

    own: Path | None = None
    layout: int = 2

    def __post_init__(self) -> None:
        if self.own is not None and not self.own.is_dir():
            raise ConfigError(f"optimize.meta_prompt: {self.own} is not a folder of templates")

    def render(self, name: str, **values: object) -> str:
        """The text of the template `name` (without its ending). Raises `ConfigError` naming the file at fault."""
        from jinja2 import TemplateError

        try:
            return self._environment.get_template(f"{name}.jinja").render(**values).strip()
        except TemplateError as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"template {name}.jinja in {self.own or TEXTS.name}: {reason}") from None

    @cached_property
    def _environment(self) -> Environment:
        # Imported when the first text is written: a run that is complete writes none.
        from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        old = TEXTS / "layout1" if self.layout == 1 else None
        loaders: list[BaseLoader] = [FileSystemLoader([folder for folder in (old, TEXTS) if folder])]
        if self.own is not None:
            # Until 0.1.0 the folder of the published protocols was called "original".
            before = PrefixLoader({"published": FileSystemLoader(self.own / "original")})
            loaders = [FileSystemLoader(self.own), before, *loaders]
        return ImmutableSandboxedEnvironment(
            loader=ChoiceLoader(loaders),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )
