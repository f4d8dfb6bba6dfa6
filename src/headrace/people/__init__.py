"""Who is who: how alike two identities are, and what groups the links between them make."""
