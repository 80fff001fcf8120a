"""Who is to be read: an account, its secret, and the providers that people have accounts with."""
