"""What each call of the API answers."""
