"""An endpoint on loopback that runs a GGUF file through transformers, in large batches on a GPU.

    python -m benchmarks.serve_gguf qwen2.5-coder-1.5b.gguf --port 8080 --batch 512

For measuring GPO where a GPU is lent for minutes: it needs torch, transformers, gguf and aiohttp, and nothing of GPO's.
Weights are dequantized to bfloat16, so answers differ here and there from those of llama.cpp on the same file. It
speaks chat completions with `n`, `temperature`, `max_tokens` and `stop`; `seed` is not honoured.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from aiohttp import web


@dataclass
class Job:
    """One completion to make: token ids of the prompt, and where the text goes."""

    ids: list[int]
    max_tokens: int
    temperature: float
    done: asyncio.Future[tuple[str, int, str]]
    loop: asyncio.AbstractEventLoop
    at: float = field(default_factory=time.monotonic)

    def finish(self, text: str, tokens: int, reason: str) -> None:
        self.loop.call_soon_threadsafe(self._settle, (text, tokens, reason))

    def fail(self, error: Exception) -> None:
        self.loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, found: tuple[str, int, str] | Exception) -> None:
        if self.done.done():
            return
        if isinstance(found, Exception):
            self.done.set_exception(found)
        else:
            self.done.set_result(found)


class Batches:
    """Takes what waits, `most` at a time and of one kind (greedy or one temperature), and generates it together."""

    def __init__(self, path: Path, most: int, device: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.torch, self.most, self.device = torch, most, device
        self.tokenizer: Any = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        kind = torch.bfloat16 if device == "cuda" else torch.float32
        self.model: Any = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=kind)
        self.model.to(device).eval()
        ends = {
            self.tokenizer.eos_token_id,
            *self.tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"]),
        }
        self.ends = sorted(end for end in ends if isinstance(end, int))
        self.queue: Queue[Job] = Queue()
        self.tokens = 0
        threading.Thread(target=self._work, daemon=True).start()

    def _take(self) -> list[Job]:
        """The oldest job and those like it; short and long replies apart, so that no short one waits for a long one."""
        jobs = [self.queue.get()]
        time.sleep(0.01)
        while True:
            try:
                jobs.append(self.queue.get_nowait())
            except Empty:
                break
        first = min(jobs, key=lambda job: job.at)
        alike = [
            j
            for j in jobs
            if (j.temperature, j.max_tokens <= 128) == (first.temperature, first.max_tokens <= 128)
        ]
        alike = sorted(alike, key=lambda job: job.at)[: self.most]
        for job in jobs:
            if job not in alike:
                self.queue.put(job)
        return alike

    def _work(self) -> None:
        while True:
            jobs = self._take()
            try:
                self._generate(jobs)
            except Exception as error:
                for job in jobs:
                    job.fail(error)

    def _generate(self, jobs: list[Job]) -> None:
        torch = self.torch
        inputs = self.tokenizer.pad({"input_ids": [job.ids for job in jobs]}, return_tensors="pt").to(
            self.device
        )
        most = max(job.max_tokens for job in jobs)
        heat = jobs[0].temperature
        sampling = (
            {"do_sample": True, "temperature": heat, "top_p": 1.0, "top_k": 0}
            if heat
            else {"do_sample": False}
        )
        with torch.inference_mode():
            out = self.model.generate(
                **inputs, max_new_tokens=most, eos_token_id=self.ends, pad_token_id=self.tokenizer.pad_token_id,
                repetition_penalty=1.0, **sampling,
            )  # fmt: skip
        start = inputs["input_ids"].shape[1]
        for job, row in zip(jobs, out[:, start:].tolist(), strict=True):
            end = next((i for i, token in enumerate(row) if token in self.ends), len(row))
            kept, reason = row[: min(end, job.max_tokens)], "stop" if end < job.max_tokens else "length"
            self.tokens += len(kept)
            job.finish(self.tokenizer.decode(kept, skip_special_tokens=True), len(kept), reason)


async def complete(request: web.Request) -> web.Response:
    """POST /v1/chat/completions."""
    batches: Batches = request.app["batches"]
    body = await request.json()
    text = batches.tokenizer.apply_chat_template(body["messages"], tokenize=False, add_generation_prompt=True)
    ids = batches.tokenizer(text, add_special_tokens=False)["input_ids"]
    loop = asyncio.get_running_loop()
    jobs = [
        Job(
            ids,
            int(body.get("max_tokens") or 256),
            float(body.get("temperature") or 0),
            loop.create_future(),
            loop,
        )
        for _ in range(int(body.get("n") or 1))
    ]
    for job in jobs:
        batches.queue.put(job)
    made = [await job.done for job in jobs]
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop") or []
    choices = []
    for index, (said, _, reason) in enumerate(made):
        cut = min([said.find(stop) for stop in stops if stop in said], default=len(said))
        choices.append(
            {"index": index, "finish_reason": reason, "message": {"role": "assistant", "content": said[:cut]}}
        )
    used = {"prompt_tokens": len(ids), "completion_tokens": sum(tokens for _, tokens, _ in made)}
    return web.json_response({"object": "chat.completion", "choices": choices, "usage": used})


async def state(request: web.Request) -> web.Response:
    """GET /state: tokens generated so far."""
    batches: Batches = request.app["batches"]
    return web.json_response({"tokens": batches.tokens, "waiting": batches.queue.qsize()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--device", default="cuda")
    asked = parser.parse_args()
    app = web.Application(client_max_size=2**24)
    app["batches"] = Batches(asked.weights, asked.batch, asked.device)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/state", state)
    web.run_app(app, host="127.0.0.1", port=asked.port, access_log=None)


if __name__ == "__main__":
    main()
