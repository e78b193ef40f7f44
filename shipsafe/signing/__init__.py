"""AWS Signer jobs, and what a signed zip says about itself."""
