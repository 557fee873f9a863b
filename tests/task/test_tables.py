"""Files as spreadsheets, data frames and downloads leave them: read as what they are, or named with the way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpo.errors import ConfigError, DataError
from gpo.task.files import text_file
from gpo.task.files.rows import read_file, read_rows
from gpo.task.task import Task

Rows = list[dict[str, Any]]


def texts(path: Path) -> list[tuple[Any, Any]]:
    return [(row.values["text"], row.values["label"]) for row in read_rows(path)]


def delimited(mark: str, cells: list[tuple[str, str]], end: str = "\n", quote: str = '"') -> str:
    return "".join(f"{quote}{one}{quote}{mark}{two}{end}" for one, two in [("text", "label"), *cells])


CELLS = [
    ("plain", "a"),
    ("with, a comma", "b"),
    ("with; a semicolon", "a"),
    ("with\ta tab", "b"),
    ("with | a pipe, and 1,5; 2", "a"),
    ("over\ntwo lines", "b"),
    ('said ""so""', "a"),
    ("Müller 猫", "b"),
]
READ = [(one.replace('""', '"'), two) for one, two in CELLS]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "^", ":"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_the_delimiter_is_found(name: str, mark: str, end: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(delimited(mark, CELLS, end).replace("\n", "\n").encode())
    assert texts(tmp_path / name) == READ
    plain = [(one.replace(mark, " "), two) for one, two in CELLS if "\n" not in one and '"' not in one]
    (tmp_path / name).write_bytes(delimited(mark, plain, end, quote="").encode())
    assert texts(tmp_path / name) == plain


def test_lines_over_a_quoted_cell_end_alike_whatever_the_file_s_lines_end_in(tmp_path: Path) -> None:
    for name, end in (("unix", "\n"), ("windows", "\r\n")):
        text = delimited(",", CELLS).replace("\n", end)
        (tmp_path / f"{name}.csv").write_bytes(text.encode())
    assert texts(tmp_path / "unix.csv") == texts(tmp_path / "windows.csv") == READ
    assert [row.source.split(":")[-1] for row in read_rows(tmp_path / "windows.csv")][5:7] == ["7", "9"]
    (tmp_path / "mac.csv").write_bytes(b"text,label\rx,a\ry,b\r")
    assert texts(tmp_path / "mac.csv") == [("x", "a"), ("y", "b")]


def test_the_line_that_tells_a_spreadsheet_its_delimiter(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\n" + delimited(";", CELLS))
    assert texts(tmp_path / "t.csv") == READ
    (tmp_path / "t.csv").write_text("sep=;\ntext;label\nx;a;b\n")
    with pytest.raises(
        DataError, match=r"t\.csv:3: has 3 cells where the header has 2 \(.* is a semicolon; .*quotes"
    ):
        read_file(tmp_path / "t.csv")


def test_a_record_of_other_cells_is_named_under_the_delimiter_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text;label\nx;a\nsome; thing;b\n")
    with pytest.raises(DataError, match=r"t\.csv:3: has 3 cells where the header has 2 \(.* a semicolon"):
        read_file(path)
    path.write_text("text,label\nx|y|z,a\nno label\n")
    with pytest.raises(DataError, match=r"t\.csv:3: has 1 cells where the header has 2 \(.* a comma"):
        read_file(path)


def test_a_table_of_one_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text  label\nx  a\n")
    with pytest.raises(
        DataError, match=r"t\.csv:1: has one column, 'text  label'; .* comma, semicolon, tab and pipe"
    ):
        read_file(tmp_path / "t.csv")


def test_columns_without_a_name_may_repeat_and_named_ones_may_not(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label,,\nx,a,,\n")
    assert texts(path) == [("x", "a")]
    path.write_text("text, label ,label\nx,a,b\n")
    with pytest.raises(DataError, match=r"t\.csv:1: has two columns called 'label'"):
        read_file(path)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", b"\xff\xfe\x00\x00"),
    ],
)
def test_encodings_that_can_be_told_are_read(encoding: str, mark: bytes, tmp_path: Path) -> None:
    rows = [{"text": one, "label": two} for one, two in READ]
    written = {
        "t.csv": delimited(",", CELLS),
        "t.tsv": delimited("\t", CELLS),
        "t.json": json.dumps(rows, ensure_ascii=False),
        "t.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows),
    }
    for name, text in written.items():
        (tmp_path / name).write_bytes(mark + text.encode(encoding))
        assert texts(tmp_path / name) == READ


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json"])
def test_an_encoding_that_cannot_be_told_is_named_with_the_line_and_the_way_out(
    name: str, tmp_path: Path
) -> None:
    rows = '{"text": "x", "label": "a"}\n{"text": "Müller", "label": "b"}\n'
    text = delimited(",", [("x", "a"), ("Müller", "b")]) if name == "t.csv" else rows
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    line = 3 if name == "t.csv" else 2
    with pytest.raises(
        DataError, match=rf"{name}:{line}: is not UTF-8 text .*0xfc.*Latin-1.*iconv -f WINDOWS-1252"
    ):
        read_file(tmp_path / name)
    (tmp_path / name).write_bytes(b"\xff\xfe" + text.encode("latin-1") + b"\x00\xd8")
    with pytest.raises(DataError, match=f"{name}: begins like utf-16-le and is not; save it as UTF-8"):
        read_file(tmp_path / name)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04", "an Excel workbook: unpack it, or save the sheet as csv"),
        (b"\x1f\x8b", "gzip archive: unpack it"),
        (b"PAR1", r"parquet file: end its name in \.parquet"),
    ],
)
def test_a_file_of_another_sort_is_named(start: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(start + bytes(range(256)))
    with pytest.raises(DataError, match=rf"t\.csv: is a.*{what}"):
        read_file(tmp_path / "t.csv")


LISTED: Rows = [{"text": f"ticket {n}\n", "label": "ab"[n % 2], "tags": ["x"]} for n in range(24)]
JSON_FORMS: dict[str, Callable[[Rows], str]] = {
    "lines": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "lines, CRLF and blank ones": lambda rows: "\r\n\r\n".join(json.dumps(row) for row in rows) + "\r\n",
    "a list": json.dumps,
    "an indented list": lambda rows: json.dumps(rows, indent=2),
    "a list, a row a line": lambda rows: "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]",
    "rows": lambda rows: json.dumps({"rows": rows}, indent=1),
}


@pytest.mark.parametrize("form", JSON_FORMS)
@pytest.mark.parametrize("name", ["t.json", "t.jsonl", "t.csv"])
def test_json_is_read_whatever_its_name(name: str, form: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(JSON_FORMS[form](LISTED))
    assert texts(tmp_path / name) == [(row["text"], row["label"]) for row in LISTED]
    made = Task.from_jsonl(tmp_path / name, input="text", target="label", answer="label")
    assert made.answer_choices == ("a", "b")


def test_a_wrong_line_is_named_whatever_the_file_s_name(tmp_path: Path) -> None:
    for name in ("t.json", "t.jsonl"):
        (tmp_path / name).write_text('{"text": "x", "label": "a"}\n{"text": "y" "label"}\n')
        with pytest.raises(DataError, match=rf"{name}:2: is not JSON"):
            read_file(tmp_path / name)
    (tmp_path / "t.json").write_text('[{"text": "x"},\n {"text": }]')
    with pytest.raises(DataError, match=r"t\.json:2: is not JSON"):
        read_file(tmp_path / "t.json")


# What a file may unpack to


def test_a_header_of_many_columns_and_a_cell_of_many_letters_are_read_in_linear_time(tmp_path: Path) -> None:
    # A time that grows with the square of these sizes would be minutes: the suite's own limit ends the test.
    header = ["text", "label", *(f"column {n}" for n in range(100_000))]
    path = tmp_path / "t.csv"
    path.write_text(",".join(header) + "\n" + ",".join("x" for _ in header) + "\n")
    assert len(read_rows(path)[0].values) == len(header)
    path.write_text(",".join([*header, "label"]) + "\n")
    with pytest.raises(DataError, match="has two columns called 'label'"):
        read_rows(path)
    cell = 'so "" much, | ; \t\n' * 500_000
    path.write_text(f'text,label\n"{cell}",a\n')
    assert len(read_rows(path)[0].values["text"]) == len(cell) - 500_000
    path.write_text(f'text,label\nx,"{cell}')
    with pytest.raises(DataError, match=r"t\.csv:2: cannot be read"):
        read_rows(path)
    path.write_text('"' * 10_000_001)
    with pytest.raises(DataError):
        read_rows(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "text,label\n" + "x,a\n" * 500),
        ("t.json", "[" + "[],[{}]," * 300 + "[]]"),
        ("t.jsonl", "{}\n" * 2000),
    ],
)
def test_a_file_of_too_much_is_one_line(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text(text)
    with monkeypatch.context() as patch:
        patch.setattr(text_file, "MOST_VALUES", 1000)
        with pytest.raises(
            DataError, match=rf"{name}: has more than 1,000 (cells|values); give a part of it"
        ):
            read_file(tmp_path / name)
    monkeypatch.setattr(text_file, "LARGEST", 1000)
    with pytest.raises(DataError, match=rf"{name}: is larger than 0 MiB; give a part of it"):
        read_file(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_regular_file_is_refused_unopened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        with pytest.raises(ConfigError, match=rf"{name}: is no regular file"):
            read_file(tmp_path / name)
    (tmp_path / "real.csv").write_text(delimited(",", CELLS))
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert texts(tmp_path / "link.csv") == READ


# Parquet


def dictionary_bomb(path: Path) -> None:
    """6,000 rows of one text of a megabyte, which stands in the file's dictionary once: 6 GB of text in some kB."""
    import pyarrow
    from pyarrow import parquet

    indices = pyarrow.array([0] * 6000, pyarrow.int32())
    column = pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(["x" * 1_000_000]))
    table = pyarrow.table({"text": column, "label": ["a"] * 6000})
    parquet.write_table(table, path, compression="zstd")


