/**
 * Builds the default images (`examples/images/*`) and pushes them to the deployment's own ECR, where every organisation
 * then finds them in its catalogue. Works on AWS and on the embedded cloud alike, with the operator's credentials.
 *
 *   npm run publish-images                             all of them
 *   npm run publish-images -- --image python           one
 *   npm run publish-images -- --base python=my/base:1  on another base
 *
 * Needs a container engine. Running it again is harmless: the tag moves to what was built now.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DescribeRepositoriesCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { defaultImages } from '../shared/model/default-images.ts';
import { explainAwsError } from './aws-error.ts';
import { run } from './command.ts';
import { ensureEngine } from './engine.ts';
import { repositoryRoot } from './local-cloud.ts';

const options = {
  image: { type: 'string', multiple: true },
  base: { type: 'string', multiple: true },
} as const;

/** `name=reference` by name. Throws for what is neither. */
function basesOf(texts: string[]): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const [, name, reference] = /^([a-z0-9-]+)=(\S+)$/.exec(text) ?? [];
      if (!name || !reference) throw new Error(`--base is <image>=<reference>, not '${text}'.`);
      return [name, reference];
    }),
  );
}

/** The repository is the data stack's: one that isn't there belongs to a stage that was not deployed. */
async function uriOf(ecr: ECRClient, repositoryName: string): Promise<string> {
  const { repositories } = await ecr
    .send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }))
    .catch((error: Error) => {
      if (error.name === 'RepositoryNotFoundException')
        throw new Error(`ECR has no repository ${repositoryName}. Deploy the stage first.`);
      throw error;
    });
  const uri = repositories?.[0]?.repositoryUri;
  if (!uri) throw new Error(`ECR returned no URI for ${repositoryName}.`);
  return uri;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  const bases = basesOf(values.base ?? []);
  const names = values.image ?? defaultImages.map(({ name }) => name);
  for (const name of [...names, ...bases.keys()])
    if (!defaultImages.some((one) => one.name === name))
      throw new Error(
        `There is no default image ${name}, only ${defaultImages.map((one) => one.name).join(', ')}.`,
      );
  const engine = await ensureEngine({ yes: false });
  const ecr = new ECRClient({});
  // A configuration of its own: the operator's `docker login`s are neither read nor changed.
  const configuration = await mkdtemp(join(tmpdir(), 'slipway-publish-'));
  try {
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
    const auth = authorizationData?.[0]?.authorizationToken;
    if (!auth) throw new Error('ECR gave no authorization token.');
    for (const { name, tag, base } of defaultImages.filter((one) => names.includes(one.name))) {
      const uri = await uriOf(ecr, `slipway/${name}`);
      const reference = `${uri}:${tag}`;
      const auths = { [uri.split('/')[0] ?? '']: { auth } };
      await writeFile(join(configuration, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
      const onLine = (line: string) => console.log(`  ${line}`);
      console.log(`${reference}: building on ${bases.get(name) ?? base}`);
      const folder = join(repositoryRoot, 'examples/images', name);
      const docker = ['--config', configuration];
      await run(
        engine.cli,
        // Hosts and builds are x86-64, whatever the operator's machine is.
        [
          ...docker,
          'build',
          '--platform',
          'linux/amd64',
          '--build-arg',
          `BASE=${bases.get(name) ?? base}`,
          '-t',
          reference,
          folder,
        ],
        { onLine, env: { DOCKER_BUILDKIT: '1' } },
      );
      await run(engine.cli, [...docker, 'push', reference], { onLine });
      console.log(`${reference}: published`);
    }
  } finally {
    ecr.destroy();
    await rm(configuration, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(explainAwsError(error));
  process.exitCode = 1;
}
