"""What all tests share: a shared machine may pause for longer than hypothesis allows one example by default."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
