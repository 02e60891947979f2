"""The front end of a voice, learned: see wn_runtime.speech."""
