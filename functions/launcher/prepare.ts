import type { ScannedImage } from '../../shared/aws/image-scans.ts';
import type { JobDefinitions } from '../../shared/aws/jobs.ts';
import { changeOf, type Entry, type Step } from '../../shared/experiment/change.ts';
import { failed, opened } from '../../shared/experiment/conclusion.ts';
import { type ExperimentRecord, isOver, openAttempt } from '../../shared/experiment/record.ts';
import { findRunCompute } from '../../shared/experiment/run-compute.ts';
import type { RunCompute, Stage } from '../../shared/model/stage.ts';
import { CopyCancelledError } from '../../shared/registry/copy-layers.ts';
import { parseReference } from '../../shared/registry/reference.ts';
import { advance } from '../../shared/store/advance.ts';
import { definitionOf } from './definition.ts';
import { cacheRefusedEntry, copyingEntry, readyEntry, resolvedEntry, scanningEntry } from './entries.ts';
import { LaunchRefusedError, launchFailure } from './failure.ts';
import { type GateDependencies, passGate } from './gate.ts';
import { type FoundImage, findImage, type ImageDependencies, ownCopy, pinned, pullOf } from './image.ts';
import { end, type Next, submissionOf } from './submission.ts';

export interface LauncherDependencies extends ImageDependencies, GateDependencies {
  stage: Stage;
  definitions: JobDefinitions;
  logGroup: string;
  /** `arn:…:role/slipway-<stage>-`. */
  roleArnPrefix: string;
  apiUrl: string;
  now: () => Date;
}

export interface LaunchRequest {
  organisation: string;
  experimentId: string;
  /** Milliseconds until the function is ended. */
  remainingMs(): number;
}

/** Compressed layers that a launch copies at most; what is larger is mirrored once, beforehand. */
const copyLimitBytes = 20 * 1024 ** 3;
/** Kept back for what follows a copy or a scan. */
const reserveMs = 20_000;

/**
 * Resolves and pins the image, registers the definition and opens the first attempt. What the author can do
 * something about ends the experiment with its reason; anything else is thrown. Asked twice, it answers the same.
 */
export async function prepare(dependencies: LauncherDependencies, request: LaunchRequest): Promise<Next> {
  const { table, stage } = dependencies;
  const { organisation, experimentId: id } = request;
  const at = { organisation, collection: 'experiments', id } as const;
  const record = (await table.get(organisation, 'experiments', id)) as ExperimentRecord | undefined;
  if (!record || isOver(record)) return end;
  const compute = findRunCompute(stage, record.compute);
  if (record.attempts.length > 0) return compute ? again(dependencies, record, compute, organisation) : end;
  const circumstances = () => ({
    organisation,
    now: dependencies.now(),
    queueTimeoutSeconds: stage.queueTimeoutSeconds,
  });
  const note: Note = async (step) => {
    await advance<ExperimentRecord>(table, at, (current) => changeOf(current, circumstances(), step));
  };
  let step: Step;
  try {
    if (!compute)
      throw new LaunchRefusedError('compute-unavailable', `The compute ${record.compute} no longer exists.`);
    step = await preparation(dependencies, request, record, compute, note);
  } catch (error) {
    if (error instanceof CopyCancelledError) return end;
    const reason = launchFailure(error);
    if (!reason) throw error;
    await note(failed(reason));
    return end;
  }
  const [queue = ''] = compute.queues;
  const moved = await advance<ExperimentRecord>(table, at, (current) =>
    // Stopped meanwhile, or prepared by a call before this one whose answer was lost.
    isOver(current) || current.attempts.length > 0
      ? undefined
      : changeOf(current, circumstances(), step, opened(queue)),
  );
  return moved && !isOver(moved.record) ? again(dependencies, moved.record, compute, organisation) : end;
}

type Note = (step: Step) => Promise<void>;

/** The submission of the attempt that is open and not submitted yet. */
function again(
  { stage, apiUrl }: LauncherDependencies,
  record: ExperimentRecord,
  compute: RunCompute,
  organisation: string,
): Next {
  const attempt = openAttempt(record);
  if (attempt?.stage !== 'submitting') return end;
  return submissionOf(record, attempt, { stage: stage.stage, organisation, compute, apiUrl });
}

