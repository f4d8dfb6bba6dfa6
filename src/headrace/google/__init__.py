"""What Google's APIs say, read strictly: for the providers of accounts at Google.

refusals     why a request was refused, in words for the account's owner

mailbox      what is asked of Gmail, and what that costs
letters      Gmail's lists, changes and messages
choice       which mail is wanted
place        how far a walk of a mailbox is

calendars    what is asked of Google Calendar
followed     which calendars are wanted
calendar_config, calendar_place, calendar_tokens
             their config, how far a walk of one is, and when it begins again
events       Calendar's events, as records that sort as their versions do
series       what of a series goes when it goes
"""
