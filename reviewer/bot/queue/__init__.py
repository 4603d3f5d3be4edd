"""What is to be done, kept until it is done: in Redis for several machines, in SQLite for one."""
