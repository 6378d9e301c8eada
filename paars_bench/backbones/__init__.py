"""Who answers: language models through LiteLLM, the embedded one among them, and scripted baselines."""
