/** A whole build through Slipway beside plain `docker build` and `docker push` of the same Dockerfile. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { run } from '../scripts/command.ts';
import type { Engine } from '../scripts/engine.ts';
import { awsConfiguration } from '../scripts/local-cloud.ts';
import type { BenchCloud } from './cloud.ts';
import { inTurn, median, ms, type Section } from './report.ts';

const pairs = 3;
const steps = 5;

/** About 20 s of work that no cache has seen: `nonce` is part of every step. */
const dockerfile = (base: string, nonce: string) =>
  [`FROM ${base}`, ...Array.from({ length: steps }, (_, i) => `RUN ${step(`${nonce}-${i}`)}`), ''].join('\n');
const step = (name: string) =>
  `echo ${name} && head -c 4000000 /dev/urandom > /data-${name} && end=$(($(date +%s) + 4)) && while [ $(date +%s) -lt $end ]; do head -c 1000000 /dev/zero | sha256sum > /dev/null; done`;

export async function wholeBuild({ cloud, api }: BenchCloud, engine: Engine, base: string): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-build-'));
  try {
    const plain = await plainBuilder(cloud, engine, folder);
    const slipway = async (repository: string, text: string) => {
      const { currentBuild } = await api.post<{ currentBuild: { id: string } }>('/v1/images', {
        source: { type: 'build', dockerfile: text },
        registryId: 'reg_private',
        repository,
        tag: '1',
      });
      for (;;) {
        const build = await api.get<{ status: string; failure?: unknown }>(`/v1/builds/${currentBuild.id}`);
        if (build.status === 'succeeded') return;
        if (!['queued', 'building', 'pushing'].includes(build.status)) throw new Error(JSON.stringify(build));
        await sleep(50);
      }
    };
    const run_ = Date.now().toString(36);
    await slipway(`bench/warm-${run_}`, `FROM ${base}\n`);
    const uncached = await inTurn(
      pairs,
      (i) => slipway(`bench/a-${run_}-${i}`, dockerfile(base, `${run_}-a${i}`)),
      (i) => plain(`bench/b-${run_}-${i}`, dockerfile(base, `${run_}-b${i}`)),
    );
    // The very Dockerfiles of before, into new repositories: every step is in the engine's cache.
    const cached = await inTurn(
      pairs,
      (i) => slipway(`bench/c-${run_}-${i}`, dockerfile(base, `${run_}-a${i}`)),
      (i) => plain(`bench/d-${run_}-${i}`, dockerfile(base, `${run_}-b${i}`)),
    );
    const ratio = median(uncached.a.map((a, i) => a / (uncached.b[i] ?? Number.NaN)));
    const more = median(cached.a.map((a, i) => a - (cached.b[i] ?? Number.NaN)));
    return {
      title: 'Build',
      how: `From the request until \`succeeded\` is seen, beside \`docker build\` and \`docker push\` of an equal Dockerfile (${steps} steps, about 20 s) into the same registry, ${pairs} pairs in turn.`,
      rows: [
        {
          what: 'uncached',
          measured: ms(median(uncached.a)),
          beside: `plain ${ms(median(uncached.b))}, ratio ${ratio.toFixed(3)}`,
          goal: '≤ 1.10×',
          met: ratio <= 1.1,
        },
        {
          what: 'fully cached',
          measured: ms(median(cached.a)),
          beside: `plain ${ms(median(cached.b))}, ${ms(more)} more`,
          goal: '≤ 2 s more',
          met: more <= 2000,
        },
      ],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function plainBuilder(cloud: BenchCloud['cloud'], engine: Engine, folder: string) {
  const ecr = new ECRClient(awsConfiguration(cloud));
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const auth = authorizationData[0]?.authorizationToken;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [cloud.registryHost]: { auth } } }));
  const env = { DOCKER_CONFIG: folder, DOCKER_BUILDKIT: '1' };
  return async (repository: string, text: string) => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: `acme/${repository}` }));
    const image = `${cloud.registryHost}/acme/${repository}:1`;
    await run(engine.cli, ['build', '--progress=plain', '-t', image, '-'], { input: text, env });
    await run(engine.cli, ['push', image], { env });
  };
}
