"""A small Hugging Face hub on loopback: data sets of files, in the calls that its clients make to read them.

It knows nothing of GPO. `with Hub({"org/name": {"README.md": b"…", "data.parquet": b"…"}}) as hub`; a client finds it
through HF_ENDPOINT=hub.url. What it does not know it answers like the real one: 404 with the name of the error.
"""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Files = Mapping[str, bytes]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""The commit that every revision of every data set stands for."""


class Hub:
    """A server for `datasets` (name to files). `requests` are the paths asked for, `keys` those that came with one."""

    def __init__(self, datasets: Mapping[str, Files]) -> None:
        self.datasets = datasets
        self.requests: list[str] = []
        self.keys: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.requests.append(self.path)
                if key := self.headers.get("Authorization"):
                    hub.keys[self.path] = key
                length = int(self.headers.get("Content-Length") or 0)
                body = urllib.parse.parse_qs(self.rfile.read(length).decode())
                path, _, query = self.path.partition("?")
                body |= urllib.parse.parse_qs(query)
                self._reply(*hub.answer(urllib.parse.unquote(path), body))

            do_HEAD = do_POST = do_GET

            def _reply(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("X-Repo-Commit", COMMIT)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def answer(self, path: str, body: Mapping[str, list[str]]) -> tuple[int, bytes, dict[str, str]]:
        """Status, content and headers for one request."""
        if path.startswith("/api/datasets/"):
            return self._api(path.removeprefix("/api/datasets/"), body)
        name, _, rest = path.removeprefix("/datasets/").partition("/resolve/")
        # Revisions such as refs/convert/parquet have slashes of their own: what ends in a file is that file.
        for file, content in self.datasets.get(name, {}).items():
            if rest.endswith(f"/{file}"):
                return 200, content, {"ETag": f'"{_digest(content)}"', "Accept-Ranges": "bytes"}
        return 404, b"Entry not found", {"X-Error-Code": "EntryNotFound"}

    def _api(self, path: str, body: Mapping[str, list[str]]) -> tuple[int, bytes, dict[str, str]]:
        name = "/".join(path.split("/")[:2])
        files = self.datasets.get(name)
        if files is None:
            return 404, b"{}", {"X-Error-Code": "RepoNotFound"}
        call = path.removeprefix(name).strip("/")
        if call.startswith("tree/"):
            return _json(_tree(files, call, recursive=body.get("recursive") == ["true"]))
        if call.startswith("paths-info/"):
            return _json([_entry(file, files[file]) for file in body.get("paths", []) if file in files])
        siblings = [{"rfilename": file} for file in files]
        return _json({"id": name, "sha": COMMIT, "private": False, "tags": [], "siblings": siblings})


def _tree(files: Files, call: str, *, recursive: bool) -> list[dict[str, Any]]:
    folders = {file.rpartition("/")[0] for file in files} - {""}
    folder = next((f"{name}/" for name in folders if call.endswith(f"/{name}")), "")
    inside = {file.removeprefix(folder): file for file in files if file.startswith(folder)}
    if recursive:
        return [_entry(file, files[file]) for file in inside.values()]
    inner = {short.partition("/")[0] for short in inside if "/" in short}
    return [
        *(_entry(file, files[file]) for short, file in inside.items() if "/" not in short),
        *({"type": "directory", "path": folder + name, "oid": _digest(name.encode())} for name in inner),
    ]


def _entry(file: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": file, "size": len(content), "oid": _digest(content)}


def _digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _json(value: Any) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps(value).encode(), {"Content-Type": "application/json"}
