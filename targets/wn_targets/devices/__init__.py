"""What is known of each device, and from where."""
