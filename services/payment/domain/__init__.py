"""What a payment is, what has to be done for it, and how its money is booked; plain Python."""
