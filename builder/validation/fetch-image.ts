/** Brings the image that is to be checked into the engine. */
import type { ValidationSpec } from '../../shared/model/build-spec.ts';
import type { Aws } from '../aws.ts';
import { BuildError } from '../build-error.ts';
import { fetchCredentials, writeDockerConfig } from '../credentials.ts';
import { createDocker, findDocker } from '../docker.ts';
import { pullFailure } from '../failure/registry-words.ts';
import { say } from '../output.ts';
import { type State, saveState, type Work } from '../work.ts';

export async function fetchImage(work: Work, state: State<ValidationSpec>, aws: Aws): Promise<void> {
  const started = performance.now();
  const { host, repository, digest, credentials } = state.spec.image;
  const reference = `${host}/${repository}@${digest}`;
  const [client] = await Promise.all([
    findDocker(),
    fetchCredentials(credentials ? [credentials] : [], aws).then((found) =>
      writeDockerConfig(work.docker.config, found),
    ),
  ]);
  const docker = createDocker(client, work.docker.config);
  const there = (await docker.run(['image', 'inspect', reference], () => undefined)) === 0;
  if (!there) {
    const lines: string[] = [];
    const exitCode = await docker.run(['pull', reference], (line) => {
      lines.push(line);
      process.stdout.write(`${line}\n`);
    });
    if (exitCode !== 0) throw new BuildError(pullFailure(reference, lines));
  }
  state.client = client;
  state.image = { reference, fetched: !there };
  state.timingsMs.fetch = Math.round(performance.now() - started);
  say(`checking ${reference}`);
  await saveState(work, state);
}
