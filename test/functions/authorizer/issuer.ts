/** An OIDC issuer of its own on loopback, which signs whatever a test asks for. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TestIssuer {
  url: string;
  /** Paths that were asked for. */
  asked: string[];
  /** Signs with the key that the issuer publishes, unless told otherwise. */
  sign(
    claims: object,
    more?: { expires?: string | number; alg?: string; foreignKey?: boolean },
  ): Promise<string>;
  /** The public key as text, for those who try to sign with it. */
  publicKey: string;
  fail: boolean;
  stop(): Promise<void>;
}

export async function startIssuer(): Promise<TestIssuer> {
  const own = await generateKeyPair('RS256', { extractable: true });
  const elliptic = await generateKeyPair('ES256', { extractable: true });
  const weak = await generateKeyPair('RS512', { extractable: true });
  const foreign = await generateKeyPair('RS256');
  const keys = [
    { ...(await exportJWK(own.publicKey)), kid: 'RS256', alg: 'RS256' },
    { ...(await exportJWK(elliptic.publicKey)), kid: 'ES256', alg: 'ES256' },
    { ...(await exportJWK(weak.publicKey)), kid: 'RS512' },
  ];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (issuer.fail) return void response.writeHead(503).end();
    const answer = request.url?.endsWith('openid-configuration')
      ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }
      : { keys };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer: TestIssuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pool`,
    asked,
    fail: false,
    publicKey: JSON.stringify(keys[0]),
    sign(claims, { expires = '5m', alg = 'RS256', foreignKey = false } = {}) {
      const key = foreignKey
        ? foreign.privateKey
        : { RS256: own, ES256: elliptic, RS512: weak }[alg]?.privateKey;
      if (!key) throw new Error(`no key for ${alg}`);
      return new SignJWT({ iss: issuer.url, ...claims })
        .setProtectedHeader({ alg, kid: alg })
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(key);
    },
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
  return issuer;
}
