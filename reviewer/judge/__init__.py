"""From a change to a review: what is read, what is asked, what the evidence says."""
