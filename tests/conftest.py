"""What all tests share: a machine that others use too, which pauses a test and lends it no second core for long."""

import os
import signal

# Before NumPy and torch are imported, here and in the processes that tests start. On 2 cores that others kept busy,
# threads of OpenBLAS spin while they wait for each other: 25 runs of the panel took 42 s, with one thread 5 s of its
# processor.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from hypothesis import settings  # noqa: E402

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

if hasattr(signal, "SIGHUP"):  # a suite run in the background ignores it, and so would the shops that tests hang up on
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
