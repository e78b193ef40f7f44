"""What signing needs on the AWS side: how it should be, how it is, and what makes it so. `bootstrap` and `doctor` both ask here."""
