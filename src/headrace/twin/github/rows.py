"""What a repository holds, as rows. Instants are Unix seconds; `render` gives them their shapes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Pull:
    """What makes an issue a pull request."""

    head: str
    head_sha: str
    base: str
    base_sha: str
    merged_s: int | None = None
    merge_sha: str | None = None


@dataclass(slots=True)
class Issue:
    """An issue, or a pull request if it has a `pull`. `deleted` ones leave 410 behind."""

    id: int
    number: int
    title: str
    body: str | None
    user: str
    created_s: int
    updated_s: int
    closed_s: int | None = None
    labels: tuple[str, ...] = ()
    comments: int = 0
    review_comments: int = 0
    pull: Pull | None = None

    @property
    def state(self) -> str:
        """`open` or `closed`."""
        return "open" if self.closed_s is None else "closed"


@dataclass(slots=True)
class Comment:
    """What somebody said to an issue or a pull request."""

    id: int
    issue: int
    on_pull: bool
    body: str
    user: str
    created_s: int
    updated_s: int


@dataclass(slots=True)
class Review:
    """A verdict over a pull request."""

    id: int
    pull: int
    state: str
    body: str
    user: str
    submitted_s: int
    commit: str


@dataclass(slots=True)
class ReviewComment:
    """A remark in a review, beside a line of the change."""

    id: int
    pull: int
    review: int
    body: str
    user: str
    commit: str
    created_s: int
    updated_s: int


@dataclass(slots=True, frozen=True)
class Commit:
    """One commit. Author and committer may give any date they like."""

    sha: str
    message: str
    author: str
    author_s: int
    committer: str
    committer_s: int
    parents: tuple[str, ...]


@dataclass(slots=True)
class Release:
    """A published version."""

    id: int
    tag: str
    name: str
    body: str
    user: str
    created_s: int
    updated_s: int
    prerelease: bool = False


@dataclass(slots=True)
class Event:
    """One line of the repository's activity, with copies of what it is about as that was then.

    `push` is the branch, and the shas before and after.
    """

    id: int
    action: str
    user: str
    created_s: int
    issue: Issue | None = None
    comment: Comment | None = None
    review: Review | None = None
    release: Release | None = None
    push: tuple[str, str, str] | None = None


@dataclass(slots=True)
class Thread:
    """A notification. There is one of each subject, made unread again by news of it."""

    id: int
    number: int
    reason: str
    unread: bool
    updated_s: int
    last_read_s: int | None = None


@dataclass(slots=True)
class Repository:
    """One repository with all that is in it. `elsewhere`: where transferred issues have gone."""

    id: int
    owner: str
    name: str
    private: bool
    created_s: int
    updated_s: int
    pushed_s: int
    description: str = ""
    default_branch: str = "main"
    last_number: int = 0
    issues: dict[int, Issue] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    elsewhere: dict[int, tuple[int, int]] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    review_comments: dict[int, ReviewComment] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    releases: dict[int, Release] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    threads: dict[int, Thread] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def open_issues(self) -> int:
        """How many issues and pull requests are open: GitHub counts both."""
        return sum(issue.closed_s is None for issue in self.issues.values())
