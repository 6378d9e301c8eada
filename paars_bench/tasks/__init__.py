"""What each task asks, how a reply is read, and which human side it is compared with."""
