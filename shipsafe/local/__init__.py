"""The local AWS endpoint (extra `local`): Signer and Lambda as AWS has them, in front of moto for the rest."""
