/** B8: fifty identical build requests at once, beside a single one. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCloud } from './cloud.ts';
import { awsCalls, environmentsAtWork } from './observation.ts';
import { processorTime } from './processor-time.ts';
import { readsAtOnce } from './reads-at-once.ts';
import { median, ms, quantile, type Section } from './report.ts';

const requests = 50;
/** AWS gives each request processors of its own; here so many share one. */
const aProcessor = 4;
const rounds = 3;
/** Requests of the kind that each environment has answered before it counts as warm. */
const waves = 3;
/** Environments that were not used for so long are ended, but for one. */
const coolMs = 18_000;

interface Answer {
  id: string;
  currentBuild: { id: string; cached: boolean };
}

interface Burst {
  /** Of those that another one's build answered. */
  othersMs: number[];
  builds: number;
}

interface Round extends Burst {
  aloneMs: number;
  /** Of all fifty. */
  functionsMs: number;
  cloudMs: number;
  /** As many as the processors can take. */
  fewer: Burst;
}

export async function identicalRequests(running: BenchCloud, base: string): Promise<Section> {
  const { api, cloud, home } = running;
  const run = Date.now().toString(36);
  const cores = availableParallelism();
  const ask = (name: string) =>
    api.post<Answer>('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${base}\nRUN echo ${name}\n` },
      registryId: 'reg_private',
      repository: `bench/same-${name}`,
      tag: '1',
    });
  const over = async ({ currentBuild }: Answer) => {
    for (;;) {
      const { status } = await api.get<{ status: string }>(`/v1/builds/${currentBuild.id}`);
      if (!['queued', 'building', 'pushing'].includes(status)) return;
      await sleep(200);
    }
  };
  const askTimed = async (name: string) => {
    const startedAt = performance.now();
    const answer = await ask(name);
    return { answer, tookMs: performance.now() - startedAt };
  };

  async function burst(name: string, count: number): Promise<Burst & { over: () => Promise<void> }> {
    const answers = await Promise.all(Array.from({ length: count }, () => askTimed(name)));
    const others = answers.filter(({ answer }) => answer.currentBuild.cached);
    return {
      othersMs: others.map(({ tookMs }) => tookMs),
      builds: new Set(answers.map(({ answer }) => answer.currentBuild.id)).size,
      over: async () => {
        for (const { answer } of answers.slice(0, 1)) await over(answer);
      },
    };
  }

  async function measure(name: string): Promise<Round> {
    const single = await askTimed(`${run}-single-${name}`);
    await over(single.answer);
    const before = await processorTime(cloud.pid, home);
    const many = await burst(`${run}-many-${name}`, requests);
    const after = await processorTime(cloud.pid, home);
    await many.over();
    const fewer = await burst(`${run}-fewer-${name}`, aProcessor * cores);
    await fewer.over();
    return {
      ...many,
      aloneMs: single.tookMs,
      functionsMs: after.functionsMs - before.functionsMs,
      cloudMs: after.cloudMs - before.cloudMs,
      fewer,
    };
  }

  // Code and credentials are loaded once before anything counts.
  await over(await ask(`${run}-first`));
  const warm: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    await warmUp(running);
    for (let wave = 0; wave < waves; wave++)
      await Promise.all(Array.from({ length: requests }, () => ask(`${run}-first`)));
    warm.push(await measure(`warm-${round}`));
  }
  await sleep(coolMs);
  const cold = await measure('cold');
  const attached = await callsOfOne(running, () => ask(`${run}-many-warm-0`));
  const image = await ask(`${run}-many-warm-0`);
  const readsMs = await readsAtOnce(running, image.id, requests);

  const [p99, one] = [
    quantile(
      warm.flatMap(({ othersMs }) => othersMs),
      0.99,
    ),
    median(warm.map(({ aloneMs }) => aloneMs)),
  ];
  const coldP99 = quantile(cold.othersMs, 0.99);
  const fewerP99 = quantile(
    warm.flatMap(({ fewer }) => fewer.othersMs),
    0.99,
  );
  const most = Math.max(...[cold, ...warm].flatMap(({ builds, fewer }) => [builds, fewer.builds]));
  const functionsMs = median(warm.map((round) => round.functionsMs)) / requests;
  const cloudMs = median(warm.map((round) => round.cloudMs)) / requests;
  const least = ((functionsMs + cloudMs) * requests) / cores;
  return {
    title: 'Identical requests',
    how: `${requests} identical \`POST /v1/images\` at once, ${rounds} rounds, each after ${requests} function environments have answered ${waves} such requests each; a single request, which has its build started, is the median of one before each round.`,
    rows: [
      {
        what: 'builds for identical requests',
        measured: String(most),
        beside: '',
        goal: '1',
        met: most === 1,
      },
      {
        what: `${requests} at once: p99 of the other answers`,
        measured: ms(p99),
        beside: `a single request ${ms(one)}, ratio ${(p99 / one).toFixed(2)}`,
        goal: '≤ 2×',
        met: p99 <= 2 * one,
      },
      {
        what: `${aProcessor * cores} at once, ${aProcessor} a processor: p99 of the other answers`,
        measured: ms(fewerP99),
        beside: `ratio ${(fewerP99 / one).toFixed(2)}`,
        goal: '≤ 2×',
        met: fewerP99 <= 2 * one,
      },
      {
        what: `${requests} at once with one environment, the others starting`,
        measured: ms(coldP99),
        beside: `a single request ${ms(cold.aloneMs)}, ratio ${(coldP99 / cold.aloneMs).toFixed(2)}`,
        goal: 'printed',
        met: true,
      },
      {
        what: `${requests} times \`GET /v1/images/{id}\` at once, which reads one item`,
        measured: ms(readsMs),
        beside: `ratio ${(readsMs / one).toFixed(2)}`,
        goal: 'printed',
        met: true,
      },
    ],
    notes: [
      `Processor time of one of the fifty: ${ms(functionsMs)} in its function, ${ms(cloudMs)} in gateway, endpoint and table. All of them on the ${cores} cores of this machine: ${ms(least)} at the least until the last answer, ${(least / one).toFixed(2)}× a single request. On AWS each has its own processors.`,
      `Calls of AWS that one of the others makes: ${attached}.`,
    ],
  };
}

/** Has fifty environments of the function that accepts builds at work at once: each waits for a slow registry. */
async function warmUp({ api, cloud }: BenchCloud): Promise<void> {
  const registry = createServer((_request, response) => {
    setTimeout(() => response.writeHead(404, { 'content-type': 'application/json' }).end('{}'), 3000);
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const { port } = registry.address() as AddressInfo;
  const url = `127.0.0.1:${port}/nothing/there:1`;
  const since = Date.now();
  try {
    do {
      const asked = Array.from({ length: requests }, () =>
        // It is refused, as it should be: nothing is written.
        api.post('/v1/images', { source: { type: 'reference', url } }).catch(() => undefined),
      );
      await Promise.all(asked);
    } while ((await environmentsAtWork(cloud, 'image-jobs', since)) < requests);
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
}

async function callsOfOne({ cloud }: BenchCloud, work: () => Promise<unknown>): Promise<string> {
  await sleep(2000);
  const before = await awsCalls(cloud);
  await work();
  const after = await awsCalls(cloud);
  return Object.keys(after)
    .map((name) => ({ name, more: (after[name] ?? 0) - (before[name] ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ name, more }) => `${more} ${name}`)
    .join(', ');
}
