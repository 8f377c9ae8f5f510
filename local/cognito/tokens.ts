/** Tokens shaped like Cognito's, signed with a key of the pool, and the documents that verify them. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import type { Cloud } from '../platform.ts';
import { openSealing } from '../sealing.ts';
import type { Client } from './pools.ts';
import type { User, UserStore } from './users.ts';

export type TokenIssuer = ReturnType<typeof createTokenIssuer>;

export function createTokenIssuer(cloud: Cloud, users: UserStore) {
  const { db } = cloud;
  db.exec(`CREATE TABLE IF NOT EXISTS cognito_keys (
    pool_id TEXT PRIMARY KEY, id TEXT NOT NULL, public_key TEXT NOT NULL, sealed BLOB NOT NULL)`);
  const sealing = openSealing(cloud);
  const purpose = (poolId: string): string => `cognito key of ${poolId}`;
  const issuerOf = (poolId: string): string => `${cloud.endpointUrl}/${poolId}`;

  function publicKey(poolId: string): JWK | undefined {
    const row = db.prepare('SELECT id, public_key FROM cognito_keys WHERE pool_id = ?').get(poolId);
    return row && { ...JSON.parse(String(row.public_key)), kid: String(row.id), alg: 'RS256', use: 'sig' };
  }

  async function sign(
    poolId: string,
    claims: Record<string, unknown>,
    lifetimeSeconds: number,
  ): Promise<string> {
    const row = db.prepare('SELECT id, sealed FROM cognito_keys WHERE pool_id = ?').get(poolId);
    if (!row) throw new Error(`user pool ${poolId} has no key`);
    const key = await importJWK(JSON.parse(sealing.open(row.sealed as Uint8Array, purpose(poolId))), 'RS256');
    const now = Math.floor(cloud.now().getTime() / 1000);
    return new SignJWT({ ...claims, iss: issuerOf(poolId), jti: randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: String(row.id) })
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(key);
  }

  return {
    /** Makes the pool's key at its first start. */
    async ensureKey(poolId: string): Promise<void> {
      if (publicKey(poolId)) return;
      const pair = await generateKeyPair('RS256', { extractable: true });
      db.prepare('INSERT OR IGNORE INTO cognito_keys VALUES (?, ?, ?, ?)').run(
        poolId,
        randomUUID(),
        JSON.stringify(await exportJWK(pair.publicKey)),
        sealing.seal(JSON.stringify(await exportJWK(pair.privateKey)), purpose(poolId)),
      );
    },
    /** `AuthenticationResult` of a sign-in (with a new refresh token) or of a refresh (without). */
    async authenticate(user: User, client: Client, refreshedFrom?: number): Promise<object> {
      const signedInAt = Math.floor((refreshedFrom ?? cloud.now().getTime()) / 1000);
      const shared = {
        sub: user.sub,
        origin_jti: randomUUID(),
        event_id: randomUUID(),
        auth_time: signedInAt,
      };
      const { email, email_verified: verified, name } = user.attributes;
      const id = {
        ...shared,
        token_use: 'id',
        aud: client.id,
        'cognito:username': user.username,
        ...(email !== undefined && { email, email_verified: verified === 'true' }),
        ...(name !== undefined && { name }),
      };
      const access = {
        ...shared,
        token_use: 'access',
        client_id: client.id,
        scope: 'aws.cognito.signin.user.admin',
        username: user.username,
      };
      return {
        AccessToken: await sign(client.poolId, access, client.accessSeconds),
        IdToken: await sign(client.poolId, id, client.idSeconds),
        ExpiresIn: client.accessSeconds,
        TokenType: 'Bearer',
        ...(refreshedFrom === undefined && {
          RefreshToken: users.addRefreshToken(user, client.id, client.refreshSeconds),
        }),
      };
    },
    /** The issuer's public documents, by pool and name. */
    document(poolId: string, name: string): object | undefined {
      const key = publicKey(poolId);
      if (!key) return undefined;
      if (name === 'jwks.json') return { keys: [key] };
      if (name !== 'openid-configuration') return undefined;
      return {
        issuer: issuerOf(poolId),
        jwks_uri: `${issuerOf(poolId)}/.well-known/jwks.json`,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['code', 'token'],
        scopes_supported: ['openid', 'email', 'phone', 'profile'],
        subject_types_supported: ['public'],
      };
    },
  };
}
