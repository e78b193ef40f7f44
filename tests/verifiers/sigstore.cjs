// Sigstore on the loopback interface: Fulcio with its certificate log, Rekor, and the token endpoint of GitHub Actions, as @sigstore/mock
// makes them. Prints one line, {"url", "trust"} (a ClientTrustConfig), and answers until its standard input ends.
//   node sigstore.cjs IDENTITY ISSUER [REPOSITORY]
// A token is of the repository that its URL names (`/token?repository=acme/orders`), else of REPOSITORY; `-` is none.
const http = require("node:http");
const { createHash, generateKeyPairSync, randomUUID } = require("node:crypto");
const { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, rekorHandler } = require("@sigstore/mock");

const [identity, issuer, home] = process.argv.slice(2);
const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const b64 = (bytes) => Buffer.from(bytes).toString("base64");
const token = (claims) => [{ alg: "none" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".") + ".";

// Clients in Python send Fulcio the token as a header and the request as base64 of PEM; the handler knows the other form of its API.
function understood(asked, headers) {
  if (!asked.certificateSigningRequest) return asked;
  const pem = Buffer.from(asked.certificateSigningRequest, "base64").toString();
  return { credentials: { oidcIdentityToken: headers.authorization.replace("Bearer ", "") }, certificateSigningRequest: pem };
}

async function main() {
  const [ofRekor, ofLog] = [pair(), pair()];
  const log = await initializeCTLog(ofLog);
  const ca = await initializeCA(pair(), log);
  const handlers = [fulcioHandler(ca, { subjectClaim: "workflow" })];
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const handler = handlers.find((one) => request.url === one.path);
    if (request.url.startsWith("/token")) {
      const repository = new URL(request.url, "http://localhost").searchParams.get("repository") ?? home;
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, sub: "repo:acme/orders", workflow: identity, aud: "sigstore", iat: now, nbf: now - 1, exp: now + 300, jti: randomUUID(), ...(repository !== "-" && { repository }) };
      response.end(JSON.stringify({ value: token(claims) }));
    } else if (handler) {
      const told = await handler.fn(JSON.stringify(understood(JSON.parse(body.toString()), request.headers)));
      response.writeHead(told.statusCode, { "content-type": "application/json" }).end(told.response);
    } else {
      response.writeHead(404).end();
    }
  });
  server.keepAliveTimeout = 0; // no connection that a client keeps is closed just when it is used again
  server.listen(0, "127.0.0.1", async () => {
    const url = `http://127.0.0.1:${server.address().port}`;
    handlers.push(rekorHandler(await initializeTLog(url, ofRekor)));
    const validFor = { start: new Date(Date.now() - 60_000).toISOString() };
    const logged = (baseUrl, key) => {
      const der = key.publicKey.export({ format: "der", type: "spki" });
      const publicKey = { rawBytes: b64(der), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor };
      return { baseUrl, hashAlgorithm: "SHA2_256", publicKey, logId: { keyId: b64(createHash("sha256").update(der).digest()) } };
    };
    const service = { url, majorApiVersion: 1, validFor, operator: "local" };
    const trust = {
      mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
      trustedRoot: {
        mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        tlogs: [logged(url, ofRekor)],
        ctlogs: [logged(url, ofLog)],
        certificateAuthorities: [{ subject: { commonName: "local", organization: "local" }, uri: url, certChain: { certificates: [{ rawBytes: b64(ca.rootCertificate) }] }, validFor }],
        timestampAuthorities: [],
      },
      signingConfig: {
        mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        caUrls: [service],
        oidcUrls: [service],
        rekorTlogUrls: [service],
        tsaUrls: [],
        rekorTlogConfig: { selector: "ANY" },
        tsaConfig: { selector: "ANY" },
      },
    };
    process.stdout.write(JSON.stringify({ url, trust }) + "\n");
  });
  process.stdin.resume().on("end", () => process.exit(0));
}
main();
