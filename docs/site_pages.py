"""Pages of the site that are made when it is built: the references, and files of the repository that lie elsewhere.

A hook of mkdocs (mkdocs.yml). What a reference says is read from the code: the configuration from its schema, Python
from docstrings, commands from `--help`.
"""

from __future__ import annotations

import inspect
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {
    "SECURITY.md": "SECURITY.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "benchmarks.md": "benchmarks/README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "examples.md": "examples/README.md",
}
"""Pages of the site by their files in the repository."""
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are no files of docs/."""
    from mkdocs.structure.files import File

    made = {page: (ROOT / source).read_text(encoding="utf-8") for page, source in ELSEWHERE.items()}
    made |= {
        "reference/configuration.md": describe_configuration(),
        "reference/python.md": describe_python(),
        "reference/commands.md": describe_commands(),
    }
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to the repository's other files into links between pages, or into plain text."""
    source = page.file.src_uri
    folder = posixpath.dirname(ELSEWHERE.get(source) or f"docs/{source}")
    back = {file: name for name, file in ELSEWHERE.items()}

    def redirect(match: re.Match[str]) -> str:
        text, target = match.groups()
        if "://" in target or target.startswith(("#", "mailto:")):
            return match[0]
        path, _, anchor = target.partition("#")
        place = posixpath.normpath(posixpath.join(folder, path))
        if not (ROOT / place).exists():
            return match[0]  # mkdocs says so
        found = back.get(place) or (place[5:] if place.startswith("docs/") else "")
        if not found or files.get_file_from_path(found) is None:
            return text
        link = posixpath.relpath(found, posixpath.dirname(source) or ".")
        return f"[{text}]({link}{'#' + anchor if anchor else ''})"

    return _LINK.sub(redirect, markdown)


def on_post_build(config: Any) -> None:
    """Take the theme's addresses of other hosts out of its scripts, and look that no page loads anything from one.
    Raises `RuntimeError` where a page does."""
    site = Path(config["site_dir"])
    for script in site.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        # What diagrams and very old browsers would load; no page here needs either.
        script.write_text(re.sub(r"https://unpkg\.com/[\w@./-]+", "about:blank", text), encoding="utf-8")
    for source_map in site.rglob("*.map"):
        source_map.unlink()
    if found := sorted(find_loaded(site)):
        raise RuntimeError(f"pages load from other hosts: {', '.join(found)}")


def find_loaded(site: Path) -> Iterator[str]:
    """What pages, styles and scripts below `site` would fetch from another host; links to click on are not that."""
    tag = re.compile(
        r"<(?:script|link|img|iframe|source|video|audio|object)\b[^>]*?"
        r"(?:src|href|data)=[\"']?((?:https?:)?//[^\"' >]+)"
    )
    style = re.compile(r"(?:url\(|@import\s)[\"']?((?:https?:)?//[^\"')]+)")
    script = re.compile(r"https?://(?:unpkg|cdn|fonts)[^\"'` ]*")
    for pattern, ending in ((tag, "html"), (style, "css"), (style, "html"), (script, "js")):
        for path in site.rglob(f"*.{ending}"):
            for match in pattern.finditer(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(site)}: {match[match.lastindex or 0]}"


def describe_configuration() -> str:
    """Every key of the configuration: its values, its default, what it says."""
    from gpo.config.schema import Config

    schema = Config.model_json_schema()
    parts = [
        "# Configuration",
        "Made from the schema (`gpo.config.schema`). A key that is not here is an error, with the line it stands on. "
        "Every key is a keyword of the same name in Python, and `--set KEY.PATH=VALUE` on the command line.",
    ]
    parts += _section("", schema, schema["$defs"], set())
    return "\n\n".join(parts) + "\n"


def _section(path: str, schema: dict[str, Any], definitions: dict[str, Any], seen: set[str]) -> list[str]:
    below: list[tuple[str, str]] = []
    rows = ["| key | values | default | |", "| --- | --- | --- | --- |"]
    for key, told in schema.get("properties", {}).items():
        full = f"{path}{key}"
        named = [name for name in _references(told) if definitions[name].get("properties")]
        below += [(full, name) for name in named if name not in seen]
        default = (
            ""
            if "default" not in told or isinstance(told["default"], dict)
            else f"`{json.dumps(told['default'])}`"
        )
        required = "**required**" if key in schema.get("required", ()) else default
        cells = (f"`{full}`", _values(told, definitions), required, told.get("description", ""))
        rows.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    parts = ["\n".join(rows)]
    for full, name in below:
        if name in seen:
            continue
        seen.add(name)
        title = f"## `{full}`" + (f" ({name})" if sum(other == full for other, _ in below) > 1 else "")
        parts += [title, definitions[name].get("description", "")]
        parts += _section(f"{full}.", definitions[name], definitions, seen)
    return parts


