"""What a provider's limit is, told from what bearerbox logs and counts; pure: events and times in, decisions out."""
