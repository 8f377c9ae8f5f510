/** A mirror of a large image through Slipway beside `skopeo copy` of the same one, between two local registries. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../scripts/command.ts';
import { startDockerRegistry } from '../scripts/docker-registry.ts';
import { commandsOnPath } from '../scripts/engine/find.ts';
import { installPackages } from '../scripts/engine/install.ts';
import { SmallImages } from '../scripts/small-images.ts';
import type { BenchCloud } from './cloud.ts';
import { median, ms, type Section, timed } from './report.ts';

const pairs = 2;
const layers = 8;
const layerBytes = 128 * 1024 * 1024;

interface Job {
  status: string;
  failure?: unknown;
  mirror?: { movedBlobs: number; existingBlobs: number; movedBytes: number };
}

export async function mirrors({ api }: BenchCloud): Promise<Section> {
  if (commandsOnPath('skopeo').length === 0) await installPackages(['skopeo'], [], () => {});
  const from = await startDockerRegistry();
  try {
    const images = new SmallImages(from.host);
    const content = Array.from({ length: layers }, () => () => randomBytes(layerBytes));
    await images.imageOf('large', '1', content);
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
      for (;;) {
        const job = await api.get<Job>(`/v1/builds/${currentBuild.id}`);
        if (job.status === 'succeeded') return job;
        if (!['queued', 'building', 'pushing'].includes(job.status)) throw new Error(JSON.stringify(job));
        await sleep(50);
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
    const times = { a: [] as number[], b: [] as number[] };
    for (let i = 0; i < pairs; i++) {
      // An empty target for each: both would take over what another repository there has.
      const [mine, theirs] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
      try {
        const id = await connect(mine.host);
        times.a.push(await timed(() => mirror(id)));
        times.b.push(await timed(() => skopeo(theirs.host)));
        if (i === pairs - 1) again = await mirror(id, true);
      } finally {
        await Promise.all([mine.stop(), theirs.stop()]);
      }
    }
    const { a, b } = times;
    const ratio = median(a.map((one, i) => one / (b[i] ?? Number.NaN)));
    const moved = again?.mirror?.movedBytes ?? Number.NaN;
    return {
      title: 'Mirror',
      how: `From the request until \`succeeded\` is seen, beside \`skopeo copy\`: an image of ${layers} layers of 128 MiB between two local distribution registries, ${pairs} pairs in turn, each into an empty registry.`,
      rows: [
        {
          what: '1 GiB, nothing there yet',
          measured: ms(median(a)),
          beside: `skopeo ${ms(median(b))}, ratio ${ratio.toFixed(3)}`,
          goal: '≤ 1.2×',
          met: ratio <= 1.2,
        },
        {
          what: 'layers there already: bytes of blobs moved',
          measured: String(moved),
          beside: `${again?.mirror?.existingBlobs} blobs were there`,
          goal: '0',
          met: moved === 0 && again?.mirror?.movedBlobs === 0,
        },
      ],
    };
  } finally {
    await from.stop();
  }
}
