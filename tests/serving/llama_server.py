"""A llama.cpp HTTP server as a program of its own: `python llama_server.py MODEL.gguf NAME KEY`.

Stands in for vLLM and its like: knows nothing of GPO. Prints its address, serves until its stdin ends.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    path, name, key = sys.argv[1:]
    # llama.cpp writes to stdout too; only the address may reach whoever started this.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.n_parallel = 4
    params.n_ctx = 4 * 2048
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, file=answers, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
