"""Many accounts into one store, in this process or on a cluster.

`plan` decides who is next, without a clock of its own; `visits` brings one account up to date,
wherever that runs, with a password that `credentials` finds there; `manifest` remembers how each
ended; `accounts` reads who there is.
"""

from mailframe.fleets.running import fleet, fleet_status

__all__ = ["fleet", "fleet_status"]
