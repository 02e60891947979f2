"""One folder or .tar to copy to a device: model, its code, wheels, and what installs them."""
