"""What each type of resource does when a stack creates, updates and deletes it."""
