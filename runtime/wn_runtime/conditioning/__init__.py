"""From named conditions and frames to the bias of every layer's gate."""
