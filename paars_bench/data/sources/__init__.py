"""Real human data sets: each module reads one public source as it was published and makes a behaviour log of it."""
