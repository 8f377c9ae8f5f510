/** A build as the table keeps it, and as the API shows it. */
import type { Build, BuildFailure } from '../model/build.ts';
import type { BuildStatus } from '../model/states.ts';
import { isTerminal } from '../model/states.ts';
import type { Work } from '../store/advance.ts';
import { columnKey, openKey } from '../store/table.ts';

export interface BuildRecord extends Work, Omit<Build, 'failure'> {
  failure?: BuildFailure;
  registryId: string;
  /** B10: its Dockerfile was generated. */
  isGenerated?: boolean;
  /** B8: the claim that makes identical requests find this build; absent where it is not shared. */
  claim?: string;
  /** The identical build that it waited for until that was stopped. */
  detachedFrom?: string;
  /** Of a mirror: the image that is mirrored. */
  sourceImageId?: string;
  /** B14: builds that it `waitsFor` may still be under way; not so any more once it is known what they made. */
  awaitsBases?: boolean;
  /** It builds even where an identical build has succeeded; kept for as long as its bases aren't known. */
  forced?: boolean;
  /** Holds a place on its compute; without one it waits for it. */
  hasSlot: boolean;
  /** When CodeBuild was first asked to start it; whoever finds an old one without an answer can't know whether it runs. */
  startingAt?: string;
  /** When CodeBuild first put its start off: it had too many builds or requests. */
  delayedAt?: string;
  /** CodeBuild's id, `<project>:<uuid>`. */
  codeBuildId?: string;
  /** Phases of CodeBuild whose end is on the timeline. */
  phasesSeen: string[];
  /** Of the one mail about it. */
  mail: MailState;
  mailAttempts?: number;
  /** Of the key in its link: see `page-link.ts`. */
  pageKeyHash?: string;
  logComplete: boolean;
  /** Time of the last timeline entry. */
  lastEventAt: string;
  statusKey: string;
  authorKey: string;
  imageKey: string;
  openKey?: string;
  dueAt?: string;
}

/**
 * `none` until the end; `due` then; `claimed` by the one who is about to send; `sent`; `skipped` by the organisation's
 * preference; `failed` after several refusals; `unknown` where whoever had claimed it died.
 */
export type MailState = 'none' | 'due' | 'claimed' | 'sent' | 'skipped' | 'failed' | 'unknown';

export const isOver = (record: Pick<BuildRecord, 'status'>) => isTerminal('build', record.status);

/**
 * A stop was asked for and CodeBuild never was, so nobody else will end it. Stays so until it is over: who starts
 * builds marks them first, and marks none that is to stop.
 */
export const stopsUnstarted = (
  record: Pick<BuildRecord, 'status' | 'stopRequestedAt' | 'startingAt' | 'codeBuildId'>,
) => !isOver(record) && Boolean(record.stopRequestedAt) && !record.startingAt && !record.codeBuildId;

/** Nothing is left to do: it is over, its log kept, its mail settled. */
export const isClosed = (record: Pick<BuildRecord, 'status' | 'mail' | 'logComplete'>) =>
  isOver(record) && record.logComplete && record.mail !== 'due' && record.mail !== 'claimed';

/** Fields that go with a status. */
export const statusFields = (id: string, status: BuildStatus) => ({
  status,
  statusKey: columnKey(status, id),
});

/** Keeps the record in the reconciler's index until it is closed; `dueAt` says when it wants to be looked at. */
export const openFields = (
  organisation: string,
  record: Pick<BuildRecord, 'status' | 'mail' | 'logComplete'>,
  dueAt: Date,
) =>
  isClosed(record)
    ? { openKey: undefined, dueAt: undefined }
    : { openKey: openKey(organisation), dueAt: dueAt.toISOString() };

/** Named fields only, so that nothing internal slips out. */
export function buildOf(record: BuildRecord): Build {
  const { id, kind, imageId, status, phase, compute, identity, cached, attachedTo, uri, digest } = record;
  const { sizeBytes, author } = record;
  const {
    createdAt,
    updatedAt,
    startedAt,
    finishedAt,
    durationSeconds,
    stopRequestedAt,
    failure,
    mirror,
    validation,
  } = record;
  return {
    id,
    kind,
    imageId,
    status,
    phase,
    compute,
    identity,
    cached,
    attachedTo,
    waitsFor: record.waitsFor,
    uri,
    push: kind === 'build' ? record.push !== false : undefined,
    digest,
    sizeBytes,
    author,
    createdAt,
    updatedAt,
    startedAt,
    finishedAt,
    durationSeconds,
    stopRequestedAt,
    warnings: record.warnings,
    failure,
    mirror,
    validation,
  };
}
