"""wn-run, wn-inspect and wn-doctor, and what every command shares.

Importing this prepares a process that is one of the commands, and no other.
"""

from wn_runtime.commands import process as _process

_process.prepare()
