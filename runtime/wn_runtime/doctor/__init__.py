"""What each engine needs on this machine, what is here, and how to get what is missing."""