/** What preparing comes to: the pinned image and the definition, as one step of the record. */
async function preparation(
  dependencies: LauncherDependencies,
  { organisation, remainingMs }: LaunchRequest,
  record: ExperimentRecord,
  compute: RunCompute,
  note: Note,
): Promise<Step> {
  const { table, stage, definitions, now } = dependencies;
  const found = await findImage(dependencies, organisation, record.image);
  const entries: Entry[] = [resolvedEntry(found, now())];
  const { config } = found.manifest;
  const hasEntrypoint = config.entrypoint.length > 0;
  if (!record.command && !hasEntrypoint && config.command.length === 0)
    throw new LaunchRefusedError('no-command', `${found.image.uri} has no command. Give one in \`command\`.`);
  const clearEntrypoint = record.command !== undefined && record.entrypoint === 'replace' && hasEntrypoint;
  if (found.cacheRefused !== undefined) entries.push(cacheRefusedEntry(found, now()));
  const isWanted = async () => {
    const current = await table.get(organisation, 'experiments', record.id, true);
    return current !== undefined && !isOver(current as ExperimentRecord);
  };
  const pull = await pullOf(dependencies, organisation, found.source);
  // Of an index, the very manifest that is looked at here and judged by the gate: a host might choose another of its own.
  const { platformDigest } = found.manifest;
  let image = pinned(found.source, platformDigest);
  if (pull.how === 'copy' || clearEntrypoint) {
    image = await ownCopy(
      dependencies,
      organisation,
      found,
      clearEntrypoint,
      {
        limitBytes: copyLimitBytes,
        remainingMs,
        reserveMs,
        cancelled: async () => !(await isWanted()),
      },
      {
        started: (bytes, target) =>
          note(pinnedStep(found, [...entries.splice(0), copyingEntry(bytes, target, now())])),
      },
    );
    entries.push(readyEntry(image, clearEntrypoint, now()));
  }
  await passGate(
    dependencies,
    organisation,
    { uri: found.image.uri, image: scannedOf(dependencies.ecrRegistry, found, image) },
    {
      started: () => note(pinnedStep(found, [...entries.splice(0), scanningEntry(now())])),
      goesOn: async () => remainingMs() > reserveMs && (await isWanted()),
    },
  );
  const definition = definitionOf({
    stage: stage.stage,
    organisation,
    image,
    command: record.command,
    entrypoint: record.entrypoint,
    env: record.env,
    compute,
    credentialsArn: pull.how === 'direct' && !clearEntrypoint ? pull.credentialsArn : undefined,
    logGroup: dependencies.logGroup,
    roleArnPrefix: dependencies.roleArnPrefix,
  });
  const { arn, reused } = await definitions.ensure(definition);
  entries.push({
    time: now().toISOString(),
    code: 'defined',
    message: reused ? 'The job definition already exists.' : 'Registered the job definition.',
    detail: { jobDefinition: arn, reused },
  });
  const isElsewhere = image !== pinned(found.location, platformDigest);
  const pinnedImage = pinnedStep(
    isElsewhere ? { ...found, image: { ...found.image, pulledFrom: image } } : found,
    entries,
  );
  return (current, circumstances) => {
    const move = pinnedImage(current, circumstances);
    const entrypointReplaced = clearEntrypoint ? (true as const) : undefined;
    return move && { ...move, set: { ...move.set, jobDefinition: arn, entrypointReplaced } };
  };
}

const pinnedStep =
  ({ image }: FoundImage, entries: Entry[]): Step =>
  (record) =>
    isOver(record) ? undefined : { set: { image }, entries };

/** What of an image ECR can scan: itself, or its copy; nothing of one that hosts pull from elsewhere. */
function scannedOf(
  ecrRegistry: string,
  { source, manifest }: FoundImage,
  image: string,
): ScannedImage | undefined {
  if (source.host === ecrRegistry) return { repository: source.repository, digest: manifest.platformDigest };
  const { host, repository, digest } = parseReference(image);
  return host === ecrRegistry && digest !== undefined ? { repository, digest } : undefined;
}
