"""One file a stage: dropping a file here is all it takes to add one."""
