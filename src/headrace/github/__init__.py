"""GitHub's REST API, as a sync needs it.

config     which repositories are wanted, and what of them
app        tokens of a GitHub App's installation
repositories
           whose account it is, and the repositories that it can read
lists      lists and their pages: links, ETags, lists read until they hold still
records    rows as records, and the table of what there is to walk
recent     what can be asked for by `since`: issues and what is said to them
commits    what branches lead to
streams    the streams of an account, and a page of each
whole      what is read whole: releases, notifications
"""
