"""An endpoint on loopback that runs a GGUF file through transformers, in large batches on a GPU.

    python -m benchmarks.serve_gguf qwen2.5-coder-1.5b.gguf --port 8080 --workers 4 --batch 256

For measuring GPO on a machine with a GPU (tried on a CPU alone so far): it needs torch, transformers, gguf and
aiohttp, and nothing of GPO's. Weights are dequantized to bfloat16, so answers differ here and there from those of
llama.cpp on the same file. It speaks chat completions with `n`, `temperature`, `max_tokens` and `stop`; `seed` is
not honoured. Each worker is a process with a copy of the model: generation waits for the launch of small kernels,
which one process cannot hide.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import web

SHORT = 128
"""Replies of at most this many tokens are not generated together with longer ones, which they would wait for."""


@dataclass(eq=False)
class Job:
    """One completion to make: token ids of the prompt, and where the text goes."""

    ids: list[int]
    max_tokens: int
    temperature: float
    done: asyncio.Future[tuple[str, int, str]]
    loop: asyncio.AbstractEventLoop
    at: float = field(default_factory=time.monotonic)

    @property
    def kind(self) -> tuple[float, bool]:
        return self.temperature, self.max_tokens <= SHORT

    def settle(self, found: tuple[str, int, str] | Exception) -> None:
        """From any thread."""
        self.loop.call_soon_threadsafe(self._settle, found)

    def _settle(self, found: tuple[str, int, str] | Exception) -> None:
        if self.done.done():
            return
        if isinstance(found, Exception):
            self.done.set_exception(found)
        else:
            self.done.set_result(found)


class Dispatcher:
    """Hands what waits to the workers: the oldest job and those of its kind, at most `most` at a time."""

    def __init__(self, path: Path, workers: int, most: int, device: str) -> None:
        self.most, self.tokens, self.waiting, self.idle = most, 0, list[Job](), 0
        self.changed = threading.Condition()
        spawn = multiprocessing.get_context("spawn")
        for _ in range(workers):
            ours, theirs = spawn.Pipe()
            spawn.Process(target=work, args=(path, device, theirs), daemon=True).start()
            threading.Thread(target=self._feed, args=(ours,), daemon=True).start()

    def put(self, jobs: list[Job]) -> None:
        with self.changed:
            self.waiting += jobs
            self.changed.notify_all()

    def _take(self) -> list[Job]:
        with self.changed:
            self.idle += 1
            while not self.waiting:
                self.changed.wait()
        time.sleep(0.02)  # calls that leave together arrive together
        with self.changed:
            first = min(self.waiting, key=lambda job: job.at, default=None)
            alike = [] if first is None else [job for job in self.waiting if job.kind == first.kind]
            share = max(16, -(-len(alike) // max(1, self.idle)))
            taken = set(sorted(alike, key=lambda job: job.at)[: min(self.most, share)])
            self.waiting = [job for job in self.waiting if job not in taken]
            self.idle -= 1
        return list(taken)

    def _feed(self, worker: Connection) -> None:
        worker.recv()  # loaded
        while True:
            if not (jobs := self._take()):
                continue
            worker.send(([job.ids for job in jobs], [job.max_tokens for job in jobs], jobs[0].temperature))
            found = worker.recv()
            if isinstance(found, Exception):
                found = [found] * len(jobs)
            for job, made in zip(jobs, found, strict=True):
                self.tokens += 0 if isinstance(made, Exception) else made[1]
                job.settle(made)


def work(path: Path, device: str, dispatcher: Connection) -> None:
    """A worker process: generate what comes, forever."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(path)
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=kind)
    model.to(device).eval()
    named = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    ends = sorted({end for end in (tokenizer.eos_token_id, *named) if isinstance(end, int)})
    dispatcher.send("ready")
    while True:
        ids, most, heat = dispatcher.recv()
        sampling = (
            {"do_sample": True, "temperature": heat, "top_p": 1.0, "top_k": 0}
            if heat
            else {"do_sample": False}
        )
        try:
            inputs = tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(device)
            with torch.inference_mode():
                out = model.generate(
                    **inputs, max_new_tokens=max(most), eos_token_id=ends, pad_token_id=tokenizer.pad_token_id,
                    repetition_penalty=1.0, **sampling,
                )  # fmt: skip
            start = inputs["input_ids"].shape[1]
            made = []
            for row, limit in zip(out[:, start:].tolist(), most, strict=True):
                end = next((i for i, token in enumerate(row) if token in ends), len(row))
                text = tokenizer.decode(row[: min(end, limit)], skip_special_tokens=True)
                made.append((text, min(end, limit), "stop" if end < limit else "length"))
            dispatcher.send(made)
        except Exception as error:
            dispatcher.send(RuntimeError(str(error)))


def load_tokenizer(path: Path) -> Any:
    """Of the file itself; prompts are padded on their left."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def serve(dispatcher: Dispatcher, tokenizer: Any, port: int) -> None:
    """Answer POST /v1/chat/completions and GET /state on `port`."""

    async def complete(request: web.Request) -> web.Response:
        body = await request.json()
        text = tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        loop = asyncio.get_running_loop()
        most, heat = int(body.get("max_tokens") or 256), float(body.get("temperature") or 0)
        jobs = [Job(ids, most, heat, loop.create_future(), loop) for _ in range(int(body.get("n") or 1))]
        dispatcher.put(jobs)
        made = [await job.done for job in jobs]
        stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop") or []
        choices = []
        for index, (said, _, reason) in enumerate(made):
            cut = min([said.find(stop) for stop in stops if stop in said], default=len(said))
            message = {"role": "assistant", "content": said[:cut]}
            choices.append({"index": index, "finish_reason": reason, "message": message})
        used = {"prompt_tokens": len(ids), "completion_tokens": sum(tokens for _, tokens, _ in made)}
        return web.json_response({"object": "chat.completion", "choices": choices, "usage": used})

    async def state(request: web.Request) -> web.Response:
        return web.json_response({"tokens": dispatcher.tokens, "waiting": len(dispatcher.waiting)})

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/state", state)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args()
    serve(
        Dispatcher(asked.weights, asked.workers, asked.batch, asked.device),
        load_tokenizer(asked.weights),
        asked.port,
    )


if __name__ == "__main__":
    main()
