/** Pushes the image, and asks the registry what it has. */
import type { BuildResult } from '../../shared/model/build-spec.ts';
import { BuildError } from '../build-error.ts';
import { createDocker, type Docker } from '../docker.ts';
import { pushFailure } from '../failure.ts';
import { say } from '../output.ts';
import { pushedImage } from '../pushed.ts';
import type { Environment, State, Work } from '../work.ts';

export async function push(environment: Environment, work: Work, state: State): Promise<BuildResult> {
  const { spec, client } = state;
  const { uri } = spec.target;
  const docker = createDocker(client, work.docker.config);
  const started = performance.now();
  const digest = await pushOne(docker, uri);
  const image = await pushedImage(work, spec.target, digest);
  state.timingsMs.push = Math.round(performance.now() - started);
  say(`pushed ${uri}@${digest}: ${image.sizeBytes} bytes in ${state.timingsMs.push} ms`);
  if (environment.BUILDER_CACHE_MODE === 'inline') await keepCache(docker, state, () => image.tagAs(spec.cache));
  return {
    outcome: 'succeeded',
    digest,
    sizeBytes: image.sizeBytes,
    platform: image.platform,
    timingsMs: state.timingsMs,
  };
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
 * tag is. Where it lies in another registry it is pushed there as well. Without it a build is slower, not wrong.
 */
async function keepCache(docker: Docker, { spec }: State, tag: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  try {
    if (await tag()) return;
    if ((await docker.run(['tag', spec.target.uri, spec.cache], () => undefined)) !== 0) return;
    const exitCode = await docker.run(['push', '--quiet', spec.cache], () => undefined);
    await docker.run(['rmi', spec.cache], () => undefined);
    if (exitCode !== 0) say(`the layer cache ${spec.cache} could not be kept`);
  } catch (error) {
    say(`the layer cache ${spec.cache} could not be kept: ${(error as Error).message}`);
  }
  say(`layer cache kept in ${Math.round(performance.now() - started)} ms`);
}
