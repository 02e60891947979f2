"""`python -m wn_train`, and `torchrun -m wn_train` for several processes."""

from wn_train.commands.train import main

main()
