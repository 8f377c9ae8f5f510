/** An embedded cloud of the benchmarks' own: its state in a temporary directory, on ports of its own. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../scripts/command.ts';
import { type Api, createApi } from '../scripts/demo/api.ts';
import { ensureLocalCloud, type RunningCloud } from '../scripts/local-cloud.ts';
import { ms, type Section, timed } from './report.ts';

export interface BenchCloud extends RunningCloud {
  home: string;
  api: Api;
  end(): Promise<void>;
}

export async function startCloud(): Promise<BenchCloud> {
  const home = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  process.env.SLIPWAY_STAGES = await stagesForOneMember(home);
  const running = await ensureLocalCloud(home, () => {});
  return {
    ...running,
    home,
    api: createApi(running.cloud.apiUrl, running.cloud.token, new AbortController().signal),
    async end() {
      await running.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The local stage, in which one member stands for a hundred who follow a log. */
async function stagesForOneMember(home: string): Promise<string> {
  const folder = join(home, 'stages');
  const stage = JSON.parse(await readFile('infra/stages/local.json', 'utf8'));
  await mkdir(folder);
  await writeFile(join(folder, 'local.json'), JSON.stringify({ ...stage, waitsPerMember: 200 }));
  return folder;
}

/** How long a start takes with and without synth, and how much memory the idle cloud holds. */
export async function cloudItself(): Promise<Section> {
  const home = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const start = async () => {
    let running: RunningCloud | undefined;
    const time = await timed(async () => {
      running = await ensureLocalCloud(home, () => {});
    });
    if (!running) throw new Error('the cloud did not start');
    return { time, running };
  };
  try {
    const cold = await start();
    await cold.running.stop();
    const warm = await start();
    const health = createApi(
      warm.running.cloud.apiUrl,
      warm.running.cloud.token,
      new AbortController().signal,
    );
    await health.get('/v1/me');
    await sleep(45_000);
    const resident = await residentBytes(warm.running.cloud.pid);
    const synthOnly = await timed(() =>
      run(process.execPath, ['node_modules/aws-cdk/bin/cdk', 'synth', '-q', '-o', join(home, 'synth')]),
    );
    await warm.running.stop();
    return {
      title: 'Embedded cloud',
      how: 'Time from the start of the process until `GET /v1/health` answers. Memory is the sum of the proportional set sizes of all its processes, 45 s after the last request.',
      rows: [
        {
          what: 'ready, nothing changed',
          measured: ms(warm.time),
          beside: `with synth ${ms(cold.time)}`,
          goal: '≤ 3 s',
          met: warm.time <= 3000,
        },
        {
          what: 'ready, with synth and an empty state directory',
          measured: ms(cold.time),
          beside: `\`cdk synth\` alone ${ms(synthOnly)}`,
          goal: '≤ 12 s',
          met: cold.time <= 12_000,
        },
        {
          what: 'resident when idle',
          measured: `${Math.round(resident / 1e6)} MB`,
          beside: '',
          goal: '≤ 300 MB',
          met: resident <= 300e6,
        },
      ],
    };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function residentBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const own = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
  const below = children === '' ? [] : children.split(' ').map(Number);
  const sizes = await Promise.all(below.map(residentBytes));
  return sizes.reduce((sum, one) => sum + one, own);
}
