"""Reading mail and calendars that already lie on disk: what a mailbox is, and how to walk one.

    detect    a path          -> the sources in it (mbox, Maildir, folder of .eml, .ics, archives)
    walks     a source        -> pages of records, resumable inside a file
    mbox      a byte stream   -> the messages in it
    record    one message     -> a `Record` with its identity and time

Everything here blocks; `headrace.providers.mailbox` runs it in a thread.
"""
