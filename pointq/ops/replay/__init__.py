"""Points back into the queue: dead letters, stored batches that were kept, exported files, what a spool holds.

`shelved` moves what lies in Redis, `frames` appends what files (`exported`) and spools (`spooled`) hold, each as fast as the
`gate` lets it, and counts it in a `report`; `following` tells what became of it. Whatever ends a replay, nothing is lost: a
batch of Redis is either where it was or in its lane, and files and spools are only read.
"""
