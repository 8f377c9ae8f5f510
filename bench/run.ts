/**
 * `npm run bench [-- name …] [-- --write]`: the benchmarks, each beside what it is compared with, in one run.
 * `--write` puts the report into `docs/performance.md`. Exit code 1 when a goal is missed.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { ensureTinyBase } from '../scripts/base-image.ts';
import { ensureEngine } from '../scripts/engine.ts';
import { say } from '../scripts/progress.ts';
import { apiLatency } from './api.ts';
import { wholeBuild } from './build.ts';
import { bundles } from './bundles.ts';
import { registryCache } from './cache.ts';
import { cloudItself, startCloud } from './cloud.ts';
import { firstLine } from './experiment.ts';
import { identicalRequests } from './identical.ts';
import { listing } from './listing.ts';
import { liveLogs } from './logs.ts';
import { mirrors } from './mirror.ts';
import { registryClient } from './registry.ts';
import { markdown, type Section } from './report.ts';

const names = [
  'cloud',
  'bundles',
  'listing',
  'registry',
  'api',
  'experiment',
  'build',
  'logs',
  'identical',
  'mirror',
  'cache',
];
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  say(`Unknown benchmark: ${unknown.join(', ')}. The benchmarks are ${names.join(', ')}.`);
  process.exit(1);
}
const wanted = (name: string) => chosen.length === 0 || chosen.includes(name);

// Beside a cloud that may run at the default ports.
process.env.SLIPWAY_PORT ??= '14780';
const sections: Section[] = [];
const add = async (name: string, measure: () => Promise<Section>) => {
  if (!wanted(name)) return;
  const section = await measure();
  sections.push(section);
  say(markdown(section));
};

const engine = await ensureEngine({ yes: true });
await add('cloud', cloudItself);
await add('bundles', bundles);
await add('listing', listing);
await add('registry', registryClient);
if (['api', 'experiment', 'build', 'logs', 'identical', 'mirror'].some(wanted)) {
  const running = await startCloud();
  try {
    const base = (await ensureTinyBase(engine, running.cloud, 'acme')).reference;
    await add('api', () => apiLatency(running, base));
    await add('experiment', () => firstLine(running, engine, base));
    await add('build', () => wholeBuild(running, engine, base));
    await add('logs', () => liveLogs(running, base));
    await add('identical', () => identicalRequests(running, base));
    await add('mirror', () => mirrors(running));
  } finally {
    await running.end();
  }
}
// Its embedded cloud and its engine are its own.
await add('cache', () => registryCache(engine, 15_780));

if (process.argv.includes('--write')) {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${engine.version}`;
  const head = [
    '# Performance',
    '',
    '`npm run bench -- --write` writes this page: one run measures everything, each figure beside what it is compared with.',
    `Machines differ and are noisy, so compare the ratios. This run: ${machine}, ${new Date().toISOString().slice(0, 10)}.`,
    '',
  ].join('\n');
  await writeFile('docs/performance.md', `${head}\n${sections.map(markdown).join('\n')}`);
}
process.exitCode = sections.every(({ rows }) => rows.every(({ met }) => met)) ? 0 : 1;
