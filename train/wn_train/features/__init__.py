"""From a folder of recordings to one that has their frames, too."""
