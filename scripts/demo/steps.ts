/** The demo's steps, each one what a user does over the API. Each throws unless what it shows really happened. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseImage } from '../base-image.ts';
import { repositoryRoot } from '../local-cloud.ts';
import { say, task } from '../progress.ts';
import type { Api } from './api.ts';
import { followLog, timeline, untilFinished } from './follow.ts';
import { type Mail, mailAbout } from './mail.ts';
import type { Build, Experiment, Image, Page, Registry } from './resources.ts';
import { uploadContext } from './upload.ts';

const MAIL_TIMEOUT_SECONDS = 60;

export interface Session {
  api: Api;
  /** State directory of the embedded cloud. */
  home: string;
  base: BaseImage;
  /** Paths to POST to when the demo is interrupted: whatever is under way. */
  underWay: Set<string>;
}

/** Prints the registries, those that come with Slipway first, and returns the private one to push to. */
export async function showRegistries({ api }: Session): Promise<Registry> {
  const { items } = await api.get<Page<Registry>>('/v1/registries?sort=createdAt');
  for (const one of items) say(`  ${one.title.padEnd(34)} ${one.visibility.padEnd(8)} ${one.url}`);
  const own =
    items.find((one) => one.visibility === 'private' && one.type === 'slipway') ??
    items.find((one) => one.visibility === 'private');
  if (!own) throw new Error('GET /v1/registries lists no private registry to push to');
  return own;
}

export interface Built {
  image: Image;
  build: Build;
  mail: Mail;
}

/** Builds an example, prints its log as it appears (without CodeBuild's own `[Container]` lines), and finds the mail about it. */
export async function buildExample(
  session: Session,
  registry: Registry,
  example: string,
  expected: 'succeeded' | 'failed',
): Promise<Built> {
  const { api, base, home, underWay } = session;
  const folder = join(repositoryRoot, 'examples', example);
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8');
  const accepted = await task(
    'accepted',
    async () => {
      const contextUploadId = await uploadContext(api, folder);
      return api.post<Image>('/v1/images', {
        // Forced, or the demo's second run would be answered from its first one without building anything.
        source: {
          type: 'build',
          dockerfile,
          contextUploadId,
          buildArgs: { BASE: base.reference },
          force: true,
        },
        registryId: registry.id,
        repository: `demo-${example}`,
        tag: new Date().toISOString().replace(/\D/g, '').slice(0, 14),
      });
    },
    (image) => `${image.id}, build ${image.currentBuild?.id}`,
  );
  const path = `/v1/builds/${accepted.currentBuild?.id}`;
  underWay.add(`${path}/stop`);
  const build = await task(
    'build',
    async (detail) => {
      await followLog(api, path, (line) => line.trim() !== '' && !line.startsWith('[Container]'));
      return untilFinished<Build>(api, path, detail);
    },
    (finished) => `${finished.status} ${finished.digest ?? finished.failure?.code ?? ''}`,
  );
  underWay.delete(`${path}/stop`);
  if (build.status !== expected)
    throw new Error(`Build ${build.id} of ${example}: ${build.status}. ${build.failure?.message ?? ''}`);
  const mail = await task(
    'mail',
    () => mailAbout(home, build.id, MAIL_TIMEOUT_SECONDS),
    (found) => `to ${found.to}: ${found.subject}`,
  );
  return { image: await api.get<Image>(`/v1/images/${accepted.id}`), build, mail };
}

export interface Launched {
  experiment: Experiment;
  metrics: Map<string, string>;
}

/** Runs the image's training script as an experiment, and collects `name=value` from its log. */
export async function launchExperiment(session: Session, image: Image): Promise<Launched> {
  const { api, underWay } = session;
  const accepted = await task(
    'accepted',
    () =>
      api.post<Experiment>('/v1/experiments', {
        name: 'iris',
        image: `${image.repository}:${image.tag}`,
        command: ['python', '/opt/iris/train.py'],
        compute: 'cpu-small',
        tags: ['demo'],
      }),
    (experiment) => experiment.id,
  );
  const path = `/v1/experiments/${accepted.id}`;
  underWay.add(`${path}/stop`);
  const metrics = new Map<string, string>();
  const experiment = await task(
    'experiment',
    async (detail) => {
      for (const line of await followLog(api, path))
        for (const [, name, value] of line.matchAll(/(?:^|\s)(\w+)=(-?[\d.]+)(?=\s|$)/g))
          if (name !== undefined && value !== undefined) metrics.set(name, value);
      return untilFinished<Experiment>(api, path, detail);
    },
    (finished) => `${finished.status}, exit code ${finished.exitCode ?? 'none'}`,
  );
  underWay.delete(`${path}/stop`);
  if (experiment.status !== 'succeeded')
    throw new Error(
      `Experiment ${experiment.id}: ${experiment.status}. ${experiment.statusReason?.message ?? ''}`,
    );
  if (Number(metrics.get('accuracy') ?? 0) < 0.9)
    throw new Error(
      `Experiment ${experiment.id} printed accuracy=${metrics.get('accuracy')}; its log should end with at least 0.9`,
    );
  await showTimeline(session, path);
  return { experiment, metrics };
}

/** Every transition of an experiment. */
async function showTimeline({ api }: Session, path: string): Promise<void> {
  say('  its timeline:');
  for (const { time, code, message } of await timeline(api, path))
    say(`    ${time.slice(11, 23)}  ${code.padEnd(15)} ${message}`);
}
