"""Where facts come from: one module a place that is asked, with the types of what it answers."""
