"""TensorRT: what we use of it, how it is found, and the record of what a plan was built for."""