def page_bomb(path: Path) -> None:
    """1,200 rows of different texts of a megabyte, which compress well."""
    import pyarrow
    from pyarrow import parquet

    fields = [("text", pyarrow.string()), ("label", pyarrow.string())]
    with parquet.ParquetWriter(
        path, pyarrow.schema(fields), compression="zstd", use_dictionary=False
    ) as file:
        for n in range(60):
            rows = [f"{n} {m} " + "x" * 1_000_000 for m in range(20)]
            file.write_table(pyarrow.table({"text": rows, "label": ["a"] * 20}))


def list_bomb(path: Path) -> None:
    """Rows with lists of the same text a hundred times, in a struct: 3 GB."""
    import pyarrow
    from pyarrow import parquet

    words = pyarrow.array(["x" * 900_000] * 100)
    listed = pyarrow.ListArray.from_arrays(pyarrow.array([0, 100], pyarrow.int32()), words)
    table = pyarrow.table(
        {"text": pyarrow.StructArray.from_arrays([listed, listed], ["one", "two"]), "label": ["a"]}
    )
    with parquet.ParquetWriter(path, table.schema, compression="zstd") as file:
        for _ in range(17):
            file.write_table(table)


_MEASURE = """
import resource, sys
from pathlib import Path
import pyarrow.compute, pyarrow.parquet
from gpo.errors import DataError
from gpo.task.files.rows import read_rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_rows(Path(sys.argv[1]))
except DataError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
@pytest.mark.parametrize("make", [dictionary_bomb, page_bomb, list_bomb])
def test_a_small_parquet_file_that_unpacks_to_much_is_refused_in_little_memory(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "t.parquet"
    make(path)
    assert path.stat().st_size < 2_000_000
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    message, grown = done.stdout.splitlines()
    assert (
        message == f"{path}: unpacks to more than 1,024 MiB; give a part of it, a run needs some hundred rows"
    )
    assert int(grown) < 400


def test_parquet_of_all_sorts_is_as_it_was(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = [
        {
            "text": f"ticket {n}", "label": "ab"[n % 2], "n": n, "x": n / 4, "yes": n % 3 == 0, "none": None,
            "listed": ["p", None, str(n)], "deep": {"a": [{"b": "c"}], "d": b"\x00\xff"},
        }
        for n in range(3000)
    ]  # fmt: skip
    table = pyarrow.Table.from_pylist(rows)
    kind = table.column("label").cast(pyarrow.string()).dictionary_encode()
    table = table.append_column("kind", kind)
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=700)
    found = read_rows(tmp_path / "t.parquet")
    assert [dict(row.values) for row in found] == table.to_pylist()
    assert found[2999].source == f"{tmp_path / 't.parquet'}: row 3000"


def test_a_parquet_file_of_too_many_values_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow
    from pyarrow import parquet

    monkeypatch.setattr(text_file, "MOST_VALUES", 10_000)
    parquet.write_table(pyarrow.table({"text": [None] * 6000, "label": [1] * 6000}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet: has more than 10,000 values"):
        read_rows(tmp_path / "t.parquet")
