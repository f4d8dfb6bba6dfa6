"""Calendars of accounts: what their events become, and what is left of a series that has ended."""
