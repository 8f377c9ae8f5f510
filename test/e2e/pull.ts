/** Images of the embedded cloud's ECR in the container engine, as an operator with the AWS CLI gets them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { run } from '../../scripts/command.ts';
import { awsConfiguration, type LocalCloud } from '../../scripts/local-cloud.ts';

/** Folder with a Docker configuration that is logged in to the cloud's registry. The caller removes it. */
export async function dockerConfiguration(cloud: LocalCloud): Promise<string> {
  const ecr = new ECRClient(awsConfiguration(cloud));
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  ecr.destroy();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-pull-'));
  const auths = { [cloud.registryHost]: { auth: authorizationData?.[0]?.authorizationToken } };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
  return folder;
}

/** Pulls, lets `use` have it, and takes it away again. */
export async function pullAs<T>(
  cloud: LocalCloud,
  reference: string,
  use: (reference: string) => Promise<T>,
): Promise<T> {
  const folder = await dockerConfiguration(cloud);
  try {
    await run('docker', ['--config', folder, 'pull', '-q', reference]);
    return await use(reference);
  } finally {
    await run('docker', ['rmi', '-f', reference]).catch(() => {
      // It was never pulled; that error is the one to see.
    });
    await rm(folder, { recursive: true, force: true });
  }
}
