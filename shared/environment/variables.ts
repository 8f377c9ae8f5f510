import * as z from 'zod';
import { wording } from '../text/wording.ts';

const nonEmpty = z.string().min(1);

/** What each variable of a function's environment looks like; a function picks the ones that it is given. */
export const variables = z.object({
  TABLE_NAME: nonEmpty,
  ARTIFACTS_BUCKET: nonEmpty,
  BUILD_PROJECT: nonEmpty,
  BUILD_LOG_GROUP: nonEmpty,
  JOB_LOG_GROUP: nonEmpty,
  STATE_MACHINE_ARN: nonEmpty,
  ROLE_ARN_PREFIX: nonEmpty,
  TOKEN_KEY_SECRET_ARN: nonEmpty,
  AUTH_ISSUER: z.url(),
  AUTH_AUDIENCE: nonEmpty,
  /** Absent where the deployment has an OIDC issuer of its own. */
  USER_POOL_ID: nonEmpty.optional(),
  ECR_REGISTRY: nonEmpty,
  API_URL: z.url(),
});

/**
 * Reads a function's environment once, at start: `readVariables({ TABLE_NAME: true })`.
 * Throws an error that names every variable that is missing or wrong.
 */
export function readVariables<K extends keyof typeof variables.shape>(
  names: Record<K, true>,
  environment: NodeJS.ProcessEnv = process.env,
): Pick<z.output<typeof variables>, K> {
  const shape = Object.fromEntries((Object.keys(names) as K[]).map((name) => [name, variables.shape[name]]));
  const result = z.object(shape).safeParse(environment, { error: wording });
  if (!result.success)
    throw new Error(
      `environment: ${result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`,
    );
  return result.data as unknown as Pick<z.output<typeof variables>, K>;
}
