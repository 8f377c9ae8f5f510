/** Pushes the image, and asks the registry what it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildResult, BuildSpec } from '../../shared/model/build-spec.ts';
import { keptCacheTag } from '../../shared/model/layer-cache.ts';
import { RegistryError } from '../../shared/registry/model.ts';
import { BuildError } from '../build-error.ts';
import { latestCache } from '../command.ts';
import { type CredentialsOfAws, fetchCredentials, writeDockerConfig } from '../credentials.ts';
import { createDocker, type Docker } from '../docker.ts';
import { pushFailure } from '../failure/registry-words.ts';
import { say } from '../output.ts';
import { createRegistryView, type RegistryView } from '../pushed.ts';
import { networkOf } from '../registries.ts';
import type { State, Work } from '../work.ts';

/**
 * `onPushed` gets what is certain as soon as the tag has moved: whatever ends this process afterwards, the build has
 * succeeded.
 */
export async function push(
  work: Work,
  state: State<BuildSpec>,
  aws: () => Promise<CredentialsOfAws>,
  onPushed: (result: BuildResult) => Promise<void>,
): Promise<BuildResult> {
  const { spec, client, timingsMs } = state;
  await renewLogin(work, state, aws);
  const docker = createDocker(client, work.docker.config);
  const registry = createRegistryView(work.docker.config, networkOf(spec));
  const started = performance.now();
  const digest = await pushOne(docker, spec.target);
  const [{ sizeBytes, platform }] = await Promise.all([
    describe(registry, spec.target, digest),
    onPushed({ outcome: 'succeeded', digest, timingsMs }),
    state.cacheMode === 'inline'
      ? keepCache(docker, registry, state, digest)
      : nameCache(registry, spec.cache),
  ]);
  timingsMs.push = Math.round(performance.now() - started);
  say(`pushed ${spec.target}@${digest}: ${sizeBytes ?? 'unknown'} bytes in ${timingsMs.push} ms`);
  return { outcome: 'succeeded', digest, sizeBytes, platform, timingsMs };
}

/** Tokens of ECR last 12 hours, builds up to 36, and a password may have been changed meanwhile. */
const renewAfterMs = 3_600_000;

/** `aws` is only called for credentials that are old: its client takes time to load. */
async function renewLogin(
  work: Work,
  { spec, loggedInAt }: State<BuildSpec>,
  aws: () => Promise<CredentialsOfAws>,
): Promise<void> {
  if (loggedInAt === undefined || Date.now() - Date.parse(loggedInAt) < renewAfterMs) return;
  await writeDockerConfig(work.docker.config, await fetchCredentials(spec.registries, await aws()));
  say('renewed the credentials of the registries');
}

const describeAttempts = 3;
const describePauseMs = 1000;

/** The tag has moved by now: a registry that doesn't say what it has makes nothing undone. */
async function describe(
  registry: RegistryView,
  uri: string,
  digest: string,
): Promise<{ sizeBytes?: number; platform?: string }> {
  for (let attempt = 1; ; attempt++)
    try {
      return await registry.describe(uri, digest);
    } catch (error) {
      const asksToWait = error instanceof RegistryError && error.code === 'rate-limited';
      if (attempt === describeAttempts || asksToWait) {
        say(`the registry did not return the manifest ${digest}: ${(error as Error).message}`);
        return {};
      }
      await sleep(describePauseMs);
    }
}

/** Answers the digest of what was pushed. */
async function pushOne(docker: Docker, uri: string): Promise<string> {
  const lines: string[] = [];
  const exitCode = await docker.run(['push', uri], (line) => {
    lines.push(line);
    process.stdout.write(`${line}\n`);
  });
  const [, digest] = /digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(lines.join('\n')) ?? [];
  if (exitCode === 0 && digest) return digest;
  throw new BuildError(pushFailure(uri, lines));
}

/**
 * The image carries its own cache: under the cache's name, the next build of the repository finds it whatever its
 * tag is. Where that lies in another registry it is pushed there as well. Without it a build is slower, not wrong.
 */
async function keepCache(
  docker: Docker,
  registry: RegistryView,
  { spec, cacheExists }: State<BuildSpec>,
  digest: string,
): Promise<void> {
  try {
    const isWhole = !cacheExists || (await registry.hasWholeCache(spec.target, digest));
    for (const cache of [latestCache(spec.cache), ...(isWhole ? [spec.cache] : [])]) {
      if (await registry.tagAs(spec.target, digest, cache)) continue;
      const quiet = () => undefined;
      await docker.run(['tag', spec.target, cache], quiet);
      const exitCode = await docker.run(['push', '--quiet', cache], quiet);
      await docker.run(['rmi', cache], quiet);
      if (exitCode !== 0) say(`could not keep the layer cache ${cache}`);
    }
  } catch (error) {
    say(`could not keep the layer cache ${spec.cache}: ${(error as Error).message}`);
  }
}

/** A cache of its own is replaced by the next one: its second tag lets ECR tell it from images then, and drop it. */
async function nameCache(registry: RegistryView, cache: string): Promise<void> {
  try {
    const digest = await registry.digestOf(cache);
    if (digest) await registry.tagAs(cache, digest, cache.replace(/[^:]*$/, keptCacheTag(digest)));
  } catch (error) {
    say(
      `could not tag the layer cache ${cache} a second time, so it stays when it is replaced: ${(error as Error).message}`,
    );
  }
}
