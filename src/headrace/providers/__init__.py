"""One file a provider: dropping a file here is all it takes to add one."""
