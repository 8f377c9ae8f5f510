/** From `POST /v1/experiments` to the first line of the log beside `docker run` of the same image. */
import { run } from '../scripts/command.ts';
import type { Engine } from '../scripts/engine.ts';
import type { BenchCloud } from './cloud.ts';
import { inTurn, median, ms, type Section } from './report.ts';

const pairs = 7;
const line = 'the first line';

interface Page {
  items: { text: string }[];
  nextCursor?: string;
}

export async function firstLine({ api }: BenchCloud, engine: Engine, base: string): Promise<Section> {
  const command = ['/bin/sh', '-c', `echo ${line}`];
  const slipway = async () => {
    const { id } = await api.post<{ id: string }>('/v1/experiments', {
      image: base,
      compute: 'cpu-small',
      command,
    });
    for (let cursor = ''; ; ) {
      const page = await api.get<Page>(`/v1/experiments/${id}/logs?wait=20${cursor}`);
      if (page.items.some(({ text }) => text === line)) return id;
      if (page.nextCursor === undefined) throw new Error(`experiment ${id} ended without its line`);
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  };
  const { image } = await api.get<{ image: { uri: string; digest: string } }>(
    `/v1/experiments/${await slipway()}`,
  );
  // What Batch has pulled, by the name that needs no login.
  const pinned = `${image.uri.replace(/:[^:/]+$/, '')}@${image.digest}`;
  const plain = async () => {
    const output = await run(engine.cli, ['run', '--rm', '--network', 'host', pinned, ...command]);
    if (!output.includes(line)) throw new Error('docker run printed nothing');
  };
  await plain();
  const { a, b } = await inTurn(pairs, slipway, plain);
  const more = median(a.map((one, i) => one - (b[i] ?? Number.NaN)));
  return {
    title: 'Experiment',
    how: `Until the first line of output reaches a client, ${pairs} pairs in turn, warm (the first of each is not counted).`,
    rows: [
      {
        what: 'created → first line of the log',
        measured: ms(median(a)),
        beside: `\`docker run\` ${ms(median(b))}, ${ms(more)} more`,
        goal: '≤ 1.5 s more',
        met: more <= 1500,
      },
    ],
  };
}
