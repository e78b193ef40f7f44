// Open an envelope with the libraries that npm checks provenance with: @sigstore/bundle, /core and /verify.
//   node verify.cjs PUBLIC.pem sha384|sha256 < LINE        prints {"verified": bool, "statement": {...}}
// The Verifier hashes with SHA-256 alone; for P-384 its parts are put together: their envelope, their encoding, their verification.
const fs = require("node:fs");
const { bundleFromJSON, envelopeFromJSON } = require("@sigstore/bundle");
const { crypto, dsse } = require("@sigstore/core");
const { Verifier, toSignedEntity } = require("@sigstore/verify");

const [pem, hash] = [fs.readFileSync(process.argv[2], "utf-8"), process.argv[3]];
const document = JSON.parse(fs.readFileSync(0, "utf-8"));
const key = crypto.createPublicKey(pem);

function whole() {
  if (document.signatures.length === 0) return false; // to Sigstore an envelope without signatures is none
  const bundle = bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: "key" }, tlogEntries: [] },
    dsseEnvelope: document,
  });
  const trust = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], publicKey: () => ({ publicKey: key, validFor: () => true }) };
  try {
    new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0 }).verify(toSignedEntity(bundle));
    return true;
  } catch (error) {
    if (error.code !== "SIGNATURE_ERROR") throw error;
    return false;
  }
}

const envelope = envelopeFromJSON(document);
const said = dsse.preAuthEncoding(envelope.payloadType, envelope.payload);
const parts = envelope.signatures.some((one) => crypto.verify(said, key, one.sig, hash));
if (hash === "sha256" && whole() !== parts) throw new Error("the verifier and its parts disagree");
process.stdout.write(JSON.stringify({ verified: parts, statement: JSON.parse(envelope.payload) }));
