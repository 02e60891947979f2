"""What a model is: spec, weights, manifest, and the directory that holds them."""
