"""What Google's APIs say, read strictly: for the providers of accounts at Google.

refusals     why a request was refused, in words for the account's owner
letters      Gmail's lists, changes and messages
choice       which mail is wanted
place        how far a walk of a mailbox is

calendar_config, calendar_place, calendar_tokens
             which calendars are wanted, how far a walk of one is, and when it begins again
events       Calendar's events, as records that sort as their versions do
series       what of a series goes when it goes
"""
