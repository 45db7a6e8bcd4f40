"""What every service shares: the frame around the business, with no business word in it."""
