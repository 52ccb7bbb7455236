"""The long-running part: starts the boxes, follows their logs and counters, and brings decisions into force."""
