"""`python -m wn_runtime.doctor`, for where the scripts are not on PATH."""

from wn_runtime.commands.doctor import main

main()
