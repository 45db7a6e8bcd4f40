"""The pages of mailed links: a new password, and the confirmation of an e-mail address."""
