"""A running gateway against the wanted one: what changes, what each change disturbs, in which steps it is done."""
