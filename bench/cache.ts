/** B9: a rebuild on an engine that has nothing but the registry's layer cache, beside the uncached build. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureTinyBase } from '../scripts/base-image.ts';
import { createApi } from '../scripts/demo/api.ts';
import type { Engine } from '../scripts/engine.ts';
import { startFreshBuilder } from './fresh-builder.ts';
import { median, ms, type Section, timed } from './report.ts';

const rounds = 3;
const steps = 20;

/** 20 steps, each of about a second; `last` is part of the last one only. */
const dockerfile = (base: string, nonce: string, last: string) =>
  [
    `FROM ${base}`,
    ...Array.from({ length: steps - 1 }, (_, i) => `RUN echo ${nonce}-${i} > /step-${i} && sleep 1`),
    `RUN echo ${last} > /last && sleep 1`,
    '',
  ].join('\n');

export async function registryCache(engine: Engine, port: number): Promise<Section> {
  const builder = await startFreshBuilder(engine, port);
  try {
    const { cloud } = builder;
    const api = createApi(cloud.apiUrl, cloud.token, new AbortController().signal);
    const base = (await ensureTinyBase(engine, cloud, 'acme')).reference;
    const finished = async (path: string, body: object) => {
      const { id, currentBuild } = await api.post<{ id: string; currentBuild: { id: string } }>(path, body);
      for (;;) {
        const build = await api.get<{ status: string }>(`/v1/builds/${currentBuild.id}`);
        if (build.status === 'succeeded') return id;
        if (!['queued', 'building', 'pushing'].includes(build.status)) throw new Error(JSON.stringify(build));
        await sleep(50);
      }
    };
    const uncached: number[] = [];
    const edited: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const nonce = `${Date.now().toString(36)}-${round}`;
      let image = '';
      await builder.engine.renew();
      uncached.push(
        await timed(async () => {
          image = await finished('/v1/images', {
            source: { type: 'build', dockerfile: dockerfile(base, nonce, 'one') },
            registryId: 'reg_private',
            repository: `bench/cache-${nonce}`,
            tag: '1',
          });
        }),
      );
      await builder.engine.renew();
      edited.push(
        await timed(() =>
          finished(`/v1/images/${image}/builds`, { dockerfile: dockerfile(base, nonce, 'two') }),
        ),
      );
    }
    const ratio = median(edited.map((time, i) => time / (uncached[i] ?? Number.NaN)));
    return {
      title: 'Layer cache',
      how: `A Dockerfile of ${steps} steps of about a second each, on an engine that starts empty before every build; time from the request until a client sees \`succeeded\`, ${rounds} pairs.`,
      rows: [
        {
          what: 'rebuild after editing the last line',
          measured: ms(median(edited)),
          beside: `uncached ${ms(median(uncached))}, ratio ${ratio.toFixed(3)}`,
          goal: '≤ 0.25×',
          met: ratio <= 0.25,
        },
      ],
    };
  } finally {
    await builder.end();
  }
}
