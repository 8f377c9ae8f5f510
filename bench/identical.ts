/** B8: fifty identical build requests at once, beside a single one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCloud } from './cloud.ts';
import { median, ms, quantile, type Section, timed } from './report.ts';

const requests = 50;
const rounds = 5;

interface Answer {
  currentBuild: { id: string; cached: boolean };
}

export async function identicalRequests({ api }: BenchCloud, base: string): Promise<Section> {
  const run = Date.now().toString(36);
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
  const single: number[] = [];
  const others: number[] = [];
  const builds: number[] = [];
  // The first round warms the functions' environments, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    // The stage's throttle has a bucket that has to fill again.
    await sleep(3000);
    let first: Answer | undefined;
    const alone = await timed(async () => {
      first = await ask(`${run}-single-${round}`);
    });
    if (first) await over(first);
    await sleep(1000);
    const answers = await Promise.all(
      Array.from({ length: requests }, async () => {
        let answer: Answer | undefined;
        const took = await timed(async () => {
          answer = await ask(`${run}-many-${round}`);
        });
        if (!answer) throw new Error('no answer');
        return { answer, took };
      }),
    );
    const [any] = answers;
    if (any) await over(any.answer);
    if (round === 0) continue;
    single.push(alone);
    others.push(...answers.filter(({ answer }) => answer.currentBuild.cached).map(({ took }) => took));
    builds.push(new Set(answers.map(({ answer }) => answer.currentBuild.id)).size);
  }
  const [p99, one] = [quantile(others, 0.99), median(single)];
  const most = Math.max(...builds);
  return {
    title: 'Identical requests',
    how: `${requests} identical \`POST /v1/images\` at once, ${rounds} rounds; a single request, which has its build started, is the median of one before each round.`,
    rows: [
      { what: 'builds for fifty requests', measured: String(most), beside: '', goal: '1', met: most === 1 },
      {
        what: 'p99 of the other answers',
        measured: ms(p99),
        beside: `a single request ${ms(one)}, ratio ${(p99 / one).toFixed(2)}`,
        goal: '≤ 2×',
        met: p99 <= 2 * one,
      },
    ],
  };
}
