"""What /metrics tells, counted in the database at each look: so it is right with many workers, and
whichever process is asked. Only the requests are this process's own."""
