"""Who an agent is told to be: history, mined persona, condition."""
