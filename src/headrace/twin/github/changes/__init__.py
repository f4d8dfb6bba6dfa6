"""What may happen at GitHub while somebody syncs: a list of changes, tagged by `do`.

    [{"do": "open_issue", "repo": "octo/one", "title": "It broke"},
     {"do": "comment", "repo": "octo/one", "number": 7, "body": "Here too"},
     {"do": "rename_repo", "repo": "octo/one", "name": "two"}]

`repo` is a full name or a number. Without a `user` it was the first of the twin's people.
"""

from headrace.twin.github.changes.code import (
    DeleteRelease,
    EditRelease,
    ForcePush,
    Merge,
    NewCommit,
    OpenPull,
    PublishRelease,
    Push,
)
from headrace.twin.github.changes.issues import (
    Close,
    DeleteComment,
    DeleteIssue,
    EditComment,
    EditIssue,
    Notify,
    OpenIssue,
    SayComment,
    SayReview,
    TransferIssue,
)
from headrace.twin.github.changes.repositories import (
    AddRepository,
    DeleteRepository,
    MakePrivate,
    RenameRepository,
    TransferRepository,
)

__all__ = [
    "AddRepository",
    "AnyChange",
    "Close",
    "DeleteComment",
    "DeleteIssue",
    "DeleteRelease",
    "DeleteRepository",
    "EditComment",
    "EditIssue",
    "EditRelease",
    "ForcePush",
    "MakePrivate",
    "Merge",
    "NewCommit",
    "Notify",
    "OpenIssue",
    "OpenPull",
    "PublishRelease",
    "Push",
    "RenameRepository",
    "SayComment",
    "SayReview",
    "TransferIssue",
    "TransferRepository",
]

AnyChange = (
    OpenIssue
    | EditIssue
    | Close
    | SayComment
    | EditComment
    | DeleteComment
    | DeleteIssue
    | TransferIssue
    | Notify
    | OpenPull
    | SayReview
    | Merge
    | Push
    | ForcePush
    | PublishRelease
    | EditRelease
    | DeleteRelease
    | RenameRepository
    | TransferRepository
    | MakePrivate
    | DeleteRepository
    | AddRepository
)
"""Every change there is."""
