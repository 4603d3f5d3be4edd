"""Where answers are kept: on disk, in Redis, under which key."""
