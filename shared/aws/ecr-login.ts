import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';

/** Renewed this long before the end of its twelve hours. */
const marginMs = 15 * 60_000;

/** Username and password for the account's own ECR, by the function's role; asked for once and kept while it lasts. */
export function createEcrLogin(
  client: ECRClient = new ECRClient({}),
  now: () => number = Date.now,
): () => Promise<{ username: string; password: string }> {
  let kept: { credentials: { username: string; password: string }; until: number } | undefined;
  return async () => {
    if (kept && now() < kept.until) return kept.credentials;
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
    const [data] = authorizationData ?? [];
    const decoded = Buffer.from(data?.authorizationToken ?? '', 'base64').toString();
    const colon = decoded.indexOf(':');
    if (colon < 1) throw new Error('ECR answered no authorization token');
    kept = {
      credentials: { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) },
      until: (data?.expiresAt?.getTime() ?? now()) - marginMs,
    };
    return kept.credentials;
  };
}
