"""Importing files: found, read, parsed at several at a time, and handed in order to whoever stores them.

`reading` turns the bytes of a file into frames and a report; `readers` does so here, in processes of its own, or on a server;
`pipeline` keeps a bounded number of files on their way; `ways` bring the points into the queue or the database; `ledger`
knows what was imported before; `importer` puts them together.
"""
