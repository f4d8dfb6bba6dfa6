"""GitHub's REST API, as a sync needs it.

app        tokens of a GitHub App's installation
lists      lists and their pages: links, ETags, lists read until they hold still
records    rows as records, and the table of what there is to walk
recent     what can be asked for by `since`: issues and what is said to them
commits    what branches lead to
whole      what is read whole: releases, notifications
"""
