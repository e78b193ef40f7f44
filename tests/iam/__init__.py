"""The IAM policies that users take, held to the calls that are really made."""
