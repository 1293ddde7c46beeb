"""May an interpreter see this file? Every check on the bytes before it does."""
