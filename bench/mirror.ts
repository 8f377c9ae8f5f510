/** A mirror of a large image through Slipway beside `skopeo copy` of the same one, between two local registries. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { run } from '../scripts/command.ts';
import { type DockerRegistry, startDockerRegistry } from '../scripts/docker-registry.ts';
import { commandsOnPath } from '../scripts/engine/find.ts';
import { installPackages } from '../scripts/engine/install.ts';
import { SmallImages } from '../scripts/small-images.ts';
import type { BenchCloud } from './cloud.ts';
import { median, ms, type Section, timed } from './report.ts';

const pairs = 5;
const layers = 8;
const layerBytes = 128 * 1024 * 1024;

/** Requests that begin to read or to write one of these layers. */
const transfers = async (registry: DockerRegistry, digests: string[]) =>
  (await registry.requests()).filter(
    (line) =>
      /"(?:POST|PATCH|PUT) [^ ]*\/blobs\//.test(line) ||
      digests.some((digest) => line.includes(`"GET /v2/large/blobs/${digest}`)),
  ).length;

interface Job {
  status: string;
  failure?: unknown;
  mirror?: { movedBlobs: number; existingBlobs: number; movedBytes: number };
}

interface Events {
  items: { code: string }[];
  nextCursor?: string;
}

/** Processor time of a process, and of the children that it has waited for. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ') ?? [];
  // utime, stime, cutime, cstime, in hundredths of a second.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

export async function mirrors({ api, cloud }: BenchCloud): Promise<Section> {
  if (commandsOnPath('skopeo').length === 0) await installPackages(['skopeo'], [], () => {});
  const from = await startDockerRegistry();
  try {
    const images = new SmallImages(from.host);
    // Compressed, as layers are: what isn't, skopeo compresses on its way, and pushes another image.
    const content = Array.from(
      { length: layers },
      () => () => gzipSync(randomBytes(layerBytes), { level: 0 }),
    );
    const { digest, body } = await images.imageOf('large', '1', content);
    const digests = (JSON.parse(body) as { layers: { digest: string }[] }).layers.map(
      (layer) => layer.digest,
    );
    const connect = async (host: string) => {
      const registry = { title: `bench ${host}`, url: `http://${host}`, type: 'other' };
      return (await api.post<{ id: string }>('/v1/registries', registry)).id;
    };
    const image = await api.post<{ id: string }>('/v1/images', {
      source: { type: 'reference' },
      registryId: await connect(from.host),
      repository: 'large',
      tag: '1',
    });
    const mirror = async (registryId: string, force = false) => {
      const { currentBuild } = await api.post<{ currentBuild: { id: string } }>(
        `/v1/images/${image.id}/mirrors`,
        { registryId, force },
      );
      const path = `/v1/builds/${currentBuild.id}`;
      // Waiting for events takes next to nothing of the processors, which the copy is in need of.
      for (let cursor = ''; ; ) {
        const { items, nextCursor } = await api.get<Events>(`${path}/events?wait=20${cursor}`);
        cursor = nextCursor === undefined ? cursor : `&cursor=${nextCursor}`;
        if (!items.some(({ code }) => ['succeeded', 'failed', 'stopped'].includes(code))) continue;
        const job = await api.get<Job>(path);
        if (job.status === 'succeeded') return job;
        throw new Error(JSON.stringify(job));
      }
    };
    const skopeo = (host: string) =>
      run('skopeo', [
        'copy',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        `docker://${from.host}/large:1`,
        `docker://${host}/large:1`,
      ]);
    let again: Job | undefined;
    let requests = Number.NaN;
    const times = { a: [] as number[], b: [] as number[] };
    const cpu = { a: [] as number[], b: [] as number[] };
    const measured = async (which: 'a' | 'b', pid: number, work: () => Promise<unknown>) => {
      // Neither waits for what the other has still to write.
      await run('sync', []);
      const before = await cpuMs(pid);
      times[which].push(await timed(work));
      cpu[which].push((await cpuMs(pid)) - before);
    };
    for (let i = 0; i < pairs; i++) {
      // An empty target for each: both would take over what another repository there has.
      const [mine, theirs] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
      try {
        const id = await connect(mine.host);
        await measured('a', cloud.pid, () => mirror(id));
        await measured('b', process.pid, () => skopeo(theirs.host));
        for (const { host } of [mine, theirs])
          if ((await new SmallImages(host).read('large', '1'))?.digest !== digest)
            throw new Error(`${host} got another image`);
        if (i === pairs - 1) {
          const seen = async () => (await transfers(from, digests)) + (await transfers(mine, digests));
          const before = await seen();
          again = await mirror(id, true);
          requests = (await seen()) - before;
        }
      } finally {
        await Promise.all([mine.stop(), theirs.stop()]);
      }
    }
    const { a, b } = times;
    const ratioOf = (pairs: { a: number[]; b: number[] }) =>
      median(pairs.a.map((one, i) => one / (pairs.b[i] ?? Number.NaN)));
    const cpuRatio = ratioOf(cpu);
    const moved = again?.mirror?.movedBytes ?? Number.NaN;
    return {
      title: 'Mirror',
      how: `From the request until \`succeeded\` is seen, beside \`skopeo copy\`: an image of ${layers} layers of 128 MiB between two local distribution registries, ${pairs} pairs in turn, each into an empty registry, with the disk at rest before each; the median of the pairs' ratios.`,
      rows: [
        {
          what: '1 GiB, nothing there yet',
          measured: ms(median(a)),
          beside: `skopeo ${ms(median(b))}, ratio ${ratioOf(times).toFixed(3)}`,
          goal: 'printed',
          met: true,
        },
        {
          what: 'processor time of that, without the registries',
          measured: `cloud and job ${ms(median(cpu.a))}`,
          beside: `skopeo ${ms(median(cpu.b))}, ratio ${cpuRatio.toFixed(3)}`,
          goal: '≤ 1.2×',
          met: cpuRatio <= 1.2,
        },
        {
          what: 'layers there already: bytes of blobs moved',
          measured: String(moved),
          beside: `${again?.mirror?.existingBlobs} blobs were there; the registries saw ${requests} requests that move a layer`,
          goal: '0',
          met: moved === 0 && again?.mirror?.movedBlobs === 0 && requests === 0,
        },
      ],
    };
  } finally {
    await from.stop();
  }
}
