"""What the reader of Terraform plans is made of: the document, what refers to what, where code comes from, lines of `.tf` files.

The format: https://developer.hashicorp.com/terraform/internals/json-format (OpenTofu writes the same one).
"""
