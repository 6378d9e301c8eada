"""Anyone's shopping log in: what is sound is loaded, the rest is kept aside with its place and the rule it broke."""
