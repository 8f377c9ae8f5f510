/** B3: from a line that a build writes to the client that waits for it, for one follower and for a hundred. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCloud } from './cloud.ts';
import { followLog, type LogPage } from './follower.ts';
import { awsCalls, environmentsAtWork } from './observation.ts';
import { readsAtOnce } from './reads-at-once.ts';
import { median, ms, quantile, type Section } from './report.ts';

const followers = 100;
/** Lines that count, and the time between two. */
const ticks = 20;
const tickSeconds = 2;
/** From the last environment's start until lines count. */
const settleMs = 5000;

interface Measured {
  latenciesMs: number[];
  /** CloudWatch's reads and the table's, a second. */
  logReads: number;
  tableReads: number;
  refused: number;
}

export async function liveLogs(running: BenchCloud, base: string): Promise<Section> {
  const { cloud, api } = running;
  async function measure(count: number): Promise<Measured> {
    const name = `${Date.now().toString(36)}-${count}`;
    const { currentBuild } = await api.post<{ currentBuild: { id: string } }>('/v1/images', {
      source: { type: 'build', dockerfile: dockerfileOf(base, name) },
      registryId: 'reg_private',
      repository: `bench/logs-${name}`,
      tag: '1',
    });
    const path = `/v1/builds/${currentBuild.id}`;
    const latenciesMs: number[] = [];
    let counting = false;
    const onPage = (page: LogPage) => {
      const now = uptimeSeconds();
      for (const { text } of page.items) {
        const written = /\btick (\d+\.\d+)$/.exec(text)?.[1];
        if (written && counting) latenciesMs.push((now - Number(written)) * 1000);
      }
    };
    const { apiUrl, token } = cloud;
    const startedAt = Date.now();
    const ended = Promise.all(
      Array.from({ length: count }, () => followLog({ apiUrl, token, path, onPage })),
    );
    // Environments start two at a time; what a cold start takes is not what is measured here.
    while ((await environmentsAtWork(cloud, 'builds', startedAt)) < count)
      await Promise.race([sleep(1000), ended]);
    await sleep(settleMs);
    counting = true;
    const before = await awsCalls(cloud);
    const countedFrom = performance.now();
    await sleep(ticks * tickSeconds * 1000);
    const after = await awsCalls(cloud);
    const seconds = (performance.now() - countedFrom) / 1000;
    counting = false;
    const perSecond = (operation: string) => ((after[operation] ?? 0) - (before[operation] ?? 0)) / seconds;
    await api.post(`${path}/stop`);
    const all = await ended;
    return {
      latenciesMs,
      logReads: perSecond('logs:GetLogEvents'),
      tableReads: perSecond('dynamodb:GetItem'),
      refused: all.reduce((sum, { refused }) => sum + refused, 0),
    };
  }

  const one = await measure(1);
  const many = await measure(followers);
  const image = await api.post<{ id: string }>('/v1/images', { source: { type: 'reference', url: base } });
  const readsMs = await readsAtOnce(running, image.id, followers);
  const p99 = ({ latenciesMs }: Measured) => quantile(latenciesMs, 0.99);
  const latency = (what: string, measured: Measured) => ({
    what: `line written → received, ${what}`,
    measured: `p50 ${ms(median(measured.latenciesMs))}, p99 ${ms(p99(measured))}`,
  });
  return {
    title: 'Live logs',
    how: `A build writes a line with the time every ${tickSeconds} s; clients follow it with \`wait\`, each in its own function environment.`,
    rows: [
      {
        ...latency('1 follower', one),
        beside: `${one.latenciesMs.length} lines received`,
        goal: 'p99 ≤ 1 s',
        met: p99(one) <= 1000,
      },
      {
        ...latency(`${followers} followers`, many),
        beside: `${many.latenciesMs.length} lines received; ${followers} times \`GET /v1/images/{id}\` at once, p99 ${ms(readsMs)}`,
        goal: 'p99 ≤ that and 1 follower together',
        met: p99(many) <= p99(one) + readsMs,
      },
      {
        what: `CloudWatch reads a second, ${followers} followers`,
        measured: many.logReads.toFixed(1),
        beside: `1 follower ${one.logReads.toFixed(1)}`,
        goal: '≤ 5',
        met: many.logReads <= 5,
      },
    ],
    notes: [
      `Reads of the table a second: ${one.tableReads.toFixed(0)} for 1 follower, ${many.tableReads.toFixed(0)} for ${followers}. Requests refused by the stage's throttle and tried again: ${many.refused}.`,
    ],
  };
}

/** The kernel's clock since boot is the same in every container. */
const uptimeSeconds = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

const dockerfileOf = (base: string, name: string) =>
  `FROM ${base}\nRUN echo ${name}; for i in $(seq 300); do echo "tick $(cut -d' ' -f1 /proc/uptime)"; sleep ${tickSeconds}; done\n`;
