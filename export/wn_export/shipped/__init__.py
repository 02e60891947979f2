"""What a model is shipped as, recognised and looked into: for wn-inspect."""
