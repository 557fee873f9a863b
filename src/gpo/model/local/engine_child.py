"""The child process of the embedded engine: llama.cpp behind HTTP on a loopback port.

Run as `python -m gpo.model.local.engine_child` by `gpo.model.local.engine`; the first line of stdin holds its settings
as JSON, and the end of stdin is the order to leave.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

_PR_SET_PDEATHSIG = 1
_LOG_SECONDS = 1.0


def main() -> None:
    """Load the model, print one line `{"url": …, "guidance": …}`, and serve until stdin ends or the parent is gone."""
    settings = json.loads(sys.stdin.readline())
    _die_with(settings["parent"])
    # llama.cpp writes to both streams; only the one line for the parent may reach the real stdout.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        server = _serve(settings)
    except Exception as error:
        # llama.cpp writes its log in a thread of its own, and the reason stands there.
        time.sleep(_LOG_SECONDS)
        sys.exit(f"{type(error).__name__}: {error}")
    answers.write(json.dumps({"url": server.listening_address, "guidance": _has_guidance()}) + "\n")
    answers.close()
    threading.Event().wait()


def _die_with(parent: int) -> None:
    # The kernel's signal works even while the model is loading; the end of stdin works everywhere.
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    threading.Thread(target=_leave_at_end_of_stdin, daemon=True).start()


def _leave_at_end_of_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _serve(settings: dict[str, Any]) -> Any:
    # llama.cpp's threads meet hundreds of times a token. By default they spin while they wait, and where other
    # work shares the cores they spin on the one that is waited for: asleep they were 4 times as fast there.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["key"]]
    params.ui = False
    params.endpoint_slots = False
    # Every page of the web would otherwise be told that it may call this server.
    params.cors_origins = "http://127.0.0.1"
    params.verbosity = settings["verbosity"]
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["context"]
    params.kv_unified = settings["kv_unified"]
    params.n_batch = settings["batch"]
    params.n_ubatch = settings["micro_batch"]
    params.cache_ram_mib = settings["cache_mib"]
    params.slot_prompt_similarity = settings["slot_similarity"]
    # llama.cpp's own defaults cut the tail of the distribution; an optimizer model at temperature 1 then
    # writes the same few paraphrases again and again. Temperature alone means plain sampling, as elsewhere.
    params.sampling.top_k = 0
    params.sampling.top_p = 1.0
    params.sampling.min_p = 0.0
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    # A waiting request holds a thread: enough for what is in service, as much again in the queue, a few more.
    params.n_threads_http = 2 * settings["slots"] + 4
    if settings["embeddings"]:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    for name, value in settings["extra"]:
        setattr(params, name, value)
    return xllamacpp.Server(params)


def _has_guidance() -> bool:
    """Whether this build of llama.cpp knows grammars of llguidance."""
    import xllamacpp

    return str(xllamacpp.json_schema_to_grammar("{}")).startswith("%llguidance")


if __name__ == "__main__":
    main()
