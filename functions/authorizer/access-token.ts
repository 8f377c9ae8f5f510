/** Access tokens of the OIDC issuer: signature, issuer, audience, times, and that it is an access token at all. */
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { memberIdOf } from '../../shared/store/members.ts';

/** HMAC and `none` would let whoever knows the public keys sign. */
const algorithms = ['RS256', 'ES256'];
const clockToleranceSeconds = 30;

export interface Issuer {
  /** As in the `iss` claim. */
  issuer: string;
  /** `aud`, or Cognito's `client_id`. */
  audience: string;
}

/**
 * Answers the member id of a good token's subject, undefined for a token that isn't good.
 * Throws where the issuer's keys can't be had: that is no fault of the token.
 */
export function createAccessTokenVerifier(
  { issuer, audience }: Issuer,
  now: () => Date,
): (text: string) => Promise<string | undefined> {
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;
  return async (text) => {
    keys ??= createRemoteJWKSet(await keysUrl(issuer), { cooldownDuration: 30_000, timeoutDuration: 4000 });
    try {
      const { payload } = await jwtVerify(text, keys, {
        issuer,
        algorithms,
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['sub', 'exp'],
        currentDate: now(),
      });
      return isForUs(payload, audience) ? memberIdOf(issuer, String(payload.sub)) : undefined;
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw error;
      if (error.code === 'ERR_JOSE_GENERIC' || error instanceof errors.JWKSInvalid) throw error;
      return undefined;
    }
  };
}

/** Cognito's access tokens say `client_id` and `token_use`; others say `aud`. An ID token says who, not what one may. */
function isForUs({ aud, client_id, token_use }: JWTPayload, audience: string): boolean {
  if (token_use !== undefined && token_use !== 'access') return false;
  const audiences = aud === undefined ? [client_id] : [aud].flat();
  return audiences.includes(audience);
}

/** The issuer's own word on where its keys are. */
async function keysUrl(issuer: string): Promise<URL> {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(4000),
    redirect: 'error',
  });
  if (!answer.ok) throw new Error(`the issuer's discovery document answered ${answer.status}`);
  const { jwks_uri } = (await answer.json()) as { jwks_uri?: unknown };
  if (typeof jwks_uri !== 'string') throw new Error("the issuer's discovery document names no jwks_uri");
  return new URL(jwks_uri);
}
