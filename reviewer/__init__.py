"""The reviewer: from a diff to findings."""
