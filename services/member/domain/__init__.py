"""What a member is and which changes are allowed; plain Python."""
