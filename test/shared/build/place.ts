/**
 * Builds without the API in front: the table on dynoxide; CodeBuild, ECR, S3, Logs and SES of the embedded cloud.
 * The project's commands are the test's own, and so is the builder's result.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  BatchGetBuildsCommand,
  CodeBuildClient,
  ListBuildsForProjectCommand,
} from '@aws-sdk/client-codebuild';
import { ECRClient } from '@aws-sdk/client-ecr';
import { S3Client } from '@aws-sdk/client-s3';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { buildEventSchema } from '../../../functions/build-events/event.ts';
import { takeIn } from '../../../functions/build-events/take-in.ts';
import local from '../../../infra/stages/local.json' with { type: 'json' };
import { createEcr } from '../../../local/ecr/ecr.ts';
import { createLogs as createLogsService } from '../../../local/logs.ts';
import { createS3 } from '../../../local/s3.ts';
import { createSes } from '../../../local/ses.ts';
import { createArtifacts } from '../../../shared/aws/artifacts.ts';
import { createBuilds } from '../../../shared/aws/builds.ts';
import { createEcrLogin } from '../../../shared/aws/ecr-login.ts';
import { createMail } from '../../../shared/aws/mail.ts';
import { createRepositories } from '../../../shared/aws/repositories.ts';
import type { AcceptDependencies } from '../../../shared/build/accept/dependencies.ts';
import { buildImage } from '../../../shared/build/accept/image.ts';
import { rebuildImage } from '../../../shared/build/accept/rebuild.ts';
import type { CloseDependencies } from '../../../shared/build/close.ts';
import { createCopyTag } from '../../../shared/build/copy-tag.ts';
import { type BuildRecord, isOver } from '../../../shared/build/record.ts';
import { createLogs } from '../../../shared/log/log.ts';
import { resultKey } from '../../../shared/model/build-keys.ts';
import { newId } from '../../../shared/model/id.ts';
import { newImageSchema } from '../../../shared/model/image.ts';
import { rebuildSchema } from '../../../shared/model/new-build.ts';
import { stageSchema } from '../../../shared/model/stage.ts';
import { createRegistryAccess } from '../../../shared/registry/access.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { readEvents } from '../../../shared/store/advance.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { cloudWithProject, logGroup, type Phases } from '../../local/codebuild/project.ts';
import { bucketOf } from '../../local/s3/declared-bucket.ts';
import { withXmlErrors } from '../../local/s3/xml-errors.ts';
import { type RealTable, startRealTable } from '../store/real-table.ts';

export const organisation = 'acme';
export const ada = 'ada@acme.example';

export const succeeded = {
  outcome: 'succeeded',
  digest: `sha256:${'a'.repeat(64)}`,
  sizeBytes: 1234,
  platform: 'linux/amd64',
  timingsMs: {},
};
export const failed = {
  outcome: 'failed',
  failure: {
    code: 'step-failed',
    message: 'It failed.',
    step: '[2/2] RUN <b>',
    exitCode: 3,
    lastLines: ['oh <no>'],
  },
  timingsMs: {},
};

export type Place = Awaited<ReturnType<typeof buildPlace>>;

/** `phases` are what builds run besides PRE_BUILD; `limits` how many of them each of the two computes takes at once. */
export async function buildPlace(
  phases: Phases = { build: { commands: ['true'] } },
  limits: [number, number] = [4, 2],
  startTable: () => Promise<Pick<RealTable, 'table' | 'stop'>> = startRealTable,
) {
  const { table, stop } = await startTable();
  const gate = join(mkdtempSync(join(tmpdir(), 'slipway-gate-')), 'closed');
  const pre_build = { commands: [`while [ -e ${gate} ]; do sleep 0.05; done`] };
  const { cloud, client: codeBuildClient } = await cloudWithProject(
    { pre_build, ...phases },
    {},
    { concurrentBuilds: 10 },
  );
  const logsService = createLogsService(cloud, { getLogEventsPerSecond: 10_000 });
  const [s3, ecr, ses] = [withXmlErrors(createS3(cloud)), createEcr(cloud), createSes(cloud)];
  cloud.serve(logsService, s3, ecr, ses);
  cloud.appendLogs = (group, stream, lines) => logsService.append(group, stream, lines);
  const declared = (type: string, physicalId: string, properties = {}) => ({
    stack: 's',
    logicalId: 'x',
    type,
    physicalId,
    attributes: {},
    properties,
  });
  await logsService.deploy?.([declared('AWS::Logs::LogGroup', logGroup, { LogGroupName: logGroup })]);
  await s3.deploy?.([bucketOf('artifacts')]);
  await ecr.deploy?.([]);
  const stage = stageSchema.parse({
    ...local,
    computes: local.computes.map((one) =>
      one.use === 'build' ? { ...one, maxConcurrent: limits[one.name === 'build-small' ? 0 : 1] } : one,
    ),
    privateRegistries: ['127.0.0.1'],
  });
  await ses.deploy?.([declared('AWS::SES::EmailIdentity', stage.mailFrom)]);

  const client = { ...cloud.client(), maxAttempts: 1 };
  const problems: string[] = [];
  const note = (message: string, fields: object) =>
    void problems.push(`${message} ${JSON.stringify(fields)}`);
  const log = { info: () => undefined, warn: note, error: note };
  const registries = createRegistryStore(table, cloud.registryHost, stage.privateRegistries);
  const artifacts = createArtifacts('artifacts', new S3Client({ ...client, forcePathStyle: true }));
  const now = () => new Date();
  const access = createRegistryAccess({
    registries,
    secrets: { read: async () => undefined },
    ecrLogin: createEcrLogin(new ECRClient(client)),
    ecrRegistry: cloud.registryHost,
    network: createNetwork({ privateHosts: stage.privateRegistries }),
  });
  /** Experiments whose execution was started; a name is taken once. */
  const executed = new Set<string>();
  const dependencies: CloseDependencies & AcceptDependencies = {
    executions: {
      start: async (_, experimentId) => void executed.add(experimentId),
      state: async (id) => (executed.has(id) ? 'running' : 'absent'),
    },
    table,
    stage,
    builds: createBuilds(
      { project: 'builds', roleArnPrefix: 'arn:aws:iam::000000000000:role/slipway-local-', logGroup },
      new CodeBuildClient(client),
    ),
    repositories: createRepositories(new ECRClient(client)),
    artifacts,
    registries,
    access,
    copyTag: createCopyTag(access),
    ecrRegistry: cloud.registryHost,
    logs: createLogs({ table, artifacts, client: new CloudWatchLogsClient(client), now }),
    logGroup,
    mail: createMail(stage.mailFrom, new SESv2Client(client)),
    apiUrl: 'http://127.0.0.1:4780',
    now,
    log,
  };
  const asking = () => ({ organisation, email: ada, now: new Date() });
  const get = async (id: string) => {
    const record = await table.get(organisation, 'builds', id);
    if (!record) throw new Error(`no build ${id}`);
    return record as BuildRecord;
  };

  let names = 0;
  const newIds = () => ({ imageId: newId('image', Date.now()), buildId: newId('build', Date.now()) });
  return {
    cloud,
    table,
    stage,
    dependencies,
    problems,
    get,
    ids: newIds,
    executed,
    /** Accepts a build; answers its id and its image's. */
    async build(more: object = {}, parts: Partial<AcceptDependencies> = {}, ids = newIds()) {
      const { source, ...rest } = { source: {}, ...more } as { source: object };
      const asked = newImageSchema.parse({
        source: { type: 'build', dockerfile: 'FROM scratch\n', ...source },
        repository: `x${++names}`,
        ...rest,
      });
      await buildImage({ ...dependencies, ...parts }, asking(), ids, asked);
      return ids;
    },
    async rebuild(imageId: string, asked: object = {}, parts: Partial<AcceptDependencies> = {}) {
      const ids = { imageId, buildId: newId('build', Date.now()) };
      return rebuildImage({ ...dependencies, ...parts }, asking(), ids, rebuildSchema.parse(asked));
    },
    /** What the builder would write. */
    result: (buildId: string, result: unknown) =>
      artifacts.write(resultKey(organisation, buildId), JSON.stringify(result), 'application/json'),
    image: (imageId: string) => table.get(organisation, 'images', imageId),
    /** While `work` is done no build gets beyond CodeBuild's PRE_BUILD. */
    async held<T>(work: () => Promise<T>): Promise<T> {
      writeFileSync(gate, '');
      try {
        return await work();
      } finally {
        rmSync(gate);
      }
    },
    /** CodeBuild's events of this build so far. */
    events: async (buildId: string) => {
      const { codeBuildId = 'none' } = await get(buildId);
      return cloud.events
        .filter((event) => String(event.detail['build-id']).endsWith(codeBuildId))
        .map((event) => buildEventSchema.parse({ time: new Date().toISOString(), ...event }));
    },
    /** Has every event of the build so far taken in. */
    async deliver(buildId: string, parts: Partial<CloseDependencies> = {}) {
      for (const event of await this.events(buildId)) await takeIn({ ...dependencies, ...parts }, event);
    },
    /** Delivers events until the build is over. */
    async over(buildId: string, parts: Partial<CloseDependencies> = {}): Promise<BuildRecord> {
      for (const until = performance.now() + 60_000; performance.now() < until; await sleep(50)) {
        await this.deliver(buildId, parts);
        const record = await get(buildId);
        if (isOver(record)) return record;
      }
      throw new Error(JSON.stringify([await get(buildId), problems], null, 1));
    },
    /** CodeBuild's own record of the build. */
    codeBuild: async (buildId: string) =>
      (
        await codeBuildClient.send(
          new BatchGetBuildsCommand({ ids: [(await get(buildId)).codeBuildId ?? ''] }),
        )
      ).builds?.[0],
    /** Builds that CodeBuild knows of. */
    started: async () =>
      (await codeBuildClient.send(new ListBuildsForProjectCommand({ projectName: 'builds' }))).ids ?? [],
    codes: async (id: string) => (await readEvents(table, organisation, id, 0, 100)).map(({ code }) => code),
    mails: () => {
      const outbox = join(cloud.home, 'outbox');
      try {
        return readdirSync(outbox).map((name) => readFileSync(join(outbox, name), 'utf8'));
      } catch {
        // Nothing was sent yet.
        return [];
      }
    },
    async close() {
      await cloud.close();
      await stop();
      rmSync(dirname(gate), { recursive: true, force: true });
    },
  };
}
