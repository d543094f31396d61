"""The doors: who may send what, and see what.

Each path has a scope (`paths`), each scope belongs to a group of routes that has a mode (`plan`). Where the mode is ``token``,
what a request shows (`shown`) is looked up in the book of tokens or verified as a signed one (`keys`), and what it grants
(`grants`) must have the path's scope (`gate`). The book is kept as the database has it (`watch`), and on disk for when that is
away (`book`).
"""
