"""What `bench/run` is made of: a module for each subject, and what they share."""
