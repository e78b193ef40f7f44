"""What signing needs on the AWS side: made, tightened, looked at."""
