"""CloudFormation, on loopback: stacks that are changed by change sets, whose functions are those of the local Lambda."""
