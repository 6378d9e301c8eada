"""How fast a whole run of one-line cases is, beside other harnesses and a bare LiteLLM loop, on the same server.

    python scripts/bench_throughput.py                              # ours and the bare loops
    python scripts/bench_throughput.py --peers ~/peers/bin/python   # and the harnesses that are installed there

2,000 cases, 64 connections, a loopback server that answers after 50 ms. Times are of whole processes, imports and
scoring included. CPU a case is what 1,800 more cases cost, so that imports do not count. The bare loops call
`litellm.acompletion` and keep nothing: `openai/` is the way that the name says, `hosted_vllm/` the lighter one that
paars-bench takes to a server of one's own.

Targets: at most half of lm-eval's wall time and a quarter of inspect_ai's; CPU a case at most 1.15 times a bare loop on
the same way. The script ends with 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

CASES, FEW, CONNECTIONS = 2_000, 200, 64
SERVER = """
import asyncio, socket, sys
from aiohttp import web

async def chat(request):
    body = await request.json()
    await asyncio.sleep(0.05)
    message = {"role": "assistant", "content": "2"}
    return web.json_response({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body.get("model", "m"),
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
    })

listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listening.getsockname()[1], flush=True)
app = web.Application(client_max_size=2**26)
app.router.add_post("/v1/chat/completions", chat)
web.run_app(app, sock=listening, print=None, access_log=None)
"""
BARE = """
import asyncio, os, sys
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
litellm.suppress_debug_info = True
way, cases, base = sys.argv[1], int(sys.argv[2]), sys.argv[3]

async def main():
    free = asyncio.Semaphore(64)

    async def one(number):
        async with free:
            reply = await litellm.acompletion(
                model=f"{way}/test-model", api_base=base, api_key="x", num_retries=0, max_tokens=8, temperature=0,
                messages=[{"role": "user", "content": f"Which number follows {number}?"}],
            )
            return reply.choices[0].message.content

    assert set(await asyncio.gather(*map(one, range(cases)))) == {"2"}

asyncio.run(main())
"""
OURS = """
task: one_line
dataset: {cases: item_choices}
output_type: choose
doc_to_text: "Which of these four numbers do you like? {% for o in options %}{{ o.number }} {% endfor %}"
doc_to_target: "{{ answer }}"
generation_kwargs: {temperature: 0, max_tokens: 8}
conditions: [base]
filter_list: [{filter: number}]
metric_list: [{metric: accuracy, level: individual}]
metadata: {version: 1.0}
"""
LM_EVAL = """
task: one_line
dataset_path: json
dataset_kwargs: {data_files: {test: %s}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["\\n\\n"], max_gen_toks: 8, do_sample: false}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
INSPECT = """
from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import match
from inspect_ai.solver import generate

@task
def one_line():
    fields = FieldSpec(input="question", target="answer")
    return Task(dataset=json_dataset(%r, fields), solver=generate(), scorer=match())
"""


class Took(NamedTuple):
    """Wall and CPU seconds of a whole process."""

    wall: float
    cpu: float


@contextmanager
def server() -> Iterator[str]:
    """Runs the loopback server in a process of its own and gives its base address."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def timed(words: Sequence[str], folder: Path, **environment: str) -> Took:
    """Runs a process; one that fails ends the script with what it said."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OPENAI_API_KEY": "x", **environment}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(words[:6])} … ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ours(base: str, cases: int, folder: Path) -> Took:
    """Runs paars-bench on so many one-line cases of the demo."""
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / "tasks" / "one_line.yaml").write_text(OURS)
    run = tempfile.mkdtemp(dir=folder)
    words = ["--model", "openai/test-model", "--model_args", f"api_base={base},api_key=x", "--tasks", "one_line"]
    words += ["--include_path", "tasks", "--limit", str(cases), "--max_concurrency", str(CONNECTIONS)]
    took = timed([sys.executable, "-m", "paars_bench.cli", *words, "--output_path", f"{run}/run"], folder)
    results = json.loads(Path(run, "run", "results.json").read_text())
    assert results["tasks"][0]["counts"]["scored"] == cases, "a case was lost"
    return took


def bare(way: str, base: str, cases: int, folder: Path) -> Took:
    """Runs a bare loop over `litellm.acompletion`."""
    return timed([sys.executable, "-c", BARE, way, str(cases), base], folder)


def peers(python: Path, base: str, folder: Path) -> dict[str, Took]:
    """Runs the harnesses that are installed beside another Python on as many one-line cases."""
    cases = folder / "cases.jsonl"
    rows = ({"question": f"Which number follows {n}?", "answer": "2"} for n in range(CASES))
    cases.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found: dict[str, Took] = {}
    lm_eval, inspect = python.with_name("lm-eval"), python.with_name("inspect")
    if lm_eval.exists():
        (folder / "lm").mkdir()
        (folder / "lm" / "one_line.yaml").write_text(LM_EVAL % json.dumps(str(cases)))
        model = f"model=test-model,base_url={base}/chat/completions,num_concurrent={CONNECTIONS},tokenizer_backend=None"
        words = ["run", "--model", "local-chat-completions", "--model_args", model, "--tasks", "one_line"]
        words += ["--include_path", "lm", "--apply_chat_template", "--output_path", "lm-out"]
        found["lm-eval"] = timed([str(lm_eval), *words], folder)
    if inspect.exists():
        (folder / "one_line.py").write_text(INSPECT % str(cases))
        words = ["eval", "one_line.py", "--model", "openai-api/local/test-model", "--model-base-url", base]
        words += ["--max-connections", str(CONNECTIONS), "--max-samples", str(CONNECTIONS), "--display", "none"]
        words += ["--log-dir", "inspect-out", "--max-tokens", "8", "--temperature", "0"]
        found["inspect_ai"] = timed([str(inspect), *words], folder, LOCAL_API_KEY="x")
    return found


def main() -> int:
    """Runs everything once and prints the table; returns 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="a Python beside which other harnesses are")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, server() as base:
        folder = Path(name)
        ours(base, FEW, folder)  # builds the demo on a new machine
        whole = {"paars-bench": ours(base, CASES, folder)}
        few = {"paars-bench": ours(base, FEW, folder)}
        for way in ("openai", "hosted_vllm"):
            whole[f"bare {way}/"] = bare(way, base, CASES, folder)
            few[f"bare {way}/"] = bare(way, base, FEW, folder)
        if given.peers is not None:
            whole |= peers(given.peers, base, folder)
    us = whole["paars-bench"]
    each = {n: 1000 * (whole[n].cpu - few[n].cpu) / (CASES - FEW) for n in few}
    print(f"{'':20} {'wall':>8} {'CPU':>8} {'CPU a case':>11} {'wall, ours/its':>15} {'CPU a case':>11}")
    for harness, took in whole.items():
        ms, ratio = ("", "") if harness not in each else (f"{each[harness]:.2f} ms", "")
        if harness in each:
            ratio = f"{each['paars-bench'] / each[harness]:.2f}"
        print(f"{harness:20} {took.wall:6.1f} s {took.cpu:6.1f} s {ms:>11} {us.wall / took.wall:>15.2f} {ratio:>11}")
    asked = {"lm-eval": 0.5, "inspect_ai": 0.25}
    missed = [n for n, most in asked.items() if n in whole and us.wall > most * whole[n].wall]
    missed += [n for n in each if each["paars-bench"] > 1.15 * each[n]]
    print("missed: " + ", ".join(missed) if missed else "every target is met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
