"""What CloudFormation templates are made of: text with positions, parameters, intrinsic functions, resources, nested stacks.

Templates are hostile input. Everything is bounded (file size, depth, number of values, work spent on expressions), nothing is
constructed from tags, and no file is opened but templates and `samconfig.toml`.
"""
