/** A token of another organisation's admin, made by the script an operator runs. */
import { run } from '../../scripts/command.ts';
import type { LocalCloud } from '../../scripts/local-cloud.ts';

export async function adminToken(cloud: LocalCloud, organisation: string): Promise<string> {
  const output = await run(
    process.execPath,
    ['scripts/create-admin.ts', '--stage', 'local', '--organisation', organisation],
    {
      env: {
        AWS_ENDPOINT_URL: cloud.endpointUrl,
        AWS_REGION: cloud.region,
        AWS_ACCESS_KEY_ID: cloud.accessKeyId,
        AWS_SECRET_ACCESS_KEY: cloud.secretAccessKey,
      },
    },
  );
  const token = /slp_[\w.-]+/.exec(output)?.[0];
  if (!token) throw new Error(`no token in: ${output}`);
  return token;
}
