"""`gpo export RUN_DIR --to FORMAT`: the best prompt of a run as another tool takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def export(
    run_dir: Annotated[Path, typer.Argument(help="The folder of a run that has a result.")],
    to: Annotated[
        str,
        typer.Option(metavar="FORMAT", help="text, json, messages, promptfoo, inspect, dspy or langchain."),
    ],
    out: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="The file to write; stdout if not given.")
    ] = None,
) -> None:
    """Hand on the best prompt in its whole template, escaped as the other tool needs it."""
    import sys

    from gpo.export.formats import export as export_as
    from gpo.export.material import read_material
    from gpo.export.program import export_program, read_program
    from gpo.storage.atomic_write import encode_text, write_atomically
    from gpo.text import printable

    if (program := read_program(run_dir)) is not None:
        text = export_program(program, to)
    else:
        material = read_material(run_dir)
        text = export_as(material, to)
        if to in ("inspect", "dspy") and ":" in material.reading.metric:
            line = (
                f"note: the file imports {material.reading.metric}, by which the run scored; look at it first"
            )
            print(printable(line), file=sys.stderr)
    data = encode_text(text if text.endswith("\n") else f"{text}\n")
    if out is not None:
        write_atomically(out, data)
        print(f"{to}: {out}", file=sys.stderr)
        return
    # Bytes: what stdout's own encoding cannot write must not stop the prompt, and nothing is wrapped or padded.
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
