"""The one place that imports LiteLLM: its import takes 4 to 5 seconds and reads the environment as it goes."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any


def import_litellm() -> Any:
    """Imports LiteLLM without its download of a price list and without its chatter."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    # A call cancelled at its very beginning leaves a coroutine of LiteLLM's behind, and a provider's wrong types
    # make pydantic complain: neither says anything to the person at the screen that an outcome does not say.
    warnings.filterwarnings(
        "ignore", message="coroutine .*(acompletion|_batch|file).* was never awaited", category=RuntimeWarning
    )
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    return litellm
