"""Models trained elsewhere: their files read as data, their weights made canonical."""
