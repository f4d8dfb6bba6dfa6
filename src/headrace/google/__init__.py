"""What Google's APIs say, read strictly: for the providers of accounts at Google.

refusals     why a request was refused, in words for the account's owner
letters      Gmail's lists, changes and messages
choice       which mail is wanted
place        how far a walk of a mailbox is
"""
