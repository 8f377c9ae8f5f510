/** Puts an image of the engine into an organisation's ECR space, with the tools that a person would use. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr';
import { CommandError, run } from '../command.ts';
import type { Engine } from '../engine.ts';
import type { LocalCloud } from '../local-cloud.ts';
import { awsConfiguration } from '../local-cloud.ts';
import type { Detail } from '../progress.ts';

export interface Published {
  cloud: LocalCloud;
  /** ECR repository, beginning with the organisation: `acme/python`. */
  repository: string;
  tag: string;
}

const named = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

/** Whether the repository has this tag already. */
export async function isPublished({ cloud, repository, tag }: Published): Promise<boolean> {
  const ecr = new ECRClient(awsConfiguration(cloud));
  try {
    const { images } = await ecr.send(
      new BatchGetImageCommand({ repositoryName: repository, imageIds: [{ imageTag: tag }] }),
    );
    return (images ?? []).length > 0;
  } catch (error) {
    if (named(error, 'RepositoryNotFoundException')) return false;
    throw error;
  } finally {
    ecr.destroy();
  }
}

/** Creates the repository where it is missing and pushes. Returns the reference to build from. */
export async function publish(
  engine: Engine,
  image: string,
  target: Published,
  detail: Detail,
): Promise<string> {
  const { cloud, repository, tag } = target;
  const reference = `${cloud.registryHost}/${repository}:${tag}`;
  const ecr = new ECRClient(awsConfiguration(cloud));
  try {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: repository })).catch((error: unknown) => {
      if (!named(error, 'RepositoryAlreadyExistsException')) throw error;
    });
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
    const token = authorizationData?.[0]?.authorizationToken;
    if (!token) throw new Error('ECR gave no authorization token');
    detail(`pushing ${reference}`);
    await pushWithToken(engine, image, reference, token, detail);
  } finally {
    ecr.destroy();
  }
  return reference;
}

async function pushWithToken(
  engine: Engine,
  image: string,
  reference: string,
  token: string,
  detail: Detail,
): Promise<void> {
  // A configuration of its own: the user's `docker login`s are neither read nor changed.
  const configuration = await mkdtemp(join(tmpdir(), 'slipway-push-'));
  const auths = { [reference.split('/')[0] ?? '']: { auth: token } };
  try {
    await writeFile(join(configuration, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
    await run(engine.cli, ['tag', image, reference]);
    const push = ['--config', configuration, 'push', reference];
    await run(engine.cli, push, { onLine: (line) => detail(`pushing ${reference}: ${line}`) });
    await removeTag(engine, reference);
  } finally {
    await rm(configuration, { recursive: true, force: true });
  }
}

/** What is gone is gone: another run that pushed the same image may have removed the tag first. */
async function removeTag(engine: Engine, reference: string): Promise<void> {
  try {
    await run(engine.cli, ['rmi', reference]);
  } catch (error) {
    if (!(error instanceof CommandError) || !/no such image/i.test(error.output)) throw error;
  }
}
