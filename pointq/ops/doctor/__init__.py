"""What is wrong or risky in a set-up, and the one command or setting that mends it.

`sources` ask the servers, the disk and this machine, each once, at the same time and not for long. The checks (one module a
subject under `checks`) are functions of what was learned: they ask nobody, so none of them can hang. To add one is to write a
function there under the decorator `registry.check`, and its line in docs/doctor.md, which a test asks for.
"""
