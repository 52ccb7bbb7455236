"""What would lose messages, links or passwords, found in a spec or a kannel.conf before Kannel runs with it."""
