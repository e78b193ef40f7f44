"""What a synthesized CDK application is made of: manifests, the assemblies inside, asset lists, and where each construct stands.

`cdk.out` is a tool's output, and as hostile as any input: sizes, depth and counts are bounded, and no manifest leads out of it.
Source: the `cloud-assembly-schema` package of https://github.com/aws/aws-cdk-cli
"""
