"""From a review to comments: the plan, its delivery, and the port that forges fit."""
