"""A GGUF file's weights as Transformers reads them, converted once on a machine and checked at each use."""

from __future__ import annotations

import io
import logging
import os
import shutil
from contextlib import redirect_stderr
from pathlib import Path

from paars_bench.files import file_sha256
from paars_bench.paths import cache_dir

log = logging.getLogger(__name__)
WEIGHTS, DIGEST = "model.safetensors", "weights.sha256"


def converted(file: Path, digest: str) -> Path:
    """Returns a GGUF file's weights as a safetensors folder, made once; two processes may ask at once.

    A folder whose weights are not what was written is said, removed and made again.

    Args:
        file: the GGUF file; reading it takes about 35 s.
        digest: of that file.
    """
    from filelock import FileLock

    home = cache_dir() / "engines"
    home.mkdir(parents=True, exist_ok=True)
    target = home / f"{file.stem}-{digest[:16]}"
    with FileLock(str(target) + ".lock"):
        if target.is_dir() and not _sound(target):
            log.warning("%s is damaged or of an earlier release: made again from %s", target, file.name)
            shutil.rmtree(target)
        if not target.is_dir():
            log.info("reading %s for perplexity, about 35 s, once on this machine", file.name)
            partial = target.with_name(target.name + f".partial-{os.getpid()}")
            _convert(file, partial)
            (partial / DIGEST).write_text(file_sha256(partial / WEIGHTS), encoding="ascii")
            partial.rename(target)
    return target


def _sound(folder: Path) -> bool:
    weights, digest = folder / WEIGHTS, folder / DIGEST
    return weights.is_file() and digest.is_file() and file_sha256(weights) == digest.read_text(encoding="ascii")


def _convert(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    no_bars()
    home, gguf = str(file.parent), file.name
    # stored as bfloat16 or float16 the dequantised weights would change; float32 keeps them
    with redirect_stderr(io.StringIO()):  # its bar is not one of Transformers' own
        read = AutoModelForCausalLM.from_pretrained(home, gguf_file=gguf, dtype=torch.float32)
    # What was read still counts as quantised and refuses to be saved; the same weights in a plain model do not.
    config = read.config
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(home, gguf_file=gguf).save_pretrained(folder)


def no_bars() -> None:
    """Stops the bar that Transformers draws for each load, even into a log file."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
