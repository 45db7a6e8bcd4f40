"""What can be done with members, for whoever asks over whatever."""
