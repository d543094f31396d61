"""Points on disk for as long as neither Redis nor the database takes them; docs/spool.md describes the files.

    spool = await Spool.open(data_dir / "spool")
    await spool.append([Record("live", 3, frame, now_us)])  # on disk when it returns
    while taken := await spool.take():                      # later, in this process or another
        ...                                                 # hand the records on
        await spool.commit(taken)
    await spool.close()

Below `spool.Spool` everything is synchronous and runs in one thread of the spool's own, so that appends, reads and
deletions never meet, and no event loop waits for a disk.
"""
