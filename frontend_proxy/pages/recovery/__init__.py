"""What mailed links lead to: a forgotten password, and the proof of an e-mail address."""