def _references(told: dict[str, Any]) -> Iterator[str]:
    if "$ref" in told:
        yield told["$ref"].rsplit("/", 1)[-1]
    for inner in (*told.get("anyOf", ()), *told.get("oneOf", ()), *told.get("allOf", ())):
        yield from _references(inner)


def _values(told: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The values that a key takes, for a person."""
    if "enum" in told:
        return ", ".join(f"`{value}`" for value in told["enum"])
    if "const" in told:
        return f"`{told['const']}`"
    if "$ref" in told:
        inner = definitions[told["$ref"].rsplit("/", 1)[-1]]
        return "a mapping" if inner.get("properties") else _values(inner, definitions)
    parts = [*told.get("anyOf", ()), *told.get("oneOf", ()), *told.get("allOf", ())]
    if parts:
        return " or ".join(dict.fromkeys(_values(part, definitions) for part in parts))
    bounds = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "to {}",
        "exclusiveMaximum": "below {}",
    }
    kind = {"integer": "a whole number", "number": "a number", "string": "a text", "boolean": "true or false"}
    kind |= {"array": "a list", "object": "a mapping", "null": "null"}
    said = [kind.get(told.get("type", ""), "any value")]
    return " ".join([*said, *(words.format(told[name]) for name, words in bounds.items() if name in told)])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def describe_python() -> str:
    """The public names of `gpo` with their signatures and docstrings."""
    import gpo

    parts = ["# Python", "Made from the docstrings of what `import gpo` offers."]
    for name in sorted(gpo.__all__, key=str.lower):
        thing = getattr(gpo, name)
        if not inspect.isclass(thing) and not callable(thing):
            continue
        parts += [f"## `gpo.{name}`", *_describe(name, thing)]
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for inner, value in vars(thing).items():
                value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
                if not inner.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    parts += [f"### `{name}.{inner}`", *_describe(inner, value)]
    return "\n\n".join(parts) + "\n"


def _describe(name: str, thing: Any) -> list[str]:
    parts = []
    if not isinstance(thing, property) and not (inspect.isclass(thing) and issubclass(thing, Exception)):
        try:
            parts.append(f"```text\n{name}{_break(_show(inspect.signature(thing)))}\n```")
        except (TypeError, ValueError):
            pass
    return [*parts, inspect.cleandoc(inspect.getdoc(thing) or "")]


def _show(signature: inspect.Signature) -> str:
    """Annotations without the quotes around them."""
    return re.sub(r"(: |-> )(['\"])(.*?)\2(?=[,)]| =|$)", r"\1\3", str(signature))


def _break(signature: str) -> str:
    """A long signature with a line for each parameter."""
    if len(signature) < 90:
        return signature
    inner, _, result = signature[1:].rpartition(")")
    depth, lines, line = 0, [], ""
    for character in inner:
        depth += character in "([{"
        depth -= character in ")]}"
        if character == "," and not depth:
            lines.append(line.strip() + ",")
            line = ""
        else:
            line += character
    return "(\n    " + "\n    ".join([*lines, line.strip()]) + f"\n){result}"


def describe_commands() -> str:
    """Every command with its arguments and options."""
    from typer.main import get_command

    from gpo.cli.main import app

    parts = ["# Command line", "Made from the commands' own help."]

    def add(path: str, command: Any) -> None:
        inner = getattr(command, "commands", None)
        if path != "gpo":
            parts.extend([f"## `{path}`", inspect.cleandoc(command.help or "")])
            rows = [row for param in command.params if (row := _option(param))]
            if rows:
                parts.append("\n".join(["| | |", "| --- | --- |", *rows]))
        for name, one in (inner or {}).items():
            if not one.hidden:
                add(f"{path} {name}", one)

    add("gpo", get_command(app))
    return "\n\n".join(parts) + "\n"


def _option(param: Any) -> str:
    names = ", ".join(param.opts) if param.param_type_name == "option" else str(param.name).upper()
    told = getattr(param, "help", "") or ""
    return "" if getattr(param, "hidden", False) else f"| `{names}` | {_cell(told)} |"
