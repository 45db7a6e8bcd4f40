"""What an order is and what can become of it; plain Python."""
