"""Which phone of its words a recording has when: forced alignment. Needs pocketsphinx."""
