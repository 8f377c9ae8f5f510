/** Inspection beside the requests that it can't do without, and what a registry that means harm costs. */
import { randomBytes } from 'node:crypto';
import { Agent, get } from 'node:http';
import { run } from '../scripts/command.ts';
import { type DockerRegistry, startDockerRegistry } from '../scripts/docker-registry.ts';
import { commandsOnPath } from '../scripts/engine/find.ts';
import { installPackages } from '../scripts/engine/install.ts';
import { createRegistryClient } from '../shared/registry/client.ts';
import { sha256Of } from '../shared/registry/digest.ts';
import { inspectImage } from '../shared/registry/inspect.ts';
import { acceptedManifests, ociManifest } from '../shared/registry/media-types.ts';
import { createNetwork } from '../shared/registry/network.ts';
import { type Attacked, rounds as attackRounds, memoryGoalBytes, underAttack } from './registry/memory.ts';
import { inTurn, median, ms, type Row, type Section, timed } from './report.ts';

const layers = 30;
const warmUp = 300;
const rounds = 2000;
const skopeoRounds = 5;
const repository = 'bench';

export async function registryClient(): Promise<Section> {
  if (commandsOnPath('skopeo').length === 0) await installPackages(['skopeo'], [], () => {});
  const registry = await startDockerRegistry();
  const network = createNetwork({ privateHosts: [registry.host] });
  const agent = new Agent({ keepAlive: true });
  try {
    // A client for each image, as each request to the API has one.
    const client = () => createRegistryClient({ host: registry.host, network, insecure: true });
    const config = await push(client());
    const inspect = () => inspectImage(client(), repository, '1');
    const bare = async () => {
      const manifest = JSON.parse(await text(agent, registry, 'manifests/1'));
      return JSON.parse(await text(agent, registry, `blobs/${manifest.config.digest}`));
    };
    await inTurn(warmUp, inspect, bare);
    const { a, b } = await inTurn(rounds, inspect, bare);
    const skopeo: number[] = [];
    for (let i = 0; i < skopeoRounds; i++)
      skopeo.push(
        await timed(() =>
          run('skopeo', ['inspect', '--tls-verify=false', `docker://${registry.host}/${repository}:1`]),
        ),
      );
    const ratio = median(a) / median(b);
    return {
      title: 'Registry client',
      how: `Inspection of a ${layers}-layer image in Debian's docker-registry: manifest and configuration (${config.length} bytes), ${rounds} times in turn with a loop that sends the same two requests and checks nothing, on open connections; \`skopeo inspect\` as users run it, in a new process each time. Memory: the kernel's peak above the idle process, for each attack of a hostile server in a new process; and for all attacks in one process, ${attackRounds} times, with a garbage collection before each.`,
      rows: [
        {
          what: 'inspect',
          measured: ms(median(a)),
          beside: `bare loop ${ms(median(b))}, ratio ${ratio.toFixed(3)}; \`skopeo inspect\` ${ms(median(skopeo))}`,
          goal: '≤ 1.10×',
          met: ratio <= 1.1,
        },
        ...(await attackRows()),
      ],
    };
  } finally {
    agent.destroy();
    network.close();
    await registry.stop();
  }
}

async function attackRows(): Promise<Row[]> {
  const { alone, together } = await underAttack();
  const row = (what: string, { code, seconds, aboveIdleBytes }: Attacked): Row => ({
    what: `memory: ${what}`,
    measured: `${(aboveIdleBytes / 2 ** 20).toFixed(1)} MiB`,
    beside: `${code}, ${ms(seconds * 1000)}`,
    goal: '≤ 64 MiB',
    met: aboveIdleBytes <= memoryGoalBytes,
  });
  const last = together.at(-1);
  const all = last && row(`all of them, ${attackRounds} times`, last);
  return [
    ...alone.map((one) => row(one.name, one)),
    ...(all ? [{ ...all, beside: `${together.length} in one process` }] : []),
  ];
}

/** Answers the bytes of the image's configuration. */
async function push(client: ReturnType<typeof createRegistryClient>): Promise<Buffer> {
  const put = async (body: Buffer, mediaType: string) => {
    const digest = sha256Of(body);
    await client.putBlob(repository, digest, body);
    return { mediaType, digest, size: body.length };
  };
  const made = [];
  for (let i = 0; i < layers; i++)
    made.push(await put(randomBytes(1000), 'application/vnd.oci.image.layer.v1.tar+gzip'));
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Env: ['PATH=/usr/bin:/bin'], Labels: { team: 'vision' }, Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: made.map(({ digest }) => digest) },
      history: made.map(({ digest }) => ({ created_by: `RUN echo ${digest}` })),
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: await put(config, 'application/vnd.oci.image.config.v1+json'),
    layers: made,
  };
  await client.putManifest(repository, '1', ociManifest, Buffer.from(JSON.stringify(manifest)));
  return config;
}

function text(agent: Agent, { host }: DockerRegistry, path: string): Promise<string> {
  return new Promise((read, failed) => {
    const headers = { accept: acceptedManifests };
    get(`http://${host}/v2/${repository}/${path}`, { agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () => read(Buffer.concat(chunks).toString()));
      answer.once('error', failed);
    }).once('error', failed);
  });
}
