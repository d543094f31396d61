"""The limits: what one client may take of a server, and when the server takes no more.

Connections are counted when they come (`doorstep`) and watched while they are open (`connection`, `watchman`). A request that a
door let in may be too much for its token or address (`buckets` in `accounts`, told to other servers by `sharing`), or too much
may wait already (`pressure`); `limits` asks them all. What was refused is counted, and said in the log, by `tally`.
"""
