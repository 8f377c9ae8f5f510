/** Verifies OIDC tokens (RFC 7519) of one issuer: signature, issuer, audience and times. */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

/** Asymmetric ones only: with a shared key, whoever verifies could also sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const discoveryTimeoutMs = 5000;

export interface OidcVerifier {
  /** The token's `sub`, or undefined for a token that doesn't hold. Throws when the issuer doesn't answer. */
  subjectOf(token: string, now: Date): Promise<string | undefined>;
}

export function createOidcVerifier({ issuer, audience }: { issuer: string; audience: string }): OidcVerifier {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  const keysOnce = () => {
    keys ??= discover(issuer).catch((error) => {
      // The next request asks again; a promise that failed once would refuse everybody until the function restarts.
      keys = undefined;
      throw error;
    });
    return keys;
  };
  return {
    async subjectOf(token, now) {
      try {
        const { payload } = await jwtVerify(token, await keysOnce(), {
          issuer,
          algorithms,
          currentDate: now,
          clockTolerance: 5,
          requiredClaims: ['sub', 'exp'],
        });
        return isFor(audience, payload) ? payload.sub : undefined;
      } catch (error) {
        if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && isVerdict(error))
          return undefined;
        throw error;
      }
    },
  };
}

/** OIDC Discovery 1.0: the issuer says where its keys are. */
async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(discoveryTimeoutMs) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  const { jwks_uri } = (await answer.json()) as { jwks_uri?: string };
  if (!jwks_uri) throw new Error(`${url} names no jwks_uri`);
  return createRemoteJWKSet(new URL(jwks_uri));
}

/** Cognito's access tokens name the app client in `client_id` and carry no `aud`. */
function isFor(audience: string, { aud, client_id, token_use }: JWTPayload): boolean {
  if (aud !== undefined) return [aud].flat().includes(audience);
  return token_use === 'access' && client_id === audience;
}

/** Whether the error speaks of the token; a plain JOSEError is jose's word for keys that can't be fetched. */
const isVerdict = (error: errors.JOSEError) => error.code !== 'ERR_JOSE_GENERIC';
