"""Makes a virtual environment with this checkout in it: `python3 scripts/install.py local|test|dev [--venv .venv]`.

It exists for one reason beside convenience: on Linux the default build of torch brings gigabytes of CUDA packages, so
on a machine without an NVIDIA GPU the CPU build is put in first. Standard library only, and safe to run again.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older ones run this file too, and should be told
    sys.exit(
        f"error: PAARS-Bench needs Python 3.11 or newer, this is {sys.version_info[0]}.{sys.version_info[1]}; "
        "run the script with a newer one, such as python3.12 scripts/install.py"
    )

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0+cpu"  # the newest below 2.14, whose Linux wheels bring CUDA whatever is asked
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
EXTRAS = ("local", "test", "dev")
# Says the build of torch in an environment without importing it, which takes seconds.
PROBE = """
import importlib.util, pathlib, re
spec = importlib.util.find_spec("torch")
file = pathlib.Path(spec.origin).with_name("version.py") if spec and spec.origin else None
if file and file.is_file():
    text = file.read_text()
    version = re.search(r"__version__ = '([^']+)'", text)
    cuda = re.search(r"^cuda\\b[^=]*=\\s*'([^']+)'", text, re.MULTILINE)
    print(version[1] if version else "unknown", "cuda" if cuda else "cpu")
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Install this checkout into a virtual environment.")
    parser.add_argument("extra", choices=EXTRAS, help="local: to run; test: to test as well; dev: to work on it")
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="its folder (default: .venv)")
    parser.add_argument("--any-torch", action="store_true", help="accept the default build of torch (CUDA on Linux)")
    asked = parser.parse_args(argv)
    start = time.monotonic()
    python = make_venv(asked.venv)
    if not asked.any_torch:
        cpu_torch(python)
    step(f"installing paars-bench[{asked.extra}] and what it needs")
    if not pip(python, ["install", "--editable", f"{ROOT}[{asked.extra}]"]):
        raise SystemExit("error: pip could not install the package; its last lines above say why")
    command = python.with_name("paars-bench")
    step(f"ready after {time.monotonic() - start:.0f} s: {command} --model local --tasks all")
    return 0


def step(text: str) -> None:
    print(f"[install] {text}", flush=True)


def make_venv(folder: Path) -> Path:
    """Returns the Python of the environment, made if it is not there yet."""
    python = folder.absolute() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and pip(python, ["--version"], quiet=True):
        step(f"using the environment in {folder}")
        return python
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise SystemExit(f"error: {folder} exists and is no virtual environment; name another with --venv")
    step(f"making a virtual environment in {folder} with Python {sys.version.split()[0]}")
    done = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False)
    if done.returncode:
        raise SystemExit(
            "error: Python could not make a virtual environment; on Debian and Ubuntu first install python3-venv"
        )
    return python


def cpu_torch(python: Path) -> None:
    """Puts the CPU build of torch into the environment, where the default build would be a CUDA one for nothing."""
    if not sys.platform.startswith("linux") or has_nvidia_gpu():
        return
    probed = subprocess.run([str(python), "-c", PROBE], capture_output=True, text=True, check=False).stdout.split()
    if probed:
        step(f"torch {probed[0]} is there ({probed[1]} build)")
        return
    step(f"no NVIDIA GPU: installing {TORCH} from the package index pip is set to")
    if pip(python, ["install", "--no-deps", TORCH], quiet=True):
        return
    step(f"not there: installing it from {TORCH_INDEX}")
    brief = ["--timeout", "15", "--retries", "1"]
    if pip(python, ["install", "--no-deps", *brief, "--index-url", TORCH_INDEX, TORCH]):
        return
    raise SystemExit(
        f"error: {TORCH} could not be had. Either install a CPU build of torch >= 2.6, < 2.14 into the environment "
        f"({python} -m pip install …) and run this again, or accept the default build, some GB larger, with --any-torch"
    )


def has_nvidia_gpu() -> bool:
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


def pip(python: Path, words: Sequence[str], *, quiet: bool = False) -> bool:
    """Runs pip and tells whether it succeeded; ``quiet`` hides even its errors."""
    options = ["--disable-pip-version-check", "-qq"]  # errors only: warnings of every index bury them
    out = subprocess.DEVNULL if quiet else None
    return not subprocess.run(
        [str(python), "-m", "pip", *options, *words], check=False, stdout=out, stderr=out
    ).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; run it again to go on")
