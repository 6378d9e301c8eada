"""The simulated shop: what a shopper, human or agent, can search, see and do, and the record of it."""
