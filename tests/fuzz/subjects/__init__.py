"""What is fuzzed: a subject a file, each a strategy of cases."""
