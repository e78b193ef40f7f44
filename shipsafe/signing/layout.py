"""The layout of the signature that AWS Signer puts into a zip for Lambda. AWS does not document it.

Signer appends a folder entry and one file, whose text is a detached CMS SignedData (RFC 5652) in PEM. Read off genuine signatures: see
docs/guides/signatures.md for what is confirmed and what rests on a single source.
"""

FOLDER = "META_INF/"  # an underscore, not the hyphen of a JAR
ENTRY = "META_INF/aws_signer_signature_v1.0.SF"
PEM_LABEL = "PKCS7"

# Signed attributes. The arc 1.3.187.137.1 is Signer's own.
JOB_OID = "1.3.187.137.1.2"  # UTF8String: ARN of the signing job
EXPIRY_OID = "1.3.187.137.1.3"  # GeneralizedTime
PROFILE_OID = "1.3.187.137.1.4"  # UTF8String: ARN of the signing profile's version

PLATFORM = "AWSLambda-SHA384-ECDSA"
LARGEST_ZIP = 250 * 1024 * 1024  # bytes; `maxSizeInMB` of the platform, GetSigningPlatform
