"""Accounts by OAuth 2: how a consent is asked for, and how its tokens are kept fresh.

issuers      who gives tokens, and where
endpoint     what is asked of an issuer: tokens for a code, a refresh token or a device
keeper       the access token of this moment, refreshed once for all processes
consent      sending a person to the issuer, and what comes back
"""
